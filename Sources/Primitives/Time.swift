/// A length of time in whole nanoseconds, never negative.
public struct Nanoseconds: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// The number of nanoseconds.
    public var count: UInt64

    /// Creates a duration of `count` nanoseconds.
    public init(_ count: UInt64) { self.count = count }

    /// No time at all.
    public static var zero: Nanoseconds { Nanoseconds(0) }
    /// Longer than anything that is waited for.
    public static var forever: Nanoseconds { Nanoseconds(.max) }

    /// A duration of `n` milliseconds, clamped to `forever`.
    public static func milliseconds(_ n: UInt64) -> Nanoseconds { scaled(n, 1_000_000) }
    /// A duration of `n` seconds, clamped to `forever`.
    public static func seconds(_ n: UInt64) -> Nanoseconds { scaled(n, 1_000_000_000) }

    private static func scaled(_ n: UInt64, _ unit: UInt64) -> Nanoseconds {
        let (product, overflow) = n.multipliedReportingOverflow(by: unit)
        return overflow ? .forever : Nanoseconds(product)
    }

    /// Whole seconds, rounded down.
    public var wholeSeconds: UInt64 { count / 1_000_000_000 }
    /// Whole seconds, rounded up.
    public var secondsRoundedUp: UInt64 {
        count == 0 ? 0 : (count - 1) / 1_000_000_000 + 1
    }
    /// Whole milliseconds, rounded down.
    public var wholeMilliseconds: UInt64 { count / 1_000_000 }

    /// Orders by length.
    public static func < (a: Nanoseconds, b: Nanoseconds) -> Bool { a.count < b.count }
    /// The sum, clamped to `forever`.
    public static func + (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds {
        let (sum, overflow) = a.count.addingReportingOverflow(b.count)
        return overflow ? .forever : Nanoseconds(sum)
    }
    /// The difference, clamped to zero.
    public static func - (a: Nanoseconds, b: Nanoseconds) -> Nanoseconds {
        a.count > b.count ? Nanoseconds(a.count - b.count) : .zero
    }
}

/// A reading of the monotonic clock: nanoseconds since an arbitrary start, unrelated to the date.
public struct MonotonicTime: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// Nanoseconds since the clock's start.
    public var nanoseconds: UInt64

    /// Creates a reading of `nanoseconds` since the clock's start.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// The moment that never comes: no deadline.
    public static var never: MonotonicTime { MonotonicTime(nanoseconds: .max) }

    /// Orders by time.
    public static func < (a: MonotonicTime, b: MonotonicTime) -> Bool {
        a.nanoseconds < b.nanoseconds
    }
    /// The moment `d` later, clamped to `never`.
    public static func + (t: MonotonicTime, d: Nanoseconds) -> MonotonicTime {
        let (sum, overflow) = t.nanoseconds.addingReportingOverflow(d.count)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }
    /// The time from `b` to `a`; zero when `a` is not later.
    public static func - (a: MonotonicTime, b: MonotonicTime) -> Nanoseconds {
        a.nanoseconds > b.nanoseconds ? Nanoseconds(a.nanoseconds - b.nanoseconds) : .zero
    }
}

/// A reading of the calendar clock: nanoseconds since 1970-01-01T00:00:00Z, good until the year 2554.
public struct WallTime: Comparable, Hashable, Sendable, BitwiseCopyable {
    /// Nanoseconds since the Unix epoch.
    public var nanoseconds: UInt64

    /// Creates the moment `nanoseconds` after the Unix epoch.
    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// Whole seconds since the Unix epoch, rounded down.
    public var epochSeconds: UInt64 { nanoseconds / 1_000_000_000 }

    /// Orders by time.
    public static func < (a: WallTime, b: WallTime) -> Bool { a.nanoseconds < b.nanoseconds }
    /// The moment `d` later, clamped to the end of the range.
    public static func + (t: WallTime, d: Nanoseconds) -> WallTime {
        let (sum, overflow) = t.nanoseconds.addingReportingOverflow(d.count)
        return WallTime(nanoseconds: overflow ? .max : sum)
    }
    /// The time from `b` to `a`; zero when `a` is not later.
    public static func - (a: WallTime, b: WallTime) -> Nanoseconds {
        a.nanoseconds > b.nanoseconds ? Nanoseconds(a.nanoseconds - b.nanoseconds) : .zero
    }
}

/// Both clocks, read together once per turn of the event loop and passed down as a value.
public struct ClockReading: Sendable, BitwiseCopyable {
    /// For durations and deadlines.
    public var monotonic: MonotonicTime
    /// For dates and aligned windows.
    public var wall: WallTime

    /// Pairs two readings taken at the same moment.
    public init(monotonic: MonotonicTime, wall: WallTime) {
        self.monotonic = monotonic
        self.wall = wall
    }
}
