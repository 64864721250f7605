import Primitives
import Telemetry
import Testing

@Test func `families, labels and values stand as the format wants them`() {
    let buffer = ByteBuffer(capacity: 64)
    var metrics = MetricsText(to: buffer)
    metrics.family("weir_requests_total", .counter, help: "Requests.\nBy \\ and \"route\".")
    metrics.sample(7, [MetricLabel("route", "/a/\"b\"\\\n"), MetricLabel("status", "200")])
    metrics.sample(.max)
    metrics.family("weir_uptime_seconds", .gauge, help: "Uptime.")
    metrics.sample(seconds: Nanoseconds(1_500_000_000))
    #expect(
        buffer.readable.text == """
            # HELP weir_requests_total Requests.\\nBy \\\\ and "route".
            # TYPE weir_requests_total counter
            weir_requests_total{route="/a/\\"b\\"\\\\\\n",status="200"} 7
            weir_requests_total 18446744073709551615
            # HELP weir_uptime_seconds Uptime.
            # TYPE weir_uptime_seconds gauge
            weir_uptime_seconds 1.5

            """)
}

@Test func `a histogram's buckets add up to its count`() {
    var histogram = Histogram.latency
    for value: UInt64 in [90_000, 100_000, 100_001, 2_400_000, 9_000_000_000] {
        histogram.record(value)
    }
    let buffer = ByteBuffer(capacity: 64)
    var metrics = MetricsText(to: buffer)
    metrics.family("weir_latency_seconds", .histogram, help: "Latency.")
    metrics.histogram(
        histogram, bounds: [100_000, 2_500_000, 1_000_000_000], [MetricLabel("route", "x")])
    #expect(
        buffer.readable.text == """
            # HELP weir_latency_seconds Latency.
            # TYPE weir_latency_seconds histogram
            weir_latency_seconds_bucket{route="x",le="0.0001"} 2
            weir_latency_seconds_bucket{route="x",le="0.0025"} 4
            weir_latency_seconds_bucket{route="x",le="1"} 4
            weir_latency_seconds_bucket{route="x",le="+Inf"} 5
            weir_latency_seconds_sum{route="x"} 9.002690001
            weir_latency_seconds_count{route="x"} 5

            """)
}

@Test func `a histogram of plain numbers and no labels`() {
    var histogram = Histogram(lowest: 100, decades: 3)
    histogram.record(150)
    let buffer = ByteBuffer(capacity: 64)
    var metrics = MetricsText(to: buffer)
    metrics.family("weir_bytes", .histogram, help: "Bytes.")
    metrics.histogram(histogram, bounds: [100, 1_000], unit: .plain)
    let lines = buffer.readable.text.split(separator: "\n").dropFirst(2)
    #expect(
        Array(lines) == [
            "weir_bytes_bucket{le=\"100\"} 0", "weir_bytes_bucket{le=\"1000\"} 1",
            "weir_bytes_bucket{le=\"+Inf\"} 1", "weir_bytes_sum 150", "weir_bytes_count 1",
        ])
}
