import Primitives

/// One shard of the table: a lock and what it guards.
struct LimitShard: ~Copyable, Sendable {
    let state: Guarded<LimitShardState>

    init(keysMax: Int) {
        state = Guarded(LimitShardState(keysMax: keysMax))
    }
}

/// A key whose rate is raised for a time.
struct LimitBoost: Sendable {
    let digest: Digest128
    let meter: LimitMeter
    let quota: UInt32
    /// Monotonic nanoseconds.
    let until: UInt64
}

/// The keys of one shard, and the shared buckets of keys that found no room.
///
/// When all entries are active, a new key shares one of a few buckets per limit with other such keys. A
/// bucket counts at least as much as each of its keys did, so no key gets more than its limit; keys that
/// share may get less. When there is room again, a key takes a copy of its bucket along. When not even a
/// bucket is to be had, the request is refused.
struct LimitShardState: Sendable {
    // The order is that of use: with the lock before them, the first words share a cache line.

    /// The latest reading used here. Time never goes back in a shard: workers read their clocks once per
    /// turn, so a late one could otherwise find an entry forgotten that is not yet idle for it.
    private var latest: UInt64 = 0
    /// Keys whose rate an administrator has raised for a time: hardly ever any.
    private var boosts: [LimitBoost] = []
    private(set) var keys: LimitStore
    private(set) var overflow: LimitStore

    init(keysMax: Int) {
        keys = LimitStore(
            keysMax: keysMax,
            counterWordsMax: max(
                keysMax * LimitBounds.counterWordsPerKey, LimitBounds.counterWordsMin))
        overflow = LimitStore(
            keysMax: LimitBounds.overflowKeysMax, counterWordsMax: LimitBounds.counterWordsMin)
    }

    /// Where an evaluated key is counted.
    enum Place: UInt8, Sendable, BitwiseCopyable {
        /// In its own entry.
        case own
        /// In its own entry, which was made for this request.
        case new
        /// In a shared bucket.
        case shared
        /// Nowhere: it is refused.
        case none
    }

    /// Finds or makes a place for the key of `item` and looks whether its limit alone would let it pass.
    mutating func evaluate(
        _ item: inout LimitWork.Item, by policy: LimitPolicy, at clock: LimitMeter.Now
    ) {
        let now = advance(to: clock)
        if hasOtherRate(item) {
            return evaluate(&item, by: policy, otherMeter(of: item, by: policy), at: now)
        }
        // One function for each algorithm: together in one they would be in each other's way.
        switch policy.rates[Int(item.rate)].meter {
        case .tokenBucket(let own): evaluate(&item, by: policy, own, at: now)
        case .slidingWindow(let own): evaluate(&item, by: policy, own, at: now)
        case .slidingLog(let own): evaluate(&item, by: policy, own, at: now)
        case .fixedWindow(let own): evaluate(&item, by: policy, own, at: now)
        case .leakyBucket(let own): evaluate(&item, by: policy, own, at: now)
        case .concurrency(let own): evaluate(&item, by: policy, own, at: now)
        }
    }

    /// Charges the key of an evaluated `item`, or not, and returns how full it is then.
    ///
    /// Between `evaluate` and `settle` the lock is held; but other items of the same request may have moved
    /// the entry, or have swept it away to make room: it was idle then, so a new one says the same.
    mutating func settle(
        _ item: LimitWork.Item, charge: Bool, by policy: LimitPolicy, at clock: LimitMeter.Now,
        mark: inout UInt64
    ) -> LimitMeter.Level {
        let now = advance(to: clock)
        if hasOtherRate(item) {
            let meter = otherMeter(of: item, by: policy)
            return settle(item, charge, by: policy, meter, at: now, &mark)
        }
        return switch policy.rates[Int(item.rate)].meter {
        case .tokenBucket(let own): settle(item, charge, by: policy, own, at: now, &mark)
        case .slidingWindow(let own): settle(item, charge, by: policy, own, at: now, &mark)
        case .slidingLog(let own): settle(item, charge, by: policy, own, at: now, &mark)
        case .fixedWindow(let own): settle(item, charge, by: policy, own, at: now, &mark)
        case .leakyBucket(let own): settle(item, charge, by: policy, own, at: now, &mark)
        case .concurrency(let own): settle(item, charge, by: policy, own, at: now, &mark)
        }
    }

    /// `evaluate` and `settle` in one, for an item that is alone: it is charged if its limit lets it pass and
    /// `mayCharge`.
    mutating func take(
        _ item: inout LimitWork.Item, mayCharge: Bool, by policy: LimitPolicy,
        at clock: LimitMeter.Now, mark: inout UInt64
    ) -> LimitMeter.Level {
        let now = advance(to: clock)
        if hasOtherRate(item) {
            let meter = otherMeter(of: item, by: policy)
            return take(&item, mayCharge, by: policy, meter, at: now, &mark)
        }
        return switch policy.rates[Int(item.rate)].meter {
        case .tokenBucket(let own): take(&item, mayCharge, by: policy, own, at: now, &mark)
        case .slidingWindow(let own): take(&item, mayCharge, by: policy, own, at: now, &mark)
        case .slidingLog(let own): take(&item, mayCharge, by: policy, own, at: now, &mark)
        case .fixedWindow(let own): take(&item, mayCharge, by: policy, own, at: now, &mark)
        case .leakyBucket(let own): take(&item, mayCharge, by: policy, own, at: now, &mark)
        case .concurrency(let own): take(&item, mayCharge, by: policy, own, at: now, &mark)
        }
    }

    @inline(never)
    private mutating func take(
        _ item: inout LimitWork.Item, _ mayCharge: Bool, by policy: LimitPolicy,
        _ algorithm: some LimitAlgorithm, at now: LimitMeter.Now, _ mark: inout UInt64
    ) -> LimitMeter.Level {
        if let position = keys.find(item.digest) {
            item.place = .own
            return keys.take(
                position, item.units, mayCharge: mayCharge, by: algorithm, at: now,
                admits: &item.admits, mark: &mark)
        }
        evaluateNew(&item, by: policy, algorithm, at: now)
        return settleElsewhere(
            item, item.admits && mayCharge, by: policy, algorithm, at: now, &mark)
    }

    @inline(never)
    private mutating func evaluate(
        _ item: inout LimitWork.Item, by policy: LimitPolicy, _ algorithm: some LimitAlgorithm,
        at now: LimitMeter.Now
    ) {
        if let position = keys.find(item.digest) {
            item.place = .own
            item.position = UInt32(truncatingIfNeeded: position)
            item.admits = keys.admits(position, item.units, by: algorithm, at: now)
        } else {
            evaluateNew(&item, by: policy, algorithm, at: now)
        }
    }

    @inline(never)
    private mutating func evaluateNew(
        _ item: inout LimitWork.Item, by policy: LimitPolicy, _ algorithm: some LimitAlgorithm,
        at now: LimitMeter.Now
    ) {
        let bucket = policy.limits[Int(item.limit)].bucket(of: item.digest)
        // Buckets in disuse go one by one, so that a flood leaves nothing behind.
        overflow.sweep(1, now: now.monotonic)
        let shared = overflow.find(bucket)
        if let position = insert(item.digest, inheriting: shared, by: algorithm, at: now) {
            item.place = .new
            item.admits = keys.admits(position, item.units, by: algorithm, at: now)
        } else if let position = shared
            ?? overflow.insert(bucket, by: algorithm, now: now.monotonic)
        {
            item.place = .shared
            item.admits = overflow.admits(position, item.units, by: algorithm, at: now)
        } else {
            item.place = .none
            item.admits = false
        }
    }

    /// Makes an entry that takes the count of the shared bucket at `shared` along; `nil` when there is no room
    /// for it, or the count has to stay where it is.
    private mutating func insert(
        _ digest: Digest128, inheriting shared: Int?, by algorithm: some LimitAlgorithm,
        at now: LimitMeter.Now
    ) -> Int? {
        let active = shared.flatMap { overflow[$0].until >= now.monotonic ? $0 : nil }
        // What is in flight, and never over by itself, is given back where it was counted.
        if let active, overflow[active].until == .max { return nil }
        guard let position = keys.insert(digest, by: algorithm, now: now.monotonic) else {
            return nil
        }
        guard let active else { return position }
        if keys.inherit(overflow[active], from: overflow.counters, at: position) {
            return position
        }
        keys.remove(at: position)
        return nil
    }

    @inline(never)
    private mutating func settle(
        _ item: LimitWork.Item, _ charge: Bool, by policy: LimitPolicy,
        _ algorithm: some LimitAlgorithm, at now: LimitMeter.Now, _ mark: inout UInt64
    ) -> LimitMeter.Level {
        if item.place == .own, let position = keys.find(item.digest, near: item.position) {
            return keys.settle(
                position, item.units, charge: charge, by: algorithm, at: now, mark: &mark)
        }
        return settleElsewhere(item, charge, by: policy, algorithm, at: now, &mark)
    }

    /// The same for a key that had no entry when it was evaluated, or has it no more.
    @inline(never)
    private mutating func settleElsewhere(
        _ item: LimitWork.Item, _ charge: Bool, by policy: LimitPolicy,
        _ algorithm: some LimitAlgorithm, at now: LimitMeter.Now, _ mark: inout UInt64
    ) -> LimitMeter.Level {
        if item.place == .none {
            return LimitMeter.Level(
                remaining: 0, resetAfter: LimitBounds.noRoomWait,
                resetAt: now.wall &+ LimitBounds.noRoomWait, nextAfter: LimitBounds.noRoomWait)
        }
        if item.place != .shared,
            let position = keys.find(item.digest)
                ?? keys.insert(item.digest, by: algorithm, now: now.monotonic)
        {
            let level = keys.settle(
                position, item.units, charge: charge, by: algorithm, at: now, mark: &mark)
            // What was made for this request and is not needed goes at once: refusals take no room.
            if !charge { keys.remove(at: position) }
            return level
        }
        let bucket = policy.limits[Int(item.limit)].bucket(of: item.digest)
        if let position = overflow.find(bucket)
            ?? overflow.insert(bucket, by: algorithm, now: now.monotonic)
        {
            return overflow.settle(
                position, item.units, charge: charge, by: algorithm, at: now, mark: &mark)
        }
        let nothing = LimitEntry(digest: item.digest, hasCounters: false, now: now.monotonic)
        return algorithm.level(nothing, counters: keys.counters, units: item.units, at: now)
    }

    /// Whether the rate of any key is raised.
    @inline(__always) var hasBoosts: Bool { !boosts.isEmpty }

    /// Whether the key may be counted at another rate than that of its limit.
    @inline(__always)
    private func hasOtherRate(_ item: LimitWork.Item) -> Bool { hasBoosts || item.divisor > 1 }

    /// How such a key is counted.
    @inline(never)
    private func otherMeter(of item: LimitWork.Item, by policy: LimitPolicy) -> LimitMeter {
        boost(of: item.digest)?.meter ?? policy.meter(of: item)
    }

    /// The boost of a key whose rate is raised; `nil` for all others.
    @inline(never)
    private func boost(of digest: Digest128) -> LimitBoost? {
        boosts.first { $0.digest == digest && $0.until > latest }
    }

    /// The quota of a key whose rate is raised; `nil` for all others.
    @inline(never)
    func boostedQuota(of digest: Digest128) -> UInt32? { boost(of: digest)?.quota }

    /// Begins a boost in place of the key's last one, or ends that one; `false` when there is no room.
    mutating func boost(_ boost: LimitBoost, isOver: Bool) -> Bool {
        let now = latest
        boosts.removeAll { $0.digest == boost.digest || $0.until <= now }
        if isOver { return true }
        guard boosts.count < LimitBounds.boostsPerShard else { return false }
        boosts.append(boost)
        return true
    }

    /// Forgets the entry of a key; `false` when it has none.
    mutating func forget(_ digest: Digest128) -> Bool {
        guard let position = keys.find(digest) else { return false }
        keys.remove(at: position)
        return true
    }

    /// Changes what was charged to `units`: gives back what still counts of the difference, or takes it.
    mutating func correct(
        _ receipt: LimitReceipt, to units: UInt32, by policy: LimitPolicy, at clock: LimitMeter.Now
    ) -> LimitMeter.Level {
        let now = advance(to: clock)
        let meter = boost(of: receipt.digest)?.meter ?? policy.meter(of: receipt)
        if receipt.place != .shared {
            // Without an entry nothing counts any more: there is nothing to give back.
            var position = keys.find(receipt.digest)
            if position == nil && units > receipt.units {
                position = keys.insert(receipt.digest, by: meter, now: now.monotonic)
            }
            if let position {
                return keys.correct(position, receipt, to: units, by: meter, at: now)
            }
        }
        let bucket = policy.limits[Int(receipt.limit)].bucket(of: receipt.digest)
        if receipt.place == .shared || units > receipt.units {
            var position = overflow.find(bucket)
            if position == nil && units > receipt.units {
                position = overflow.insert(bucket, by: meter, now: now.monotonic)
            }
            if let position {
                return overflow.correct(position, receipt, to: units, by: meter, at: now)
            }
        }
        let nothing = LimitEntry(digest: receipt.digest, hasCounters: false, now: now.monotonic)
        return meter.level(nothing, counters: keys.counters, units: 1, at: now)
    }

    /// Charges the own entry of a state's key by its ordinary rate, whatever is left; `false` when it has no entry or
    /// is counted otherwise, so that `correct` has to. Most of what is noted about keys in Redis goes this way.
    @inline(__always)
    mutating func charge(
        _ state: LimitState, by policy: LimitPolicy, at clock: LimitMeter.Now
    ) -> Bool {
        guard boosts.isEmpty, let position = keys.find(state.key) else { return false }
        let now = advance(to: clock)
        let units = state.charged
        switch policy.rates[Int(state.rate)].meter {
        case .tokenBucket(let own): keys.charge(position, units, by: own, at: now)
        case .slidingWindow(let own): keys.charge(position, units, by: own, at: now)
        case .slidingLog(let own): keys.charge(position, units, by: own, at: now)
        case .fixedWindow(let own): keys.charge(position, units, by: own, at: now)
        case .leakyBucket(let own): keys.charge(position, units, by: own, at: now)
        case .concurrency(let own): keys.charge(position, units, by: own, at: now)
        }
        return true
    }

    private mutating func advance(to clock: LimitMeter.Now) -> LimitMeter.Now {
        latest = max(latest, clock.monotonic)
        return LimitMeter.Now(monotonic: latest, wall: clock.wall, offset: clock.offset)
    }
}
