import Primitives

/// Who leaves when room is needed.
extension StoreShard {
    /// Goes towards a budget of `bytes`; at most `step` bytes leave in one call.
    ///
    /// - Returns: The answers that left, and whether the budget is `bytes` now.
    mutating func resize(to bytes: Int, step: Int) -> (left: [StoredResponse], isDone: Bool) {
        ghost = GhostQueue(window: bytes * 9 / 10)
        let wanted = max(0, bytes - ghost.byteCost)
        budget = max(wanted, min(budget, self.bytes) - step)
        // Without a clock, as if all were fresh.
        return (evict(at: MonotonicTime(nanoseconds: 0)), budget == wanted)
    }

    mutating func evict(at now: MonotonicTime) -> [StoredResponse] {
        var left: [StoredResponse] = []
        while bytes > budget {
            let takesSmall = small.bytes * 10 > budget || main.oldest < 0
            let evicted = takesSmall ? evictSmall(at: now) : evictMain(at: now)
            guard let evicted else { continue }
            counts.evictions += 1
            left.append(evicted)
        }
        return left
    }

    /// The oldest of the small queue goes to the main one if it was used, else it leaves.
    private mutating func evictSmall(at now: MonotonicTime) -> StoredResponse? {
        let node = small.oldest
        if nodes[Int(node)].isUsed && !isSpent(node, at: now) {
            small.remove(node, in: &nodes)
            nodes[Int(node)].isUsed = false
            nodes[Int(node)].isMain = true
            main.append(node, in: &nodes)
            return nil
        }
        let (tag, cost) = (nodes[Int(node)].tag, nodes[Int(node)].cost)
        let stored = remove(node)
        ghost.insert(tag, bytes: cost)
        return stored
    }

    /// The oldest of the main queue gets another turn when it was used, and one more while it could stand in for
    /// a failing origin, else it leaves.
    private mutating func evictMain(at now: MonotonicTime) -> StoredResponse? {
        let node = main.oldest
        if isSpent(node, at: now) { return remove(node) }
        if nodes[Int(node)].isUsed {
            nodes[Int(node)].isUsed = false
        } else if !nodes[Int(node)].isSpared && standsIn(node, at: now) {
            nodes[Int(node)].isSpared = true
        } else {
            return remove(node)
        }
        main.remove(node, in: &nodes)
        main.append(node, in: &nodes)
        return nil
    }

    private func isSpent(_ node: Int32, at now: MonotonicTime) -> Bool {
        nodes[Int(node)].stored?.isSpent(at: now) ?? true
    }

    /// Whether it has expired and may be served in place of an error.
    private func standsIn(_ node: Int32, at now: MonotonicTime) -> Bool {
        guard let stored = nodes[Int(node)].stored else { return false }
        guard case .stale = stored.freshness(at: now) else { return false }
        return stored.mayServeStale(onErrorAt: now)
    }
}
