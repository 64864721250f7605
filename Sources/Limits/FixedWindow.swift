import Primitives

/// A counter per window of the calendar clock (standards A3): a period, or a calendar month in UTC.
///
/// Windows of a period begin at multiples of it since 1970, so days are those of UTC; with a phase they begin
/// for each key at another moment, told by the key's digest, so that clients do not begin again together.
/// Under a table's secret a key's phase is the same as long as the process runs.
///
/// **Guarantee**: at most `quota` units in each window.
///
/// **Worst case** in a stretch of one period: twice `quota`, around a boundary.
///
/// **Error**: none while the calendar clock runs steadily. It may be set: a window once begun ends when that
/// clock reaches its end, or when, by the monotonic clock, its length and a second have passed. So a clock
/// set forth and back holds nobody up for longer than one window; set back, it gives the rest of a window a
/// second quota at most.
///
/// **Memory**: the entry, 40 bytes a key.
///
/// When a tier brings another period, what was counted in a window that is still running counts on.
struct FixedWindow: LimitAlgorithm {
    /// Units per window.
    let quota: UInt32
    /// What the windows look like, as entries remember it; not 0.
    private let shape: UInt32
    /// The window in nanoseconds, unless it is a month.
    let period: UInt64
    private let isMonthly: Bool
    private let hasPhase: Bool

    // Between the two readings of a clock pair some time passes, so an entry is kept a little longer than
    // its window lasts by the monotonic clock: forgotten early, it would give its window a second quota.
    private static let slack: UInt64 = 1_000_000_000

    /// Creates the meter of `quota` per `period` nanoseconds, both at least 1, or per month.
    init(quota: UInt32, period: UInt64, isMonthly: Bool, hasPhase: Bool) {
        self.quota = max(quota, 1)
        self.period = min(max(period, 1), LimitBounds.periodMax)
        self.isMonthly = isMonthly
        self.hasPhase = hasPhase && !isMonthly
        let mixed = self.period &* 0x9E37_79B9_7F4A_7C15
        shape = isMonthly ? 1 : UInt32(truncatingIfNeeded: mixed >> 34) | 2
    }

    /// A window at one moment.
    private struct View {
        var count: UInt32
        /// The end by the calendar clock.
        var end: UInt64
        /// The time that is left.
        var left: UInt64
        /// Whether it may be a shorter one of another tier.
        var mayBeShorter = false
    }

    /// Whether `units` more would fit.
    func admits(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> Bool {
        units == 0 || UInt64(view(of: entry, at: now).count) + UInt64(units) <= UInt64(quota)
    }

    /// Counts `units`.
    ///
    /// - Returns: The end of the window.
    func charge(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> UInt64 {
        var view = view(of: entry, at: now)
        if view.mayBeShorter {
            // What was counted in a shorter window counts in this one.
            let current = current(for: entry, at: now.wall)
            if view.end < current.end { (view.end, view.left) = (current.end, current.left) }
        }
        entry.position = view.end
        entry.detail = shape
        entry.until = now.monotonic + min(view.left, LimitBounds.periodMax) + Self.slack
        let (sum, overflow) = view.count.addingReportingOverflow(units)
        entry.amount = overflow ? .max : sum
        return view.end
    }

    /// Takes `units` back if the window that ends at `mark` is still running.
    func refund(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: LimitMeter.Now
    ) {
        guard entry.position == mark && runs(entry, at: now) != nil else { return }
        entry.amount -= min(units, entry.amount)
        if entry.amount == 0 { entry.until = min(entry.until, now.monotonic) }
    }

    /// How full the window is, and when it ends.
    func level(
        _ entry: LimitEntry, counters _: borrowing CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        let view = view(of: entry, at: now)
        let remaining = view.count < quota ? quota - view.count : 0
        return LimitMeter.Level(
            remaining: remaining, resetAfter: view.left, resetAt: view.end,
            nextAfter: units > quota
                ? LimitMeter.Level.neverPasses : remaining < max(units, 1) ? view.left : 0)
    }

    /// The window that counts: the stored one while it is running, else that of the calendar.
    private func view(of entry: LimitEntry, at now: LimitMeter.Now) -> View {
        guard entry.amount > 0, let left = runs(entry, at: now) else {
            return current(for: entry, at: now.wall)
        }
        // Mostly it is the window of the calendar, and nothing has to be divided.
        let isCurrent =
            entry.detail == shape && !hasPhase
            && entry.position - now.wall <= (isMonthly ? CalendarMonth.shortest : period)
        return View(
            count: entry.amount, end: entry.position, left: left, mayBeShorter: !isCurrent)
    }

    /// The time that is left of the stored window; `nil` when it is over.
    ///
    /// As both clocks bring the end nearer alike, what this says stays true until a clock is set.
    private func runs(_ entry: LimitEntry, at now: LimitMeter.Now) -> UInt64? {
        // The last moment of all belongs to the window that ends there.
        let wall = min(now.wall, .max - 1)
        guard entry.position > wall && entry.until >= now.monotonic else { return nil }
        let byWall = entry.position - wall
        // With the slack.
        let byMonotonic = entry.until - now.monotonic
        if byWall <= byMonotonic { return byWall }
        // The clock went back, by more than the slack.
        return byMonotonic > Self.slack ? byMonotonic - Self.slack : nil
    }

    /// The window of the calendar, empty.
    private func current(for entry: LimitEntry, at wall: UInt64) -> View {
        let left: UInt64
        if isMonthly {
            left = CalendarMonth.left(at: wall)
        } else {
            let passed = wall % period
            let phase = hasPhase ? entry.digest.high.multipliedFullWidth(by: period).high : 0
            left = passed < phase ? phase - passed : period - (passed - phase)
        }
        let (end, overflow) = wall.addingReportingOverflow(left)
        return View(count: 0, end: overflow ? .max : end, left: left)
    }
}
