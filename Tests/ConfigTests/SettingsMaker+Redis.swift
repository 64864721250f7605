import Caching
import Limits
import Primitives
import Settings

/// Makes the Redis that replicas share, and what is shared there.
extension SettingsMaker {
    /// One Redis or two, or none; `limits` and `routes` are told to use what there is.
    mutating func redis(
        _ limits: inout [LimitDefinition], _ routes: inout [RouteSettings]
    ) -> RedisStores? {
        if chance(3) { return nil }
        for index in limits.indices where limits[index].algorithm != .concurrency {
            limits[index].consistency = pick([.process, .strict, .strict])
            let obstacle = limits[index].leaseObstacle
            if obstacle != .algorithm && chance(2) && obstacle == nil {
                limits[index].consistency = .leased
            }
            if limits[index].consistency == .process { continue }
            limits[index].onRedisFailure = pick(LimitDefinition.RedisFailure.allCases)
        }
        for index in routes.indices where routes[index].cache != nil {
            routes[index].cache?.isShared = !chance(3)
            guard routes[index].cache?.isShared == true, chance(2) else { continue }
            routes[index].cache?.collapses = true
            routes[index].cache?.collapsesFleet = true
        }
        let counts = limits.contains { $0.consistency != .process }
        let stores = routes.contains { $0.cache != nil }
        guard counts || stores else { return nil }
        let made = redisStores(canBeTwo: counts && stores)
        if case .cluster = made.limits.topology {
            for index in limits.indices where limits[index].consistency == .leased {
                limits[index].consistency = .strict
            }
        }
        return made
    }

    private mutating func redisStores(canBeTwo: Bool) -> RedisStores {
        var base = RedisSettings(topology: .single(.unix("")))
        base.timeout = time(10_000)
        base.connectTimeout = time(60_000)
        base.namespace = pick(["weir", "a.b-c_d"])
        let authority = chance(2) ? text() : nil
        credentials(&base)
        var main = base
        main.topology = pick([
            .single(place()), .single(.unix("/r \(number(0...9))")), .cluster([place()]),
            .sentinel(master: "m", [place()]),
        ])
        if case .cluster = main.topology {} else { main.database = number(0...65_535) }
        if main.isSecurable && chance(2) { main.tls = .init(authorityFile: authority) }
        guard canBeTwo && chance(2) else { return RedisStores(limits: main, cache: main) }
        var other = base
        other.topology = .single(place())
        other.database = number(0...65_535)
        // A URL may have a password of its own, but not none where the others have one.
        if chance(2) || main.password == nil { credentials(&other) }
        if other.password == nil && !main.hasURL { main.password = nil }
        if main.password == nil { main.username = nil }
        if chance(2) { other.tls = .init(authorityFile: authority) }
        let isLimits = chance(2)
        return RedisStores(limits: isLimits ? main : other, cache: isLimits ? other : main)
    }

    private mutating func credentials(_ settings: inout RedisSettings) {
        settings.password = chance(2) ? text() : nil
        settings.username = settings.password != nil && chance(2) ? text() : nil
    }

    private mutating func place() -> RedisSettings.Place {
        .host(pick(["h\(number(0...99))", "10.0.0.1", "::1"]), port: UInt16(number(1...65_535)))
    }
}

extension RedisSettings {
    fileprivate var isSecurable: Bool {
        guard case .single(.unix) = topology else { return true }
        return false
    }
    fileprivate var hasURL: Bool {
        guard case .single(.host) = topology else { return false }
        return true
    }
}
