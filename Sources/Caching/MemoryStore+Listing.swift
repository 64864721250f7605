public import Primitives

/// What is stored for one URL, for people.
extension MemoryStore {
    /// The answers stored for a target, for all identities and variants, at most `count`; purged ones are not among
    /// them. Goes through the whole store, a few entries under each lock.
    ///
    /// - Parameters:
    ///   - base: From `CacheKey.buildBase`.
    ///   - count: The most that is returned.
    /// - Returns: The answers, in no order.
    public func entries(base: Span<UInt8>, atMost count: Int) -> [StoredResponse] {
        let digest = tag(base)
        var found: [StoredResponse] = []
        for shard in shards {
            var node = 0
            while node >= 0 && found.count < count {
                node = shard.state.withLock { $0.list(digest, from: node, into: &found) }
            }
        }
        return found.filter { stored in
            let key = stored.head.key
            return key.count >= base.count && key.span.extracting(0..<base.count).equals(base)
        }
    }

    /// Whether requests for a key do not wait for each other at `now`, because its last answer could not be shared.
    public func isPassed(key: Span<UInt8>, at now: MonotonicTime) -> Bool {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            [tag, tag ^ 2].contains { shard.passes[$0].map { $0 > now } ?? false }
        }
    }
}

extension StoreShard {
    /// Adds the next entries with this digest of their base to `found`.
    ///
    /// - Returns: The node to go on from; −1 after the last one.
    mutating func list(
        _ digest: UInt64, from start: Int, into found: inout [StoredResponse]
    ) -> Int {
        let end = min(start + CacheBounds.listingStep, nodes.count)
        for node in start..<end {
            let base = nodes[node].base == 0 ? nodes[node].tag : nodes[node].base
            guard base == digest, settle(Int32(node)) == nil, let stored = nodes[node].stored else {
                continue
            }
            found.append(stored)
        }
        return end < nodes.count ? end : -1
    }
}
