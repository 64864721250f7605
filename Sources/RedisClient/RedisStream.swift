import EventLoop
import Primitives
import RedisWire
import Settings
import TLSEngine

/// The bytes of one connection as commands and replies.
final class RedisStream {
    private let stream: ByteStream
    /// TLS over `stream`, agreed upon; `nil`: none.
    private let tls: TLSStream?
    /// Why TLS broke, for those who look for the reason of an end.
    private var tlsFailure: TLSFailure?
    /// The server it leads to.
    var place: RedisSettings.Place?
    private let reader = RedisReader()
    private let input = ByteBuffer(capacity: 16 << 10)

    /// Takes over a connected stream, with `tls` over it if there is any.
    init(_ stream: ByteStream, _ tls: TLSStream? = nil) {
        self.stream = stream
        self.tls = tls
    }

    var loop: EventLoop { stream.loop }
    var isOpen: Bool { stream.isOpen }

    /// Closes the connection; waits on it end.
    func close() { stream.close() }

    // MARK: Commands

    /// Bytes that were consumed and that the system has not taken.
    var unsentBytes: Int { tls?.unsentBytes ?? 0 }

    /// Writes what fits of `output` without waiting and consumes it; whether that was all.
    func writeNow(_ output: ByteBuffer) throws(StreamError) -> Bool {
        guard let tls else { return try stream.writeNow(output) }
        do throws(TLSStreamError) {
            return try tls.writeNow(output)
        } catch {
            throw note(error)
        }
    }

    /// Writes all of `output`, also what is appended meanwhile, and consumes it.
    ///
    /// The server must take 32 KiB, or the rest, within `patience`; `forever` where whoever reads decides.
    func write(_ output: ByteBuffer, patience: Nanoseconds = .forever) async throws(StreamError) {
        guard let tls else { return try await stream.write(output, patience: patience) }
        do throws(TLSStreamError) {
            try await tls.write(output, patience: patience)
        } catch {
            throw note(error)
        }
    }

    private func note(_ error: TLSStreamError) -> StreamError {
        switch error {
        case .stream(let error): return error
        case .closedEarly: return .closedByPeer
        case .tls(let failure):
            tlsFailure = failure
            return .closedByPeer
        }
    }

    private func read(until deadline: MonotonicTime) async throws(StreamError) -> Int {
        guard let tls else { return try await stream.read(into: input, until: deadline) }
        do throws(TLSStreamError) {
            return try await tls.read(into: input, until: deadline)
        } catch {
            throw note(error)
        }
    }

    // MARK: Replies

    /// The next reply of those that have arrived; `nil` when it is not whole yet.
    func nextArrived() throws(ReplyFailure) -> RedisReply? { try reader.next() }

    /// Reads what is there, waiting for the first byte; returns how many bytes, 0 at the end.
    func readSome(until deadline: MonotonicTime) async throws(StreamError) -> Int {
        let n = try await read(until: deadline)
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
                throw tlsFailure.map(RedisConnectFailure.tls) ?? RedisConnectFailure(error)
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
            try await write(output, patience: deadline - loop.now)
        } catch {
            throw RedisConnectFailure(error)
        }
        var replies: [RedisReply] = []
        while replies.count < commands.count { replies.append(try await next(until: deadline)) }
        return replies
    }
}
