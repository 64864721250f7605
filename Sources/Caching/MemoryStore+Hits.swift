import Primitives

/// How often stored answers were used, for whoever wants to know which keys are popular.
extension MemoryStore {
    /// An answer and the hits it had since they were taken last.
    public struct Hits: Sendable {
        /// The head: it names the key and the fields it varies by.
        public let head: CachedHead
        /// The hits.
        public let count: UInt32
    }

    /// The number of shards: the first index that `takeHits` does not know.
    public var shardCount: Int { shards.count }

    /// Takes the hits of `step` entries of one shard: they are counted from zero again. Answers to single users
    /// are passed over.
    ///
    /// - Parameters:
    ///   - shard: The shard's index.
    ///   - position: Where to begin, 0 at first; then where to go on, and `nil` when the shard has been seen.
    ///   - step: Entries that are looked at under one lock.
    /// - Returns: Those that had hits.
    public func takeHits(shard: Int, from position: inout Int?, step: Int) -> [Hits] {
        guard let first = position else { return [] }
        let (found, next) = shards[shard].state.withLock { shard -> ([Hits], Int?) in
            let end = min(first + step, shard.nodes.count)
            let found = shard.takeHits(of: first..<max(first, end))
            return (found, end < shard.nodes.count ? end : nil)
        }
        position = next
        return found
    }
}

extension StoreShard {
    mutating func takeHits(of range: Range<Int>) -> [MemoryStore.Hits] {
        var found: [MemoryStore.Hits] = []
        for node in range {
            let hits = takeHits(of: node)
            guard hits > 0, nodes[node].base == 0, let stored = nodes[node].stored else { continue }
            found.append(MemoryStore.Hits(head: stored.head, count: hits))
        }
        return found
    }
}
