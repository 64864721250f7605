import EventLoop
import Primitives
import RedisWire

/// The bytes of one connection as commands and replies.
final class RedisStream {
    private let stream: ByteStream
    private let reader = RedisReader()
    private let input = ByteBuffer(capacity: 16 << 10)

    /// Takes over a connected stream.
    init(_ stream: ByteStream) { self.stream = stream }

    var loop: EventLoop { stream.loop }
    var isOpen: Bool { stream.isOpen }

    /// Closes the connection; waits on it end.
    func close() { stream.close() }

    // MARK: Commands

    /// Writes what fits of `output` without waiting and consumes it; whether that was all.
    func writeNow(_ output: ByteBuffer) throws(StreamError) -> Bool { try stream.writeNow(output) }

    /// Writes all of `output`, also what is appended meanwhile, and consumes it. Whoever reads decides how long
    /// that may take.
    func write(_ output: ByteBuffer) async throws(StreamError) {
        try await stream.write(output, patience: .forever)
    }

    // MARK: Replies

    /// The next reply of those that have arrived; `nil` when it is not whole yet.
    func nextArrived() throws(ReplyFailure) -> RedisReply? { try reader.next() }

    /// Reads what is there, waiting for the first byte; returns how many bytes, 0 at the end.
    func readSome(until deadline: MonotonicTime) async throws(StreamError) -> Int {
        let n = try await stream.read(into: input, until: deadline)
        let arrived = input
        reader.feed(arrived.readable)
        input.removeAll()
        return n
    }

    /// Makes the wait of the reading task, if there is one, end at `deadline` at the latest.
    func shortenReading(to deadline: MonotonicTime) { stream.shortenReading(to: deadline) }

    /// Waits for the next reply.
    func next(until deadline: MonotonicTime) async throws(RedisConnectFailure) -> RedisReply {
        while true {
            do throws(ReplyFailure) {
                if let reply = try reader.next() { return reply }
            } catch {
                throw .malformed
            }
            let n: Int
            do throws(StreamError) {
                n = try await readSome(until: deadline)
            } catch {
                throw RedisConnectFailure(error)
            }
            if n == 0 { throw .closed }
        }
    }

    /// Sends `commands` in one write and returns as many replies; nothing else may be on its way.
    func ask(
        _ commands: [RedisCommand], until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> [RedisReply] {
        let output = ByteBuffer(capacity: 512)
        for command in commands { command.write(to: output) }
        do throws(StreamError) {
            try await stream.write(output, patience: deadline - loop.now)
        } catch {
            throw RedisConnectFailure(error)
        }
        var replies: [RedisReply] = []
        while replies.count < commands.count { replies.append(try await next(until: deadline)) }
        return replies
    }
}
