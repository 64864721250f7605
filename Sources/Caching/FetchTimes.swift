public import HTTPModel
public import Primitives

/// When an answer was asked for and when its head arrived.
public struct FetchTimes: Sendable, BitwiseCopyable {
    /// When the request was sent (`request_time`).
    public var requested: MonotonicTime
    /// When the head of the answer was there (`response_time`).
    public var received: ClockReading

    /// Pairs the two moments.
    public init(requested: MonotonicTime, received: ClockReading) {
        self.requested = requested
        self.received = received
    }

    /// The time from the request to the answer's head; zero when the clock went backwards.
    public var delay: Nanoseconds { received.monotonic - requested }

    /// When the answer was made, in seconds since 1970: its first Date field, or the time of receipt where
    /// there is none that can be read (RFC 9110 §6.6.1).
    public func date(of fields: borrowing FieldList) -> Int64 {
        let now = received.wall.epochSeconds
        guard let text = fields.first(.date), let date = HTTPDate.parse(text, now: now) else {
            return Int64(clamping: now)
        }
        return date
    }

    /// The age of an answer at the moment of its receipt: `corrected_initial_age` of RFC 9111 §4.2.3
    /// (cases `9111-4.2.3-…`).
    ///
    /// The larger of what the clocks say (never below zero, so a Date in the future does no harm) and what
    /// the Age field says, plus the time that the answer took.
    public func initialAge(of fields: borrowing FieldList) -> Nanoseconds {
        let now = Int64(clamping: received.wall.epochSeconds)
        let (difference, overflow) = now.subtractingReportingOverflow(date(of: fields))
        let apparent = Nanoseconds.seconds(overflow ? 0 : UInt64(max(0, difference)))
        return max(apparent, .seconds(FetchTimes.ageField(of: fields)) + delay)
    }

    /// The Age field in seconds (RFC 9111 §5.1): of several values the first one counts; one that is not a
    /// number is ignored; above 2³¹ it is 2³¹.
    static func ageField(of fields: borrowing FieldList) -> UInt64 {
        guard let line = fields.first(.age) else { return 0 }
        let end = line.firstIndex(of: UInt8(ascii: ",")) ?? line.count
        let first = line.extracting(0..<end).trimmed
        guard first.count > 0 else { return 0 }
        for i in first.indices where !ASCII.isDigit(first[i]) { return 0 }
        // All digits, so a failure means beyond 64 bits.
        return min(first.decimalValue ?? .max, UInt64(CacheBounds.deltaSecondsMax))
    }
}
