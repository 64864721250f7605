/// A token bucket as GCRA keeps it (standards A2): `burst` tokens, one more every `period / count`.
///
/// The state is the TAT, the moment at which the bucket will be full; `TAT − now` is the *debt*. A request
/// passes when the debt and the intervals of its units fit into `burst` intervals.
///
/// **Guarantee**: in any stretch of time X at most `burst + X·count/period` units pass, and as many more as
/// were given back in X.
///
/// **Worst case** in one period: `burst` and the rate's number, once.
///
/// **Error**: time is counted in grains of 2⁻³⁰ ns and the interval is rounded **up** to a whole grain, so
/// rounding can only admit less: 10,000 per second is exact, 3 per second is short by less than one request
/// in 10¹⁷. A `burst` that would take longer than 146 years to fill is cut to what fills in that time.
///
/// **Memory**: the entry, 40 bytes a key.
///
/// What is charged beyond `burst` is debt that the next requests wait for, 146 years of it at most.
struct TokenBucket: Sendable, BitwiseCopyable {
    /// The time of one token, in grains; 1 to 2⁹⁰.
    let interval: UInt128
    /// The largest debt that a request may make, `burst` intervals, in grains; at most 2⁹².
    let tolerance: UInt128
    /// `interval` in 32 bits, as entries remember it.
    let code: UInt32

    private static let grainBits: UInt128 = 30
    /// The largest debt of all, in grains: with it the TAT's nanoseconds are below 2⁶³.
    private static let debtMax = UInt128(LimitBounds.timeMax) << grainBits

    /// Creates the meter of `count` per `period` nanoseconds with a capacity of `burst`, all at least 1.
    init(count: UInt32, period: UInt64, burst: UInt32) {
        let grains = UInt128(min(max(period, 1), LimitBounds.periodMax)) << Self.grainBits
        let count = UInt128(max(count, 1))
        interval = (grains + count - 1) / count
        tolerance = min(interval * UInt128(max(burst, 1)), Self.debtMax)
        code = Self.code(of: interval)
    }

    /// Whether there are `units` tokens.
    func admits(_ entry: LimitEntry, units: UInt32, at now: UInt64) -> Bool {
        units == 0 || debt(of: entry, at: now) + interval * UInt128(units) <= tolerance
    }

    /// Takes `units` tokens.
    ///
    /// - Returns: The moment at which the bucket will be full, in nanoseconds, rounded up.
    func charge(_ entry: inout LimitEntry, units: UInt32, at now: UInt64) -> UInt64 {
        // Below 2⁹² and 2¹²².
        let debt = debt(of: entry, at: now) + interval * UInt128(units)
        store(min(debt, Self.debtMax), in: &entry, at: now)
        return now + Self.nanoseconds(min(debt, Self.debtMax))
    }

    /// Puts `units` tokens back: all of them as long as the bucket is not full, but nothing of what time has
    /// refilled since, as far as `mark` tells, the moment at which the charge would have been refilled.
    func refund(_ entry: inout LimitEntry, units: UInt32, mark: UInt64, at now: UInt64) {
        let debt = debt(of: entry, at: now)
        guard debt > 0 && mark > now else { return }
        let left = UInt128(mark - now) << Self.grainBits
        store(debt - min(debt, interval * UInt128(units), left), in: &entry, at: now)
    }

    /// How full the bucket is: tokens, time until it is full, time until there are `units`.
    func level(_ entry: LimitEntry, units: UInt32, at now: LimitMeter.Now) -> LimitMeter.Level {
        let debt = debt(of: entry, at: now.monotonic)
        let remaining = debt < tolerance ? (tolerance - debt) / interval : 0
        let wanted = interval * UInt128(max(units, 1))
        let reset = Self.nanoseconds(debt)
        var next = LimitMeter.Level.neverPasses
        if wanted <= tolerance {
            let allowed = tolerance - wanted
            next = debt > allowed ? Self.nanoseconds(debt - allowed) : 0
        }
        return LimitMeter.Level(
            remaining: UInt32(truncatingIfNeeded: remaining), resetAfter: reset,
            resetAt: now.wall(at: now.monotonic + reset), nextAfter: next)
    }

    /// Writes a debt at `now`.
    private func store(_ debt: UInt128, in entry: inout LimitEntry, at now: UInt64) {
        let tat = UInt128(now) << Self.grainBits + debt
        entry.until = UInt64(truncatingIfNeeded: tat >> Self.grainBits)
        entry.detail = UInt32(truncatingIfNeeded: tat) & 0x3FFF_FFFF
        entry.position = now
        entry.amount = code
    }

    /// The debt in grains of this meter.
    private func debt(of entry: LimitEntry, at now: UInt64) -> UInt128 {
        let tat = UInt128(entry.until) << Self.grainBits | UInt128(entry.detail)
        let grains = UInt128(now) << Self.grainBits
        if tat <= grains { return 0 }
        return entry.amount == code || entry.amount == 0
            ? tat - grains : converted(tat, of: entry, at: now)
    }

    /// The debt of an entry that was charged last at another rate, by another tier or configuration.
    ///
    /// The tokens that were missing then are missing still, less what this rate has brought back since. So
    /// whoever goes to and fro between tiers gets no more than `burst` and the faster of the rates, and
    /// whoever moves up does not wait for a debt of the slow rate.
    private func converted(_ tat: UInt128, of entry: LimitEntry, at now: UInt64) -> UInt128 {
        let old = Self.interval(of: entry.amount)
        let charged = UInt128(entry.position) << Self.grainBits
        let (tokens, rest) = (tat - min(charged, tat)).quotientAndRemainder(dividingBy: old)
        // A token's fraction to 16 bits, rounded up. `rest` is below 2⁹⁰ grains.
        let fraction = ((rest << 16) + old - 1) / old
        // More tokens than 2³² are no more than the tolerance, so the product is below 2¹²³.
        let missing = min(tokens, 1 << 32) * interval + (fraction * interval + 0xFFFF) >> 16
        let regained = UInt128(now - min(entry.position, now)) << Self.grainBits
        return min(missing - min(regained, missing), tolerance)
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
