public import HTTPModel
public import Primitives
import Synchronization

/// The first level of the cache: one per process, shared by all workers.
///
/// Keys are spread over shards by a keyed digest; each shard has its lock, its part of the byte budget and its
/// S3-FIFO queues (standards A8). A hit takes one lock and allocates nothing. The budget counts heads, bodies,
/// keys and what objects and index add; bodies in running fills have a budget of their own, a quarter as
/// large. Locks are taken in the order shard, fill, and never two of a kind.
public final class MemoryStore: Sendable {
    final class Shard: Sendable {
        let state: Guarded<StoreShard>
        init(budget: Int, seed: KeyedHasher.Seed) {
            state = Guarded(StoreShard(budget: budget, seed: seed))
        }
    }

    let shards: [Shard]
    let seed: KeyedHasher.Seed
    let fillBytes = Atomic<Int>(0)
    /// Whether somebody sweeps.
    let isSweeping = Atomic<Bool>(false)
    private let shardBytes: Atomic<Int>

    // Relaxed: a bound on memory needs no order with anything.
    /// Bytes of bodies in running fills.
    var fillBytesMax: Int {
        max(1 << 20, shardBytes.load(ordering: .relaxed) * shards.count / CacheBounds.fillShare)
    }
    /// The largest cost of an entry, head and all, in bytes: half of a shard.
    public var entryBytesMax: Int { shardBytes.load(ordering: .relaxed) / 2 }

    /// Creates an empty store.
    ///
    /// - Parameters:
    ///   - bytes: The budget. A shard has at least 32 MiB of it, or all.
    ///   - seed: The secret of the digests; simulations give a fixed one.
    public init(bytes: Int, seed: KeyedHasher.Seed) {
        var count = 1
        while count < CacheBounds.shardsMax && bytes / (count * 2) >= CacheBounds.shardBytesMin {
            count *= 2
        }
        let budget = max(0, bytes / count)
        shards = (0..<count).map { _ in Shard(budget: budget, seed: seed) }
        self.seed = seed
        shardBytes = Atomic(budget)
    }

    /// Changes the budget to `bytes`. The number of shards stays as it is; when it shrinks, answers leave as if
    /// room were needed, a few under each lock.
    public func resize(bytes: Int) {
        let budget = max(0, bytes / shards.count)
        shardBytes.store(budget, ordering: .relaxed)
        for shard in shards {
            // What leaves is freed after the lock.
            while !shard.state.withLock({ $0.resize(to: budget, step: CacheBounds.resizeStep) })
                .isDone
            {}
        }
    }

    func tag(_ key: Span<UInt8>) -> UInt64 { PurgeDigest.ofKey(key, seed: seed) }

    /// 128 bits of `word` that only this process can tell: nobody who writes an answer knows a boundary.
    public func secretDigest(of word: UInt64) -> Digest128 {
        var hasher = KeyedHasher(seed: seed)
        // No key begins so.
        hasher.append(UInt8(0))
        hasher.append(word)
        return hasher.finish()
    }

    func shard(_ tag: UInt64) -> Shard {
        // The index and the ghost queue take other bits.
        shards[Int(truncatingIfNeeded: tag >> 56) & (shards.count - 1)]
    }
}

extension MemoryStore {
    /// The stored answer to `request`, fresh or not; `nil` when there is none. No fetch is joined or begun.
    public func lookup(key: Span<UInt8>, request: borrowing RequestHead) -> StoredResponse? {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            let node = shard.select(tag, key, request.fields)
            guard node >= 0 else { return nil }
            shard.touch(node)
            return shard.nodes[Int(node)].stored
        }
    }

    /// Puts a whole answer in, over one with the same keys. One that costs more than `entryBytesMax` is
    /// refused, and so is one that is not storable.
    ///
    /// - Returns: Whether it was put in.
    @discardableResult
    public func insert(_ response: StoredResponse) -> Bool {
        guard response.head.isStorable, response.byteCost <= entryBytesMax else { return false }
        let keyBytes = response.head.key
        let key = keyBytes.span
        let tag = tag(key)
        let baseCount = CacheKey.baseCount(of: key)
        let base = baseCount < key.count ? self.tag(key.extracting(0..<baseCount)) : 0
        // What leaves is freed after the lock.
        let left = shard(tag).state.withLock { $0.insert(response, tag: tag, base: base) }
        return left.allSatisfy { $0.head !== response.head }
    }

    /// Removes all variants of exactly this key. Running fetches of it will not be stored.
    public func remove(key: Span<UInt8>) {
        let tag = tag(key)
        let left = shard(tag).state.withLock { shard in
            shard.fills[tag]?.removeAll { $0.hasKey(key) }
            if shard.fills[tag]?.isEmpty == true { shard.fills[tag] = nil }
            return shard.removeAll(tag, key)
        }
        _ = left.count
    }

    /// Invalidates what is stored for a target, for all identities and variants, and what is being fetched
    /// (RFC 9111 §4.4): no later request gets an answer that was asked for before `now`.
    ///
    /// - Parameters:
    ///   - base: From `CacheKey.buildBase`.
    ///   - now: When the answer to the unsafe-method request arrived.
    public func invalidate(base: Span<UInt8>, at now: MonotonicTime) {
        remove(key: base)
        let tag = tag(base)
        for shard in shards {
            shard.state.withLock { shard in
                shard.invalidate(base: tag, at: now)
                for key in shard.fills.keys {
                    shard.fills[key]?.removeAll { $0.base == tag }
                }
                shard.fills = shard.fills.filter { !$0.value.isEmpty }
            }
        }
    }

    /// What the store holds and has done.
    public func statistics() -> StoreCounts {
        var sum = StoreCounts()
        for shard in shards {
            sum.add(
                shard.state.withLock { shard in
                    var counts = shard.counts
                    counts.bytes = shard.bytes
                    counts.entries = shard.entryCount
                    counts.purgeRecords = shard.purges.count
                    counts.fills = shard.fills.values.reduce(0) { $0 + $1.count }
                    return counts
                })
        }
        return sum
    }
}
