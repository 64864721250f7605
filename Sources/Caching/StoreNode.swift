import Primitives

/// An entry's place in a shard: its variants' chain, its queue and whether it was used.
struct StoreNode {
    /// The answer; `nil`: the node is free.
    var stored: StoredResponse?
    /// What the answer and its encoded variants cost of the budget, in bytes.
    var cost = 0
    /// The low word of the key's digest.
    var tag: UInt64 = 0
    /// What the entries of all identities for one target share; 0: the key has no identity.
    var base: UInt64 = 0
    /// The shard's revision when it was last compared with what was purged.
    var checked: UInt64 = 0
    /// Until when the origin is not asked again after it failed.
    var heldUntil = MonotonicTime(nanoseconds: 0)
    /// The next variant of the same key, or −1. In a free node the next free one.
    var nextVariant: Int32 = -1
    /// The neighbour that entered the queue later, or −1.
    var newer: Int32 = -1
    /// The neighbour that entered the queue earlier, or −1.
    var older: Int32 = -1
    /// Hits since they were taken last.
    var hits: UInt32 = 0
    /// Whether it was used since it entered its queue or was let stay. One use is remembered and not how many: with
    /// counts to three, what was popular outlives its time, and traffic that moves on hits less often than with LRU
    /// (`bench/store`).
    var isUsed = false
    /// Whether it stands in the main queue.
    var isMain = false
    /// Whether it was let stay for once because it may be served in place of an error.
    var isSpared = false
    /// Whether the answer depends on fields of the request.
    var isVaried = false

    /// Whether no other variant can be the right one.
    @inline(__always) var isAlone: Bool { nextVariant < 0 && !isVaried }
}

/// A queue of nodes, linked through them: entries join at the newest end and leave at the oldest.
struct NodeQueue {
    private(set) var newest: Int32 = -1
    private(set) var oldest: Int32 = -1
    /// The cost of all its entries.
    var bytes = 0

    mutating func append(_ node: Int32, in nodes: inout [StoreNode]) {
        nodes[Int(node)].older = newest
        nodes[Int(node)].newer = -1
        if newest >= 0 { nodes[Int(newest)].newer = node } else { oldest = node }
        newest = node
        bytes += nodes[Int(node)].cost
    }

    mutating func remove(_ node: Int32, in nodes: inout [StoreNode]) {
        let (older, newer) = (nodes[Int(node)].older, nodes[Int(node)].newer)
        if older >= 0 { nodes[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { nodes[Int(newer)].older = older } else { newest = older }
        bytes -= nodes[Int(node)].cost
    }
}
