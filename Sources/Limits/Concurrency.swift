/// Requests in flight: counted when they are admitted, given back when they end, however they end.
///
/// **Guarantee**: at no moment more than `quota` units are in flight. Exact: there is no time in it.
///
/// **Memory**: the entry, 40 bytes a key while something is in flight, none after it.
///
/// When a request waits because all are taken, nobody can say for how long: the time told is an estimate.
struct Concurrency: LimitAlgorithm {
    /// Units in flight at once, at least 1.
    let quota: UInt32

    /// Whether `units` more may be in flight.
    func admits(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at _: LimitMeter.Now
    ) -> Bool {
        units == 0 || UInt64(entry.amount) + UInt64(units) <= UInt64(quota)
    }

    /// Counts `units` in flight. The entry stays until they are given back.
    func charge(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32,
        at _: LimitMeter.Now
    ) -> UInt64 {
        let (sum, overflow) = entry.amount.addingReportingOverflow(units)
        entry.amount = overflow ? .max : sum
        if entry.amount > 0 { entry.until = .max }
        return 0
    }

    /// Counts `units` less in flight, never less than none.
    func refund(
        _ entry: inout LimitEntry, counters _: inout CounterSlab, units: UInt32, mark _: UInt64,
        at _: LimitMeter.Now
    ) {
        guard entry.amount > 0 else { return }
        entry.amount -= min(units, entry.amount)
        if entry.amount == 0 { entry.until = 0 }
    }

    /// How many more may be in flight.
    func level(
        _ entry: LimitEntry, counters _: borrowing CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        let remaining = entry.amount < quota ? quota - entry.amount : 0
        let wanted = max(units, 1)
        return LimitMeter.Level(
            remaining: remaining, resetAfter: 0, resetAt: now.wall,
            nextAfter: wanted > quota
                ? LimitMeter.Level.neverPasses
                : wanted > remaining ? LimitBounds.noRoomWait : 0)
    }
}
