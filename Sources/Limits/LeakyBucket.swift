/// A queue that requests leave one by one, a unit every `period / count`: GCRA with delays (standards A2).
///
/// The state is the TAT, the moment at which the next request may leave: a request leaves then, or at once
/// when that moment is past, and moves it on by an interval for each of its units.
///
///     now ──────┬────────┬────────┬── … ──┬── maxDelay
///               queued   queued   ↑ TAT: where the next one leaves
///
/// **Guarantee**: after a request of n units the next one leaves n intervals later or more, in any order of
/// charges, refunds and changes of the rate. A request waits `maxDelay` at most; the last of its units has a
/// place within `maxDelay`, or it is refused. So n units count as n requests of one.
///
/// **Worst case** in any stretch of time X: X/interval + 1 requests leave.
///
/// **Error**: the interval is rounded up to a whole nanosecond, which lets fewer leave, never more: up to a
/// million per second by less than one in a thousand.
///
/// **Memory**: the entry, 40 bytes a key.
///
/// When the rate changes, who waits already keeps the moment he was told.
struct LeakyBucket: LimitAlgorithm {
    /// The time between two units, in nanoseconds; 1 to 2⁶⁰.
    let interval: UInt64
    /// The longest delay, in nanoseconds; at most 2⁶⁰.
    let maxDelay: UInt64

    /// Creates the meter of `count` per `period` nanoseconds, both at least 1, in which requests wait up to
    /// `maxDelay` nanoseconds.
    init(count: UInt32, period: UInt64, maxDelay: UInt64) {
        let count = UInt64(max(count, 1))
        interval = (min(max(period, 1), LimitBounds.periodMax) + count - 1) / count
        self.maxDelay = min(maxDelay, LimitBounds.periodMax)
    }

    /// Whether there are places for `units`.
    func admits(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> Bool {
        guard units > 0 else { return true }
        guard let allowed = delayAllowed(units: units) else { return false }
        return debt(of: entry, at: now.monotonic) <= allowed
    }

    /// Takes places for `units`, beyond `maxDelay` too: 146 years at most.
    ///
    /// - Returns: The moment at which the next request may leave.
    func charge(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> UInt64 {
        let now = now.monotonic
        let (time, overflow) = interval.multipliedReportingOverflow(by: UInt64(units))
        // Both are at most 2⁶².
        let debt = debt(of: entry, at: now) + (overflow ? LimitBounds.timeMax : min(time, .max / 4))
        entry.until = now + min(debt, LimitBounds.timeMax)
        entry.position = interval
        return entry.until
    }

    /// Gives the places of `units` back if nobody took one behind them: `mark` is still the moment at which
    /// the next request may leave. Otherwise they stay taken, so that no two requests leave at one place.
    func refund(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: LimitMeter.Now
    ) {
        guard entry.until == mark && entry.position == interval else { return }
        let (time, overflow) = interval.multipliedReportingOverflow(by: UInt64(units))
        let debt = debt(of: entry, at: now.monotonic)
        entry.until -= overflow ? debt : min(time, debt)
    }

    /// How long the queue is; `delay` is that of the request of `units` which was charged last.
    func level(
        _ entry: LimitEntry, counters _: borrowing CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        let debt = debt(of: entry, at: now.monotonic)
        let places = debt <= maxDelay ? (maxDelay - debt) / interval + 1 : 0
        var next = LimitMeter.Level.neverPasses
        if let allowed = delayAllowed(units: max(units, 1)) {
            next = debt > allowed ? debt - allowed : 0
        }
        let (time, overflow) = interval.multipliedReportingOverflow(by: UInt64(units))
        return LimitMeter.Level(
            remaining: UInt32(clamping: places), resetAfter: debt,
            resetAt: now.wall(at: now.monotonic + debt), nextAfter: next,
            delay: overflow || time >= debt ? 0 : debt - time)
    }

    /// The longest delay with which all of `units`, 1 or more, have a place; `nil`: they never have.
    private func delayAllowed(units: UInt32) -> UInt64? {
        let (time, overflow) = interval.multipliedReportingOverflow(by: UInt64(units - 1))
        return overflow || time > maxDelay ? nil : maxDelay - time
    }

    /// The delay of a request that comes now; at most 2⁶².
    private func debt(of entry: LimitEntry, at now: UInt64) -> UInt64 {
        entry.until > now ? entry.until - now : 0
    }
}
