/// What Weir's store is measured against: least recently used, weighted by bytes.
///
///     head ◄─► … ◄─► tail      the tail leaves when the budget is spent
struct LeastRecentlyUsed {
    private struct Node {
        var number: UInt64
        var cost: Int
        var newer: Int32
        var older: Int32
    }

    private var nodes: [Node] = []
    private var places: [UInt64: Int32] = [:]
    private var free: [Int32] = []
    private var newest: Int32 = -1
    private var oldest: Int32 = -1
    private var bytes = 0
    private let budget: Int

    init(bytes: Int) { budget = bytes }

    /// Whether `number` is held; it is then the most recently used.
    mutating func has(_ number: UInt64) -> Bool {
        guard let place = places[number] else { return false }
        unlink(place)
        link(place)
        return true
    }

    mutating func put(_ number: UInt64, cost: Int) {
        let node = Node(number: number, cost: cost, newer: -1, older: -1)
        let place: Int32
        if let reused = free.popLast() {
            place = reused
            nodes[Int(place)] = node
        } else {
            place = Int32(nodes.count)
            nodes.append(node)
        }
        places[number] = place
        link(place)
        bytes += cost
        while bytes > budget {
            let last = oldest
            unlink(last)
            bytes -= nodes[Int(last)].cost
            places[nodes[Int(last)].number] = nil
            free.append(last)
        }
    }

    private mutating func link(_ place: Int32) {
        nodes[Int(place)].older = newest
        nodes[Int(place)].newer = -1
        if newest >= 0 { nodes[Int(newest)].newer = place } else { oldest = place }
        newest = place
    }

    private mutating func unlink(_ place: Int32) {
        let (newer, older) = (nodes[Int(place)].newer, nodes[Int(place)].older)
        if older >= 0 { nodes[Int(older)].newer = newer } else { oldest = newer }
        if newer >= 0 { nodes[Int(newer)].older = older } else { newest = older }
    }
}
