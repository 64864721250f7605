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
    private(set) var keys: LimitStore
    private(set) var overflow: LimitStore
    /// The latest reading used here. Time never goes back in a shard: workers read their clocks once per
    /// turn, so a late one could otherwise find an entry forgotten that is not yet idle for it.
    private var latest: UInt64 = 0
    /// Keys whose rate an administrator has raised for a time: hardly ever any.
    private var boosts: [LimitBoost] = []

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
        let meter = meter(of: item.digest, rate: item.rate, by: policy, at: now)
        if let position = keys.find(item.digest) {
            item.place = .own
            item.position = UInt32(truncatingIfNeeded: position)
            item.admits = keys.admits(position, item.units, by: meter, at: now)
        } else {
            evaluateNew(&item, by: policy, meter, at: now)
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
        let meter = meter(of: item.digest, rate: item.rate, by: policy, at: now)
        switch item.place {
        case .own, .new:
            let found = keys.find(item.digest, near: item.position)
            if let position = found ?? keys.insert(item.digest, by: meter, now: now.monotonic) {
                if charge { mark = keys.charge(position, item.units, by: meter, at: now) }
                let level = keys.level(position, item.units, by: meter, at: now)
                // What was made for this request and is not needed goes at once: refusals take no room.
                if !charge && (item.place == .new || found == nil) { keys.remove(at: position) }
                return level
            }
            return settleShared(item, charge: charge, by: policy, meter, at: now, mark: &mark)
        case .shared:
            return settleShared(item, charge: charge, by: policy, meter, at: now, mark: &mark)
        case .none:
            return LimitMeter.Level(
                remaining: 0, resetAfter: LimitBounds.noRoomWait,
                resetAt: now.wall &+ LimitBounds.noRoomWait, nextAfter: LimitBounds.noRoomWait)
        }
    }

    /// The same for a key that is counted in a shared bucket.
    private mutating func settleShared(
        _ item: LimitWork.Item, charge: Bool, by policy: LimitPolicy, _ meter: LimitMeter,
        at now: LimitMeter.Now, mark: inout UInt64
    ) -> LimitMeter.Level {
        let bucket = policy.limits[Int(item.limit)].bucket(of: item.digest)
        guard
            let position = overflow.find(bucket)
                ?? overflow.insert(bucket, by: meter, now: now.monotonic)
        else {
            let nothing = LimitEntry(digest: item.digest, hasCounters: false, now: now.monotonic)
            return meter.level(nothing, counters: keys.counters, units: item.units, at: now)
        }
        if charge { mark = overflow.charge(position, item.units, by: meter, at: now) }
        return overflow.level(position, item.units, by: meter, at: now)
    }

    /// The meter that counts for a key: its rate's, or that of a boost.
    private func meter(
        of digest: Digest128, rate: UInt16, by policy: LimitPolicy, at now: LimitMeter.Now
    ) -> LimitMeter {
        if !boosts.isEmpty {
            for boost in boosts where boost.digest == digest && boost.until > now.monotonic {
                return boost.meter
            }
        }
        return policy.rates[Int(rate)].meter
    }

    /// The quota of a key whose rate is raised; `nil` for all others.
    func boostedQuota(of digest: Digest128) -> UInt32? {
        if boosts.isEmpty { return nil }
        for boost in boosts where boost.digest == digest && boost.until > latest {
            return boost.quota
        }
        return nil
    }

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
        let meter = meter(of: receipt.digest, rate: receipt.rate, by: policy, at: now)
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

    private mutating func advance(to clock: LimitMeter.Now) -> LimitMeter.Now {
        latest = max(latest, clock.monotonic)
        return LimitMeter.Now(monotonic: latest, wall: clock.wall, offset: clock.offset)
    }

    private mutating func evaluateNew(
        _ item: inout LimitWork.Item, by policy: LimitPolicy, _ meter: LimitMeter,
        at now: LimitMeter.Now
    ) {
        let bucket = policy.limits[Int(item.limit)].bucket(of: item.digest)
        // Buckets in disuse go one by one, so that a flood leaves nothing behind.
        overflow.sweep(1, now: now.monotonic)
        let shared = overflow.find(bucket)
        if let position = insert(item.digest, inheriting: shared, by: meter, at: now) {
            item.place = .new
            item.admits = keys.admits(position, item.units, by: meter, at: now)
        } else if let position = shared
            ?? overflow.insert(bucket, by: meter, now: now.monotonic)
        {
            item.place = .shared
            item.admits = overflow.admits(position, item.units, by: meter, at: now)
        } else {
            item.place = .none
            item.admits = false
        }
    }

    /// Makes an entry that takes the count of the shared bucket at `shared` along; `nil` when there is no room
    /// for it, or the count has to stay where it is.
    private mutating func insert(
        _ digest: Digest128, inheriting shared: Int?, by meter: LimitMeter, at now: LimitMeter.Now
    ) -> Int? {
        let active = shared.flatMap { overflow[$0].until >= now.monotonic ? $0 : nil }
        // What is in flight is given back where it was counted.
        if active != nil && meter.tag == .concurrency { return nil }
        guard let position = keys.insert(digest, by: meter, now: now.monotonic) else { return nil }
        guard let active else { return position }
        if keys.inherit(overflow[active], from: overflow.counters, at: position) {
            return position
        }
        keys.remove(at: position)
        return nil
    }
}

extension LimitStore {
    /// Whether the entry at `position` lets `units` pass.
    mutating func admits(
        _ position: Int, _ units: UInt32, by meter: LimitMeter, at now: LimitMeter.Now
    ) -> Bool {
        var entry = self[position]
        let detail = entry.detail
        let admits = meter.admits(&entry, counters: &counters, units: units, at: now)
        // Its counters may have been given more room.
        if entry.detail != detail { self[position] = entry }
        return admits
    }

    /// Charges the entry at `position`.
    mutating func charge(
        _ position: Int, _ units: UInt32, by meter: LimitMeter, at now: LimitMeter.Now
    ) -> UInt64 {
        guard units > 0 else { return 0 }
        var entry = self[position]
        let mark = meter.charge(&entry, counters: &counters, units: units, at: now)
        self[position] = entry
        return mark
    }

    /// Gives back what the entry at `position` was charged.
    mutating func refund(
        _ position: Int, _ units: UInt32, mark: UInt64, by meter: LimitMeter,
        at now: LimitMeter.Now
    ) {
        var entry = self[position]
        meter.refund(&entry, counters: &counters, units: units, mark: mark, at: now)
        self[position] = entry
    }

    /// Changes what the entry at `position` was charged.
    fileprivate mutating func correct(
        _ position: Int, _ receipt: LimitReceipt, to units: UInt32, by meter: LimitMeter,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        if units < receipt.units {
            refund(position, receipt.units - units, mark: receipt.mark, by: meter, at: now)
        } else {
            // Room for it is made where there is some; what it cost is charged either way.
            _ = admits(position, units - receipt.units, by: meter, at: now)
            _ = charge(position, units - receipt.units, by: meter, at: now)
        }
        return level(position, 1, by: meter, at: now)
    }

    /// How full the entry at `position` is.
    func level(
        _ position: Int, _ units: UInt32, by meter: LimitMeter, at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        meter.level(self[position], counters: counters, units: units, at: now)
    }
}
