import EventLoop
import Primitives
import RedisClient
import Settings

/// One worker's clients of Redis: of the one that counts limits, and of the one that keeps stored answers. Where
/// both are one Redis they are one client, with one connection.
struct WorkerRedis {
    let limits: RedisClient
    let cache: RedisClient

    /// Creates the clients on `loop`, which begin to connect; `nil` without a Redis.
    init?(
        _ stores: RedisStores?, _ shared: SharedRedis?, loop: EventLoop,
        random: inout SeededRandom
    ) {
        guard let stores, let shared else { return nil }
        limits = RedisClient(
            stores.limits, loop: loop, health: shared.limits,
            random: SeededRandom(seed: random.next()))
        guard !stores.isOne else {
            cache = limits
            return
        }
        cache = RedisClient(
            stores.cache, loop: loop, health: shared.cache,
            random: SeededRandom(seed: random.next()))
    }

    /// Closes all connections for good.
    func close() {
        limits.close()
        cache.close()
    }
}
