/// How often values of each size occurred: decades, each cut into 36 equal steps.
///
///     lowest 1000, decades 2:   ≤1000 | ≤1250 | ≤1500 … ≤10000 | ≤12500 … ≤100000 | more
///
/// A step is a quarter of its decade's start, so what is read out is less than a quarter above what was
/// recorded, and 1, 2.5 and 5 of every decade are ends of steps: counts up to them are exact. Values up
/// to `lowest` share one step, values beyond the last decade another. One owner records; histograms of
/// the same shape merge. The latency shape is 2.3 KiB. `record` neither searches nor allocates.
public struct Histogram: Sendable {
    private static let steps = 36

    /// Values up to this one are not told apart.
    public let lowest: UInt64
    private var counts: [UInt64]
    /// The number of values recorded.
    public private(set) var count: UInt64 = 0
    /// The sum of all values, clamped to 64 bits.
    public private(set) var sum: UInt64 = 0
    /// The largest value, or 0.
    public private(set) var largest: UInt64 = 0

    /// Creates an empty histogram from `lowest` (at least 4, a multiple of 4) to `lowest` · 10^`decades`,
    /// which must fit 64 bits.
    public init(lowest: UInt64, decades: Int) {
        precondition(lowest >= 4 && lowest % 4 == 0)
        precondition(decades >= 1 && decades <= 16)
        var end = lowest
        for _ in 0..<decades {
            precondition(end <= UInt64.max / 10)
            end *= 10
        }
        self.lowest = lowest
        counts = Array(repeating: 0, count: Histogram.steps * decades + 2)
    }

    /// An empty histogram of nanoseconds, from one microsecond to 100 seconds.
    public static var latency: Histogram { Histogram(lowest: 1_000, decades: 8) }

    /// Records `value`.
    public mutating func record(_ value: UInt64) {
        counts[step(of: value)] += 1
        count += 1
        let (total, overflow) = sum.addingReportingOverflow(value)
        sum = overflow ? .max : total
        if value > largest { largest = value }
    }

    /// Adds what `other`, of the same shape, has recorded.
    public mutating func merge(_ other: Histogram) {
        precondition(lowest == other.lowest)
        precondition(counts.count == other.counts.count)
        for i in counts.indices { counts[i] += other.counts[i] }
        count += other.count
        let (total, overflow) = sum.addingReportingOverflow(other.sum)
        sum = overflow ? .max : total
        largest = max(largest, other.largest)
    }

    /// Forgets everything.
    public mutating func reset() {
        for i in counts.indices { counts[i] = 0 }
        count = 0
        sum = 0
        largest = 0
    }

    /// A value that at least the share `q` (0…1) of the recorded ones do not exceed.
    ///
    /// - Returns: At least the true quantile, and less than a quarter above it, or `lowest`; never more
    ///   than `largest`. 0 when nothing was recorded.
    public func quantile(_ q: Double) -> UInt64 {
        let share = min(max(q, 0), 1)
        let rank = min(max(UInt64((share * Double(count)).rounded(.up)), 1), count)
        var seen: UInt64 = 0
        for i in counts.indices {
            seen += counts[i]
            if seen >= rank && seen > 0 { return min(end(ofStep: i), largest) }
        }
        return 0
    }

    /// The number of values up to and including `bound`: exact when a step ends there, as at 1, 2.5 and 5
    /// of each decade; else the values of the step around it are left out.
    public func count(upTo bound: UInt64) -> UInt64 {
        var total: UInt64 = 0
        for i in counts.indices {
            if end(ofStep: i) > bound { break }
            total += counts[i]
        }
        return total
    }

    @inline(__always)
    private func step(of value: UInt64) -> Int {
        guard value > lowest else { return 0 }
        // Steps are closed above: one less puts an end of a step into it.
        let inside = value - 1
        var start = lowest
        var first = 1
        let last = counts.count - 1
        while first < last {
            // The end of the last decade fits.
            let next = start &* 10
            if inside < next {
                return first + Int((inside - start) / (start / 4))
            }
            start = next
            first += Histogram.steps
        }
        return last
    }

    /// The largest value of a step.
    private func end(ofStep index: Int) -> UInt64 {
        if index == 0 { return lowest }
        if index == counts.count - 1 { return .max }
        var start = lowest
        for _ in 0..<((index - 1) / Histogram.steps) { start *= 10 }
        return start + start / 4 * UInt64((index - 1) % Histogram.steps + 1)
    }
}
