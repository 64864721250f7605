public import RedisClient
import Settings

/// What a process knows of the Redis that replicas share: a breaker each for the one of the limits and the one
/// of the cache, or one for both.
public struct SharedRedis: Sendable {
    /// Of the Redis that counts limits.
    public let limits: RedisHealth
    /// Of the Redis that keeps stored answers; the same object where both are one.
    public let cache: RedisHealth

    /// Creates closed breakers.
    init(_ stores: RedisStores) {
        limits = RedisHealth(name: stores.isOne ? "all" : "limits")
        cache = stores.isOne ? limits : RedisHealth(name: "cache")
    }

    /// Each of them once.
    public var all: [RedisHealth] { limits === cache ? [limits] : [limits, cache] }

    /// Whether the process must do without one of them.
    public var isDegraded: Bool { limits.isDegraded || cache.isDegraded }
}
