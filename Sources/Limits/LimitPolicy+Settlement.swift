public import HTTPModel
public import Primitives

/// What happens to charges after the decision: corrected when the answer is known, given back at the end.
extension LimitPolicy {
    /// Corrects what was charged before the answer was known: an answer that does not count is given back, and
    /// the difference to what it really cost is charged or given back. Later calls change nothing.
    ///
    /// A charge above what is left is taken all the same: the next requests wait for it.
    ///
    /// - Parameters:
    ///   - decision: What was decided, by this policy; its states are brought up to date.
    ///   - table: The table of the decision.
    ///   - status: The status of the answer.
    ///   - answer: The cache's part in it.
    ///   - clock: The time.
    ///   - correct: Passes a correction on to Redis.
    ///   - costField: The units that a field of the answer, by its lower-case name, says it cost; `nil` when
    ///     it says nothing.
    public func settle(
        _ decision: LimitDecision, in table: LimitTable, status: Status, answer: LimitAnswer,
        at clock: ClockReading, correct: (SharedCorrection) -> Void = { _ in },
        costField: ([UInt8]) -> UInt32?
    ) {
        var index = 0
        while let receipt = decision.receipt(index) {
            let extras = extras(of: limits[Int(receipt.limit)])
            if extras?.isConcurrency ?? false {
                index += 1
                continue
            }
            decision.dropReceipt(index)
            guard let extras, extras.isSettled else { continue }
            var units: UInt32 = 0
            if extras.counts(status.code) {
                switch extras.costs.cost(of: answer) {
                case .units(let cost): units = cost
                case .header: units = costField(extras.costField) ?? receipt.units
                }
            }
            guard units != receipt.units else { continue }
            if receipt.isShared {
                correct(SharedCorrection(receipt, to: units))
                decision.correct(Int(receipt.state), charged: units)
                continue
            }
            let level = table.correct(receipt, to: units, by: self, at: clock)
            decision.correct(Int(receipt.state), charged: units, level: level)
        }
    }

    /// Ends the request: its units in flight are given back. What was not settled stays charged.
    public func finish(
        _ decision: LimitDecision, in table: LimitTable, at clock: ClockReading
    ) {
        while let receipt = decision.receipt(0) {
            decision.dropReceipt(0)
            guard extras(of: limits[Int(receipt.limit)])?.isConcurrency ?? false else { continue }
            _ = table.correct(receipt, to: 0, by: self, at: clock)
        }
    }

    /// Gives back all that the request was charged, because it ended before it went on: its client left while
    /// it was delayed.
    public func cancel(
        _ decision: LimitDecision, in table: LimitTable, at clock: ClockReading,
        correct: (SharedCorrection) -> Void = { _ in }
    ) {
        giveBack(decision, keepingShadows: false, in: table, at: clock, correct: correct)
    }

    /// Gives back what limits charged a request that another one refuses later. Shadow limits keep theirs.
    func withdraw(
        _ decision: LimitDecision, in table: LimitTable, at clock: ClockReading,
        correct: (SharedCorrection) -> Void
    ) {
        giveBack(decision, keepingShadows: true, in: table, at: clock, correct: correct)
    }

    private func giveBack(
        _ decision: LimitDecision, keepingShadows: Bool, in table: LimitTable,
        at clock: ClockReading, correct: (SharedCorrection) -> Void
    ) {
        var index = 0
        while let receipt = decision.receipt(index) {
            if keepingShadows && decision[Int(receipt.state)].isShadow {
                index += 1
                continue
            }
            decision.dropReceipt(index)
            if receipt.isShared {
                correct(SharedCorrection(receipt, to: 0))
                decision.correct(Int(receipt.state), charged: 0)
            } else {
                let level = table.correct(receipt, to: 0, by: self, at: clock)
                decision.correct(Int(receipt.state), charged: 0, level: level)
            }
        }
    }
}
