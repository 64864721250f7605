import Config
import EventLoop
import HTTPModel
import Identity
import Limits
import Primitives
import Settings
import TestKit
import Testing

@testable import Proxy

/// What `weir explain` says, in single cases.
@Suite struct ExplainTests {
    private func explain(
        _ yaml: String, _ line: String, _ fields: String..., from peer: String = "127.0.0.1"
    ) throws -> Explanation {
        let text = "listen: 10.1.0.1:8080\nupstream: http://10.2.0.1:8000\n" + yaml
        let settings = try Configuration.load(
            text: text, file: "proxy.yaml", environment: [:], processors: 1
        ).get()
        let address = try #require(IPAddress(parsing: peer))
        let asked = try AskedRequest(line, fields: fields, peer: address)
        let world = SimulatedWorld(seed: 1)
        return try #require(
            Explanation.atStart(
                asked, settings, keys: CredentialKeys(), kernel: world.kernel))
    }

    private let routes = """
        routes:
          - {path: /a/**, name: posts, methods: [POST]}
          - {path: /a/**, name: hosted, host: api.example.com}
          - {path: /a/**, name: beta, headers: {X-Beta: "yes"}}
          - {path: /a/**, name: any-beta, headers: {X-Other: ~}}
          - {path: /b, name: other}
          - {path: /a/x, name: right}
        """

    @Test func `each route before the one that matches says which condition failed`() throws {
        let explanation = try explain(routes, "GET /a/x", "X-Beta: no")
        #expect(explanation.route?.name == "right")
        #expect(explanation.route?.index == 5)
        #expect(
            explanation.routes.map(\.mismatch) == [
                .method(["POST"]), .host("api.example.com"), .header("x-beta: yes"),
                .header("x-other"), .path, nil,
            ])
        #expect(explanation.outcome.action == .forwarded)
        #expect(explanation.cache == nil)
        #expect(explanation.decision == .notLimited)
    }

    @Test func `a request without a route is rejected as it would be`() throws {
        let explanation = try explain(routes, "GET /c")
        #expect(explanation.route == nil)
        #expect(explanation.routes.count == 6)
        #expect(explanation.outcome.status == 404)
        #expect(explanation.decision == .notReached)
        #expect(explanation.identity == nil)
        #expect(explanation.text.contains("route     none matches\n"))
    }

    @Test func `a request that no connection would take is rejected with the reason`() throws {
        let malformed = try explain("", "GET /%zz")
        #expect(malformed.outcome.status == 400)
        #expect(malformed.routes.isEmpty)
        #expect(try explain("", "TRACE /").outcome.status == 405)
        #expect(try explain("", "GET /", "Content-Length: x").outcome.status == 400)
        #expect(try explain("", "GET /", "Host: a", "Host: b").outcome.status == 400)
        #expect(try explain("", "OPTIONS *").outcome.status == 204)
    }

    @Test(
        arguments: [
            ("", []), ("GET", []), ("GET /a b", []), ("G\u{7}T /", []), ("GET /a\r\nX: y", []),
            ("GET /", ["no colon"]), ("GET /", ["A b: c"]), ("GET /", [": c"]),
            ("GET /", ["A: b\r\nC: d"]), ("GET /", ["A: b\u{0}"]),
        ] as [(String, [String])])
    func `what is not one request is refused, and smuggles no field in`(
        line: String, fields: [String]
    ) {
        #expect(throws: AskedRequest.Problem.self) { try AskedRequest(line, fields: fields) }
    }

    @Test func `the address is told with where it was found`() throws {
        let yaml = "identity: {trusted_proxies: [10.0.0.0/8]}\n"
        let direct = try explain(yaml, "/", from: "192.0.2.1").identity
        #expect(direct?.address == .init(value: "192.0.2.1", source: "the connection"))
        let forged = try explain(yaml, "/", "X-Forwarded-For: 8.8.8.8", from: "192.0.2.1").identity
        #expect(forged?.address.value == "192.0.2.1")
        #expect(forged?.address.source.contains("not believed") ?? false)
        let proxied = try explain(yaml, "/", "X-Forwarded-For: 2001:db8::7", from: "10.0.0.1")
            .identity
        #expect(
            proxied?.address
                == .init(
                    value: "2001:db8::7", source: "X-Forwarded-For of the trusted proxy 10.0.0.1"))
        #expect(proxied?.counted == "2001:db8::/64")
        let garbage = try explain(yaml, "/", "Forwarded: for=unknown", from: "10.0.0.1").identity
        #expect(garbage?.address.value == "10.0.0.1")
        #expect(garbage?.address.source.contains("has no address") ?? false)
    }

    @Test func `a part of the identity that is missing says why`() throws {
        let yaml = """
            identity: {trusted_proxies: [10.0.0.0/8], user: header:X-User-ID, tier: {default: free}}
            """
        let said = try explain(yaml, "/", "X-User-ID: 42", from: "10.0.0.1").identity
        #expect(said?.user.value == "42")
        let forged = try explain(yaml, "/", "X-User-ID: 42", from: "192.0.2.1").identity
        #expect(forged?.user.value == nil)
        #expect(forged?.user.source == "header:x-user-id: the peer is no trusted proxy")
        let silent = try explain(yaml, "/", from: "10.0.0.1").identity
        #expect(silent?.user.source == "header:x-user-id: not sent")
        #expect(silent?.company == .init(value: nil, source: "not configured"))
        #expect(silent?.tier == .init(value: "free", source: "the default"))
    }

    @Test func `each limit says its key, its rate and where that comes from`() throws {
        let yaml = """
            identity:
              trusted_proxies: [127.0.0.0/8]
              user: header:X-User-ID
              tier: {from: header:X-Tier, default: free}
            limits:
              a: {rate: 30/minute, per: [user, endpoint], burst: 5, tiers: {pro: 60/minute, internal: unlimited}}
              b: {rate: 10/hour, per: user, algorithm: sliding_window, anonymous: skip, mode: shadow}
              c: {rate: 5/second, per: global, algorithm: fixed_window}
            routes: [{path: /x/**, limits: [a, b, c]}]
            """
        let pro = try explain(yaml, "GET /x/1", "X-User-ID: 42", "X-Tier: pro")
        #expect(pro.decision == .admitted)
        #expect(
            pro.limits.map(\.key) == ["user=42, endpoint=GET /x/**", "user=42", "everybody"])
        #expect(pro.limits.map(\.rate) == ["60 per 1 minute", "10 per 1 hour", "5 per 1 second"])
        #expect(pro.limits.map(\.rateSource) == ["tier pro", nil, nil])
        #expect(pro.limits.map(\.verdict) == [.pass, .pass, .pass])
        #expect(pro.limits.map(\.isShadow) == [false, true, false])
        #expect(pro.limits.map(\.level?.remaining) == [5, 10, 5])
        #expect(pro.limits.map(\.cost) == [1, 1, 1])

        let inside = try explain(yaml, "GET /x/1", "X-Tier: internal")
        #expect(inside.limits.map(\.verdict) == [.unlimited, .skipped, .pass])
        #expect(inside.limits[0].rateSource == "tier internal")
        #expect(inside.limits[1].missing == ["user"])

        let anonymous = try explain(yaml, "GET /x/1")
        #expect(anonymous.limits[0].key == "ip=127.0.0.1, endpoint=GET /x/**")
        #expect(anonymous.limits[0].missing == ["user"])
        #expect(anonymous.text.contains("a: pass, counted by address for lack of user\n"))
    }

    @Test func `the cache says its key and whether an answer would be stored`() throws {
        let plain = try explain("cache: 5m", "GET /x?a=1", "Host: API.example.com").cache
        #expect(plain?.key == "{GET}:api.example.com:/x?a=1")
        #expect(plain?.state == "miss")
        #expect(plain?.store == .init(plain: true, reason: "for 5 min, by the route's ttl"))
        let credentials = try explain("cache: 5m", "GET /x", "Authorization: Bearer t").cache
        #expect(credentials?.store?.plain == false)
        #expect(credentials?.store?.reason.contains("public") ?? false)
        let cookie = try explain("cache: 5m", "GET /x", "Cookie: a=b").cache
        #expect(cookie?.store?.plain == false)
        #expect(cookie?.store?.reason.contains("max-age=60") ?? false)
        let post = try explain("cache: 5m", "POST /x")
        #expect(post.cache?.state == "bypass")
        #expect(post.cache?.detail == "method")
        #expect(post.cache?.key == nil)
        #expect(try explain("cache: 5m", "HEAD /x").cache?.detail == "head-not-stored")
        let wanted = try explain(
            "cache: {ttl: 5m, client_no_cache: respect}", "GET /x", "Cache-Control: only-if-cached")
        #expect(wanted.outcome.status == 504)
        #expect(wanted.decision == .notLimited)
    }

    @Test func `controls in what a client sends reach no terminal`() throws {
        let explanation = try explain(
            "identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}", "GET /",
            "X-User-ID: \u{9B}31m")
        #expect(explanation.text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
        #expect(!explanation.text.unicodeScalars.contains("\u{9B}"))
    }
}
