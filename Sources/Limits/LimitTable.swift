public import Primitives
import Synchronization

/// What is counted about all keys of all limits of the process: one table, shared by all workers.
///
///     digest → shard (1 … 256, each with a lock) → entry of 40 bytes (→ ring counters)
///
/// **Bounds**: about `keys` keys (each shard holds an eighth more than its share, as hashing is uneven) and
/// 128 bytes of ring counters per key on average; `memoryBytesMax` says how many bytes at most. Nothing is
/// allocated before it is used; shards grow by doubling.
///
/// **What is forgotten**: only idle entries, which say the same as none; a few are looked at whenever a key
/// is added. A table full of active keys judges new keys by shared buckets that never count too little
/// (`LimitShardState`). So no flood of keys makes it forget a limited key, fail open or grow.
///
/// A decision locks the shards of all its keys in ascending order, looks at all, then charges all or none:
/// exact across threads.
public final class LimitTable: Sendable {
    let seed: KeyedHasher.Seed
    /// What the process holds of leased limits.
    public let leases = LeaseTable()
    private let shards: InlineArray<256, LimitShard>
    private let shardMask: UInt64
    private let offset = Atomic<UInt64>(0)

    /// Creates an empty table.
    ///
    /// - Parameters:
    ///   - keys: The keys it is made for, 1 to `LimitBounds.keysMax`; clamped.
    ///   - seed: The secret under which keys are hashed.
    public init(keys: Int, seed: KeyedHasher.Seed) {
        let keys = min(max(keys, 1), LimitBounds.keysMax)
        var count = 1
        while count < LimitBounds.shardsMax && count * LimitBounds.keysPerShard < keys {
            count *= 2
        }
        let share = (keys + count - 1) / count
        self.seed = seed
        shardMask = UInt64(count - 1)
        shards = InlineArray { index in
            LimitShard(keysMax: index < count ? share + (count > 1 ? share / 8 : 0) : 0)
        }
    }

    /// The number of keys held, idle ones that are not yet forgotten included. Locks one shard after
    /// the other.
    public var keyCount: Int { sum { $0.keys.count + $0.overflow.count } }

    /// The memory in use, in bytes. Locks one shard after the other.
    public var memoryBytes: Int {
        MemoryLayout<InlineArray<256, LimitShard>>.size
            + sum { $0.keys.memoryBytes + $0.overflow.memoryBytes }
    }

    /// The most that `memoryBytes` can ever be, apart from what the allocator rounds up.
    public var memoryBytesMax: Int {
        MemoryLayout<InlineArray<256, LimitShard>>.size
            + sum { $0.keys.memoryBytesMax + $0.overflow.memoryBytesMax }
    }

    /// Both clocks, and what lies between them: kept as long as the calendar clock is not set, so that moments
    /// told from one stored boundary do not wobble.
    func now(_ clock: ClockReading) -> LimitMeter.Now {
        let monotonic = min(clock.monotonic.nanoseconds, LimitBounds.timeMax)
        let measured = clock.wall.nanoseconds &- monotonic
        // Relaxed: any worker's measure serves all.
        var kept = offset.load(ordering: .relaxed)
        let drift = Int64(bitPattern: measured &- kept)
        if drift.magnitude > LimitBounds.driftMax {
            offset.store(measured, ordering: .relaxed)
            kept = measured
        }
        return LimitMeter.Now(
            monotonic: monotonic, wall: clock.wall.nanoseconds, offset: kept)
    }

    /// The shard of a digest.
    func shard(of digest: Digest128) -> UInt8 { UInt8(truncatingIfNeeded: digest.high & shardMask) }

    /// Decides the items of `work` from `position` on, one or more, all or none, and writes their states.
    ///
    /// One shard's items are looked at under its lock; then comes the next shard, and when the last one
    /// is locked, the vote. On the way back each shard is charged and its lock released. As all locks are
    /// held at the vote, decisions happen as if one after the other; as they are taken in ascending order,
    /// none waits in a circle.
    func decide(
        _ work: inout LimitWork, _ decision: LimitDecision, by policy: LimitPolicy,
        from position: Int
    ) {
        let shard = work.items[Int(work.order[position])].shard
        shards[Int(shard)].state.withLock { state in
            var end = position
            repeat {
                state.evaluate(&work.items[Int(work.order[end])], by: policy, at: work.now)
                end += 1
            } while end < work.count && work.items[Int(work.order[end])].shard == shard
            if end < work.count {
                decide(&work, decision, by: policy, from: end)
            } else {
                work.vote()
            }
            for place in position..<end {
                let item = work.items[Int(work.order[place])]
                let charge = work.charges(item)
                var mark: UInt64 = 0
                let level = state.settle(
                    item, charge: charge, by: policy, at: work.now, mark: &mark)
                decision.settle(item, charged: charge, level: level)
                if state.hasBoosts, let quota = state.boostedQuota(of: item.digest) {
                    decision.boost(Int(item.state), quota: quota)
                }
                if charge && policy.keepsReceipt(of: item) {
                    decision.keep(LimitReceipt(item, mark: mark))
                }
            }
        }
    }

    /// Decides an item that is the only one of its request, and writes its state: as `decide` does, but looked at
    /// and charged in one step, as there is no other vote to wait for. It is charged if its limit lets it pass and
    /// `mayCharge`.
    @inline(__always)
    func decide(
        alone item: inout LimitWork.Item, mayCharge: Bool, _ decision: LimitDecision,
        by policy: LimitPolicy, at now: LimitMeter.Now
    ) {
        var mark: UInt64 = 0
        var boostedQuota: UInt32?
        let level = shards[Int(item.shard)].state.withLock { state in
            let level = state.take(&item, mayCharge: mayCharge, by: policy, at: now, mark: &mark)
            if state.hasBoosts { boostedQuota = state.boostedQuota(of: item.digest) }
            return level
        }
        let isCharged = item.admits && mayCharge
        decision.settle(item, charged: isCharged, level: level)
        if let boostedQuota { decision.boost(Int(item.state), quota: boostedQuota) }
        if isCharged && policy.keepsReceipt(of: item) {
            decision.keep(LimitReceipt(item, mark: mark))
        }
    }

    /// Changes what a decision has charged to `units`, and returns how full the key is then.
    func correct(
        _ receipt: LimitReceipt, to units: UInt32, by policy: LimitPolicy, at clock: ClockReading
    ) -> LimitMeter.Level {
        let now = now(clock)
        if receipt.isLeased {
            if units < receipt.units {
                leases.putBack(
                    receipt.digest, receipt.units - units, receipt: Int64(bitPattern: receipt.mark),
                    at: clock.monotonic)
            }
            return leases.level(receipt.digest, 1, at: clock.monotonic).asMeterLevel(at: now)
        }
        return shards[Int(receipt.shard)].state.withLock { state in
            state.correct(receipt, to: units, by: policy, at: now)
        }
    }

    /// Counts what Redis has let pass, so that who counts alone later begins with it.
    func note(
        _ state: LimitState, dividedBy divisor: UInt8, by policy: LimitPolicy,
        at now: LimitMeter.Now
    ) {
        shards[Int(shard(of: state.key))].state.withLock { shard in
            if divisor <= 1 && shard.charge(state, by: policy, at: now) { return }
            var receipt = LimitReceipt()
            receipt.digest = state.key
            receipt.rate = state.rate
            receipt.limit = state.limit
            receipt.place = .own
            receipt.divisor = divisor
            _ = shard.correct(receipt, to: state.charged, by: policy, at: now)
        }
    }

    /// Forgets what was counted about a key that has an entry of its own; `false` when it has none.
    func forget(_ digest: Digest128) -> Bool {
        shards[Int(shard(of: digest))].state.withLock { $0.forget(digest) }
    }

    /// Begins a boost in place of the key's last one, or ends that one; `false` when there is no room.
    func boost(_ boost: LimitBoost, isOver: Bool) -> Bool {
        shards[Int(shard(of: boost.digest))].state.withLock { $0.boost(boost, isOver: isOver) }
    }

    private func sum(_ measure: (LimitShardState) -> Int) -> Int {
        var total = 0
        for index in shards.indices where UInt64(index) <= shardMask {
            total += shards[index].state.withLock { measure($0) }
        }
        return total
    }
}
