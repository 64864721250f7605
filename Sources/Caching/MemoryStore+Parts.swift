import Primitives

/// Storing parts of answers.
extension MemoryStore {
    private enum Insertion {
        case done([StoredResponse])
        case refused
        /// Another part was quicker: combine with that.
        case again
    }

    /// Stores a part that a fill has brought, together with those of the same version that are there. Parts of
    /// another version leave; a whole answer is not replaced by a part of one.
    ///
    /// - Returns: Whether it is in the store.
    func complete(_ fill: Fill, withPart part: StoredResponse) -> Bool {
        // Cutting and joining happen outside the lock; should the entry change meanwhile, again.
        for _ in 0..<CacheBounds.combineAttempts {
            let there = shard(fill.tag).state.withLock {
                $0.stored(like: part, tag: fill.tag)
            }
            if there?.isWhole ?? false { break }
            let combined = there.flatMap { part.combined(with: $0) } ?? part
            guard combined.byteCost <= entryBytesMax else { break }
            let insertion = shard(fill.tag).state.withLock { shard -> Insertion in
                guard shard.stored(like: part, tag: fill.tag) === there else { return .again }
                guard MemoryStore.unregister(fill, in: &shard) else { return .refused }
                return .done(shard.insert(combined, tag: fill.tag, base: fill.base))
            }
            switch insertion {
            // What left is freed here, after the lock.
            case .done(let left): return left.allSatisfy { $0 !== combined }
            case .refused: return false
            case .again: continue
            }
        }
        forget(fill)
        return false
    }
}

extension StoreShard {
    /// The living entry with the keys of `response`.
    func stored(like response: StoredResponse, tag: UInt64) -> StoredResponse? {
        let key = response.head.key
        var node = chain(tag, key.span)
        while node >= 0 {
            if let other = nodes[Int(node)].stored, other.head.variant == response.head.variant {
                return mayBeInvalid(node) ? nil : other
            }
            node = nodes[Int(node)].nextVariant
        }
        return nil
    }
}
