import Primitives

/// The commands of one connection that are sent and not answered, in order: a ring that doubles when full.
struct PendingQueue {
    /// One of them.
    struct Entry {
        /// Who waits for the reply; `nil`: nobody.
        var call: RedisCall?
        /// When it was handed over for sending.
        var sent: MonotonicTime
    }

    private var ring: [Entry?] = Array(repeating: nil, count: 64)
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var first: Entry? { count > 0 ? ring[head] : nil }

    mutating func append(_ entry: Entry) {
        if count == ring.count { grow() }
        ring[(head + count) & (ring.count - 1)] = entry
        count += 1
    }

    mutating func popFirst() -> Entry? {
        guard count > 0 else { return nil }
        let entry = ring[head]
        ring[head] = nil
        head = (head + 1) & (ring.count - 1)
        count -= 1
        return entry
    }

    private mutating func grow() {
        // A power of two stays one.
        var wider = [Entry?](repeating: nil, count: ring.count * 2)
        for i in 0..<count { wider[i] = ring[(head + i) & (ring.count - 1)] }
        ring = wider
        head = 0
    }
}
