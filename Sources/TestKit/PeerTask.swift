import Primitives

/// A script that runs in the simulation, and how it ended.
public final class PeerTask: Sendable {
    private enum State: Sendable {
        case running
        case finished
        case failed(String)
    }

    private let state = Guarded(State.running)
    private let replay: String

    init(replay: String) { self.replay = replay }

    /// Whether the script has returned or thrown.
    public var isFinished: Bool {
        state.withLock { if case .running = $0 { false } else { true } }
    }

    /// What the script threw, with the command that replays it; `nil` when it returned or still
    /// runs.
    public var failure: String? {
        state.withLock { if case .failed(let text) = $0 { text } else { nil } }
    }

    /// What went wrong: the failure, or that the script never ended. `nil` when it returned.
    public var problem: String? {
        state.withLock {
            switch $0 {
            case .finished: nil
            case .failed(let text): text
            case .running: "\(replay): still waiting"
            }
        }
    }

    func finish(_ error: (any Error)?) {
        state.withLock {
            if let error { $0 = .failed("\(replay): \(error)") } else { $0 = .finished }
        }
    }
}

/// A value that a script leaves for its test to look at.
public final class Probe<Value: Sendable>: Sendable {
    private let held: Guarded<Value>

    /// Creates a probe that holds `value`.
    public init(_ value: Value) { held = Guarded(value) }

    /// What it holds now.
    public var value: Value {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }

    /// Changes the value in place.
    public func update(_ change: (inout Value) -> Void) {
        held.withLock { change(&$0) }
    }
}
