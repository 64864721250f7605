import Primitives

/// The patterns of a route table as a tree of segments in flat arrays.
///
///     /api/users     (0)            root ─ api ─┬─ users   ends [0]
///     /api/{id}      (1)                        └─ any     ends [1]
///     /**            (2)            root opens [2]
///
/// Each node knows the least route index at or below it: a subtree that cannot better what was found is
/// not entered. Built once per configuration, never changed.
struct SegmentTrie: Sendable {
    /// A place in the tree: the segments walked so far.
    struct Node: Sendable, BitwiseCopyable {
        /// The least route index at this node or below.
        var least = Int.max
        /// The least route index below this node.
        var leastBelow = Int.max
        /// The child for a segment of any text; 0, the root, means none.
        var any = 0
        /// Routes whose pattern ends here, as positions in `routes`.
        var ends = ByteRange.empty
        /// Routes with a `**` here.
        var opens = ByteRange.empty
    }

    /// The nodes; the root is the first.
    private(set) var nodes: [Node] = [Node()]
    /// Route indices, ascending within each node's range.
    private(set) var routes: [Int] = []
    let segments: SegmentTable
    /// An open hash table from (node, segment number) to child; key 0: empty slot.
    private var edgeKeys: [UInt64] = []
    private var edgeChildren: [Int] = []

    init(_ patterns: [PathPattern]) {
        var literals: Set<[UInt8]> = []
        for pattern in patterns {
            for case .literal(let text) in pattern.segments { literals.insert(text) }
        }
        segments = SegmentTable(literals)
        var edges: [UInt64: Int] = [:]
        var ends: [[Int]] = [[]]
        var opens: [[Int]] = [[]]
        for (index, pattern) in patterns.enumerated() {
            var node = 0
            nodes[node].least = min(nodes[node].least, index)
            for segment in pattern.segments {
                nodes[node].leastBelow = min(nodes[node].leastBelow, index)
                let known = child(of: node, segment, edges)
                let next = known ?? nodes.count
                if known == nil {
                    nodes.append(Node())
                    ends.append([])
                    opens.append([])
                    link(node, to: next, segment, &edges)
                }
                node = next
                nodes[node].least = min(nodes[node].least, index)
            }
            if pattern.endsOpen { opens[node].append(index) } else { ends[node].append(index) }
        }
        for node in nodes.indices {
            nodes[node].ends = list(ends[node])
            nodes[node].opens = list(opens[node])
        }
        fillEdgeTable(edges)
    }

    /// The child of `node` for the literal segment of `number`, or `nil`.
    @inline(__always)
    func child(of node: Int, literal number: Int) -> Int? {
        let key = SegmentTrie.key(node, number)
        let mask = edgeKeys.count - 1
        var slot = SegmentTrie.slot(key) & mask
        while edgeKeys[slot] != 0 {
            if edgeKeys[slot] == key { return edgeChildren[slot] }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private func child(
        of node: Int, _ segment: PathPattern.Segment, _ edges: [UInt64: Int]
    ) -> Int? {
        switch segment {
        case .any: nodes[node].any == 0 ? nil : nodes[node].any
        case .literal(let text):
            segments.number(of: text.span).flatMap { edges[SegmentTrie.key(node, $0)] }
        }
    }

    private mutating func link(
        _ node: Int, to next: Int, _ segment: PathPattern.Segment, _ edges: inout [UInt64: Int]
    ) {
        switch segment {
        case .any: nodes[node].any = next
        case .literal(let text):
            if let number = segments.number(of: text.span) {
                edges[SegmentTrie.key(node, number)] = next
            }
        }
    }

    private mutating func list(_ indices: [Int]) -> ByteRange {
        let start = routes.count
        routes += indices
        return ByteRange(start: start, count: indices.count)
    }

    private mutating func fillEdgeTable(_ edges: [UInt64: Int]) {
        var size = 4
        while size < edges.count * 2 { size *= 2 }
        edgeKeys = Array(repeating: 0, count: size)
        edgeChildren = Array(repeating: 0, count: size)
        for (key, child) in edges {
            var slot = SegmentTrie.slot(key) & (size - 1)
            while edgeKeys[slot] != 0 { slot = (slot + 1) & (size - 1) }
            edgeKeys[slot] = key
            edgeChildren[slot] = child
        }
    }

    /// Never 0: the segment's number counts from 1 here.
    private static func key(_ node: Int, _ number: Int) -> UInt64 {
        UInt64(node) << 32 | UInt64(number + 1)
    }

    private static func slot(_ key: UInt64) -> Int {
        Int((key &* 0x9E37_79B9_7F4A_7C15) >> 33)
    }
}
