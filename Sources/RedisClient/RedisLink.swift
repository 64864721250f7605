import EventLoop
import Primitives
import RedisWire

/// One connection: many commands are on their way at once, and replies come in their order.
///
///     send → output ──(end of the turn, one write)──► server
///     call ◄── pending, first in first out ◄── reader ◄── server
///
/// Reading and writing never wait for each other, so neither side can hold up the other one for good. A reply
/// whose call has given up is dropped in its turn.
final class RedisLink {
    private let stream: RedisStream
    private let loop: EventLoop
    private let output = ByteBuffer(capacity: 16 << 10)
    private var pending = PendingQueue()
    /// How long the server may say nothing and take nothing while commands are pending.
    private let patience: Nanoseconds
    /// When bytes came last.
    private var lastArrival: MonotonicTime
    /// When bytes came last, or were seen to have left.
    private var lastProgress: MonotonicTime
    /// Bytes of commands that were given to `output`, and how many of them had left when that was looked at.
    private var given = 0
    private var seenLeaving = 0

    /// Whether a call has timed out and nothing has come since: further ones would wait in vain.
    private(set) var isStalled = false
    private var willFlush = false
    private var isWriting = false

    /// Takes over a stream that is ready for commands.
    init(_ stream: RedisStream, patience: Nanoseconds) {
        self.stream = stream
        loop = stream.loop
        self.patience = patience
        lastArrival = stream.loop.now
        lastProgress = lastArrival
    }

    // MARK: Sending

    /// Whether there is room for one more command.
    func hasRoom(for command: RedisCommand) -> Bool {
        pending.count < Bounds.pendingCommands
            && unsent + command.byteCount <= Bounds.outputBytes
    }

    /// Bytes that the system has not taken.
    private var unsent: Int { output.count + stream.unsentBytes }

    /// Sends a command at the end of this turn; `call` gets its reply.
    func send(_ command: RedisCommand, for call: RedisCall?) {
        let before = output.count
        command.write(to: output)
        given += output.count - before
        let wasIdle = pending.isEmpty
        pending.append(PendingQueue.Entry(call: call, sent: loop.now))
        if wasIdle { stream.shortenReading(to: loop.now + patience) }
        guard !willFlush && !isWriting else { return }
        willFlush = true
        loop.atEndOfTurn { self.flush() }
    }

    private func flush() {
        willFlush = false
        guard stream.isOpen else { return }
        do throws(StreamError) {
            if try stream.writeNow(output) { return output.shrink(to: Bounds.idleOutputBytes) }
        } catch {
            // Whoever reads learns of the end, after the replies that came before it.
            return
        }
        isWriting = true
        loop.start { [self] in
            do throws(StreamError) {
                // What is sent meanwhile goes the same way. Commands are pending all the while, so whoever reads
                // notices a server that stands still.
                try await stream.write(output)
                output.shrink(to: Bounds.idleOutputBytes)
            } catch {}
            isWriting = false
        }
    }

    // MARK: Replies

    /// Reads replies until the connection ends, hands them to their calls and tells `node` of each; returns why
    /// it ended.
    func serve(_ node: RedisNode) async -> RedisError {
        var readInRow = 0
        while true {
            do throws(StreamError) {
                let n = try await stream.readSome(until: silenceDeadline)
                if n == 0 { return .closed }
                readInRow += n
            } catch {
                guard error == .timedOut, stream.isOpen else { return .closed }
                if given - unsent > seenLeaving { lastProgress = loop.now }
                seenLeaving = given - unsent
                if silenceDeadline <= loop.now { return .timedOut }
                continue
            }
            lastArrival = loop.now
            lastProgress = loop.now
            isStalled = false
            if let failure = deliver(to: node) { return failure }
            if readInRow >= Bounds.bytesPerTurn {
                readInRow = 0
                await Task.yield()
            }
        }
    }

    /// When the server has stood still for too long.
    private var silenceDeadline: MonotonicTime {
        guard let oldest = pending.first else { return .never }
        return max(oldest.sent, lastProgress) + patience
    }

    private func deliver(to node: RedisNode) -> RedisError? {
        var end: RedisError?
        do throws(ReplyFailure) {
            while let reply = try stream.nextArrived() {
                // A reply that nobody asked for: the peer and we do not agree on what is whose.
                guard let entry = pending.popFirst() else { return .malformed }
                let hasCaller = entry.call?.isAwaited ?? false
                if let why = node.noteReply(reply, sent: entry.sent, hasCaller: hasCaller) {
                    end = why
                }
                if case .error(let error) = reply {
                    entry.call?.finish(.failure(.server(error)))
                } else {
                    entry.call?.finish(.success(reply))
                }
            }
            return end
        } catch {
            return error == .tooLarge ? .tooLarge : .malformed
        }
    }

    /// Notes that a call that was sent at `sent` got no reply in time.
    func noteTimeout(sent: MonotonicTime) {
        if lastArrival <= sent { isStalled = true }
    }

    // MARK: The end

    /// Closes the connection and fails what is pending; returns how many commands that were.
    @discardableResult
    func close(_ reason: RedisError) -> Int {
        stream.close()
        let lost = pending.count
        // The oldest one meets the reason; the others only what came of it.
        let first = pending.popFirst()
        first?.call?.finish(.failure(reason))
        while let entry = pending.popFirst() { entry.call?.finish(.failure(.closed)) }
        return lost
    }
}
