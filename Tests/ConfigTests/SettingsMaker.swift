import Caching
import HTTPModel
import Identity
import Limits
import Primitives
import Routes
import Settings

/// Makes right settings at random, within the bounds of the schema.
struct SettingsMaker {
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
        var limits = (0..<number(0...6)).map { limit("limit-\($0)") }
        let cacheMemory = number(1 << 20...1 << 34)
        var routes = (0..<number(1...4)).map { index in
            route(index, upstreams: upstreams.count, memory: cacheMemory)
        }
        for limit in limits.indices {
            let route = random.below(routes.count)
            routes[route].limits.append(limit)
            // Costs of stored answers are for routes that store some.
            if limits[limit].costs.hit != .units(1) || limits[limit].costs.stale != .units(1) {
                routes[route].cache = routes[route].cache ?? policy(cacheMemory)
            }
        }
        var identity = IdentitySettings()
        identity.trustedProxies = [
            IPNetwork(
                IPAddress(v4: UInt32(truncatingIfNeeded: random.next())),
                prefixLength: number(0...32)),
            IPNetwork(
                IPAddress(high: random.next(), low: random.next()), prefixLength: number(1...128)),
        ]
        identity.ipv6Prefix = number(1...128)
        credentials(&identity)
        var log = LogSettings()
        log.level = LogSettings.Level.allCases[random.below(4)]
        log.sample = Double(number(0...100_000)) / 100_000
        let headers = headers()
        let token = chance(2) ? "token-\(random.next())" : nil
        let usesCache = routes.contains { $0.cache != nil }
        let compression = usesCache && chance(2) ? compression() : nil
        for index in routes.indices where compression != nil && routes[index].cache != nil {
            routes[index].compresses = chance(2)
        }
        let redis = redis(&limits, &routes)
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
            warm: usesCache && chance(2) ? warm() : nil,
            routes: routes, http: http(), headers: headers, log: log, drain: time(86_400_000),
            idempotencyMemory: number(16 << 20...1 << 34), compression: compression, redis: redis)
    }

    mutating func compression() -> CompressionPolicy {
        var policy = CompressionPolicy()
        policy.encodings =
            [CodingOrder(.br), CodingOrder(.gzip), CodingOrder(.gzip, .br)][random.below(3)]
        policy.minSize = number(1...1 << 30)
        policy.types = Array(policy.types.shuffled(using: &random).prefix(number(1...8)))
        policy.gzipLevel = number(1...9)
        policy.brotliQuality = number(0...9)
        return policy
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

    mutating func warm() -> WarmSettings {
        var warm = WarmSettings()
        warm.top = Double(number(1...100_000)) / 100_000
        warm.file = chance(2) ? text() : nil
        warm.chance = Double(number(1...100_000)) / 100_000
        warm.interval = .seconds(UInt64(number(1...86_400)))
        warm.concurrency = number(1...256)
        warm.atStart = chance(2)
        warm.atPurge = !warm.atStart || chance(2)
        return warm
    }

    mutating func headers() -> HeaderSettings {
        var headers = HeaderSettings()
        headers.xRateLimit = chance(2)
        headers.ietfDraft11 = chance(2)
        headers.ietfDraft03 = !headers.ietfDraft11 && chance(2)
        headers.retryAfterJitter = Double(number(0...100_000)) / 100_000
        headers.resetIsDelta = chance(2)
        return headers
    }

    mutating func route(_ index: Int, upstreams: Int, memory: Int) -> RouteSettings {
        let path = "/r\(index)/{id}/*" + (chance(2) ? "/**" : "")
        var match = RouteDefinition(name: chance(2) ? path : "route-\(index)", path: path)
        if chance(2) { match.methods = ["GET", "X-ODD"] }
        if chance(2) { match.host = "*.example.com" }
        if chance(2) { match.headers.append(.init(name: "x-a", value: chance(2) ? nil : text())) }
        var route = RouteSettings(
            match: match, upstream: random.below(upstreams),
            cache: chance(3) ? nil : policy(memory),
            stripPrefix: chance(2) ? "/r\(index)" : "", timeout: chance(2) ? nil : time(86_400_000),
            requiresUser: chance(2), idempotency: idempotency())
        // Both parts are read with the route's own path.
        for text in ["x {path.id}", "{query.a b}-{header.x-a}", "{user}"] where chance(2) {
            guard let tag = try? TagTemplate(text, path: path) else { continue }
            route.invalidates.append(tag)
            if !tag.namesIdentity || route.cache?.varyBy.contains(.user) ?? false {
                route.cache?.tags.append(tag)
            }
        }
        return route
    }

    mutating func idempotency() -> IdempotencyPolicy? {
        if chance(2) { return nil }
        var policy = IdempotencyPolicy(ttl: .seconds(UInt64(number(1...2_000_000))))
        policy.isRequired = chance(2)
        policy.header = chance(2) ? "idempotency-key" : "x-key|1"
        policy.maxBody = number(1...16 << 20)
        policy.maxAnswer = number(1...16 << 20)
        return policy
    }

    mutating func policy(_ memory: Int) -> CachePolicy {
        var policy = CachePolicy(ttl: chance(2) ? time(1_000_000_000) : nil)
        if policy.ttl == nil && chance(2) { policy.forceTTL = time(1_000_000_000) }
        policy.staleWhileRevalidate = chance(2) ? nil : time(1_000_000)
        policy.staleIfError = chance(2) ? nil : .zero
        policy.varyBy =
            chance(2)
            ? [] : [.company, .user, .tier, .ip, .header("x-a"), .cookie("A"), .header("x|'b")]
        while chance(2) { policy.negative[UInt16(number(400...599))] = time(1_000_000) }
        policy.ignoreQuery = chance(2) ? [] : ["utm_*", "*", "a{b}", "${c"]
        if chance(2) {
            policy.methods = chance(2) ? [.get, .post, .query] : .query
            policy.varyBy.append(.body)
        }
        policy.maxBody = number(1...16 << 20)
        policy.onlyQuery = chance(3) ? [] : chance(2) ? ["off", "b_*", "*"] : nil
        policy.sortsQuery = chance(2)
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
        policy.setCookie =
            !policy.varyBy.contains(.user) ? (chance(2) ? .strip : .refuse) : .store
        if chance(2) {
            policy.bypass.headers = [.init(name: "x-no-cache"), .init(name: "x-a", value: text())]
            policy.bypass.cookies = [.init(name: "Session", value: "1")]
            policy.bypass.query = [.init(name: "a{b}")]
        }
        if chance(2) { policy.originTTLName = Array("x-accel-expires".utf8) }
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
