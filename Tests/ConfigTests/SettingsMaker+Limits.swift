import Identity
import Limits
import Primitives
import Settings

/// Makes limits and the identity that they count by.
extension SettingsMaker {
    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[random.below(choices.count)]
    }

    mutating func credentials(_ identity: inout IdentitySettings) {
        // Claims are among the scopes of limits, so there is always a token.
        let secrets: [JWTSettings.KeySource] = chance(2) ? [secret(), secret()] : []
        var jwt = JWTSettings(
            keys: [.pem(file: "keys/\(text())"), .jwks(file: text())] + secrets,
            algorithms: chance(2) ? [.RS256] : [.EdDSA, .ES384, .PS256])
        if !secrets.isEmpty { jwt.algorithms.insert(.HS256, at: 1) }
        if chance(2) { jwt.keys.append(.remoteJWKS(url: "https://[::1]:8/a?b=\(number(0...9))")) }
        if chance(2) { jwt.issuer = text() }
        while chance(2) && jwt.audiences.count < 32 { jwt.audiences.append(text()) }
        jwt.leeway = .milliseconds(UInt64(number(0...60_000)))
        if chance(2) { jwt.cookie = "__Host-$token" }
        identity.jwt = jwt
        identity.apiKeys = APIKeySettings(header: pick(["x-api-key", "x-k!"]), file: text())
        identity.user = [.header("x-user"), .claim("sub"), .apiKey(.user)].shuffled(using: &random)
        if chance(2) { identity.user.append(.cookie("user")) }
        identity.company = [pick([.apiKey(.company), .claim("https://a.b/company")])]
        identity.tier = chance(2) ? [.header("x-tier"), .apiKey(.tier)] : []
        identity.defaultTier = identity.tier.isEmpty || chance(2) ? text() : nil
        identity.forwarded.user = pick([nil, "x-weir-user", "x-weir-tier-of"])
        identity.forwarded.company = pick([nil, "x-weir-company"])
        identity.forwarded.tier = pick([nil, "x-plan"])
    }

    private mutating func secret() -> JWTSettings.KeySource {
        .secret((0..<number(32...1024)).map { _ in UInt8(number(0x21...0x7E)) })
    }

    mutating func limit(_ name: String) -> LimitDefinition {
        let per: [LimitDefinition.Scope] = pick([
            [.global], [.ip], [.user], [.company, .endpoint],
            [.ip, .user, .company, .endpoint, .header("x-t"), .claim("org"), .claim("org:a")],
            [.header("x-t")],
        ])
        let algorithm: LimitDefinition.Algorithm = pick([
            .fixedWindow(phase: .aligned), .fixedWindow(phase: .key), .slidingLog, .concurrency,
            .slidingWindow(subWindows: number(1...360)), .tokenBucket(burst: nil),
            .tokenBucket(burst: UInt32(number(1...1_000_000))),
            .leakyBucket(maxDelay: .milliseconds(UInt64(number(1...60_000)))),
        ])
        var limit = LimitDefinition(
            name: name, rate: rate(algorithm), per: per, algorithm: algorithm,
            mode: pick([.enforce, .shadow]))
        if per != [.global] && chance(3) {
            limit.mode = .share(Double(number(1...100_000)) / 100_000)
        }
        if per != [.global] && per != [.ip] {
            limit.anonymous = pick(LimitDefinition.Anonymous.allCases)
        }
        while chance(2) { limit.tiers[text()] = chance(3) ? .some(nil) : .some(rate(algorithm)) }
        limit.overrides = overrides(per, algorithm)
        if algorithm == .concurrency { return limit }
        if chance(2) { limit.countedStatuses = [401...401, 500...599, 402...417] }
        limit.costs = costs(atMost: capacity(of: limit))
        return limit
    }

    private mutating func rate(_ algorithm: LimitDefinition.Algorithm) -> LimitDefinition.Rate {
        switch algorithm {
        case .concurrency: return .inFlight(UInt32(number(1...1_000_000)))
        case .slidingLog:
            return .init(count: UInt32(number(1...1024)), period: time(1_000_000_000))
        case .fixedWindow(phase: .aligned) where chance(2):
            return .monthly(UInt32(number(1...1_000_000_000)))
        default:
            return .init(count: UInt32(number(1...1_000_000_000)), period: time(1_000_000_000))
        }
    }

    /// What every rate of `limit` admits at once.
    private func capacity(of limit: LimitDefinition) -> Int {
        if case .tokenBucket(let burst?) = limit.algorithm { return Int(burst) }
        if case .leakyBucket = limit.algorithm { return 1 }
        let rates =
            [limit.rate] + limit.tiers.values.compactMap { $0 } + limit.overrides.compactMap(\.rate)
        return rates.map { Int($0.count) }.min() ?? 0
    }

    private mutating func costs(atMost most: Int) -> LimitDefinition.Costs {
        let most = min(most, 1_000_000)
        switch random.below(5) {
        case 0: return LimitDefinition.Costs()
        case 1: return LimitDefinition.Costs(UInt32(number(1...most)))
        case 2:
            return .init(hit: .header, stale: .header, miss: .header, header: "x-cost")
        case 3:
            return .init(
                hit: .units(0), stale: pick([.units(0), .units(1)]),
                miss: .units(UInt32(number(1...most))))
        default:
            return .init(
                hit: pick([.units(1), .header]), stale: pick([.units(0), .header]), miss: .header,
                header: "x-cost", reserve: UInt32(number(1...most)))
        }
    }

    private mutating func overrides(
        _ per: [LimitDefinition.Scope], _ algorithm: LimitDefinition.Algorithm
    ) -> [LimitDefinition.Override] {
        var overrides: [LimitDefinition.Override] = []
        for scope in per {
            let rate = chance(3) ? nil : rate(algorithm)
            switch scope {
            case .global, .endpoint: continue
            case .ip:
                let bits = UInt32(truncatingIfNeeded: random.next())
                let network = IPNetwork(IPAddress(v4: bits), prefixLength: number(0...32))
                overrides.append(
                    .init(scope: .ip, value: network.description, network: network, rate: rate))
            case .user, .company, .header, .claim:
                overrides.append(.init(scope: scope, value: text(), rate: rate))
                // The longest name that fits is meant, whatever the value begins with.
                overrides.append(.init(scope: scope, value: "z:\(text())", rate: rate))
            }
        }
        return overrides
    }
}

/// The variables that stand for the secrets of `settings` in its long form.
func secrets(of settings: ProxySettings) -> [String: String] {
    var variables: [String: String] = [:]
    variables["WEIR_ADMIN_TOKEN"] = settings.admin?.token
    var count = 0
    for case .secret(let bytes) in settings.identity.jwt?.keys ?? [] {
        count += 1
        variables["WEIR_JWT_SECRET_\(count)"] = String(decoding: bytes, as: UTF8.self)
    }
    guard let redis = settings.redis else { return variables }
    let passwords = [redis.limits.password, redis.cache.password]
    // Which of the two stands beside both is the long form's own affair; inside URLs they are encoded.
    variables["WEIR_REDIS_PASSWORD"] =
        redis.limits.topology.hasURLCredentials ? passwords[1] : passwords[0]
    if redis.limits.username == redis.cache.username && passwords[0] == passwords[1] {
        variables["WEIR_REDIS_PASSWORD"] = passwords[0]
    }
    for (name, password) in zip(["LIMITS", "CACHE"], passwords) {
        variables["WEIR_REDIS_\(name)_PASSWORD"] = password.map {
            $0.utf8.map { byte in
                let code = String(byte, radix: 16)
                return code.count == 1 ? "%0\(code)" : "%\(code)"
            }.joined()
        }
    }
    return variables
}

extension RedisSettings.Topology {
    fileprivate var hasURLCredentials: Bool {
        guard case .single(.host) = self else { return false }
        return true
    }
}
