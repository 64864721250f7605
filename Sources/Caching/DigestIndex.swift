import Primitives

/// A hash table from the keyed digest of a key to the first node of its variants.
///
///     tags   [ – ][ 9f3… ][ 07a… ][ – ]      the low word of the digest
///     nodes  [-1 ][  17  ][   4  ][-1 ]
///
/// Open addressing with linear probing and backward shifts: no tombstones, 12 bytes a slot, at most 70 %
/// full. The digest is keyed, so clients cannot build collisions; the caller compares keys in full.
struct DigestIndex {
    private var tags: [UInt64]
    private var nodes: [Int32]
    private(set) var count = 0

    init(capacity: Int = 64) {
        tags = Array(repeating: 0, count: capacity)
        nodes = Array(repeating: -1, count: capacity)
    }

    private var mask: Int { nodes.count - 1 }
    private func home(_ tag: UInt64) -> Int { Int(truncatingIfNeeded: tag >> 8) & mask }

    /// The first slot at or after `slot` in probing order that holds `tag`, or `nil`.
    func slot(of tag: UInt64, from slot: Int? = nil) -> Int? {
        var i = slot ?? home(tag)
        while nodes[i] >= 0 {
            if tags[i] == tag { return i }
            i = (i + 1) & mask
        }
        return nil
    }

    /// The slot after `slot` in probing order.
    func next(after slot: Int) -> Int { (slot + 1) & mask }

    subscript(slot: Int) -> Int32 {
        get { nodes[slot] }
        set { nodes[slot] = newValue }
    }

    mutating func insert(_ tag: UInt64, _ node: Int32) {
        if (count + 1) * 10 > nodes.count * 7 { grow() }
        place(tag, node)
        count += 1
    }

    mutating func remove(slot: Int) {
        var hole = slot
        var i = next(after: slot)
        while nodes[i] >= 0 {
            // An entry may move into the hole unless its home lies behind the hole.
            let distance = (i &- home(tags[i])) & mask
            if distance >= (i &- hole) & mask {
                tags[hole] = tags[i]
                nodes[hole] = nodes[i]
                hole = i
            }
            i = next(after: i)
        }
        nodes[hole] = -1
        count -= 1
    }

    private mutating func place(_ tag: UInt64, _ node: Int32) {
        var i = home(tag)
        while nodes[i] >= 0 { i = next(after: i) }
        tags[i] = tag
        nodes[i] = node
    }

    private mutating func grow() {
        let old = (tags, nodes)
        tags = Array(repeating: 0, count: old.0.count * 2)
        nodes = Array(repeating: -1, count: old.0.count * 2)
        for i in old.1.indices where old.1[i] >= 0 { place(old.0[i], old.1[i]) }
    }
}
