import HTTPModel
import Primitives

/// A part of the store under one lock: entries, queues and running fills of the keys that hash to it.
///
///     index ──► node ──► node (another variant of the key)
///                 │
///     small queue (10 %) ──used──► main queue (90 %, second chances)
///          └──unused──► ghost (tags only) ──comes back──► main queue
///
/// S3-FIFO (Yang et al., SOSP 2023), weighted by bytes: a scan passes through the small queue and leaves the
/// main one alone; a hit only sets a mark. What has expired for every use leaves used or not;
/// what could still stand in for a failing origin leaves the main queue a turn later.
struct StoreShard {
    var nodes: [StoreNode] = []
    private var freeNode: Int32 = -1
    private var index = DigestIndex()
    var small = NodeQueue()
    var main = NodeQueue()
    var ghost: GhostQueue
    private(set) var bases = BaseTable()
    /// What was purged lately.
    var purges: PurgeTable
    /// Grows with whatever may change what stored answers are good for; a node that has looked at it is as it
    /// should be.
    var revision: UInt64 = 0
    /// By which lifetimes are multiplied, in thousandths.
    var factor: UInt32 = 1000
    var sweep = SweepState()
    var budget: Int
    private var scratch: [UInt8] = []
    /// The running fills of each key.
    var fills: [UInt64: [Fill]] = [:]
    /// Until when requests for a key do not wait for each other.
    var passes: [UInt64: MonotonicTime] = [:]
    /// Counts since the start.
    var counts = StoreCounts()

    init(budget: Int, seed: KeyedHasher.Seed) {
        purges = PurgeTable(seed: seed)
        ghost = GhostQueue(window: budget * 9 / 10)
        self.budget = max(0, budget - ghost.byteCost)
    }

    /// The cost of all entries.
    var bytes: Int { small.bytes + main.bytes }
    /// The number of entries.
    var entryCount: Int { Int(counts.insertions - counts.removals) }
}

// MARK: Finding

extension StoreShard {
    /// The first node of the variants of `key`, or −1. Keys are compared in full.
    func chain(_ tag: UInt64, _ key: Span<UInt8>) -> Int32 {
        guard let slot = slot(tag, key) else { return -1 }
        return index[slot]
    }

    func chain(_ tag: UInt64, of stored: StoredResponse) -> Int32 {
        let key = stored.head.key
        return chain(tag, key.span)
    }

    private func slot(_ tag: UInt64, of stored: StoredResponse) -> Int? {
        let key = stored.head.key
        return slot(tag, key.span)
    }

    private func slot(_ tag: UInt64, _ key: Span<UInt8>) -> Int? {
        var slot = index.slot(of: tag)
        while let found = slot {
            if let stored = nodes[Int(index[found])].stored, stored.hasKey(key) {
                return found
            }
            slot = index.slot(of: tag, from: index.next(after: found))
        }
        return nil
    }

    /// The variant that `request` selects, or −1: of several with Vary the one with the latest Date (RFC 9111 §4.1,
    /// case `9111-4.1-latest`). Entries that were invalidated or purged are removed on the way.
    mutating func select(_ tag: UInt64, _ key: Span<UInt8>, _ request: borrowing FieldList) -> Int32
    {
        var best: Int32 = -1
        var node = chain(tag, key)
        // The usual case: one answer that does not vary.
        if node >= 0 && nodes[Int(node)].isAlone && nodes[Int(node)].checked == revision {
            return node
        }
        while node >= 0 {
            let next = nodes[Int(node)].nextVariant
            if settle(node) == nil, let stored = nodes[Int(node)].stored,
                stored.head.variant.matches(request, scratch: &scratch)
            {
                if best < 0 || isPreferred(stored, to: best) { best = node }
            }
            node = next
        }
        return best
    }

    /// An answer with Vary before one that lacks it, as origins forget it on their default answers; then the
    /// newer one (§4.1, case `9111-4.1-without-vary`).
    private func isPreferred(_ stored: StoredResponse, to node: Int32) -> Bool {
        guard let other = nodes[Int(node)].stored else { return true }
        let (varies, otherVaries) = (
            !stored.head.variant.names.isEmpty, !other.head.variant.names.isEmpty
        )
        return varies == otherVaries ? isNewer(stored, than: node) : varies
    }

    private func isNewer(_ stored: StoredResponse, than node: Int32) -> Bool {
        guard let other = nodes[Int(node)].stored else { return true }
        return (stored.head.date, stored.head.received.nanoseconds)
            > (other.head.date, other.head.received.nanoseconds)
    }

    /// The names by which the newest answer of the key varies; empty when none is stored or it does not.
    func variantNames(_ chain: Int32) -> [UInt8] {
        var newest: StoredResponse?
        var node = chain
        while node >= 0 {
            if let stored = nodes[Int(node)].stored {
                if newest.map({ $0.head.received < stored.head.received }) ?? true {
                    newest = stored
                }
            }
            node = nodes[Int(node)].nextVariant
        }
        return newest?.head.variant.names ?? []
    }

    /// Whether the entry may have been purged, or invalidated with all of its target, since it looked last.
    func mayBeInvalid(_ node: Int32) -> Bool { nodes[Int(node)].checked != revision }

    /// Counts a use.
    mutating func touch(_ node: Int32) {
        nodes[Int(node)].isUsed = true
        nodes[Int(node)].hits &+= 1
    }

    /// The hits of a node since they were taken last; they are counted from zero again.
    mutating func takeHits(of node: Int) -> UInt32 {
        defer { nodes[node].hits = 0 }
        return nodes[node].hits
    }

    /// Until when the origin should not be asked for this entry.
    mutating func hold(_ tag: UInt64, _ stored: StoredResponse, until: MonotonicTime) {
        var node = chain(tag, of: stored)
        while node >= 0 {
            if nodes[Int(node)].stored?.head === stored.head {
                nodes[Int(node)].heldUntil = until
            }
            node = nodes[Int(node)].nextVariant
        }
    }
}

// MARK: Inserting and removing

extension StoreShard {
    /// Puts an answer in the place of the one with the same keys, and makes room.
    ///
    /// An answer that was asked for earlier than the stored one changes nothing; one that a purge since then means
    /// is dead or stale from the first.
    /// - Returns: The answers that left, to be freed outside the lock.
    mutating func insert(_ new: StoredResponse, tag: UInt64, base: UInt64) -> [StoredResponse] {
        guard let stored = admitted(new, tag: tag, base: base) else { return [new] }
        var left = settleVariants(tag, of: stored)
        let slot = slot(tag, of: stored)
        if let slot {
            var count = 0
            var oldest = index[slot]
            var node = oldest
            while node >= 0 {
                guard let other = nodes[Int(node)].stored else { break }
                if other.head.variant == stored.head.variant {
                    guard other.head.requested <= stored.head.requested else { return [] }
                    left.append(replace(node, by: stored))
                    return left + evict(at: stored.head.received)
                }
                if !isNewer(other, than: oldest) { oldest = node }
                count += 1
                node = nodes[Int(node)].nextVariant
            }
            if count >= CacheBounds.variantsPerKey, let removed = remove(oldest) {
                counts.evictions += 1
                left.append(removed)
            }
        }
        add(stored, tag: tag, base: base)
        return left + evict(at: stored.head.received)
    }

    private mutating func replace(_ node: Int32, by stored: StoredResponse) -> StoredResponse {
        let isMain = nodes[Int(node)].isMain
        let old = nodes[Int(node)].stored ?? stored
        let cost = stored.byteCost + stored.encoded.byteCost
        let change = cost - nodes[Int(node)].cost
        if isMain { main.bytes += change } else { small.bytes += change }
        nodes[Int(node)].stored = stored
        nodes[Int(node)].checked = revision
        nodes[Int(node)].cost = cost
        nodes[Int(node)].isSpared = false
        nodes[Int(node)].heldUntil = MonotonicTime(nanoseconds: 0)
        return old
    }

    private mutating func add(_ stored: StoredResponse, tag: UInt64, base: UInt64) {
        let node: Int32
        if freeNode >= 0 {
            node = freeNode
            freeNode = nodes[Int(node)].nextVariant
        } else {
            node = Int32(nodes.count)
            nodes.append(StoreNode())
        }
        var entry = StoreNode()
        entry.stored = stored
        entry.cost = stored.byteCost + stored.encoded.byteCost
        entry.tag = tag
        entry.base = base
        entry.checked = revision
        entry.isMain = ghost.remove(tag)
        entry.isVaried = !stored.head.variant.names.isEmpty
        if let slot = slot(tag, of: stored) {
            entry.nextVariant = index[slot]
            index[slot] = node
        } else {
            index.insert(tag, node)
        }
        nodes[Int(node)] = entry
        if entry.isMain { main.append(node, in: &nodes) } else { small.append(node, in: &nodes) }
        bases.add(base)
        counts.insertions += 1
    }

    /// Adds an encoded variant to `stored`, if that is still there, and makes room.
    ///
    /// - Returns: The answers that left, to be freed outside the lock; `nil`: nothing was added.
    mutating func attach(
        _ variant: EncodedVariant, to stored: StoredResponse, tag: UInt64, bytesMax: Int,
        at now: MonotonicTime
    ) -> [StoredResponse]? {
        var node = chain(tag, of: stored)
        while node >= 0 && nodes[Int(node)].stored?.head !== stored.head {
            node = nodes[Int(node)].nextVariant
        }
        guard node >= 0, nodes[Int(node)].cost + variant.byteCost <= bytesMax else { return nil }
        stored.encoded.put(variant)
        nodes[Int(node)].cost += variant.byteCost
        if nodes[Int(node)].isMain {
            main.bytes += variant.byteCost
        } else {
            small.bytes += variant.byteCost
        }
        return evict(at: now)
    }

    /// Takes a node out of everything.
    mutating func remove(_ node: Int32) -> StoredResponse? {
        let entry = nodes[Int(node)]
        guard let stored = entry.stored, let slot = slot(entry.tag, of: stored) else {
            return nil
        }
        if index[slot] == node {
            if entry.nextVariant >= 0 {
                index[slot] = entry.nextVariant
            } else {
                index.remove(slot: slot)
            }
        } else {
            var previous = index[slot]
            while nodes[Int(previous)].nextVariant != node {
                previous = nodes[Int(previous)].nextVariant
            }
            nodes[Int(previous)].nextVariant = entry.nextVariant
        }
        if entry.isMain { main.remove(node, in: &nodes) } else { small.remove(node, in: &nodes) }
        bases.remove(entry.base)
        nodes[Int(node)] = StoreNode()
        nodes[Int(node)].nextVariant = freeNode
        freeNode = node
        counts.removals += 1
        return stored
    }

    /// Removes exactly `stored`, if it is still there.
    mutating func remove(_ stored: StoredResponse?, tag: UInt64) -> StoredResponse? {
        guard let stored else { return nil }
        var node = chain(tag, of: stored)
        while node >= 0 {
            if nodes[Int(node)].stored?.head === stored.head { return remove(node) }
            node = nodes[Int(node)].nextVariant
        }
        return nil
    }

    /// Puts `new` in the place of exactly `old`, of the same variant, if that is still there and alive.
    mutating func replace(
        _ old: StoredResponse, by new: StoredResponse, tag: UInt64
    ) -> [StoredResponse] {
        var node = chain(tag, of: old)
        while node >= 0 {
            let entry = nodes[Int(node)]
            if entry.stored === old && !isDead(entry) {
                // A new Vary: it may be another variant, which only a lookup of its own could place.
                if new.head.variant != old.head.variant { return [remove(node)].compactMap(\.self) }
                let left = replace(node, by: new)
                return [left] + evict(at: new.head.received)
            }
            node = entry.nextVariant
        }
        return []
    }

    /// Whether an entry was invalidated.
    func isDead(_ entry: StoreNode) -> Bool {
        guard let stored = entry.stored else { return true }
        return bases.isInvalid(entry.base, requested: stored.head.requested)
    }

    /// Removes all variants of `key`.
    mutating func removeAll(_ tag: UInt64, _ key: Span<UInt8>) -> [StoredResponse] {
        var left: [StoredResponse] = []
        while true {
            let node = chain(tag, key)
            guard node >= 0, let stored = remove(node) else { return left }
            left.append(stored)
        }
    }

    /// Makes the entries of all identities for a target dead.
    mutating func invalidate(base: UInt64, at now: MonotonicTime) {
        if bases.invalidate(base, at: now) { revision += 1 }
    }
}
