import Caching
import RedisClient
import Telemetry

/// The other processes that share the Redis.
extension MetricsReport {
    func appendFleet(_ fleet: FleetState, to text: inout MetricsText) {
        let counts = fleet.purges.counts
        text.family(
            "weir_fleet_replicas", .gauge,
            help: "Processes that share the Redis and live, this one among them.")
        text.sample(UInt64(fleet.liveReplicas))
        text.family(
            "weir_fleet_connected", .gauge, help: "1 while purges of other processes arrive.")
        text.sample(fleet.isConnected ? 1 : 0)
        text.family(
            "weir_fleet_purge_sequence", .gauge, help: "The number of the last purge that is known."
        )
        text.sample(counts.position?.sequence ?? 0)
        text.family(
            "weir_fleet_purges_total", .counter,
            help: "Purges that were sent to other processes, or came from them.")
        text.sample(fleet.sentPurges, [MetricLabel("way", "sent")])
        text.sample(fleet.receivedPurges, [MetricLabel("way", "received")])
        text.family(
            "weir_fleet_purges_waiting", .gauge, help: "Purges that wait for Redis.")
        text.sample(UInt64(counts.waiting))
        text.family(
            "weir_fleet_purge_records", .gauge,
            help: "Purges that answers in Redis are compared with.")
        text.sample(UInt64(counts.records))
        text.family(
            "weir_fleet_catch_ups_total", .counter,
            help: "Readings of purges that announcements had left out.")
        text.sample(fleet.catchUps)
    }
}
