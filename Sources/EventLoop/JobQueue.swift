/// A first-in, first-out ring of jobs that doubles when full and never shrinks.
struct JobQueue {
    private var ring: [UnownedJob?] = Array(repeating: nil, count: 256)
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ job: UnownedJob) {
        if count == ring.count { grow() }
        ring[(head + count) & (ring.count - 1)] = job
        count += 1
    }

    mutating func popFirst() -> UnownedJob? {
        guard count > 0 else { return nil }
        let job = ring[head]
        head = (head + 1) & (ring.count - 1)
        count -= 1
        return job
    }

    private mutating func grow() {
        // A power of two stays one.
        var wider = [UnownedJob?](repeating: nil, count: ring.count * 2)
        for i in 0..<count { wider[i] = ring[(head + i) & (ring.count - 1)] }
        ring = wider
        head = 0
    }
}
