import RedisClient
import Telemetry

extension MetricsReport {
    /// How each Redis stands and what was asked of it; nothing without one.
    func appendRedis(_ redis: RedisHealths?, to text: inout MetricsText) {
        guard let redis else { return }
        text.family(
            "weir_redis_degraded", .gauge,
            help: "1 while limits or cache go by what is configured for the time without Redis.")
        text.sample(redis.isDegraded ? 1 : 0)
        text.family(
            "weir_redis_up", .gauge, help: "1 while Redis is asked, 0 while it is left alone.")
        for health in redis.all { text.sample(health.isAvailable ? 1 : 0, [label(health)]) }
        text.family(
            "weir_redis_outages_total", .counter, help: "How often Redis was left alone.")
        for health in redis.all { text.sample(health.counts.opened.value, [label(health)]) }
        text.family("weir_redis_commands_total", .counter, help: "Commands sent to Redis.")
        for health in redis.all { text.sample(health.counts.commands.value, [label(health)]) }
        text.family(
            "weir_redis_failures_total", .counter,
            help: "Commands without a useful answer, by reason.")
        for health in redis.all {
            let reasons = [
                ("timed out", health.counts.timeouts.value),
                ("unavailable", health.counts.refused.value),
                ("connection closed", health.counts.lost.value),
                ("error", health.counts.errors.value), ("dropped", health.counts.dropped.value),
            ]
            for (reason, count) in reasons {
                text.sample(count, [label(health), MetricLabel("reason", reason)])
            }
        }
        text.family(
            "weir_redis_reply_seconds", .histogram, help: "Time from a command to its reply.")
        for health in redis.all {
            text.histogram(health.replyTimes, bounds: replyBounds, [label(health)])
        }
        text.family(
            "weir_redis_connects_total", .counter, help: "Connections to Redis by outcome.")
        for health in redis.all {
            let outcomes = [
                ("connected", health.counts.connects.value),
                ("failed", health.counts.connectFailures.value),
            ]
            for (outcome, count) in outcomes {
                text.sample(count, [label(health), MetricLabel("outcome", outcome)])
            }
        }
    }

    /// 100 µs to a second, in nanoseconds.
    private var replyBounds: [UInt64] {
        [
            100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000,
            50_000_000, 100_000_000, 250_000_000, 1_000_000_000,
        ]
    }

    private func label(_ health: RedisHealth) -> MetricLabel { MetricLabel("redis", health.name) }
}
