public import EventLoop
public import Primitives
import RedisWire
public import Settings

/// The breakers of a process: of the Redis of its limits and of that of its cache, which may be the same.
public struct RedisHealths: Sendable {
    /// Of the Redis of the limits.
    public let limits: RedisHealth
    /// Of the Redis of the cache.
    public let cache: RedisHealth

    /// Creates closed breakers.
    public init(_ stores: RedisStores) {
        limits = RedisHealth(name: stores.isOne ? "redis" : "limits")
        cache = stores.isOne ? limits : RedisHealth(name: "cache")
    }

    /// Each of them once.
    public var all: [RedisHealth] { limits === cache ? [limits] : [limits, cache] }

    /// Whether the process must do without one of them.
    public var isDegraded: Bool { limits.isDegraded || cache.isDegraded }
}

/// One thread's clients of the Redis of limits and of that of the cache: the same object where they are one.
public struct RedisClients {
    /// Of the Redis of the limits.
    public let limits: RedisClient
    /// Of the Redis of the cache.
    public let cache: RedisClient

    /// Creates clients on `loop`, whose thread calls.
    public init(
        _ stores: RedisStores, loop: EventLoop, healths: RedisHealths, random: inout SeededRandom
    ) {
        limits = RedisClient(
            stores.limits, loop: loop, health: healths.limits,
            random: SeededRandom(seed: random.next()))
        cache =
            stores.isOne
            ? limits
            : RedisClient(
                stores.cache, loop: loop, health: healths.cache,
                random: SeededRandom(seed: random.next()))
    }

    /// Forgets what is counted under keys of limits.
    ///
    /// - Returns: Of each key whether anything was; `nil`: Redis gave no answer about one.
    public func forgetLimits(_ keys: [[UInt8]]) async -> [Bool]? {
        var found: [Bool] = []
        for key in keys {
            var command = RedisCommand("DEL")
            command.append(key: key)
            let reply = try? await limits.call(command, until: limits.deadline)
            guard let count = reply?.integer else { return nil }
            found.append(count > 0)
        }
        return found
    }

    /// Closes the connections of both.
    public func close() {
        limits.close()
        cache.close()
    }
}
