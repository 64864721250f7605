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
    ///   - costField: The units that a field of the answer, by its lower-case name, says it cost; `nil` when
    ///     it says nothing.
    public func settle(
        _ decision: inout LimitDecision, in table: LimitTable, status: Status, answer: LimitAnswer,
        at clock: ClockReading, costField: ([UInt8]) -> UInt32?
    ) {
        // HELPER ME
    }

    /// Ends the request: its units in flight are given back. What was not settled stays charged.
    public func finish(
        _ decision: inout LimitDecision, in table: LimitTable, at clock: ClockReading
    ) {
        // HELPER ME
    }

    /// Gives back all that the request was charged, because it ended before it went on: its client left while
    /// it was delayed.
    public func cancel(
        _ decision: inout LimitDecision, in table: LimitTable, at clock: ClockReading
    ) {
        // HELPER ME
    }
}

/// Looking at and mending single keys.
extension LimitPolicy {
    /// Forgets what was counted about a key of a decision by this policy; `false` when nothing was. Requests in
    /// flight are not forgotten: they end by themselves.
    public func reset(_ state: LimitState, in table: LimitTable) -> Bool {
        false  // HELPER ME
    }

    /// Multiplies the rate of a key for a time; a factor of 1 ends a boost.
    ///
    /// - Returns: The boosted quota; `nil` when there is no room for another boost.
    public func boost(
        _ state: LimitState, by factor: UInt32, for time: Nanoseconds, in table: LimitTable,
        at clock: ClockReading
    ) -> UInt32? {
        nil  // HELPER ME
    }

    /// What people read of a state's limit: `token_bucket`, `sliding_window` …
    public func algorithm(of state: LimitState) -> StaticString {
        switch rates[Int(state.rate)].meter {
        case .tokenBucket: "token_bucket"
        case .slidingWindow: "sliding_window"
        case .slidingLog: "sliding_log"
        case .fixedWindow: "fixed_window"
        case .leakyBucket: "leaky_bucket"
        case .concurrency: "concurrency"
        }
    }

    /// Appends the rate that counted: `30 per 1 minute`.
    public func appendRate(of state: LimitState, to buffer: ByteBuffer) {
        buffer.append(bytes.span(rates[Int(state.rate)].text))
    }

    /// Appends the key as people read it: `user=42, endpoint=GET /api/analytics/**`, `ip=192.0.2.7`,
    /// `everybody`.
    public func appendKey(
        of limit: Int, _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions,
        methodName: Span<UInt8>, to buffer: ByteBuffer
    ) {
        // HELPER ME
    }
}
