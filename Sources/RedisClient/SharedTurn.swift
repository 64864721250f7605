import EventLoop
import Limits
import Primitives
import RedisWire

/// The questions that travel in one call, mostly those of one turn of the loop, and who waits for their answer. It is used again by a
/// later turn, with all its memory, when everybody has read the answer.
final class SharedTurn: ScriptCall {
    /// The slot of its keys.
    private(set) var slot = 0
    /// One deadline after its first question.
    private(set) var deadline = MonotonicTime.never
    var batch = SharedLimitBatch()
    private(set) var isOver = false
    private var isAnswered = false
    private var answer = SharedLimitReply()
    /// One for each of those that wait, and perhaps more from earlier turns.
    private var waiters: [Waiter] = []
    private var asking = 0
    private var reading = 0
    /// Whose turn it is, from its first question to the last look at its answer.
    private var limiter: SharedLimiter?

    private static let script = RedisScript(SharedLimitScript.text)

    /// Begins anew.
    func begin(_ slot: Int, until deadline: MonotonicTime, of limiter: SharedLimiter) {
        self.limiter = limiter
        self.slot = slot
        self.deadline = deadline
        batch.removeAll()
        isOver = false
        isAnswered = false
        asking = 0
        reading = 0
    }

    /// What one more task waits with for the end. It may be woken before, by what was meant for an earlier turn.
    func waiter(on loop: EventLoop) -> Waiter {
        if asking == waiters.count { waiters.append(Waiter(loop)) }
        asking += 1
        reading += 1
        return waiters[asking - 1]
    }

    /// The answer, for one of those that have waited; `nil`: there is none.
    func read() -> SharedLimitReply? {
        let answer = isAnswered ? answer : nil
        reading -= 1
        if reading == 0 { giveBack() }
        return answer
    }

    override func command(byName: Bool) -> RedisCommand {
        // Read once, so that its keys can be lent.
        let batch = batch
        // What is said of each key's and argument's length.
        let lengths = 16 * (batch.keyCount + 1)
        var command = Self.script.begin(
            byName: byName, keys: batch.keyCount,
            reserving: batch.keyByteCount + batch.argumentByteCount + lengths)
        for index in 0..<batch.keyCount { command.append(key: batch.key(at: index)) }
        command.append(bytes: batch.argumentByteCount) { batch.appendArgument(to: &$0) }
        return command
    }

    /// Hands the answer to all that wait.
    override func end(_ result: RedisResult) {
        if case .success(let reply) = result, let bytes = reply.bytes {
            isAnswered = answer.read(bytes.span, levels: batch.levels)
        }
        isOver = true
        limiter?.callEnded()
        for index in 0..<asking { waiters[index].wake() }
        if reading == 0 { giveBack() }
    }

    private func giveBack() {
        limiter?.takeBack(self)
        limiter = nil
    }
}
