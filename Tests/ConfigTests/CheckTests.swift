import Settings
import Testing

@testable import Config

/// Lines after the frame, the column-free message of the only problem they must give.
private let wrong: [(lines: String, message: String)] = [
    // Types and bounds.
    ("workers: 0", "workers: expected `auto` or a whole number from 1 to 256, found \"0\""),
    ("workers: [1]", "workers: expected `auto` or a whole number from 1 to 256, found a list"),
    ("limit_keys: 10", "limit_keys: expected a whole number from 1000 to 100000000, found \"10\""),
    ("log: {level: loud}", "log.level: unknown level `loud`"),
    ("log: {sample: 101%}", "log.sample: expected a percentage from 0% to 100%, found \"101%\""),
    ("log: 5", "log: expected a mapping, found \"5\""),
    ("shutdown: {drain: 2d}", "shutdown.drain: expected a duration from 0s to 24h, found \"2d\""),
    ("http: {fields: 0}", "http.fields: expected a whole number from 1 to 1000, found \"0\""),
    (
        "http: {header_bytes: 2MiB}",
        "http.header_bytes: expected a size from 1KiB to 1MiB, found \"2MiB\""
    ),
    (
        "headers: [x-rate-limit]",
        "headers[0]: unknown dialect `x-rate-limit`; did you mean `x-ratelimit`?"
    ),
    ("cache: 5", "cache: expected `off` or a duration, for example `5m`, found \"5\""),
    ("cache: [a]", "cache: expected `off`, a duration or a mapping, found a list"),
    ("cache:", "cache: expected `off`, a duration or a mapping, found nothing"),
    (
        "cache: {negative: {200: 1s}}",
        "cache.negative.200: expected a status from 400 to 599 as key"
    ),
    (
        "cache: {early_refresh: {beta: 0}}",
        "cache.early_refresh.beta: expected a number from 0.001 to 100, found \"0\""
    ),
    (
        "cache: {early_refresh: {last: 1%}}",
        "cache.early_refresh: expected `beta`, or `last` and `chance` together"
    ),
    (
        "cache: {memory: 1MiB, max_object: 2MiB}",
        "cache.max_object: larger than the whole store, which has 1MiB"
    ),
    (
        "cache: {vary_by: ['header:Authorization']}",
        "cache.vary_by[0]: `authorization` would put credentials into keys"
    ),
    (
        "cache: {vary_by: ['cookie:a b']}",
        "cache.vary_by[0]: expected `cookie:` and the name of a cookie, found \"cookie:a b\""
    ),
    (
        "cache: {methods: [GET, POST], vary_by: ['header:X']}",
        "cache.methods: answers to POST would be stored without regard to what was sent"
    ),
    (
        "cache: {methods: QUERY, vary_by: [body], max_body: 17MiB}",
        "cache.max_body: expected a size from 1 to 16MiB, found \"17MiB\""
    ),
    (
        "cache: {vary_by: [body]}",
        "cache.vary_by: `body` can never matter: only answers to GET are stored"
    ),
    (
        "cache: {methods: [HEAD, QUERY]}",
        "cache.methods[0]: HEAD is answered from stored answers to GET, which is not named"
    ),
    (
        "cache: {methods: [PUT]}",
        "cache.methods[0]: expected GET, HEAD, QUERY or POST, found \"PUT\""
    ),
    (
        "routes: [{path: /a, idempotency: {required: true}}]",
        "routes[0].idempotency: `ttl` is missing"
    ),
    (
        "routes: [{path: /a, idempotency: {ttl: 1h, header: Cookie}}]",
        "routes[0].idempotency.header: `cookie` means something else in HTTP"
    ),
    (
        "idempotency_memory: 1MiB\nroutes: [{path: /a, idempotency: {ttl: 1h, max_answer: 2MiB}}]",
        "routes[0].idempotency.max_answer: larger than `idempotency_memory`, which is 1MiB"
    ),
    (
        "routes: [{path: /a, methods: [GET, QUERY], idempotency: 1h}]",
        "routes[0].idempotency: can never matter: the route serves safe methods only"
    ),
    (
        "cache: {vary_by: ['header:X', 'header:x']}",
        "cache.vary_by[1]: `header:x` stands twice"
    ),
    (
        "cache: {only_query: 'a&b'}",
        "cache.only_query: expected the name of a query parameter, or a prefix with a final `*`, found \"a&b\""
    ),
    (
        "cache: {ignore_query: ['a*b']}",
        "cache.ignore_query[0]: expected the name of a query parameter, or a prefix with a final `*`, found \"a*b\""
    ),
    (
        "limits: {a: {rate: 1/s, burst: 0}}",
        "limits.a.burst: expected a whole number from 1 to 1000000, found \"0\""
    ),
    (
        "limits: {a: {rate: 1/s, algorithm: sliding_window, sub_windows: 361}}",
        "limits.a.sub_windows: expected a whole number from 1 to 360, found \"361\""
    ),
    ("limits: [10 per ip]", "limits[0]: expected a rate, found \"10\""),
    ("limits: [10/s per]", "limits[0]: expected a scope, found \"\""),
    ("limits: [10/s per usr]", "limits[0]: unknown scope `usr`; did you mean `user`?"),
    (
        "limits: {a: unlimited}",
        "limits.a: a limit needs a rate; `unlimited` is for tiers and overrides"
    ),
    ("limits: {a b: 1/s}", "limits.a b: a name has letters, digits, `_`, `.` and `-`"),
    (
        "identity: {trusted_proxies: [10.0.0.1/8]}",
        "identity.trusted_proxies[0]: the address has bits beyond its prefix of 8"
    ),
    (
        "identity: {trusted_proxies: [10.0.0.0/33]}",
        "identity.trusted_proxies[0]: expected a network with a prefix length from 0 to 32, found \"10.0.0.0/33\""
    ),
    (
        "identity: {ipv6_prefix: 129}",
        "identity.ipv6_prefix: expected a whole number from 1 to 128, found \"129\""
    ),
    ("routes: []", "routes: expected at least one route, found an empty list"),
    ("routes: [{path: a}]", "routes[0].path: a path begins with `/`"),
    ("routes: [{path: /**/a}]", "routes[0].path: `**` can only be the last segment"),
    ("routes: [{path: '/a*'}]", "routes[0].path: `a*` mixes text with `*` or `{name}`"),
    ("routes: [{path: '/{a}/{a}'}]", "routes[0].path: `{a}` stands twice"),
    ("routes: [{path: '/{1}'}]", "routes[0].path: `{1}` is no name"),
    (
        "routes: [{path: /a//b}]",
        "routes[0].path: an empty segment never matches: paths are normalised first"
    ),
    ("routes: [{path: /a/../b}]", "routes[0].path: `..` never matches: paths are normalised first"),
    (
        "routes: [{path: '/a?b'}]",
        "routes[0].path: `a?b` has characters that a path has percent-encoded only"
    ),
    (
        "routes: [{path: '/%zz'}]",
        "routes[0].path: `%zz` has characters that a path has percent-encoded only"
    ),
    (
        "routes: [{path: /a, methods: [get]}]",
        "routes[0].methods[0]: methods are case-sensitive; did you mean `GET`?"
    ),
    (
        "routes: [{path: /a, methods: [TRACE]}]",
        "routes[0].methods[0]: TRACE is refused before routes are looked at"
    ),
    (
        "routes: [{path: /a, host: 'a:80'}]",
        "routes[0].host: expected a host name without port, found \"a:80\""
    ),
    (
        "routes: [{path: /a, headers: {'a b': x}}]",
        "routes[0].headers.a b: \"a b\" is not the name of a header field"
    ),
    (
        "routes: [{path: /a, timeout: 0s}]",
        "routes[0].timeout: expected a duration from 1ms to 24h, found \"0s\""
    ),
    ("routes: [{path: /a, auth: yes}]", "routes[0].auth: unknown choice `yes`"),
    (
        "routes: [{path: /a, cache: {memory: 1MiB}}]",
        "routes[0].cache.memory: belongs to the top-level `cache:`, since routes share one store"
    ),
    // Things that do not fit together.
    ("upstreams: {a: http://a}", "upstreams: `upstream` at line 2 says the same"),
    (
        "admin: 0.0.0.0:9900",
        "admin: 0.0.0.0:9900 can be reached from other machines and has no token"
    ),
    (
        "admin: {address: 10.0.0.1:9900, token: ''}",
        "admin: 10.0.0.1:9900 can be reached from other machines and has no token"
    ),
    ("admin: 127.0.0.1:8080", "admin: 127.0.0.1:8080 is already an address of `listen`"),
    (
        "admin: {address: 127.0.0.1:1, token: short}",
        "admin.token: expected 8 to 1024 visible ASCII characters"
    ),
    (
        "identity: {user: header:X}",
        "identity.user: header fields are believed from `trusted_proxies` only, and none is named"
    ),
    (
        "limits: [1/s per ip, 1/s per ip]",
        "limits[1]: the limit \"ip-1-second\" is already used at line 3"
    ),
    (
        "limits: [1/s per global and ip]",
        "limits[0]: `global` counts everybody together and stands alone"
    ),
    ("limits: [1/s per ip and ip]", "limits[0]: `ip` stands twice"),
    (
        "limits: [1/s per user]",
        "limits[0]: is per user, but `identity.user` is not set: every request would be counted by address"
    ),
    (
        "limits: {a: {rate: 1/s, per: company, anonymous: skip}}",
        "limits.a: is per company, but `identity.company` is not set: no request would be counted"
    ),
    (
        "limits: {a: {rate: 1/s, per: user, anonymous: deny}}",
        "limits.a: is per user, but `identity.user` is not set: every request would be refused"
    ),
    (
        "limits: {a: {rate: 1/s, anonymous: skip}}",
        "limits.a.anonymous: has no effect on a limit that is not per user, company, header or claim"
    ),
    (
        "limits: {a: {rate: 1/s, tiers: {x: 2/s}}}",
        "limits.a: has tiers, but `identity.tier` is not set"
    ),
    (
        "limits: {a: {rate: 1/s, sub_windows: 5}}",
        "limits.a.sub_windows: belongs to `algorithm: sliding_window`"
    ),
    (
        "limits: {a: {rate: 1/s, algorithm: fixed_window, burst: 5}}",
        "limits.a.burst: belongs to `algorithm: token_bucket`"
    ),
    ("limits: {a: 1/s}\nroutes: [{path: /a}]", "limits.a: no route uses the limit \"a\""),
    (
        "limits: {aa: 1/s}\nroutes: [{path: /a, limits: [aa, aa]}]",
        "routes[0].limits[1]: the limit \"aa\" stands twice"
    ),
    (
        "limits: {login: 1/s}\nroutes: [{path: /a, limits: [logon]}]",
        "routes[0].limits[0]: unknown limit `logon`; did you mean `login`?"
    ),
    (
        "limits: [1/s, 2/s, 3/s, 4/s, 5/s, 6/s, 7/s, 8/s, 9/s]",
        "limits[8]: one request can have 8 limits; without `routes` it has all"
    ),
    (
        "cache: {ttl: 1m, force_ttl: 2m}",
        "cache.force_ttl: `ttl` at line 3 could never hold beside it"
    ),
    ("cache: {memory: 1MiB}\nroutes: [{path: /a}]", "cache: no route uses the cache"),
    (
        "cache: {ttl: 1m, vary_by: [user]}",
        "cache.vary_by: `identity.user` is not set: all answers would share one key"
    ),
    (
        "routes: [{path: /a, cache: {vary_by: tier}}]",
        "routes[0].cache.vary_by: `identity.tier` is not set: all answers would share one key"
    ),
    (
        "routes: [{path: /a, auth: required}]",
        "routes[0].auth: `identity.user` is not set: every request would be refused"
    ),
    (
        "routes: [{path: /a/b, strip_prefix: /b}]",
        "routes[0].strip_prefix: \"/b\" is not made of the first segments of the route's path"
    ),
    (
        "routes: [{path: /api/b, strip_prefix: /ap}]",
        "routes[0].strip_prefix: \"/ap\" is not made of the first segments of the route's path"
    ),
    (
        "routes: [{path: '/{x}/b', strip_prefix: '/{x}'}]",
        "routes[0].strip_prefix: \"/{x}\" is not made of the first segments of the route's path"
    ),
    (
        "routes: [{path: /a, strip_prefix: /}]",
        "routes[0].strip_prefix: \"/\" is not made of the first segments of the route's path"
    ),
    (
        "routes: [{path: /a, name: x}, {path: /b, name: x}]",
        "routes[1].name: \"x\" is already used at line 3"
    ),
    (
        "routes: [{path: /a, upstream: defaul}]",
        "routes[0].upstream: unknown upstream `defaul`; did you mean `default`?"
    ),
]

@Test(arguments: wrong)
func `what is wrong is refused with one message that says why`(lines: String, message: String) {
    let found = messages(frame + lines + "\n").map { String($0.drop { $0 != " " }.dropFirst()) }
    #expect(found == [message])
}

@Test func `several upstreams need a choice`() throws {
    let two = "listen: :1\nupstreams: {a: http://a, b: http://b}\n"
    #expect(
        messages(two) == ["1:1 there are several upstreams, and no `routes` that choose one"])
    #expect(
        messages(two + "routes:\n  - path: /**\n")
            == ["4:5 routes[0]: `upstream` is missing and none is named `default`"])
    #expect(try settings(two + "routes: [{path: /**, upstream: b}]\n").routes[0].upstream == 1)
    let named = "listen: :1\nupstreams: {a: http://a, default: http://b}\n"
    #expect(try settings(named).routes[0].upstream == 1)
}

@Test func `an address or server that stands twice is refused`() throws {
    #expect(
        messages("listen:\n  - :1\n  - address: 0.0.0.0:1\nupstream: http://a\n")
            == ["3:14 listen[1].address: \"0.0.0.0:1\" is already used at line 2"])
    #expect(
        messages("listen: :1\nupstreams:\n  a:\n    - http://a\n    - http://a\n")
            == ["5:7 upstreams.a[1]: \"http://a\" is already used at line 4"])
    #expect(
        try settings("listen: ['127.0.0.1:0', '127.0.0.1:0']\nupstream: http://a\n").listeners.count
            == 2)
}

@Test(arguments: [
    ("/**", "/a", true), ("/**", "/", true), ("/**", "/**", true), ("/a/**", "/a", true),
    ("/a/**", "/a/b/**", true), ("/a/*", "/a/{x}", true), ("/a/{x}", "/a/b", true),
    ("/a", "/a", true), ("/a/*", "/a/**", false), ("/a/b", "/a/*", false), ("/a/**", "/b", false),
    ("/a/*", "/a", false), ("/a", "/a/b", false), ("/*", "/", false), ("/a/", "/a", false),
    ("/a/*", "/a/", false), ("/a/**", "/**", false),
])
func `a pattern covers what it matches whole, and nothing more`(
    first: String, second: String, covers: Bool
) {
    let found = messages(frame + "routes: [{path: '\(first)'}, {path: '\(second)'}]\n")
    #expect(found.contains { $0.contains("never reached") } == covers)
}

@Test(arguments: [
    ("methods: [GET]", "methods: [GET, POST]", false),
    ("methods: [GET, POST]", "methods: [POST]", true),
    ("methods: [GET]", "methods: [HEAD]", true), ("methods: [HEAD]", "methods: [GET]", false),
    ("methods: [GET]", "name: x", false), ("host: a.com", "host: A.com", true),
    ("host: a.com", "host: b.com", false), ("host: '*.a.com'", "host: x.a.com", true),
    ("host: '*.a.com'", "host: a.com", false), ("host: '*.a.com'", "host: '*.b.a.com'", true),
    ("host: a.com", "name: x", false), ("headers: [X-A]", "headers: {x-a: '1'}", true),
    ("headers: {X-A: '1'}", "headers: [X-A]", false), ("headers: [X-A]", "name: x", false),
    ("name: x", "headers: [X-A]", true),
])
func `conditions keep a later route within reach`(first: String, second: String, covers: Bool) {
    let found = messages(frame + "routes: [{path: /a, \(first)}, {path: /a, \(second)}]\n")
    #expect(found.contains { $0.contains("never reached") } == covers)
    #expect(found.count == (covers ? 1 : 0))
}

@Test func `one fault is not reported as several`() {
    // The broken limit, upstream and user are all known where they are referred to.
    let text = """
        listen: :1
        upstreams: {a: ftp://x}
        identity: {user: jwt.sub}
        limits: {x: {rate: ten, per: user}}
        routes: [{path: /a, limits: [x], upstream: a, auth: required, cache: {vary_by: user}}]
        """
    #expect(messages(text).count == 3)
}
