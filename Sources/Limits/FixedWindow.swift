/// A counter per window of the calendar clock, windows aligned to the Unix epoch (standards A3).
///
/// **Guarantee**: at most `quota` requests in each aligned window; so up to twice `quota` may pass around
/// a boundary. All keys begin anew together.
///
/// The calendar clock may be set. A window once begun ends when that clock reaches its end, or when, by the
/// monotonic clock, its length and a second have passed. So a clock set forth and back holds nobody up
/// for longer than one window; set back, it gives the rest of a window a second quota at most.
///
/// When a tier brings another period, what was counted in a window that is still running counts on.
struct FixedWindow: Sendable, BitwiseCopyable {
    /// Requests per window.
    let quota: UInt32
    /// The window in nanoseconds.
    let period: UInt64

    // Between the two readings of a clock pair some time passes, so an entry is kept a little longer than
    // its window lasts by the monotonic clock: forgotten early, it would give its window a second quota.
    private static let slack: UInt64 = 1_000_000_000

    /// Creates the meter of `quota` per `period` nanoseconds, both at least 1.
    init(quota: UInt32, period: UInt64, isMonthly: Bool, hasPhase: Bool) {
        self.quota = max(quota, 1)
        self.period = min(max(period, 1), LimitBounds.periodMax)
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
    func charge(_ entry: inout LimitEntry, units: UInt32, at now: LimitMeter.Now) -> UInt64 {
        let view = view(of: entry, at: now)
        entry.position = view.end
        entry.until = now.monotonic + min(view.left, LimitBounds.periodMax) + Self.slack
        entry.amount = view.count &+ units
        return view.end
    }

    /// Takes `units` back.
    func refund(_ entry: inout LimitEntry, units: UInt32, mark: UInt64, at now: LimitMeter.Now) {
        // HELPER A
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
        let passed = now.wall % period
        let (aligned, overflow) = now.wall.addingReportingOverflow(period - passed)
        let current = View(count: 0, end: overflow ? .max : aligned, left: period - passed)
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
}
