public import Primitives

/// A listening peer: every connection runs its script.
public final class SimulatedOrigin: Sendable {
    /// Where it listens.
    public var address: SocketAddress { state.withLock { $0.address } }

    private struct State: Sendable {
        var address = SocketAddress.unix("")
        var accepted = 0
        var open = 0
        var failures: [String] = []
        var close: @Sendable () -> Void = {}
    }

    private let state = Guarded(State())
    private let replay: String

    init(replay: String) { self.replay = replay }

    /// Connections accepted so far.
    public var accepted: Int { state.withLock { $0.accepted } }
    /// Scripts that still run.
    public var open: Int { state.withLock { $0.open } }
    /// What scripts threw, with the command that replays it. Under faults that is no wonder.
    public var failures: [String] { state.withLock { $0.failures } }

    /// Stops listening; connections that are open go on. On the simulation's thread.
    public func close() { state.withLock { $0.close }() }

    func setClose(_ close: @escaping @Sendable () -> Void) { state.withLock { $0.close = close } }
    func setAddress(_ address: SocketAddress) { state.withLock { $0.address = address } }

    func begin() -> Int {
        state.withLock {
            $0.accepted += 1
            $0.open += 1
            return $0.accepted
        }
    }

    func end(_ number: Int, _ error: (any Error)?) {
        state.withLock {
            $0.open -= 1
            if let error { $0.failures.append("\(replay): connection \(number): \(error)") }
        }
    }
}
