public import EventLoop
public import Primitives
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

    /// Closes the connections of both.
    public func close() {
        limits.close()
        cache.close()
    }
}
