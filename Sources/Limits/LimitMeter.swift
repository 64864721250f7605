/// How one rate is measured: one of the algorithms, with its numbers worked out.
enum LimitMeter: LimitAlgorithm {
    case tokenBucket(TokenBucket)
    case slidingWindow(SlidingWindow)
    case slidingLog(SlidingLog)
    case fixedWindow(FixedWindow)
    case leakyBucket(LeakyBucket)
    case concurrency(Concurrency)

    /// The algorithm as keys name it.
    enum Tag: UInt64, Sendable, BitwiseCopyable {
        case tokenBucket = 1
        case slidingWindow = 2
        case fixedWindow = 3
        case slidingLog = 4
        case leakyBucket = 5
        case concurrency = 6
    }

    /// The algorithm.
    var tag: Tag {
        switch self {
        case .tokenBucket: .tokenBucket
        case .slidingWindow: .slidingWindow
        case .slidingLog: .slidingLog
        case .fixedWindow: .fixedWindow
        case .leakyBucket: .leakyBucket
        case .concurrency: .concurrency
        }
    }

    /// How full a key is.
    struct Level: Sendable, BitwiseCopyable, Equatable {
        /// Units that could be taken right now.
        var remaining: UInt32
        /// Nanoseconds until nothing is counted any more, if no request passes.
        var resetAfter: UInt64
        /// That moment on the calendar clock, in nanoseconds: from the stored boundary, so it stands still
        /// while nothing is charged.
        var resetAt: UInt64
        /// Nanoseconds until the units that were asked for could be taken; 0 when they could be now, and
        /// `neverPasses` when there can never be so many.
        var nextAfter: UInt64
        /// Nanoseconds a request that is charged now has to wait before it goes on.
        var delay: UInt64 = 0

        /// The `nextAfter` of a cost above what the limit can ever hold.
        static let neverPasses = UInt64.max
    }

    /// Both clocks as the algorithms want them.
    struct Now: Sendable, BitwiseCopyable {
        /// Monotonic nanoseconds, at most `LimitBounds.timeMax`.
        var monotonic: UInt64
        /// Nanoseconds since the Unix epoch.
        var wall: UInt64
        /// What is added to a monotonic reading to get the calendar's: constant while the calendar clock is
        /// not set, unlike the difference of two readings.
        var offset: UInt64

        /// The calendar's reading at a monotonic one.
        func wall(at monotonic: UInt64) -> UInt64 { monotonic &+ offset }
    }

    // MARK: The algorithm's own

    var counterWords: Int {
        switch self {
        case .tokenBucket(let own): own.counterWords
        case .slidingWindow(let own): own.counterWords
        case .slidingLog(let own): own.counterWords
        case .fixedWindow(let own): own.counterWords
        case .leakyBucket(let own): own.counterWords
        case .concurrency(let own): own.counterWords
        }
    }

    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: Now
    ) -> Bool {
        switch self {
        case .tokenBucket(let own): own.admits(&entry, counters: &counters, units: units, at: now)
        case .slidingWindow(let own): own.admits(&entry, counters: &counters, units: units, at: now)
        case .slidingLog(let own): own.admits(&entry, counters: &counters, units: units, at: now)
        case .fixedWindow(let own): own.admits(&entry, counters: &counters, units: units, at: now)
        case .leakyBucket(let own): own.admits(&entry, counters: &counters, units: units, at: now)
        case .concurrency(let own): own.admits(&entry, counters: &counters, units: units, at: now)
        }
    }

    @discardableResult
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: Now
    ) -> UInt64 {
        switch self {
        case .tokenBucket(let own): own.charge(&entry, counters: &counters, units: units, at: now)
        case .slidingWindow(let own): own.charge(&entry, counters: &counters, units: units, at: now)
        case .slidingLog(let own): own.charge(&entry, counters: &counters, units: units, at: now)
        case .fixedWindow(let own): own.charge(&entry, counters: &counters, units: units, at: now)
        case .leakyBucket(let own): own.charge(&entry, counters: &counters, units: units, at: now)
        case .concurrency(let own): own.charge(&entry, counters: &counters, units: units, at: now)
        }
    }

    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: Now
    ) {
        switch self {
        case .tokenBucket(let own):
            own.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        case .slidingWindow(let own):
            own.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        case .slidingLog(let own):
            own.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        case .fixedWindow(let own):
            own.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        case .leakyBucket(let own):
            own.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        case .concurrency(let own):
            own.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        }
    }

    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32, at now: Now
    ) -> Level {
        switch self {
        case .tokenBucket(let own): own.level(entry, counters: counters, units: units, at: now)
        case .slidingWindow(let own): own.level(entry, counters: counters, units: units, at: now)
        case .slidingLog(let own): own.level(entry, counters: counters, units: units, at: now)
        case .fixedWindow(let own): own.level(entry, counters: counters, units: units, at: now)
        case .leakyBucket(let own): own.level(entry, counters: counters, units: units, at: now)
        case .concurrency(let own): own.level(entry, counters: counters, units: units, at: now)
        }
    }
}
