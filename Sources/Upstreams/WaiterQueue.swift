import EventLoop

/// Requests that wait for a connection, first come, first served.
struct WaiterQueue {
    private var waiting: [(ticket: UInt64, waiter: Waiter)] = []
    private var nextTicket: UInt64 = 0

    var count: Int { waiting.count }

    mutating func append(_ waiter: Waiter) -> UInt64 {
        nextTicket += 1
        waiting.append((nextTicket, waiter))
        return nextTicket
    }

    mutating func remove(_ ticket: UInt64) {
        waiting.removeAll { $0.ticket == ticket }
    }

    /// Wakes the one that waits longest. It stays in the queue until it has run, so a second wake-up that
    /// comes before would be lost on it: it is taken out here.
    mutating func wakeFirst() {
        guard !waiting.isEmpty else { return }
        waiting.removeFirst().waiter.wake()
    }
}
