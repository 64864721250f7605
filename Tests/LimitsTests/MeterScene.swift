import Primitives

@testable import Limits

/// One key under one meter, and a clock that only the test moves: what a table does with an entry, without
/// the table.
struct MeterScene {
    var meter: LimitMeter
    var entry: LimitEntry
    var counters: CounterSlab
    /// 2026-10-01T00:00:00Z, an hour after the start of the monotonic clock.
    var now = LimitMeter.Now(
        monotonic: 3_600_000_000_000, wall: 1_790_812_800_000_000_000,
        offset: 1_790_809_200_000_000_000)

    /// One unit that was charged, or some.
    struct Charge {
        var time: UInt64
        var units: UInt32
        var mark: UInt64
    }

    init(
        _ meter: LimitMeter, digest: Digest128 = Digest128(high: 1, low: 1), words: Int = 4096,
        at time: LimitMeter.Now? = nil
    ) {
        self.meter = meter
        now = time ?? now
        counters = CounterSlab(wordsMax: words)
        entry = .none
        makeEntry(digest)
    }

    private mutating func makeEntry(_ digest: Digest128) {
        let words = meter.counterWords
        entry = LimitEntry(digest: digest, hasCounters: words > 0, now: now.monotonic)
        if words > 0, let block = counters.allocate(words: words) { entry.detail = block.code }
    }

    mutating func advance(_ time: UInt64) {
        now.monotonic += time
        now.wall += time
    }

    /// Forgets the entry when it is idle, as tables do some time.
    mutating func sweep() {
        guard entry.until < now.monotonic else { return }
        if entry.hasCounters { counters.release(CounterSlab.Block(entry.detail)) }
        makeEntry(entry.digest)
    }

    /// Whether `units` would pass; only looks.
    func admits(_ units: UInt32) -> Bool {
        var other = self
        return meter.admits(&other.entry, counters: &other.counters, units: units, at: now)
    }

    @discardableResult
    mutating func charge(_ units: UInt32) -> Charge {
        let mark = meter.charge(&entry, counters: &counters, units: units, at: now)
        return Charge(time: now.monotonic, units: units, mark: mark)
    }

    /// Charges `units` if they pass.
    mutating func ask(_ units: UInt32) -> Charge? {
        meter.admits(&entry, counters: &counters, units: units, at: now) ? charge(units) : nil
    }

    mutating func refund(_ units: UInt32, of charge: Charge) {
        meter.refund(&entry, counters: &counters, units: units, mark: charge.mark, at: now)
    }

    /// As a table does for a limit that is alone: by the algorithm's own way, not by that of `LimitMeter`.
    mutating func take(
        _ units: UInt32, mayCharge: Bool, admits: inout Bool, mark: inout UInt64
    ) -> LimitMeter.Level {
        switch meter {
        case .tokenBucket(let own):
            own.take(
                &entry, counters: &counters, units: units, mayCharge: mayCharge, at: now,
                admits: &admits, mark: &mark)
        default:
            meter.take(
                &entry, counters: &counters, units: units, mayCharge: mayCharge, at: now,
                admits: &admits, mark: &mark)
        }
    }

    func level(_ units: UInt32 = 1) -> LimitMeter.Level {
        meter.level(entry, counters: counters, units: units, at: now)
    }
}

/// A meter of each algorithm in which time brings room back, all with room for 12 at most.
let meters: [LimitMeter] = [
    .tokenBucket(TokenBucket(count: 7, period: 1_000_000, burst: 12)),
    .slidingWindow(SlidingWindow(quota: 12, period: 1_000_003, subWindows: 9)),
    .slidingWindow(SlidingWindow(quota: 12, period: 1_000_003, subWindows: 60)),
    .slidingLog(SlidingLog(quota: 12, period: 1_000_003)),
    .fixedWindow(FixedWindow(quota: 12, period: 1_000_003, isMonthly: false, hasPhase: false)),
    .fixedWindow(FixedWindow(quota: 12, period: 1_000_003, isMonthly: false, hasPhase: true)),
    .leakyBucket(LeakyBucket(count: 12, period: 1_200_000, maxDelay: 1_100_000)),
]
