import Caching
import Config
import Identity
import Limits
import Primitives
import Routes
import Settings
import Testing

/// Loads the long form of `settings`, with the variable that stands for the token.
private func reload(_ settings: ProxySettings) -> Result<ProxySettings, ConfigurationFailure> {
    let text = Configuration.longForm(settings)
    return load(text, settings.admin?.token.map { ["WEIR_ADMIN_TOKEN": $0] } ?? [:])
}

@Test(arguments: [
    frame, identified,
    frame + "limits: [100/minute per ip, 7/90m per endpoint]\ncache: 5m\n",
    frame + "cache: off\n", frame + "cache: {memory: 3MiB}\n", frame + "headers: []\n",
    frame + "admin: {address: ':99', token: '$${x}-12345678'}\n",
    identified + "limits: {a: {rate: 3/s, per: user, tiers: {'a: {b}': 1/s, '~': unlimited}}}\n",
    frame + "routes: [{path: /a, headers: {x: '$${A} \"\\ #', y: '', z: ~}}]\n",
    frame + "routes: [{path: '/{a}/*/**', host: '*.a.b', cache: {negative: {404: 1s}}}]\n",
    "listen: [unix:/a b/c, '[::]:80']\nupstreams: {null: unix:/x, 'true': 'http://[::1]'}\n"
        + "routes: [{path: /a, upstream: 'null'}, {path: /**, upstream: 'true'}]\n",
])
func `the long form, loaded again, gives the same settings`(text: String) throws {
    let loaded = try settings(text)
    let again = reload(loaded)
    #expect(again == .success(loaded), "\(Configuration.longForm(loaded))")
    // It is a fixed point: printing what was printed changes nothing.
    #expect(again.map { Configuration.longForm($0) } == .success(Configuration.longForm(loaded)))
}

@Test func `the long form of a small file is what the manual shows`() throws {
    let loaded = try settings(frame + "limits: [100/minute per ip]\ncache: 5m\n")
    let expected = """
        listen:
          - address: 127.0.0.1:8080
        workers: 4
        limit_keys: 1000000
        upstreams:
          default:
            servers: [{url: http://127.0.0.1:8000, weight: 1}]
            balance: least_request
            pool: {size: 20, overflow: 40, wait: 30s, recycle: 1h, idle: 1m}
            timeouts: {connect: 5s, first_byte: 30s, idle: 1m}
        identity:
          trusted_proxies: []
          ipv6_prefix: 64
        limits:
          ip-100-minute:
            rate: 100/minute
            per: [ip]
            algorithm: token_bucket
            burst: 100
            mode: enforce
        cache:
          memory: 256MiB
        routes:
          - path: /**
            upstream: default
            limits: [ip-100-minute]
            cache:
              ttl: 5m
              vary_by: []
              ignore_query: []
              negative: {}
              max_object: 8MiB
              early_refresh: {beta: 1}
              collapse: process
              client_no_cache: ignore
              set_cookie: refuse
              stale: permissive
            auth: optional
        http:
          header_bytes: 16KiB
          fields: 100
          target_bytes: 8KiB
          body_bytes: 64MiB
          request_timeout: 10s
          idle_timeout: 1m
          connections: 20000
        headers:
          dialects: [x-ratelimit, ietf-draft-11]
          x_ratelimit_reset: epoch
        log:
          format: json
          level: info
          sample: 100%
        shutdown:
          drain: 30s

        """
    #expect(Configuration.longForm(loaded) == expected)
}

@Test func `settings of every kind survive their long form`() {
    var maker = SettingsMaker(random: SeededRandom(seed: 11))
    for round in 0..<300 {
        let made = maker.settings()
        guard case .success(let again) = reload(made) else {
            Issue.record("round \(round): \(reload(made))\n\(Configuration.longForm(made))")
            return
        }
        #expect(again == made, "round \(round)")
        if again != made { return }
    }
}

/// Makes right settings at random, within the bounds of the schema.
private struct SettingsMaker {
    var random: SeededRandom

    mutating func chance(_ of: Int) -> Bool { random.below(of) == 0 }
    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + random.below(range.upperBound - range.lowerBound + 1)
    }
    mutating func time(_ most: Int) -> Nanoseconds { .milliseconds(UInt64(number(1...most))) }
    mutating func text() -> String {
        let letters = Array("abcXYZ09:{}[]$,#'\"\\&*!|>%@`- é~/.?=")
        let inner = (0..<number(1...12)).map { _ in letters[random.below(letters.count)] }
        return "x" + String(inner) + "y"
    }

    mutating func settings() -> ProxySettings {
        let upstreams = (0..<number(1...3)).map { upstream("u\($0)") }
        let limits = (0..<number(0...4)).map { limit("limit-\($0)") }
        let cacheMemory = number(1 << 20...1 << 34)
        var routes = (0..<number(1...4)).map { index in
            route(index, upstreams: upstreams.count, memory: cacheMemory)
        }
        for limit in limits.indices { routes[random.below(routes.count)].limits.append(limit) }
        var identity = IdentitySettings()
        identity.trustedProxies = [
            IPNetwork(
                IPAddress(v4: UInt32(truncatingIfNeeded: random.next())),
                prefixLength: number(0...32)),
            IPNetwork(
                IPAddress(high: random.next(), low: random.next()), prefixLength: number(1...128)),
        ]
        identity.ipv6Prefix = number(1...128)
        identity.user = [.header("x-user")]
        identity.company = [.header("x-company")]
        identity.tier = chance(2) ? [.header("x-tier")] : []
        identity.defaultTier = identity.tier.isEmpty || chance(2) ? text() : nil
        var log = LogSettings()
        log.level = LogSettings.Level.allCases[random.below(4)]
        log.sample = Double(number(0...100_000)) / 100_000
        let headers = HeaderSettings.made(chance(2), chance(2), chance(2))
        let token = chance(2) ? "token-\(random.next())" : nil
        let usesCache = routes.contains { $0.cache != nil }
        return ProxySettings(
            listeners: [
                ListenerSettings(address: .tcp(IPAddress(high: random.next(), low: 1), port: 1))
            ],
            admin: chance(3)
                ? nil
                : AdminSettings(
                    address: .tcp(IPAddress(v4: token == nil ? 0x7F00_0009 : 9), port: 7),
                    token: token,
                    healthOnMain: chance(2)),
            workers: number(1...256), limitKeys: number(1000...100_000_000), upstreams: upstreams,
            identity: identity, limits: limits, cacheMemory: usesCache ? cacheMemory : 0,
            routes: routes, http: http(), headers: headers, log: log, drain: time(86_400_000))
    }

    mutating func upstream(_ name: String) -> UpstreamSettings {
        var upstream = UpstreamSettings(name: name, servers: [])
        for index in 0..<number(1...3) {
            let port = UInt16(number(1...65_535))
            upstream.servers.append(
                .init(
                    location: .host("h\(index)", port: port), authority: "h\(index):\(port)",
                    weight: number(1...1000)))
        }
        upstream.poolSize = number(1...100_000)
        upstream.poolOverflow = number(0...100_000)
        upstream.poolWait = time(3_600_000)
        upstream.recycle = time(604_800_000)
        upstream.poolIdle = time(604_800_000)
        upstream.connectTimeout = time(86_400_000)
        upstream.firstByteTimeout = time(86_400_000)
        upstream.idleTimeout = time(86_400_000)
        return upstream
    }

    mutating func rate() -> LimitDefinition.Rate {
        .init(count: UInt32(number(1...1_000_000_000)), period: time(1_000_000_000))
    }

    mutating func limit(_ name: String) -> LimitDefinition {
        let scopes: [[LimitDefinition.Scope]] = [
            [.global], [.ip], [.user], [.company, .endpoint], [.ip, .user, .company, .endpoint],
        ]
        let per = scopes[random.below(scopes.count)]
        let algorithms: [LimitDefinition.Algorithm] = [
            .fixedWindow(phase: .aligned), .slidingWindow(subWindows: number(1...360)),
            .tokenBucket(burst: UInt32(number(1...1_000_000))),
        ]
        var limit = LimitDefinition(
            name: name, rate: rate(), per: per, algorithm: algorithms[random.below(3)],
            mode: chance(2) ? .enforce : .shadow)
        if per.contains(.user) || per.contains(.company) {
            limit.anonymous = LimitDefinition.Anonymous.allCases[random.below(3)]
        }
        while chance(2) { limit.tiers[text()] = chance(3) ? .some(nil) : .some(rate()) }
        return limit
    }

    mutating func route(_ index: Int, upstreams: Int, memory: Int) -> RouteSettings {
        let path = "/r\(index)/{id}/*" + (chance(2) ? "/**" : "")
        var match = RouteDefinition(name: chance(2) ? path : "route-\(index)", path: path)
        if chance(2) { match.methods = ["GET", "X-ODD"] }
        if chance(2) { match.host = "*.example.com" }
        if chance(2) { match.headers.append(.init(name: "x-a", value: chance(2) ? nil : text())) }
        return RouteSettings(
            match: match, upstream: random.below(upstreams),
            cache: chance(3) ? nil : policy(memory),
            stripPrefix: chance(2) ? "/r\(index)" : "", timeout: chance(2) ? nil : time(86_400_000),
            requiresUser: chance(2))
    }

    mutating func policy(_ memory: Int) -> CachePolicy {
        var policy = CachePolicy(ttl: chance(2) ? time(1_000_000_000) : nil)
        if policy.ttl == nil && chance(2) { policy.forceTTL = time(1_000_000_000) }
        policy.staleWhileRevalidate = chance(2) ? nil : time(1_000_000)
        policy.staleIfError = chance(2) ? nil : .zero
        policy.varyBy = chance(2) ? [] : [.company, .user, .tier]
        while chance(2) { policy.negative[UInt16(number(400...599))] = time(1_000_000) }
        policy.ignoreQuery = chance(2) ? [] : ["utm_*", "*", "a{b}", "${c"]
        policy.maxObject = number(1...min(memory, 1 << 32))
        policy.earlyRefresh =
            chance(3)
            ? .off
            : chance(2)
                ? .xfetch(beta: Double(number(1...100_000)) / 1000)
                : .chance(
                    last: Double(number(0...100_000)) / 100_000,
                    chance: Double(number(0...100_000)) / 100_000)
        policy.collapses = chance(2)
        policy.respectsClientNoCache = chance(2)
        policy.stale = chance(2) ? .strict : .permissive
        return policy
    }

    mutating func http() -> HTTPSettings {
        var http = HTTPSettings()
        http.headerBytes = number(1024...1 << 20)
        http.fields = number(1...1000)
        http.targetBytes = number(256...65_536)
        http.bodyBytes = UInt64(number(0...1 << 40))
        http.requestTimeout = time(86_400_000)
        http.idleTimeout = time(86_400_000)
        http.connections = number(1...1_000_000)
        return http
    }
}

extension HeaderSettings {
    fileprivate static func made(_ x: Bool, _ ietf: Bool, _ delta: Bool) -> HeaderSettings {
        var headers = HeaderSettings()
        headers.xRateLimit = x
        headers.ietfDraft11 = ietf
        headers.resetIsDelta = delta
        return headers
    }
}
