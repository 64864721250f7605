import Caching
import Config
import Identity
import Limits
import Primitives
import Routes
import Settings
import Testing

@Test func `the smallest file has defaults for everything else`() throws {
    let loaded = try settings(
        """
        listen: 0.0.0.0:8080
        upstream: http://127.0.0.1:8000
        limits: [100/minute per ip]
        cache: 5m
        """)
    #expect(loaded.listeners == [ListenerSettings(address: .tcp(IPAddress(v4: 0), port: 8080))])
    #expect(loaded.admin == nil)
    #expect(loaded.workers == 4)
    #expect(loaded.limitKeys == 1_000_000)
    #expect(loaded.upstreams.map(\.name) == ["default"])
    #expect(loaded.upstreams[0].poolSize == 20 && loaded.upstreams[0].poolOverflow == 40)
    #expect(loaded.limits.map(\.name) == ["ip-100-minute"])
    #expect(loaded.limits[0].algorithm == .tokenBucket(burst: nil))
    #expect(loaded.cacheMemory == 256 << 20)
    #expect(loaded.routes.map(\.match) == [RouteDefinition(name: "/**", path: "/**")])
    #expect(loaded.routes[0].limits == [0])
    #expect(loaded.routes[0].cache == CachePolicy(ttl: .seconds(300)))
    #expect(loaded.http == HTTPSettings())
    #expect(loaded.headers == HeaderSettings())
    #expect(loaded.log == LogSettings())
    #expect(loaded.drain == .seconds(30))
}

@Test(
    arguments: [
        (":8080", .tcp(IPAddress(v4: 0), port: 8080)),
        ("127.0.0.1:0", .tcp(IPAddress(v4: 0x7F00_0001), port: 0)),
        ("'[::]:8080'", .tcp(IPAddress(high: 0, low: 0), port: 8080)),
        ("'[::1]:443'", .tcp(IPAddress(high: 0, low: 1), port: 443)),
        ("unix:/run/weir.sock", .unix("/run/weir.sock")),
    ] as [(String, SocketAddress)])
func `addresses to listen on are read in every form`(text: String, address: SocketAddress) throws {
    let rest = "upstream: http://a\n"
    for form in ["listen: \(text)", "listen: [\(text.hasPrefix(":") ? "'\(text)'" : text)]"] {
        #expect(try settings("\(form)\n\(rest)").listeners.map(\.address) == [address])
    }
    #expect(
        try settings("listen:\n  - address: \(text)\n\(rest)").listeners.map(\.address) == [address]
    )
}

@Test(arguments: [
    "8080", "localhost:80", "1.2.3.4", "1.2.3.4:65536", "::1:80", "[1.2.3.4]:80", "[]:80", "[::1]",
    "unix:relative", "unix:", "http://1.2.3.4:80", "1.2.3.4:080", "[::1:80", "",
])
func `what is no address to listen on is refused`(text: String) {
    let found = messages("listen: '\(text)'\nupstream: http://a\n")
    #expect(found.count == 1 && found[0].hasPrefix("1:9 listen: expected "))
}

@Test(
    arguments: [
        ("http://127.0.0.1:8000", .host("127.0.0.1", port: 8000), "127.0.0.1:8000"),
        ("http://API.example.com/", .host("api.example.com", port: 80), "API.example.com"),
        ("http://[::1]:81", .host("::1", port: 81), "[::1]:81"),
        ("http://[::1]", .host("::1", port: 80), "[::1]"),
        ("http://my_api", .host("my_api", port: 80), "my_api"),
        ("unix:/run/api.sock", .unix("/run/api.sock"), "localhost"),
    ] as [(String, UpstreamSettings.Server.Location, String)])
func `servers are read in every form`(
    url: String, location: UpstreamSettings.Server.Location, authority: String
) throws {
    let server = UpstreamSettings.Server(location: location, authority: authority)
    #expect(try settings("listen: :1\nupstream: \(url)\n").upstreams[0].servers == [server])
    for form in [
        "'\(url)'", "['\(url)']", "{servers: ['\(url)']}",
        "{servers: [{url: '\(url)', weight: 1}]}",
    ] {
        let loaded = try settings("listen: :1\nupstreams: {a: \(form)}\n")
        #expect(loaded.upstreams.map(\.name) == ["a"])
        #expect(loaded.upstreams[0].servers == [server])
    }
}

@Test(arguments: [
    "127.0.0.1:8000", "http://", "http://a:0", "http://a:x", "http://a:65536", "http://a/path",
    "http://u:p@a", "http://a?q", "http://[1.2.3.4]", "http://[::1", "http://256.1.1.1",
    "http://-a", "http://a..b", "ftp://a", "unix:x", "http://a b",
])
func `what is no server is refused`(url: String) {
    let found = messages("listen: :1\nupstream: '\(url)'\n")
    #expect(found.count == 1 && found[0].hasPrefix("2:11 upstream: "))
}

@Test func `an upstream's pool and timeouts are read`() throws {
    let upstream = try settings(
        """
        listen: :1
        upstreams:
          api:
            servers: [http://a, {url: http://b:81, weight: 3}]
            pool: {size: 1, overflow: 2, wait: 3s, recycle: 4m, idle: 5s}
            timeouts: {connect: 6s, first_byte: 7s, idle: 8s}
        """
    ).upstreams[0]
    #expect(upstream.servers.map(\.weight) == [1, 3])
    #expect(upstream.poolSize == 1 && upstream.poolOverflow == 2)
    #expect(upstream.poolWait == .seconds(3) && upstream.recycle == .seconds(240))
    #expect(upstream.poolIdle == .seconds(5) && upstream.connectTimeout == .seconds(6))
    #expect(upstream.firstByteTimeout == .seconds(7) && upstream.idleTimeout == .seconds(8))
}

@Test func `the identity is read`() throws {
    let identity = try settings(
        frame
            + """
            identity:
              trusted_proxies: [127.0.0.0/8, 10.1.2.3, fd00::/8]
              ipv6_prefix: 56
              user: header:X-User-ID
              company: header:x-company
              tier: {from: header:X-Plan, default: free}
            """
    ).identity
    #expect(identity.trustedProxies.map(\.prefixLength) == [8, 32, 8])
    #expect(identity.ipv6Prefix == 56)
    #expect(identity.user == [.header("x-user-id")] && identity.company == [.header("x-company")])
    #expect(identity.tier == [.header("x-plan")] && identity.defaultTier == "free")
}

@Test func `limits are read in short and long form`() throws {
    let limits = try settings(
        identified
            + """
            limits:
              a: 10/minute per user and endpoint
              b: {rate: 5/10s, per: [company, ip], algorithm: sliding_window, anonymous: deny}
              c: {rate: 9/s, per: global, algorithm: fixed_window, mode: shadow}
              d: {rate: 9/s, burst: 3, tiers: {free: 1/s, pro: unlimited}}
              e: {rate: 9/s, per: user, algorithm: sliding_window, sub_windows: 6, anonymous: skip}
            """
    ).limits
    let second = LimitDefinition.Rate(count: 9, period: .seconds(1))
    #expect(limits.map(\.name) == ["a", "b", "c", "d", "e"])
    #expect(limits[0].per == [.user, .endpoint] && limits[0].algorithm == .tokenBucket(burst: nil))
    #expect(limits[1].per == [.company, .ip] && limits[1].anonymous == .deny)
    #expect(limits[1].algorithm == .slidingWindow(subWindows: 60))
    #expect(limits[2].algorithm == .fixedWindow(phase: .aligned) && limits[2].mode == .shadow)
    #expect(limits[3].rate == second && limits[3].algorithm == .tokenBucket(burst: 3))
    #expect(limits[3].tiers["free"] == .some(.init(count: 1, period: .seconds(1))))
    #expect(limits[3].tiers["pro"] == .some(nil) && limits[3].tiers.count == 2)
    #expect(limits[4].algorithm == .slidingWindow(subWindows: 6) && limits[4].anonymous == .skip)
    let list = try settings(
        identified + "limits: [100/minute, 5/10s per user and endpoint, {name: x, rate: 1/s}]\n")
    #expect(list.limits.map(\.name) == ["ip-100-minute", "user-endpoint-5-10s", "x"])
}

@Test func `a route's cache stands over the defaults of the top-level one`() throws {
    let loaded = try settings(
        identified
            + """
            cache:
              memory: 16MiB
              ttl: 1m
              stale_if_error: 1h
              client_no_cache: respect
              negative: {404: 30s, 503: 1s}
            routes:
              - {path: /a}
              - {path: /b, cache: off}
              - {path: /c, cache: 5m}
              - {path: /d, cache: {force_ttl: 9s, stale_if_error: off, vary_by: [user, tier]}}
              - {path: /e, cache: {ttl: off, early_refresh: {last: 20%, chance: 12.5%}, collapse: off}}
              - {path: /f, cache: {early_refresh: off, stale: strict, ignore_query: [utm_*, x]}}
              - path: /g
                cache:
                  only_query: [page, f_*]
                  sort_query: true
                  vary_by: [ip, "header:Accept-Language", "cookie:Theme"]
              - {path: /h, cache: {only_query: []}}
            """)
    let caches = loaded.routes.map(\.cache)
    #expect(loaded.cacheMemory == 16 << 20)
    #expect(caches[0]?.ttl == .seconds(60) && caches[0]?.staleIfError == .seconds(3600))
    #expect(caches[0]?.respectsClientNoCache == true && caches[0]?.negative[404] == .seconds(30))
    #expect(caches[1] == nil)
    #expect(caches[2]?.ttl == .seconds(300) && caches[2]?.staleIfError == .seconds(3600))
    #expect(caches[3]?.forceTTL == .seconds(9) && caches[3]?.ttl == nil)
    #expect(caches[3]?.staleIfError == nil && caches[3]?.varyBy == [.user, .tier])
    #expect(caches[4]?.ttl == nil && caches[4]?.earlyRefresh == .chance(last: 0.2, chance: 0.125))
    #expect(caches[4]?.collapses == false && caches[0]?.collapses == true)
    #expect(caches[5]?.earlyRefresh == .off && caches[5]?.stale == .strict)
    #expect(caches[5]?.ignoreQuery == ["utm_*", "x"])
    #expect(caches[5]?.onlyQuery == nil && caches[5]?.sortsQuery == false)
    #expect(caches[6]?.onlyQuery == ["page", "f_*"] && caches[6]?.sortsQuery == true)
    #expect(caches[6]?.varyBy == [.ip, .header("accept-language"), .cookie("Theme")])
    #expect(caches[7]?.onlyQuery == [])
}

@Test func `routes use the cache only when somebody names a lifetime or asks for it`() throws {
    let routes = "routes: [{path: /a}, {path: /b, cache: {}}]\n"
    #expect(try settings(frame + routes).routes.map { $0.cache != nil } == [false, true])
    #expect(try settings(frame + "cache: {memory: 1MiB}\n" + routes).routes[0].cache == nil)
    #expect(try settings(frame + "cache: 5m\n" + routes).routes[0].cache?.ttl == .seconds(300))
    let off = try settings(frame + "cache: off\n" + routes)
    #expect(off.routes.allSatisfy { $0.cache == nil } && off.cacheMemory == 0)
    #expect(try settings(frame).routes[0].cache == nil)
    #expect(try settings(frame + "cache: {memory: 1MiB}\n").routes[0].cache?.maxObject == 1 << 20)
}

@Test func `routes are read with all their conditions`() throws {
    let loaded = try settings(
        """
        listen: :1
        upstreams: {default: http://a, other: http://b}
        identity: {trusted_proxies: 10.0.0.0/8, user: header:X-User}
        limits: {a: 1/s, b: 2/s}
        routes:
          - path: "/api/{version}/users/*/**"
            name: users
            methods: [GET, PURGE]
            host: "*.Example.com"
            headers: {X-One: "1", X-Any: ~, X-Empty: ""}
            limits: [b, a]
            upstream: other
            timeout: 250ms
            auth: required
          - {path: /api/v1/**, strip_prefix: /api/v1, headers: [X-Beta], methods: GET, limits: a}
        """)
    let first = loaded.routes[0]
    #expect(first.match.name == "users" && first.match.path == "/api/{version}/users/*/**")
    #expect(first.match.methods == ["GET", "PURGE"] && first.match.host == "*.example.com")
    #expect(
        first.match.headers == [
            .init(name: "x-one", value: "1"), .init(name: "x-any", value: nil),
            .init(name: "x-empty", value: ""),
        ])
    #expect(first.limits == [1, 0] && first.upstream == 1 && first.requiresUser)
    #expect(first.timeout == .milliseconds(250))
    let second = loaded.routes[1]
    #expect(second.match.name == "/api/v1/**" && second.stripPrefix == "/api/v1")
    #expect(second.match.headers == [.init(name: "x-beta", value: nil)])
    #expect(second.match.methods == ["GET"] && second.limits == [0] && second.upstream == 0)
    #expect(!second.requiresUser && second.timeout == nil)
}

@Test func `the parts of the process are read`() throws {
    let loaded = try settings(
        frame
            + """
            admin: {address: 0.0.0.0:9900, token: abcdefgh, health_on_main: true}
            limit_keys: 5000
            workers: 3
            http:
              {header_bytes: 8KiB, fields: 50, target_bytes: 1KiB, body_bytes: 0, request_timeout: 1s,
               idle_timeout: 2s, connections: 10}
            headers: {dialects: [x-ratelimit], x_ratelimit_reset: delta}
            log: {level: warning, sample: 0.5%}
            shutdown: {drain: 1m}
            """)
    #expect(loaded.admin?.token == "abcdefgh" && loaded.admin?.healthOnMain == true)
    #expect(loaded.limitKeys == 5000 && loaded.workers == 3)
    #expect(loaded.http.headerBytes == 8192 && loaded.http.fields == 50)
    #expect(loaded.http.targetBytes == 1024 && loaded.http.bodyBytes == 0)
    #expect(loaded.http.requestTimeout == .seconds(1) && loaded.http.idleTimeout == .seconds(2))
    #expect(loaded.http.connections == 10)
    #expect(loaded.headers.xRateLimit && !loaded.headers.ietfDraft11 && loaded.headers.resetIsDelta)
    #expect(loaded.log.level == .warning && loaded.log.sample == 0.005)
    #expect(loaded.drain == .seconds(60))
    let none = try settings(frame + "headers: []\nadmin: 127.0.0.1:9900\nworkers: auto\n")
    #expect(!none.headers.xRateLimit && !none.headers.ietfDraft11)
    #expect(none.admin == AdminSettings(address: .tcp(IPAddress(v4: 0x7F00_0001), port: 9900)))
    #expect(none.workers == 4)
}
