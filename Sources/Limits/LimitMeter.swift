/// How one rate is measured: an algorithm with its numbers worked out.
///
/// A meter holds no state; entries do. So a rate can change while what was counted stays.
enum LimitMeter: Sendable, BitwiseCopyable {
    case tokenBucket(TokenBucket)
    case slidingWindow(SlidingWindow)
    case fixedWindow(FixedWindow)

    /// The algorithm as an entry and a key name it. 0 is an empty slot.
    enum Tag: UInt8, Sendable, BitwiseCopyable {
        case tokenBucket = 1
        case slidingWindow = 2
        case fixedWindow = 3
    }

    /// The algorithm.
    var tag: Tag {
        switch self {
        case .tokenBucket: .tokenBucket
        case .slidingWindow: .slidingWindow
        case .fixedWindow: .fixedWindow
        }
    }

    /// The words of ring counters an entry needs; 0: none.
    var counterWords: Int {
        if case .slidingWindow(let window) = self { window.counterWords } else { 0 }
    }

    /// How full a key is.
    struct Level: Sendable, BitwiseCopyable, Equatable {
        /// Requests that would pass right now.
        var remaining: UInt32
        /// Nanoseconds until nothing is counted any more, if no request passes.
        var resetAfter: UInt64
        /// Nanoseconds until a request would pass; 0 when one would pass now.
        var nextAfter: UInt64
    }

    /// Both clocks as the algorithms want them.
    struct Now: Sendable, BitwiseCopyable {
        /// Monotonic nanoseconds, at most `LimitBounds.timeMax`.
        var monotonic: UInt64
        /// Nanoseconds since the Unix epoch.
        var wall: UInt64
    }

    /// Whether one more request would pass.
    func admits(_ entry: LimitEntry, counters: borrowing CounterSlab, at now: Now) -> Bool {
        switch self {
        case .tokenBucket(let bucket): bucket.admits(entry, at: now.monotonic)
        case .slidingWindow(let window):
            window.admits(entry, counters: counters, at: now.monotonic)
        case .fixedWindow(let window): window.admits(entry, at: now)
        }
    }

    /// Counts one request, which must have been admitted at the same moment.
    func charge(_ entry: inout LimitEntry, counters: inout CounterSlab, at now: Now) {
        switch self {
        case .tokenBucket(let bucket): bucket.charge(&entry, at: now.monotonic)
        case .slidingWindow(let window):
            window.charge(&entry, counters: &counters, at: now.monotonic)
        case .fixedWindow(let window): window.charge(&entry, at: now)
        }
    }

    /// How full the key is.
    func level(_ entry: LimitEntry, counters: borrowing CounterSlab, at now: Now) -> Level {
        switch self {
        case .tokenBucket(let bucket): bucket.level(entry, at: now.monotonic)
        case .slidingWindow(let window):
            window.level(entry, counters: counters, at: now.monotonic)
        case .fixedWindow(let window): window.level(entry, at: now)
        }
    }
}
