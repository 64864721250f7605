import Telemetry

extension MetricsReport {
    /// Background work by kind and priority, and how long it took.
    func appendJobs(_ status: JobStatus, to text: inout MetricsText) {
        func labels(_ row: JobStatus.Row) -> [MetricLabel] {
            [
                MetricLabel("kind", "\(row.kind.name)"),
                MetricLabel("priority", "\(row.priority.name)"),
            ]
        }
        text.family("weir_jobs", .gauge, help: "Background jobs by state.")
        for row in status.rows {
            text.sample(
                UInt64(row.counts.waiting), labels(row) + [MetricLabel("state", "waiting")])
            text.sample(
                UInt64(row.counts.running), labels(row) + [MetricLabel("state", "running")])
        }
        text.family("weir_jobs_dead", .gauge, help: "Dead letters: jobs that are not tried again.")
        text.sample(UInt64(status.dead.count))
        text.family(
            "weir_jobs_total", .counter,
            help: "Background jobs by outcome; failed and retried count attempts.")
        for row in status.rows {
            let outcomes = [
                ("done", row.counts.done), ("failed", row.counts.failed),
                ("retried", row.counts.retried), ("dead", row.counts.dead),
                ("dropped", row.counts.dropped),
            ]
            for (name, count) in outcomes {
                text.sample(count, labels(row) + [MetricLabel("outcome", name)])
            }
        }
        text.family(
            "weir_job_duration_seconds", .histogram, help: "Time of one attempt at a job, by kind.")
        for (kind, histogram) in status.durations where histogram.count > 0 {
            text.histogram(histogram, [MetricLabel("kind", "\(kind.name)")])
        }
    }
}
