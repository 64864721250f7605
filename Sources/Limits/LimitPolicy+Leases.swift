public import Primitives

/// The limits that are leased: spent from what the process holds, or asked for first (ADR 16).
extension LimitPolicy {
    /// Takes what a decision costs from the leases of its limits, all or none.
    ///
    /// Afterwards the decision no longer `awaitsRedis` unless leases lack units (`lackingLeases`), of which nothing
    /// is taken then, or limits are to be asked for decision by decision. Units of `lowLeases` should be asked for
    /// ahead of need.
    ///
    /// - Parameters:
    ///   - decision: A decision by this policy that `awaitsRedis`.
    ///   - table: The table of the process.
    ///   - replicas: Those that live: what is spent is noted, for the time without Redis, by this part of the rate.
    ///   - clock: The time.
    ///   - lack: What becomes of limits without units.
    public func takeLeases(
        _ decision: LimitDecision, in table: LimitTable, replicas: Int, at clock: ClockReading,
        lack: LeaseLack = .waits
    ) {
        let now = table.now(clock)
        decision.lackingLeases = 0
        decision.lowLeases = 0
        if decision.count == 1 {
            guard isOpenLease(0, of: decision) else { return }
            return takeLease(decision, in: table, replicas: replicas, at: clock, now, lack: lack)
        }
        var takings = InlineArray<8, LeaseTaking>(repeating: .lacking)
        var levels = InlineArray<8, LimitMeter.Level>(repeating: .nothing)
        var isRefused = false
        for index in 0..<decision.count where isOpenLease(index, of: decision) {
            let state = decision[index]
            let (taking, level) = table.leases.take(state.key, state.cost, at: clock.monotonic)
            takings[index] = taking
            levels[index] = level.asMeterLevel(at: now)
            switch taking {
            case .taken(_, let isLow): if isLow { decision.lowLeases |= 1 << index }
            case .lacking where lack != .refuses: decision.lackingLeases |= 1 << index
            case .lacking, .refused:
                takings[index] = .refused
                if !state.isShadow { isRefused = true }
            }
        }
        let isWaiting = decision.lackingLeases != 0 && !isRefused && lack == .waits
        for index in 0..<decision.count where isOpenLease(index, of: decision) {
            let state = decision[index]
            if case .taken(let receipt, _) = takings[index],
                isWaiting || isRefused && !state.isShadow
            {
                table.leases.putBack(
                    state.key, state.cost, receipt: receipt, at: clock.monotonic)
            }
            if isWaiting { continue }
            settle(
                index, of: decision, takings[index], levels[index], isRefused: isRefused, in: table,
                replicas: replicas, at: now)
        }
        if isRefused {
            decision.lackingLeases = 0
            decision.leaveUntold()
            // Leases are taken before Redis is asked about others: there is nothing to be given back there.
            withdraw(decision, in: table, at: clock) { _ in }
        }
    }

    /// The same for a decision of one limit, which is leased: nothing has to be put back for others.
    private func takeLease(
        _ decision: LimitDecision, in table: LimitTable, replicas: Int, at clock: ClockReading,
        _ now: LimitMeter.Now, lack: LeaseLack
    ) {
        let (taking, level) = table.leases.take(
            decision.states[0].key, decision.states[0].cost, at: clock.monotonic)
        switch taking {
        case .taken(let receipt, let isLow):
            if isLow { decision.lowLeases = 1 }
            charge(
                0, of: decision, receipt, level.asMeterLevel(at: now), in: table,
                replicas: replicas, at: now)
        case .lacking where lack != .refuses: decision.lackingLeases = 1
        case .lacking, .refused:
            settle(
                0, of: decision, .refused, level.asMeterLevel(at: now), isRefused: true, in: table,
                replicas: replicas, at: now)
        }
    }

    /// Ends one leased state by what became of taking its units; one that lacks them stays open.
    private func settle(
        _ index: Int, of decision: LimitDecision, _ taking: LeaseTaking,
        _ level: LimitMeter.Level, isRefused: Bool, in table: LimitTable, replicas: Int,
        at now: LimitMeter.Now
    ) {
        switch taking {
        case .lacking: return
        case .taken(let receipt, _) where decision.states[index].isShadow || !isRefused:
            return charge(
                index, of: decision, receipt, level, in: table, replicas: replicas, at: now)
        case .taken, .refused: break
        }
        decision.close(index)
        var item = item(of: decision.states[index], at: index)
        var shown = level
        if taking != .refused {
            item.admits = true
            shown.remaining = UInt32(clamping: UInt64(shown.remaining) + UInt64(item.units))
        }
        decision.settle(item, charged: false, level: shown)
    }

    /// Ends one leased state whose units were taken and stay so.
    @inline(__always)
    private func charge(
        _ index: Int, of decision: LimitDecision, _ receipt: Int64, _ level: LimitMeter.Level,
        in table: LimitTable, replicas: Int, at now: LimitMeter.Now
    ) {
        decision.close(index)
        decision.admit(index, level: level)
        decision.keep(LimitReceipt(of: decision.states[index], at: index, leased: receipt))
        if definitions[Int(decision.states[index].limit)].onRedisFailure == .local {
            table.note(
                decision.states[index], dividedBy: UInt8(clamping: replicas), by: self, at: now)
        }
    }

    /// Fills the leased states of a decision that only looks, by what is known here; Redis is not asked.
    public func peekLeases(
        _ decision: LimitDecision, in table: LimitTable, at clock: ClockReading
    ) {
        let now = table.now(clock)
        for index in 0..<decision.count where isOpenLease(index, of: decision) {
            let state = decision[index]
            decision.close(index)
            guard let known = table.leases.peek(state.key, state.cost, at: clock.monotonic) else {
                decision.leaveUntold(index)
                continue
            }
            var item = item(of: state, at: index)
            item.admits = known.passes
            decision.settle(item, charged: false, level: known.level.asMeterLevel(at: now))
        }
    }

    @inline(__always)
    private func isOpenLease(_ index: Int, of decision: LimitDecision) -> Bool {
        decision.openStates >> index & 1 == 1
            && limits[Int(decision.states[index].limit)].isLeased
    }

    /// What is asked of Redis about a leased state.
    ///
    /// - Parameters:
    ///   - index: Index of the state in the decision.
    ///   - decision: A decision by this policy.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`.
    ///   - keys: Makes the keys' texts.
    /// - Returns: Its key and the terms of its rate.
    public func lease(
        _ index: Int, of decision: LimitDecision, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, keys: SharedKeyWriter
    ) -> (digest: Digest128, key: [UInt8], terms: LeaseTerms, units: UInt32) {
        let state = decision[index]
        guard let terms = leaseTerms[Int(state.rate)] else {
            preconditionFailure("a limit that is not leased")
        }
        let key = keys.key(of: Int(state.limit), by: self, subject, dimensions)
        return (state.key, key, terms.ofKey(key.span), state.cost)
    }
}

extension SharedKeyWriter {
    /// The key that Redis counts a request under, by the limit of this index.
    public func key(
        of limit: Int, by policy: LimitPolicy, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> [UInt8] {
        let key = text(of: limit, by: policy, subject, dimensions)
        // The script of decisions keeps another state, and does not know what is outstanding.
        return policy.limits[limit].isLeased ? key + Array(":lease".utf8) : key
    }
}

/// What becomes of leased limits whose units are not here.
public enum LeaseLack: Sendable, BitwiseCopyable {
    /// Nothing is taken: Redis is asked, and the leases once more.
    case waits
    /// They stay open, for Redis gives no answer; of the others units are taken.
    case staysOpen
    /// They refuse, for Redis has answered and others were quicker, or there is no room for a lease.
    case refuses
}

extension LimitMeter.Level {
    /// Nothing is known.
    fileprivate static var nothing: LimitMeter.Level {
        LimitMeter.Level(remaining: 0, resetAfter: 0, resetAt: 0, nextAfter: 0)
    }
}

extension LeaseLevel {
    /// The same as limits tell it.
    func asMeterLevel(at now: LimitMeter.Now) -> LimitMeter.Level {
        LimitMeter.Level(
            remaining: remaining, resetAfter: resetAfter,
            resetAt: now.wall(at: now.monotonic &+ resetAfter), nextAfter: nextAfter)
    }
}
