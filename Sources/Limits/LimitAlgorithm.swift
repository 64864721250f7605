/// A way to count: numbers that are worked out once, and what they make of an entry. It holds no state; entries
/// do. So a rate can change while what was counted stays.
protocol LimitAlgorithm: Sendable, BitwiseCopyable {
    /// The words of counters a new entry begins with; 0: none.
    var counterWords: Int { get }

    /// Whether `units` could be taken. The number 0 always can.
    ///
    /// Counters that would need more room for them are given it; without room the answer is no.
    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> Bool

    /// Takes `units`, also when there are not so many: what a request turned out to cost is charged, and the
    /// next ones wait for it.
    ///
    /// - Returns: What `refund` wants to know about this charge.
    @discardableResult
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> UInt64

    /// Looks, charges if it may, and tells how full the key is then: for a limit that nobody else has a say in.
    ///
    /// The same as `admits`, which is written there, then, if that is so and `mayCharge`, `charge`, which writes
    /// `mark`, then `level`.
    func take(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mayCharge: Bool,
        at now: LimitMeter.Now, admits: inout Bool, mark: inout UInt64
    ) -> LimitMeter.Level

    /// Gives `units` back that a charge took, as far as they still count; `mark` is what `charge` returned.
    /// Never more than that charge is undone, so the guarantee holds as if it had been smaller.
    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: LimitMeter.Now
    )

    /// How full the key is for a request of `units`.
    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level
}

extension LimitAlgorithm {
    /// Most algorithms have no counters.
    var counterWords: Int { 0 }

    func take(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mayCharge: Bool,
        at now: LimitMeter.Now, admits isAdmitted: inout Bool, mark: inout UInt64
    ) -> LimitMeter.Level {
        isAdmitted = admits(&entry, counters: &counters, units: units, at: now)
        if isAdmitted && mayCharge && units > 0 {
            mark = charge(&entry, counters: &counters, units: units, at: now)
        }
        return level(entry, counters: counters, units: units, at: now)
    }
}
