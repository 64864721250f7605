import Primitives
import Telemetry
import Testing

/// Values over all magnitudes, the ends of steps among them.
private func values(_ count: Int, _ random: inout SeededRandom) -> [UInt64] {
    (0..<count).map { _ in
        switch random.below(4) {
        case 0: random.next() >> UInt64(random.below(60))
        case 1: UInt64(random.below(20_000))
        default: MetricsText.latencyBounds[random.below(16)] + UInt64(random.below(3)) - 1
        }
    }
}

@Test func `a quantile is not below the true one and less than a quarter above`() {
    var random = SeededRandom(seed: 99)
    for size in [1, 2, 3, 10, 1_000] {
        for _ in 0..<20 {
            let recorded = values(size, &random).map { min($0, 100_000_000_000) }.sorted()
            var histogram = Histogram.latency
            for value in recorded { histogram.record(value) }
            for q in [0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1] {
                let rank = max(Int((q * Double(size)).rounded(.up)), 1)
                let exact = recorded[rank - 1]
                let found = histogram.quantile(q)
                #expect(found >= exact)
                #expect(found <= max(exact + exact / 4, histogram.lowest))
                #expect(found <= histogram.largest)
            }
        }
    }
}

@Test func `counts up to the bounds of the metrics are exact`() {
    var random = SeededRandom(seed: 5)
    let recorded = values(5_000, &random)
    var histogram = Histogram.latency
    for value in recorded { histogram.record(value) }
    for bound in MetricsText.latencyBounds {
        #expect(histogram.count(upTo: bound) == UInt64(recorded.count { $0 <= bound }))
    }
    #expect(histogram.count(upTo: .max) == 5_000)
    #expect(histogram.count == 5_000)
    #expect(histogram.largest == recorded.max())
}

@Test func `what workers recorded apart is what one would have recorded`() {
    var random = SeededRandom(seed: 6)
    var parts = (0..<4).map { _ in Histogram.latency }
    var whole = Histogram.latency
    for value in values(2_000, &random).map({ $0 >> 12 }) {
        parts[random.below(4)].record(value)
        whole.record(value)
    }
    var merged = Histogram.latency
    for part in parts { merged.merge(part) }
    #expect(merged.count == whole.count)
    #expect(merged.sum == whole.sum)
    #expect(merged.largest == whole.largest)
    for q in stride(from: 0.0, through: 1, by: 0.01) {
        #expect(merged.quantile(q) == whole.quantile(q))
    }
    merged.reset()
    #expect(merged.count == 0 && merged.sum == 0 && merged.quantile(0.5) == 0)
}

@Test func `the largest values neither trap nor get lost`() {
    var histogram = Histogram(lowest: 4, decades: 1)
    for value: UInt64 in [0, 4, 5, 40, 41, .max, .max] { histogram.record(value) }
    #expect(histogram.count(upTo: 4) == 2)
    #expect(histogram.count(upTo: 5) == 3)
    #expect(histogram.count(upTo: 40) == 4)
    #expect(histogram.quantile(1) == .max)
    #expect(histogram.sum == .max)
    #expect(Histogram.latency.quantile(0.99) == 0)
}

@Test func `histograms of different shapes do not merge`() async {
    await #expect(processExitsWith: .failure) {
        var histogram = Histogram.latency
        histogram.merge(Histogram(lowest: 4, decades: 8))
    }
}

@Test func `counters of workers add up, each in its place`() {
    var one = CounterTable(rows: 2, columns: 3)
    var two = CounterTable(rows: 2, columns: 3)
    one.add(row: 0, column: 2)
    one.add(5, row: 1, column: 0)
    two.add(7, row: 1, column: 0)
    one.merge(two)
    #expect(one[0, 2] == 1)
    #expect(one[1, 0] == 12)
    #expect(one[0, 0] == 0 && one[1, 2] == 0)
    #expect(two[1, 0] == 7)
}
