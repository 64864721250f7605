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
struct FixedWindow: Sendable, BitwiseCopyable {
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
    }

    /// Whether `units` more would fit.
    func admits(_ entry: LimitEntry, units: UInt32, at now: LimitMeter.Now) -> Bool {
        units == 0 || UInt64(view(of: entry, at: now).count) + UInt64(units) <= UInt64(quota)
    }

    /// Counts `units`.
    ///
    /// - Returns: The end of the window.
    func charge(_ entry: inout LimitEntry, units: UInt32, at now: LimitMeter.Now) -> UInt64 {
        let view = view(of: entry, at: now)
        entry.position = view.end
        entry.detail = shape
        entry.until = now.monotonic + min(view.left, LimitBounds.periodMax) + Self.slack
        let (sum, overflow) = view.count.addingReportingOverflow(units)
        entry.amount = overflow ? .max : sum
        return view.end
    }

    /// Takes `units` back if the window that ends at `mark` is still running.
    func refund(_ entry: inout LimitEntry, units: UInt32, mark: UInt64, at now: LimitMeter.Now) {
        guard entry.position == mark else { return }
        let view = view(of: entry, at: now)
        guard view.count > 0 && view.end == mark else { return }
        entry.amount -= min(units, entry.amount)
        if entry.amount == 0 { entry.until = min(entry.until, now.monotonic) }
    }

    /// How full the window is, and when it ends.
    func level(_ entry: LimitEntry, units: UInt32, at now: LimitMeter.Now) -> LimitMeter.Level {
        let view = view(of: entry, at: now)
        let remaining = view.count < quota ? quota - view.count : 0
        return LimitMeter.Level(
            remaining: remaining, resetAfter: view.left, resetAt: view.end,
            nextAfter: units > quota
                ? LimitMeter.Level.neverPasses : remaining < max(units, 1) ? view.left : 0)
    }

    private func view(of entry: LimitEntry, at now: LimitMeter.Now) -> View {
        let left = left(of: entry, at: now.wall)
        let (aligned, overflow) = now.wall.addingReportingOverflow(left)
        let current = View(count: 0, end: overflow ? .max : aligned, left: left)
        guard now.monotonic <= entry.until else { return current }
        if entry.position == current.end {
            return View(count: entry.amount, end: current.end, left: current.left)
        }
        if entry.position < current.end {
            // The stored window is over, unless it is a shorter one of another tier.
            let counts = now.wall < entry.position
            return View(
                count: counts ? entry.amount : 0, end: current.end, left: current.left)
        }
        // The clock went back, or the stored window is a longer one of another tier.
        let end = entry.until - min(Self.slack, entry.until)
        guard now.monotonic < end else { return current }
        return View(count: entry.amount, end: entry.position, left: end - now.monotonic)
    }

    /// The time that is left of the window by the calendar clock.
    private func left(of entry: LimitEntry, at wall: UInt64) -> UInt64 {
        // Mostly it is the window of the entry, and nothing has to be divided.
        if entry.detail == shape && entry.position > wall && !hasPhase {
            let left = entry.position - wall
            if left <= (isMonthly ? CalendarMonth.shortest : period) { return left }
        }
        if isMonthly { return CalendarMonth.left(at: wall) }
        let passed = wall % period
        guard hasPhase else { return period - passed }
        let phase = entry.digest.high.multipliedFullWidth(by: period).high
        return passed < phase ? phase - passed : period - (passed - phase)
    }
}
