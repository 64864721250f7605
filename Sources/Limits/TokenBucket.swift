/// A token bucket as GCRA keeps it (standards A2): `burst` tokens, one more every `period / count`.
///
/// The state is the TAT, the moment at which the bucket will be full; `TAT − now` is the *debt*. A request
/// passes when the debt and one more interval fit into `burst` intervals.
///
/// **Guarantee**: in any stretch of time X at most `burst + X·count/period` requests pass. Time is counted
/// in grains of 2⁻³⁰ ns and the interval is rounded **up** to a whole grain, so rounding can only admit
/// less: 10,000 per second is exact, 3 per second is short by less than one request in 10¹⁷.
///
/// A `burst` that would take longer than 146 years to fill is cut to what fills in that time.
struct TokenBucket: Sendable, BitwiseCopyable {
    /// The time of one token, in grains; 1 to 2⁹⁰.
    let interval: UInt128
    /// The largest debt, `burst` intervals, in grains; at most 2⁹².
    let tolerance: UInt128
    /// `interval` in 32 bits, as entries remember it.
    let code: UInt32

    private static let grainBits: UInt128 = 30

    /// Creates the meter of `count` per `period` nanoseconds with a capacity of `burst`, all at least 1.
    init(count: UInt32, period: UInt64, burst: UInt32) {
        let grains = UInt128(min(max(period, 1), LimitBounds.periodMax)) << Self.grainBits
        let count = UInt128(max(count, 1))
        interval = (grains + count - 1) / count
        tolerance = min(
            interval * UInt128(max(burst, 1)), UInt128(LimitBounds.timeMax) << Self.grainBits)
        code = Self.code(of: interval)
    }

    /// Whether one more request would pass.
    func admits(_ entry: LimitEntry, at now: UInt64) -> Bool {
        debt(of: entry, at: now) + interval <= tolerance
    }

    /// Takes one token.
    func charge(_ entry: inout LimitEntry, at now: UInt64) {
        let tat = (UInt128(now) << Self.grainBits) + debt(of: entry, at: now) + interval
        // Debt and interval are within 2⁹² grains, `now` too: the sum has at most 63 bits of nanoseconds.
        entry.until = UInt64(truncatingIfNeeded: tat >> Self.grainBits)
        entry.detail = UInt32(truncatingIfNeeded: tat) & 0x3FFF_FFFF
        entry.amount = code
    }

    /// How full the bucket is: tokens, time until it is full, time until there is a token.
    func level(_ entry: LimitEntry, at now: UInt64) -> LimitMeter.Level {
        let stored = storedDebt(of: entry, at: now)
        let debt = debt(of: entry, at: now)
        let remaining = debt < tolerance ? (tolerance - debt) / interval : 0
        var next: UInt64 = 0
        if remaining == 0 {
            // Debt that was made at another rate is paid at that rate.
            let allowed =
                entry.amount == code
                ? tolerance - interval
                : (tolerance / interval - 1) * Self.interval(of: entry.amount)
            next = Self.nanoseconds(stored - min(allowed, stored))
        }
        return LimitMeter.Level(
            remaining: UInt32(truncatingIfNeeded: remaining), resetAfter: Self.nanoseconds(stored),
            nextAfter: next)
    }

    /// The debt in grains as it was stored.
    private func storedDebt(of entry: LimitEntry, at now: UInt64) -> UInt128 {
        let tat = UInt128(entry.until) << Self.grainBits | UInt128(entry.detail)
        let now = UInt128(now) << Self.grainBits
        return tat > now ? tat - now : 0
    }

    /// The debt in grains of this meter.
    private func debt(of entry: LimitEntry, at now: UInt64) -> UInt128 {
        let stored = storedDebt(of: entry, at: now)
        return stored == 0 || entry.amount == code ? stored : converted(stored, from: entry.amount)
    }

    /// The same number of tokens at this rate (another tier, or a new configuration), rounded up.
    ///
    /// Tokens are what is kept, so whoever moves between tiers gets no more than `burst` and the faster
    /// of the rates, and whoever moves up does not wait for a debt of the slow rate.
    private func converted(_ debt: UInt128, from code: UInt32) -> UInt128 {
        let old = Self.interval(of: code)
        let (tokens, rest) = debt.quotientAndRemainder(dividingBy: old)
        // A token's fraction to 16 bits, rounded up. `rest` is below 2⁹⁰ grains.
        let fraction = ((rest << 16) + old - 1) / old
        // No stored debt has more than 2³² tokens, so the product is below 2¹²³.
        let grains = min(tokens, 1 << 32) * interval + (fraction * interval + 0xFFFF) >> 16
        return min(grains, UInt128(LimitBounds.timeMax) << Self.grainBits)
    }

    /// Grains as nanoseconds, rounded up.
    private static func nanoseconds(_ grains: UInt128) -> UInt64 {
        UInt64(truncatingIfNeeded: (grains + (1 << grainBits) - 1) >> grainBits)
    }

    /// `interval` as a 7-bit exponent and a 25-bit mantissa, rounded down; never 0.
    private static func code(of interval: UInt128) -> UInt32 {
        let width = 128 - interval.leadingZeroBitCount
        let exponent = max(width - 25, 0)
        return UInt32(exponent) << 25 | UInt32(truncatingIfNeeded: interval >> UInt128(exponent))
    }

    /// The interval that `code` stands for, at least 1.
    private static func interval(of code: UInt32) -> UInt128 {
        max(UInt128(code & 0x1FF_FFFF) << UInt128(code >> 25), 1)
    }
}
