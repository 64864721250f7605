/// What Redis keeps of leased keys, in Swift: the script's twin, for tests and simulations. Tests run both with the
/// same orders at the same moments and find the same answers and the same state.
public struct LeaseLedger: Sendable {
    /// The numbers of a key, as `LeaseScript` describes them. Nothing is ever forgotten: what has expired in Redis
    /// says the same as none.
    private(set) var states: [[UInt8]: [Int64]] = [:]

    /// Creates an empty ledger.
    public init() {}

    /// Carries an order out.
    ///
    /// - Parameters:
    ///   - order: What a process tells and asks.
    ///   - key: The key.
    ///   - terms: The terms of the key.
    ///   - replicas: How many processes share what is there.
    ///   - now: Microseconds since 1970 by the clock of the server.
    /// - Returns: What the script would answer.
    public mutating func exchange(
        _ order: LeaseOrder, _ key: [UInt8], _ terms: LeaseTerms, replicas: UInt32, at now: Int64
    ) -> LeaseGrant {
        let step = Step(order: order, terms: terms, replicas: max(Int64(replicas), 1), now: now)
        var state = states[key] ?? []
        let grant =
            switch terms.kind {
            case .fixedWindow: step.fixedWindow(&state)
            case .slidingWindow: step.slidingWindow(&state)
            case .tokenBucket: step.tokenBucket(&state)
            }
        states[key] = state.isEmpty ? nil : state
        return grant
    }

    /// One order on its way.
    struct Step {
        let order: LeaseOrder
        let terms: LeaseTerms
        let replicas: Int64
        let now: Int64

        var mark: Int64 { order.mark }
        var back: Int64 { Int64(order.back) }

        /// What is granted of what is there: what is waited for, and beyond that a fair part at most.
        func share(_ available: Int64) -> Int64 {
            let part = min(Int64(order.want), available / (2 * replicas))
            return min(available, max(Int64(order.need), part))
        }

        /// The units that the next wait is told for.
        func missing(_ granted: Int64) -> Int64 { max(Int64(order.need) - granted, 1) }

        func grant(
            _ granted: Int64, kept: Int64 = 0, mark: Int64, left: Int64, available: Int64,
            wait: Int64, reset: Int64
        ) -> LeaseGrant {
            LeaseGrant(
                granted: UInt32(granted), kept: UInt32(kept), mark: mark, left: left,
                available: UInt32(available), wait: wait, reset: reset)
        }
    }
}
