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

    /// Takes `ticket` out; `false` when it was woken: then it was its turn.
    mutating func remove(_ ticket: UInt64) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Wakes the one that waits longest, whose turn it is; `false` when none waits. It is taken out here: a
    /// second wake-up before it has run would be lost on it.
    mutating func wakeFirst() -> Bool {
        guard !waiting.isEmpty else { return false }
        waiting.removeFirst().waiter.wake()
        return true
    }
}
