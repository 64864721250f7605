import EventLoop
import Primitives
public import RedisWire

/// What a call ends with.
public typealias RedisResult = Result<RedisReply, RedisError>

/// One command that somebody waits for, until its deadline.
final class RedisCall: TimedObject {
    let command: RedisCommand
    let deadline: MonotonicTime
    /// When it was handed to a connection; before that, when it was made.
    var sent: MonotonicTime
    /// Whether the server is told that it was named by another one, whose slot moves.
    var isAsking = false
    /// Whether a request waits for it. What is only written behind them tells less when it is refused.
    var isAwaited = true
    /// Who learns of its deadline.
    private weak var node: RedisNode?
    private var done: ((RedisResult) -> Void)?

    init(
        _ command: RedisCommand, began: MonotonicTime, deadline: MonotonicTime,
        _ done: @escaping (RedisResult) -> Void
    ) {
        self.command = command
        sent = began
        self.deadline = deadline
        self.done = done
    }

    /// Whether somebody still waits.
    var isOpen: Bool { done != nil }

    /// Begins to wait for what becomes of it at `node`.
    func wait(at node: RedisNode) {
        self.node = node
        if deadline != .never { node.loop.arm(self, at: deadline) }
    }

    /// Tells the caller, once; later results are dropped.
    func finish(_ result: RedisResult) {
        guard let done else { return }
        self.done = nil
        node?.loop.disarm(self)
        done(result)
    }

    override func timerFired(_ loop: EventLoop) {
        guard isOpen else { return }
        node?.noteTimeout(of: self)
        finish(.failure(.timedOut))
    }
}
