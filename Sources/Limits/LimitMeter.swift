/// How one rate is measured: an algorithm with its numbers worked out.
///
/// A meter holds no state; entries do. So a rate can change while what was counted stays.
enum LimitMeter: Sendable, BitwiseCopyable {
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

    /// The words of counters a new entry begins with; 0: none.
    var counterWords: Int {
        switch self {
        case .slidingWindow(let window): window.counterWords
        case .slidingLog(let log): log.counterWords
        default: 0
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

    /// Whether `units` could be taken. The number 0 always can.
    ///
    /// Counters that would need more room for them are given it; without room the answer is no.
    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: Now
    ) -> Bool {
        switch self {
        case .tokenBucket(let bucket): bucket.admits(entry, units: units, at: now.monotonic)
        case .slidingWindow(let window):
            window.admits(&entry, counters: &counters, units: units, at: now.monotonic)
        case .slidingLog(let log):
            log.admits(&entry, counters: &counters, units: units, at: now.monotonic)
        case .fixedWindow(let window): window.admits(entry, units: units, at: now)
        case .leakyBucket(let bucket): bucket.admits(entry, units: units, at: now.monotonic)
        case .concurrency(let limit): limit.admits(entry, units: units)
        }
    }

    /// Takes `units`, also when there are not so many: what a request turned out to cost is charged, and the
    /// next ones wait for it.
    ///
    /// - Returns: What `refund` wants to know about this charge.
    @discardableResult
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: Now
    ) -> UInt64 {
        switch self {
        case .tokenBucket(let bucket): bucket.charge(&entry, units: units, at: now.monotonic)
        case .slidingWindow(let window):
            window.charge(&entry, counters: &counters, units: units, at: now.monotonic)
        case .slidingLog(let log):
            log.charge(&entry, counters: &counters, units: units, at: now.monotonic)
        case .fixedWindow(let window): window.charge(&entry, units: units, at: now)
        case .leakyBucket(let bucket): bucket.charge(&entry, units: units, at: now.monotonic)
        case .concurrency(let limit): limit.charge(&entry, units: units)
        }
    }

    /// Gives `units` back that a charge took, as far as they still count; `mark` is what `charge` returned.
    /// Never more than that charge is undone, so the guarantee holds as if it had been smaller.
    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: Now
    ) {
        switch self {
        case .tokenBucket(let bucket):
            bucket.refund(&entry, units: units, mark: mark, at: now.monotonic)
        case .slidingWindow(let window):
            window.refund(&entry, counters: &counters, units: units, mark: mark, at: now.monotonic)
        case .slidingLog(let log):
            log.refund(&entry, counters: &counters, units: units, mark: mark, at: now.monotonic)
        case .fixedWindow(let window): window.refund(&entry, units: units, mark: mark, at: now)
        case .leakyBucket(let bucket):
            bucket.refund(&entry, units: units, mark: mark, at: now.monotonic)
        case .concurrency(let limit): limit.refund(&entry, units: units)
        }
    }

    /// How full the key is for a request of `units`.
    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32, at now: Now
    ) -> Level {
        switch self {
        case .tokenBucket(let bucket): bucket.level(entry, units: units, at: now)
        case .slidingWindow(let window):
            window.level(entry, counters: counters, units: units, at: now)
        case .slidingLog(let log): log.level(entry, counters: counters, units: units, at: now)
        case .fixedWindow(let window): window.level(entry, units: units, at: now)
        case .leakyBucket(let bucket): bucket.level(entry, units: units, at: now)
        case .concurrency(let limit): limit.level(entry, units: units, at: now)
        }
    }
}
