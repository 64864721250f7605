public import Primitives

/// The leases of a process: one table, shared by all workers.
///
///     digest → shard (16, each with a lock) → lease
///
/// **Bounds**: 65,536 keys, 4096 in a shard. Leases without units go to make room for another; when all hold units,
/// a new key is refused.
///
/// Units are taken and put back under the lock of one shard. A request that takes from several leases puts back what
/// it took when one refuses: others may lack these units meanwhile and ask for more, which never admits too much.
public final class LeaseTable: Sendable {
    private let shards: InlineArray<16, Shard>

    private struct Shard: ~Copyable, Sendable {
        let leases = Guarded<[Digest128: Lease]>([:])
    }

    /// Creates an empty table.
    public init() {
        shards = InlineArray { _ in Shard() }
    }

    private func shard(of digest: Digest128) -> Int {
        Int(truncatingIfNeeded: digest.high) & (LeaseBounds.shards - 1)
    }

    /// The number of leases held.
    public var count: Int {
        var count = 0
        for index in shards.indices { count += shards[index].leases.withLock { $0.count } }
        return count
    }

    /// Takes `cost` units of a key if they are here, and tells what is known.
    public func take(
        _ digest: Digest128, _ cost: UInt32, at now: MonotonicTime
    ) -> (taking: LeaseTaking, level: LeaseLevel) {
        shards[shard(of: digest)].leases.withLock { leases in
            guard let place = leases.index(forKey: digest) else {
                return (.lacking, LeaseLevel(remaining: 0, resetAfter: 0, nextAfter: 0))
            }
            return leases.values[place].spend(cost, at: now.nanoseconds)
        }
    }

    /// What is known of a key for whoever asks for `cost`.
    func level(_ digest: Digest128, _ cost: UInt32, at now: MonotonicTime) -> LeaseLevel {
        shards[shard(of: digest)].leases.withLock { leases in
            guard let place = leases.index(forKey: digest) else {
                return LeaseLevel(remaining: 0, resetAfter: 0, nextAfter: 0)
            }
            return leases.values[place].level(cost, at: now.nanoseconds)
        }
    }

    /// Whether a key has a lease, and whether `cost` units would pass as far as is known.
    func peek(
        _ digest: Digest128, _ cost: UInt32, at now: MonotonicTime
    ) -> (level: LeaseLevel, passes: Bool)? {
        shards[shard(of: digest)].leases.withLock { leases in
            guard var lease = leases[digest] else { return nil }
            let level = lease.level(cost, at: now.nanoseconds)
            return (level, lease.take(cost, at: now.nanoseconds) != .refused)
        }
    }

    /// Puts units back that were taken and not spent after all.
    public func putBack(
        _ digest: Digest128, _ units: UInt32, receipt: Int64, at now: MonotonicTime
    ) {
        shards[shard(of: digest)].leases.withLock { leases in
            guard let place = leases.index(forKey: digest) else { return }
            leases.values[place].putBack(units, receipt: receipt, at: now.nanoseconds)
        }
    }

    /// What to ask Redis about a key for which `need` units are waited for; none: ahead of need.
    ///
    /// - Returns: The order to be sent once, after which `receive` or `fail` is due; `nil` when nothing is to be
    ///   asked for, or there is no room for another lease.
    public func order(
        _ digest: Digest128, key: @autoclosure () -> [UInt8], terms: LeaseTerms, need: UInt32,
        at now: MonotonicTime
    ) -> LeaseOrder? {
        shards[shard(of: digest)].leases.withLock { leases in
            if leases[digest] == nil {
                if leases.count >= LeaseBounds.leasesPerShard {
                    leases = leases.filter { !$0.value.isForgettable(at: now.nanoseconds) }
                }
                guard leases.count < LeaseBounds.leasesPerShard else { return nil }
                leases[digest] = Lease(key: key(), terms: terms, at: now.nanoseconds)
            }
            guard let place = leases.index(forKey: digest) else { return nil }
            leases.values[place].terms = terms
            leases.values[place].wait(need, at: now.nanoseconds)
            return leases.values[place].order(need: need, at: now.nanoseconds)
        }
    }

    /// Takes the answer to an order that was sent at `sent`.
    public func receive(
        _ digest: Digest128, _ grant: LeaseGrant, to order: LeaseOrder, sent: MonotonicTime,
        replicas: UInt32, at now: MonotonicTime, random: inout SeededRandom
    ) {
        shards[shard(of: digest)].leases.withLock { leases in
            guard let place = leases.index(forKey: digest) else { return }
            leases.values[place].receive(
                grant, to: order, sent: sent.nanoseconds, replicas: replicas,
                at: now.nanoseconds, random: &random)
        }
    }

    /// Notes that Redis has forgotten what was counted of a key: requests ask again. Units that are held stay.
    public func noteReset(_ digest: Digest128) {
        shards[shard(of: digest)].leases.withLock { leases in
            guard let place = leases.index(forKey: digest) else { return }
            leases.values[place].askAgain()
        }
    }

    /// Notes that the answer to an order is lost, or says nothing.
    public func fail(_ digest: Digest128, _ order: LeaseOrder) {
        shards[shard(of: digest)].leases.withLock { leases in
            guard let place = leases.index(forKey: digest) else { return }
            leases.values[place].fail(order)
        }
    }

    /// Something to be told about a key that nobody asks for.
    public struct Return: Sendable {
        /// The key, as this process knows it.
        public let digest: Digest128
        /// The key, as Redis knows it.
        public let key: [UInt8]
        /// The terms of the key.
        public let terms: LeaseTerms
        /// The order: to be sent once, after which `receive` or `fail` is due.
        public let order: LeaseOrder

        /// Creates one.
        public init(digest: Digest128, key: [UInt8], terms: LeaseTerms, order: LeaseOrder) {
            self.digest = digest
            self.key = key
            self.terms = terms
            self.order = order
        }
    }

    /// What is to be given back or renewed now: units that are idle or about to end. Leases out of use are
    /// forgotten. One shard after the other is looked at, so that a turn of the loop stays short.
    ///
    /// - Parameters:
    ///   - round: Counts the calls.
    ///   - now: The time.
    /// - Returns: What is to be sent.
    public func sweep(_ round: Int, at now: MonotonicTime) -> [Return] {
        sweep(shard: round & (LeaseBounds.shards - 1), all: false, at: now)
    }

    /// What is to be given back when the process ends or its limits change: everything that is here.
    public func empty(at now: MonotonicTime) -> [Return] {
        shards.indices.flatMap { sweep(shard: $0, all: true, at: now) }
    }

    private func sweep(shard: Int, all: Bool, at now: MonotonicTime) -> [Return] {
        shards[shard].leases.withLock { leases in
            var returns: [Return] = []
            var unused: [Digest128] = []
            for place in leases.indices {
                let digest = leases.keys[place]
                if let order = leases.values[place].returning(all: all, at: now.nanoseconds) {
                    let lease = leases.values[place]
                    returns.append(
                        Return(digest: digest, key: lease.key, terms: lease.terms, order: order))
                } else if leases.values[place].isForgettable(at: now.nanoseconds)
                    && leases.values[place].isUnused(at: now.nanoseconds)
                {
                    unused.append(digest)
                }
            }
            for digest in unused { leases[digest] = nil }
            return returns
        }
    }
}
