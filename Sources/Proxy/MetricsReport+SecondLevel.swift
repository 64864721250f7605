import Caching
import RedisClient
import Settings
import Telemetry

extension MetricsReport {
    /// What became of questions to the cache's second level; nothing where no route has one.
    func appendSecondLevel(_ text: inout MetricsText) {
        guard shared.redis != nil, blueprint.settings.routes.contains(where: \.isShared) else {
            return
        }
        let counts = metrics.secondLevel
        text.family(
            "weir_cache_redis_total", .counter,
            help: "Questions to Redis for a stored answer; `unavailable`: nobody could answer.")
        for (name, count) in [
            ("hit", counts.hits), ("stale", counts.stale), ("miss", counts.misses),
            ("unavailable", counts.unavailable),
        ] { text.sample(count, [MetricLabel("outcome", name)]) }
        text.family(
            "weir_cache_redis_unusable_total", .counter,
            help: "Misses because of a damaged value, or one of another version or configuration.")
        text.sample(counts.unusable)
        text.family(
            "weir_cache_redis_writes_total", .counter,
            help: "Stored answers that were sent to Redis, or were not.")
        text.sample(counts.written, [MetricLabel("outcome", "sent")])
        text.sample(counts.notWritten, [MetricLabel("outcome", "skipped")])
        text.family(
            "weir_cache_redis_freed_total", .counter,
            help: "Purged answers that were removed from Redis behind the purges of this process.")
        text.sample(counts.freed)
        text.family(
            "weir_cache_leases_total", .counter,
            help: "Fetches for all replicas: leases taken, and waits for another one's answer.")
        text.sample(counts.leases, [MetricLabel("outcome", "taken")])
        text.sample(counts.waits, [MetricLabel("outcome", "waited")])
        guard let stores = blueprint.settings.redis, stores.cache.readsFromReplicas else { return }
        text.family(
            "weir_cache_redis_replica_total", .counter,
            help: "Questions to replicas of Redis; after all but `hit` the master was asked, too.")
        for (name, count) in [
            ("hit", counts.replicaHits), ("nothing", counts.replicaMisses),
            ("failed", counts.replicaFailures),
        ] { text.sample(count, [MetricLabel("outcome", name)]) }
    }
}

extension RouteSettings {
    fileprivate var isShared: Bool { cache?.isShared ?? false }
}
