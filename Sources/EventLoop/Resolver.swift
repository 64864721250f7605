public import Primitives

extension EventLoop {
    /// Resolves a host name on a thread of its own, without holding the loop up.
    ///
    /// - Returns: At most 16 addresses; none when the name is unknown or `deadline` came first.
    public func resolve(_ name: String, until deadline: MonotonicTime) async -> [IPAddress] {
        let lookup = Lookup(name: name, waiter: Waiter(self))
        let kernel = kernel
        kernel.startThread { lookup.run(kernel) }
        while true {
            if let addresses = lookup.result.withLock({ $0 }) { return addresses }
            if await lookup.waiter.wait(until: deadline) != .ready { return [] }
        }
    }
}

/// One question to the system's resolver, and its answer.
private final class Lookup: Sendable {
    let result = Guarded<[IPAddress]?>(nil)
    let waiter: Waiter
    private let name: String

    init(name: String, waiter: Waiter) {
        self.name = name
        self.waiter = waiter
    }

    func run(_ kernel: Kernel) {
        let addresses = kernel.resolve(name)
        result.withLock { $0 = addresses }
        waiter.wake()
    }
}
