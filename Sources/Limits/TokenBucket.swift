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
struct TokenBucket: LimitAlgorithm {
    /// The time of one token, in grains; 1 to 2⁹⁰.
    let interval: UInt128
    /// The largest debt that a request may make, `burst` intervals, in grains; at most 2⁹².
    let tolerance: UInt128
    /// `interval` in 32 bits, as entries remember it.
    let code: UInt32
    /// The bits by which `tolerance` is longer than a word.
    private let shift: UInt8
    /// 2⁶⁴⁺ˢ / `interval`, rounded down, s being `shift`.
    private let inverse: UInt64

    private static var grainBits: UInt128 { 30 }
    private static var grainMask: UInt128 { 1 << grainBits - 1 }
    /// The largest debt of all, in grains: with it the TAT's nanoseconds are below 2⁶³.
    @inline(__always) private static var debtMax: UInt128 {
        UInt128(LimitBounds.timeMax) << grainBits
    }

    /// Creates the meter of `count` per `period` nanoseconds with a capacity of `burst`, all at least 1.
    init(count: UInt32, period: UInt64, burst: UInt32) {
        let grains = UInt128(min(max(period, 1), LimitBounds.periodMax)) << Self.grainBits
        let count = UInt128(max(count, 1))
        interval = (grains + count - 1) / count
        tolerance = min(interval * UInt128(max(burst, 1)), Self.debtMax)
        code = Self.code(of: interval)
        let shift = UInt128(max(64 - tolerance.leadingZeroBitCount, 0))
        self.shift = UInt8(shift)
        inverse = UInt64(clamping: (UInt128(1) << (64 + shift)) / interval)
    }

    /// Whether there are `units` tokens.
    func admits(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> Bool {
        units == 0 || debt(of: entry, at: now.monotonic) &+ cost(of: units) <= tolerance
    }

    /// Takes `units` tokens.
    ///
    /// - Returns: The moment at which the bucket will be full, in nanoseconds, rounded up.
    func charge(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> UInt64 {
        let debt = min(debt(of: entry, at: now.monotonic) &+ cost(of: units), Self.debtMax)
        store(debt, in: &entry, at: now.monotonic)
        return now.monotonic &+ Self.nanoseconds(debt)
    }

    /// Puts `units` tokens back: all of them as long as the bucket is not full, but nothing of what time has
    /// refilled since, as far as `mark` tells, the moment at which the charge would have been refilled.
    func refund(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: LimitMeter.Now
    ) {
        let now = now.monotonic
        let debt = debt(of: entry, at: now)
        guard debt > 0 && mark > now else { return }
        let left = UInt128(mark - now) << Self.grainBits
        store(debt - min(debt, cost(of: units), left), in: &entry, at: now)
    }

    /// How full the bucket is: tokens, time until it is full, time until there are `units`.
    @inline(__always)
    func level(
        _ entry: LimitEntry, counters _: borrowing CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        level(debt: debt(of: entry, at: now.monotonic), wanted: cost(of: max(units, 1)), at: now)
    }

    /// As by default, with the debt worked out once.
    @inline(__always)
    func take(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32, mayCharge: Bool,
        at now: LimitMeter.Now, admits: inout Bool, mark: inout UInt64
    ) -> LimitMeter.Level {
        var debt = debt(of: entry, at: now.monotonic)
        let wanted = cost(of: max(units, 1))
        admits = units == 0 || debt &+ wanted <= tolerance
        if admits && mayCharge && units > 0 {
            // Not above the tolerance, and so not above the largest debt of all.
            debt = debt &+ wanted
            store(debt, in: &entry, at: now.monotonic)
            mark = now.monotonic &+ Self.nanoseconds(debt)
        }
        return level(debt: debt, wanted: wanted, at: now)
    }

    @inline(__always)
    private func level(
        debt: UInt128, wanted: UInt128, at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        let reset = Self.nanoseconds(debt)
        var next = LimitMeter.Level.neverPasses
        if wanted <= tolerance {
            let needed = debt &+ wanted
            next = needed > tolerance ? Self.nanoseconds(needed - tolerance) : 0
        }
        return LimitMeter.Level(
            remaining: debt < tolerance ? tokens(in: tolerance - debt) : 0, resetAfter: reset,
            resetAt: now.wall(at: now.monotonic &+ reset), nextAfter: next)
    }

    /// `grains`, at most `tolerance`, divided by `interval`, rounded down.
    ///
    /// The words multiplied are each short by less than 1, so the estimate is at most two less than the quotient.
    @inline(__always)
    private func tokens(in grains: UInt128) -> UInt32 {
        let word = UInt64(truncatingIfNeeded: grains >> UInt128(shift))
        var tokens = word.multipliedFullWidth(by: inverse).high
        var rest = grains &- UInt128(tokens) &* interval
        while rest >= interval {
            rest -= interval
            tokens += 1
        }
        return UInt32(truncatingIfNeeded: tokens)
    }

    /// The debt that `units` make, below 2¹²²: added to another one it cannot overflow.
    private func cost(of units: UInt32) -> UInt128 { interval &* UInt128(units) }

    /// Writes a debt at `now`.
    @inline(__always)
    private func store(_ debt: UInt128, in entry: inout LimitEntry, at now: UInt64) {
        entry.until = now &+ UInt64(truncatingIfNeeded: debt >> Self.grainBits)
        entry.detail = UInt32(truncatingIfNeeded: debt & Self.grainMask)
        entry.position = now
        entry.amount = code
    }

    /// The debt in grains of this meter, at most `debtMax`.
    @inline(__always)
    private func debt(of entry: LimitEntry, at now: UInt64) -> UInt128 {
        if entry.until < now { return 0 }
        let debt = UInt128(entry.until &- now) << Self.grainBits | UInt128(entry.detail)
        return entry.amount == code || entry.amount == 0 || debt == 0
            ? debt : converted(debt, code: entry.amount, charged: entry.position, at: now)
    }

    /// The debt of an entry that was charged last at another rate, by another tier or configuration; of which
    /// interval says `code`, and when `charged`.
    ///
    /// The tokens that were missing then are missing still, less what this rate has brought back since. So
    /// whoever goes to and fro between tiers gets no more than `burst` and the faster of the rates, and
    /// whoever moves up does not wait for a debt of the slow rate.
    @inline(never)
    private func converted(
        _ debt: UInt128, code: UInt32, charged: UInt64, at now: UInt64
    ) -> UInt128 {
        let old = Self.interval(of: code)
        let tat = UInt128(now) << Self.grainBits + debt
        let then = UInt128(charged) << Self.grainBits
        let (tokens, rest) = (tat - min(then, tat)).quotientAndRemainder(dividingBy: old)
        // A token's fraction to 16 bits, rounded up. `rest` is below 2⁹⁰ grains.
        let fraction = ((rest << 16) + old - 1) / old
        // More tokens than 2³² are no more than the tolerance, so the product is below 2¹²³.
        let missing = min(tokens, 1 << 32) * interval + (fraction * interval + 0xFFFF) >> 16
        let regained = UInt128(now - min(charged, now)) << Self.grainBits
        return min(missing - min(regained, missing), tolerance)
    }

    /// Grains as nanoseconds, rounded up.
    @inline(__always)
    private static func nanoseconds(_ grains: UInt128) -> UInt64 {
        UInt64(truncatingIfNeeded: (grains &+ grainMask) >> grainBits)
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
