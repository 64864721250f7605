import HTTPModel
public import Primitives

/// The limits that Redis counts: what it is asked, and what becomes of a decision by its answer, or without one.
extension LimitPolicy {
    /// The limits that one call can ask about in a cluster of Redis: those whose keys are in the slot of the first
    /// one that is still to be asked.
    ///
    /// - Parameters:
    ///   - decision: A decision by this policy that `awaitsRedis`.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`.
    ///   - keys: Makes the keys' texts.
    ///   - slot: The slot of a key.
    /// - Returns: The states, a bit each, and their slot.
    public func nextSlot(
        of decision: LimitDecision, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, keys: SharedKeyWriter, slot: ([UInt8]) -> Int
    ) -> (states: UInt8, slot: Int) {
        var states: UInt8 = 0
        var first: Int?
        for index in 0..<decision.count where decision.openStates >> index & 1 == 1 {
            let key = keys.text(of: Int(decision[index].limit), by: self, subject, dimensions)
            let own = slot(key)
            if own == first ?? own { states |= 1 << index }
            first = first ?? own
        }
        return (states, first ?? 0)
    }

    /// Adds limits of `decision` that Redis counts to a batch, as one decision.
    ///
    /// - Parameters:
    ///   - decision: A decision by this policy that `awaitsRedis`.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`.
    ///   - states: Which of them, a bit each.
    ///   - keys: Makes the keys' texts.
    ///   - isPeek: Whether only to look.
    ///   - batch: What Redis will be asked.
    /// - Returns: Where its levels begin in the answer.
    public func ask(
        about decision: LimitDecision, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, states: UInt8, keys: SharedKeyWriter,
        isPeek: Bool, in batch: inout SharedLimitBatch
    ) -> Int {
        let open = states
        var shadows: UInt8 = 0
        var count = 0
        for index in 0..<decision.count where open >> index & 1 == 1 {
            if decision.states[index].isShadow { shadows |= 1 << count }
            count += 1
        }
        let place = batch.beginDecision(count, shadows: shadows, isPeek: isPeek)
        for index in 0..<decision.count where open >> index & 1 == 1 {
            let state = decision[index]
            guard let rate = sharedRate(of: Int(state.limit), Int(state.rate), subject, dimensions)
            else { preconditionFailure("a limit in Redis that it cannot count") }
            let key = keys.place(
                of: state.key, Int(state.limit), by: self, subject, dimensions, in: &batch)
            batch.addLimit(key: key, rate, units: state.cost)
        }
        return place
    }

    /// Adds a correction of what Redis was charged to a batch.
    ///
    /// - Parameters:
    ///   - correction: What `settle` or `cancel` passed on.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`.
    ///   - keys: Makes the keys' texts.
    ///   - batch: What Redis will be asked.
    public func add(
        _ correction: SharedCorrection, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, keys: SharedKeyWriter,
        to batch: inout SharedLimitBatch
    ) {
        guard let rate = sharedRate(of: correction.limit, correction.rate, subject, dimensions)
        else { return }
        let key = keys.place(
            of: correction.key, correction.limit, by: self, subject, dimensions, in: &batch)
        if correction.units > correction.charged {
            batch.addCharge(key: key, rate, units: correction.units - correction.charged)
        } else {
            batch.addRefund(
                key: key, rate, units: correction.charged - correction.units,
                mark: correction.mark)
        }
    }

    /// Goes on with a decision by an answer of Redis: all limits that were asked let the request pass and are charged, or
    /// none is. When one refuses, the limits that were charged before it are given back what they were charged, and
    /// those that were not asked are not.
    ///
    /// - Parameters:
    ///   - decision: A decision by this policy that `awaitsRedis`.
    ///   - reply: The answer.
    ///   - place: Where its levels begin.
    ///   - states: Which limits were asked, a bit each.
    ///   - table: The table of the process; it remembers what passed, for the time without Redis.
    ///   - replicas: Those that live.
    ///   - clock: The time.
    ///   - isPeek: Whether it was only a look.
    ///   - correct: Gives back in Redis.
    public func conclude(
        _ decision: LimitDecision, by reply: SharedLimitReply, from place: Int,
        states: UInt8, in table: LimitTable, replicas: Int, at clock: ClockReading,
        isPeek: Bool, correct: (SharedCorrection) -> Void = { _ in }
    ) {
        let open = states
        decision.close(open)
        var next = place
        var passes = true
        for index in 0..<decision.count where open >> index & 1 == 1 {
            if !reply.levels[next].admits && !decision.states[index].isShadow { passes = false }
            next += 1
        }
        next = place
        for index in 0..<decision.count where open >> index & 1 == 1 {
            let level = reply.levels[next]
            next += 1
            let isShadow = decision.states[index].isShadow
            let isCharged = !isPeek && (isShadow ? level.admits : passes)
            var item = item(of: decision[index], at: index)
            item.admits = level.admits
            decision.settle(
                item, charged: isCharged,
                level: self.level(level, of: item, isCharged: isCharged, at: reply.now))
            guard isCharged else { continue }
            if keepsReceipt(of: item) {
                var receipt = LimitReceipt(item, mark: UInt64(reply.mark(level)))
                receipt.isShared = true
                decision.keep(receipt)
            }
            if definitions[Int(item.limit)].onRedisFailure == .local {
                table.note(
                    decision.states[index], dividedBy: UInt8(clamping: replicas), by: self,
                    at: table.now(clock))
            }
        }
        if !passes {
            decision.leaveUntold()
            withdraw(decision, in: table, at: clock, correct: correct)
        }
    }

    /// Ends a decision without an answer of Redis, as each limit says: the process counts by itself, or lets pass,
    /// or refuses.
    ///
    /// - Parameters:
    ///   - decision: A decision by this policy that `awaitsRedis`.
    ///   - table: The table of the process.
    ///   - replicas: Those that live: each counts by this part of the rate.
    ///   - clock: The time.
    ///   - isPeek: Whether only to look.
    ///   - correct: Gives back in Redis.
    public func concludeWithoutRedis(
        _ decision: LimitDecision, in table: LimitTable, replicas: Int, at clock: ClockReading,
        isPeek: Bool, correct: (SharedCorrection) -> Void = { _ in }
    ) {
        let open = decision.takeOpen()
        var work = LimitWork(at: table.now(clock), isPeek: isPeek)
        for index in 0..<decision.count where open >> index & 1 == 1 {
            let state = decision[index]
            switch definitions[Int(state.limit)].onRedisFailure {
            case .allow: decision.leaveUntold(index)
            case .deny:
                decision.leaveUntold(index)
                guard !state.isShadow && !work.isDenied else { continue }
                work.isDenied = true
                decision.outcome = .uncounted(limit: Int(state.limit))
            case .local:
                var item = item(of: state, at: index)
                item.shard = table.shard(of: state.key)
                item.divisor = max(UInt8(clamping: replicas), 1)
                work.append(item)
            }
        }
        work.sort()
        if work.count > 0 { table.decide(&work, decision, by: self, from: 0) }
        if !decision.isAdmitted { withdraw(decision, in: table, at: clock, correct: correct) }
    }

    /// A state as the table counts it.
    func item(of state: LimitState, at index: Int) -> LimitWork.Item {
        LimitWork.Item(
            digest: state.key, units: state.cost, rate: state.rate,
            state: UInt8(truncatingIfNeeded: index), limit: state.limit, shard: 0,
            isShadow: state.isShadow)
    }

    /// A level in the units of the process.
    private func level(
        _ level: SharedLimitLevel, of item: LimitWork.Item, isCharged: Bool, at now: Int64
    ) -> LimitMeter.Level {
        var delay: Int64 = 0
        if let rate = sharedRates[Int(item.rate)], rate.kind == .leaky, isCharged {
            let (own, overflow) = rate.step.multipliedReportingOverflow(by: Int64(item.units))
            delay = overflow ? 0 : max(level.resetAfter - own, 0)
        }
        return LimitMeter.Level(
            remaining: UInt32(clamping: level.remaining),
            resetAfter: Self.nanoseconds(level.resetAfter),
            resetAt: Self.nanoseconds(now + level.resetAfter),
            nextAfter: level.nextAfter < 0
                ? LimitMeter.Level.neverPasses : Self.nanoseconds(level.nextAfter),
            delay: Self.nanoseconds(delay))
    }

    private static func nanoseconds(_ microseconds: Int64) -> UInt64 {
        let (product, overflow) = UInt64(max(microseconds, 0)).multipliedReportingOverflow(by: 1000)
        return overflow ? .max - 1 : product
    }

    /// The rate as Redis counts by it; of windows that begin at a moment of the key's own, with that moment.
    private func sharedRate(
        of limit: Int, _ rate: Int, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> SharedLimitRate? {
        guard case .fixedWindow(phase: .key) = definitions[limit].algorithm else {
            return sharedRates[rate]
        }
        return sharedRates[rate]?.phased(by: publicKey(of: limits[limit], subject, dimensions))
    }

    // MARK: Counting alone

    /// The meter an item is counted by: its rate's, or the part of it that each of several replicas has.
    func meter(of item: LimitWork.Item) -> LimitMeter {
        meter(rate: Int(item.rate), of: Int(item.limit), dividedBy: item.divisor)
    }

    /// The meter a charge was counted by.
    func meter(of receipt: LimitReceipt) -> LimitMeter {
        meter(rate: Int(receipt.rate), of: Int(receipt.limit), dividedBy: receipt.divisor)
    }

    private func meter(rate index: Int, of limit: Int, dividedBy divisor: UInt8) -> LimitMeter {
        if divisor <= 1 { return rates[index].meter }
        let divisor = UInt32(divisor)
        var rate = rateDefinitions[index]
        rate.count = max(rate.count / divisor, 1)
        var algorithm = definitions[limit].algorithm
        if case .tokenBucket(let burst?) = algorithm {
            algorithm = .tokenBucket(burst: max(burst / divisor, 1))
        }
        return LimitMeter(algorithm, rate)
    }
}

/// What Redis was charged before the answer was known, and what it is in the end.
public struct SharedCorrection: Sendable, BitwiseCopyable {
    let key: Digest128
    let limit: Int
    let rate: Int
    let charged: UInt32
    let units: UInt32
    let mark: Int64

    init(_ receipt: LimitReceipt, to units: UInt32) {
        key = receipt.digest
        limit = Int(receipt.limit)
        rate = Int(receipt.rate)
        charged = receipt.units
        self.units = units
        mark = Int64(clamping: receipt.mark)
    }
}

/// Makes the texts of keys for a batch, in a buffer that is used again.
public final class SharedKeyWriter {
    let namespace: [UInt8]
    let text = ByteBuffer(capacity: 256)

    /// Keys will begin with `namespace`.
    public init(namespace: String) { self.namespace = Array(namespace.utf8) }

    /// The place of a key in the batch, whose text is made only when it is a new one there.
    func place(
        of digest: Digest128, _ limit: Int, by policy: LimitPolicy,
        _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions,
        in batch: inout SharedLimitBatch
    ) -> Int {
        if let place = batch.place(of: digest) { return place }
        write(limit, by: policy, subject, dimensions)
        let text = text
        return batch.add(text.readable, digest)
    }

    /// The text of a key.
    func text(
        of limit: Int, by policy: LimitPolicy, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> [UInt8] {
        write(limit, by: policy, subject, dimensions)
        let text = text
        return text.readable.copied
    }

    private func write(
        _ limit: Int, by policy: LimitPolicy, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) {
        let (namespace, text) = (namespace, text)
        text.removeAll()
        policy.appendSharedKey(
            of: limit, subject, dimensions, namespace: namespace.span, to: text)
    }

    /// The text of the key that a correction is about.
    public func text(
        of correction: SharedCorrection, by policy: LimitPolicy,
        _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions
    ) -> [UInt8] {
        text(of: correction.limit, by: policy, subject, dimensions)
    }
}
