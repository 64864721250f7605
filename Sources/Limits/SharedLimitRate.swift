import Primitives

/// A rate as the script of shared limits counts by it: five integers, times in microseconds.
///
/// | kind | `quota` | `step` | `span` | `keep` |
/// | --- | --- | --- | --- | --- |
/// | token bucket | burst | interval of a token | burst × interval | – |
/// | sliding window | units | length of a sub-window | sub-windows and one | – |
/// | sliding log | units | period | – | the longest period of the limit's rates |
/// | fixed window | units | period, 0: a calendar month | phase | – |
/// | leaky bucket | – | interval of a unit | the longest delay | – |
///
/// **Error**: intervals, sub-windows and periods are rounded **up** to whole microseconds, so rounding can only admit
/// less: 10,000 per second is exact, 3 per second short by less than one in a million, 30,000 per second (33⅓
/// µs) counts as 29,411, and nothing is faster than 1,000,000 per second a key.
public struct SharedLimitRate: Sendable, BitwiseCopyable, Hashable {
    /// The algorithm.
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        /// GCRA.
        case bucket = 1
        /// Conservative sub-windows.
        case window = 2
        /// The moments of the last units.
        case log = 3
        /// Aligned windows.
        case fixed = 4
        /// GCRA with delays.
        case leaky = 5

        /// As keys name it.
        var word: StaticString {
            switch self {
            case .bucket: "bucket"
            case .window: "window"
            case .log: "log"
            case .fixed: "fixed"
            case .leaky: "leaky"
            }
        }
    }

    /// The algorithm.
    public let kind: Kind
    /// See the table above.
    public let quota: Int64
    /// See the table above.
    public let step: Int64
    /// See the table above.
    public internal(set) var span: Int64
    /// See the table above.
    public let keep: Int64

    /// The largest number of units or microseconds there is, 2⁵²: with the Unix time added it is below 2⁵³.
    public static let most: Int64 = 1 << 52

    /// The rate of one of a limit's tiers; `nil` for requests in flight, which are not shared.
    ///
    /// - Parameters:
    ///   - algorithm: The algorithm.
    ///   - rate: The rate.
    ///   - longest: The longest period of the limit's rates.
    init?(
        _ algorithm: LimitDefinition.Algorithm, _ rate: LimitDefinition.Rate, longest: Nanoseconds
    ) {
        let count = Int64(max(rate.count, 1))
        let period = Self.microseconds(rate.period)
        let interval = Self.microseconds(rate.period, dividedBy: UInt64(count))
        switch algorithm {
        case .tokenBucket(let burst):
            let burst = Int64(max(burst ?? rate.count, 1))
            let (product, overflow) = burst.multipliedReportingOverflow(by: interval)
            let span = overflow ? Self.most : min(product, Self.most)
            self.init(kind: .bucket, quota: burst, step: interval, span: span)
        case .slidingWindow(let subWindows):
            let number = min(max(subWindows, 1), LimitBounds.subWindowsMax)
            self.init(
                kind: .window, quota: count,
                step: Self.microseconds(rate.period, dividedBy: UInt64(number)),
                span: Int64(number) + 1)
        case .slidingLog:
            self.init(
                kind: .log, quota: min(count, Int64(LimitBounds.logMax)), step: period, span: 0,
                keep: Self.microseconds(longest))
        case .fixedWindow:
            self.init(kind: .fixed, quota: count, step: rate.isMonthly ? 0 : period, span: 0)
        case .leakyBucket(let delay):
            self.init(
                kind: .leaky, quota: count, step: interval,
                span: Int64(min(delay.count / 1000, UInt64(Self.most))))
        case .concurrency: return nil
        }
    }

    init(kind: Kind, quota: Int64, step: Int64, span: Int64, keep: Int64 = 0) {
        self.kind = kind
        self.quota = quota
        self.step = step
        self.span = span
        self.keep = keep
    }

    /// The rate of a key whose windows begin at a moment of its own, told by the digest of the key.
    func phased(by digest: Digest128) -> SharedLimitRate {
        var rate = self
        rate.span = Int64(digest.high.multipliedFullWidth(by: UInt64(step)).high)
        return rate
    }

    /// Rounded up, at least 1.
    private static func microseconds(_ time: Nanoseconds, dividedBy parts: UInt64 = 1) -> Int64 {
        let whole = min(max(time.count, 1), LimitBounds.periodMax)
        let (quotient, rest) = whole.quotientAndRemainder(dividingBy: 1000 * parts)
        return Int64(quotient) + (rest > 0 ? 1 : 0)
    }
}
