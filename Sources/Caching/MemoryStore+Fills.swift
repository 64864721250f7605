import Primitives
import Synchronization

/// What running fills ask of the store.
extension MemoryStore {
    /// Counts bytes of a running fill; `false` when they are too many.
    func reserveFillBytes(_ count: Int) -> Bool {
        // Relaxed: a bound on memory needs no order with anything.
        if fillBytes.add(count, ordering: .relaxed).newValue <= fillBytesMax { return true }
        fillBytes.subtract(count, ordering: .relaxed)
        return false
    }

    func returnFillBytes(_ count: Int) {
        if count > 0 { fillBytes.subtract(count, ordering: .relaxed) }
    }

    /// Bytes in running fills.
    var runningBytes: Int { fillBytes.load(ordering: .relaxed) }

    /// Ends a fill's registration; whether it still had one.
    static func unregister(_ fill: Fill, in shard: inout StoreShard) -> Bool {
        guard let index = shard.fills[fill.tag]?.firstIndex(where: { $0 === fill }) else {
            return false
        }
        shard.fills[fill.tag]?.remove(at: index)
        if shard.fills[fill.tag]?.isEmpty == true { shard.fills[fill.tag] = nil }
        return true
    }

    /// Stores a fill's answer, unless its target was invalidated meanwhile.
    func complete(_ fill: Fill, with response: StoredResponse) -> Bool {
        let isSmall = response.byteCost <= entryBytesMax
        let left = shard(fill.tag).state.withLock { shard -> [StoredResponse]? in
            guard MemoryStore.unregister(fill, in: &shard) else { return nil }
            guard isSmall else {
                shard.counts.tooLarge += 1
                return nil
            }
            if !response.head.lifetime.mustValidate
                && response.head.initialAge < response.head.lifetime.fresh
            {
                shard.passes[fill.passTag] = nil
            }
            var left = shard.insert(response, tag: fill.tag, base: fill.base)
            // Its request selected the old answer; it must not go on doing so where Vary has changed.
            if let old = fill.stored, old.head.variant != response.head.variant,
                let removed = shard.remove(old, tag: fill.tag)
            {
                left.append(removed)
            }
            return left
        }
        return left?.allSatisfy { $0.head !== response.head } ?? false
    }

    /// Ends a fill that stores nothing.
    func forget(_ fill: Fill, isTooLarge: Bool = false) {
        shard(fill.tag).state.withLock { shard in
            _ = MemoryStore.unregister(fill, in: &shard)
            if isTooLarge { shard.counts.tooLarge += 1 }
        }
    }

    /// Removes the answer that a fill was begun for: the origin no longer lets it be stored.
    func discardStored(of fill: Fill) {
        let left = shard(fill.tag).state.withLock {
            $0.remove(fill.stored ?? fill.parts, tag: fill.tag)
        }
        _ = left?.byteCost
    }

    /// Remembers that answers to the fill's key cannot be shared.
    func pass(_ fill: Fill, at now: MonotonicTime) {
        guard fill.isCollapsing else { return }
        shard(fill.tag).state.withLock { shard in
            if shard.passes.count >= CacheBounds.passesPerShard {
                shard.passes.removeAll(keepingCapacity: true)
            }
            shard.passes[fill.passTag] = now + CacheBounds.hitForMiss
        }
    }

    func hold(_ fill: Fill, _ stored: StoredResponse, until: MonotonicTime) {
        shard(fill.tag).state.withLock { $0.hold(fill.tag, stored, until: until) }
    }
}
