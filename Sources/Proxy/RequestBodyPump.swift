import EventLoop
import HTTP1
import HTTPModel
import Primitives
import Settings
import Upstreams

/// Sends a request's head and body upstream while the answer may already come, as a task of its own.
///
/// Back-pressure is the two sockets': it reads the next part when the last one was taken.
final class RequestBodyPump {
    /// How it ended.
    enum End: Sendable, BitwiseCopyable, Equatable {
        case running
        /// All was sent.
        case complete
        /// The origin takes no more; it may have answered.
        case originClosed
        /// The origin stopped reading.
        case originStalled
        /// The client went, stalled, or sent too much or nonsense.
        case clientGone
        case clientStalled
        case tooLarge
        case malformed
    }

    private(set) var end = End.running
    private let connection: DownstreamConnection
    private let exchange: Exchange
    private let upstream: UpstreamConnection
    private let pause: Nanoseconds
    private let firstByte: Nanoseconds
    private let finished: Waiter
    private var sent: UInt64 = 0
    private var isStopped = false

    init(
        _ connection: DownstreamConnection, _ exchange: Exchange, to upstream: UpstreamConnection,
        pause: Nanoseconds, firstByte: Nanoseconds
    ) {
        self.connection = connection
        self.exchange = exchange
        self.upstream = upstream
        self.pause = pause
        self.firstByte = firstByte
        finished = Waiter(connection.worker.loop)
    }

    var isRunning: Bool { end == .running }

    func start() {
        connection.worker.loop.start { [self] in
            end = await run()
            switch end {
            case .running, .originClosed: break
            case .complete: upstream.setHeadDeadline(connection.now + firstByte)
            case .originStalled, .clientGone, .clientStalled, .tooLarge, .malformed:
                // Whoever waits for the answer learns that none will come.
                upstream.stream.abort()
            }
            finished.wake()
        }
    }

    /// Ends it where it is, and waits until it has ended.
    func stop() async {
        guard isRunning else { return }
        isStopped = true
        upstream.stream.abort()
        connection.stream.interruptReading()
        while isRunning { _ = await finished.wait(until: .never) }
    }

    /// What the client is told when the pump made the exchange fail; `nil` when it did not.
    var rejection: Rejection? {
        switch end {
        case .running, .complete, .originClosed: nil
        case .originStalled: .upstream(.idleTimeout)
        case .clientGone: .upstream(.aborted)
        case .clientStalled: .bodyTimeout
        case .tooLarge: .bodyTooLarge
        case .malformed: .malformedBody
        }
    }

    private func run() async -> End {
        let isChunked = exchange.request.framing == .chunked
        var pace = Pace(patience: connection.http.idleTimeout, bytesMin: Bounds.bodyProgress)
        // What was read before the verdict, and is too much to be held.
        let before = exchange.content.bytes.count
        if before > 0 {
            sent = UInt64(before)
            if let failure = await pass(exchange.content.bytes, before, isChunked) {
                return failure
            }
        }
        while true {
            let arrived = exchange.input
            guard let step = try? exchange.body.next(arrived.readable) else {
                return .malformed
            }
            switch step {
            case .data(let range, let consumed):
                exchange.input.consume(Int(range.start))
                sent += UInt64(range.count)
                if sent > connection.http.bodyBytes { return .tooLarge }
                let failure = await pass(exchange.input, Int(range.count), isChunked)
                exchange.input.consume(consumed - range.end)
                if let failure { return failure }
            case .needsMore(let consumed):
                exchange.input.consume(consumed)
                if let failure = await flush() { return failure }
                if exchange.input.isEmpty,
                    let pipe = connection.worker.pipes.take(forBodyOf: exchange.body.plainRest)
                {
                    if let failure = await passRest(through: pipe, &pace) { return failure }
                    continue
                }
                if let failure = await readMore(&pace) { return failure }
            case .end(let consumed):
                exchange.input.consume(consumed)
                if isChunked {
                    ForwardedHead.appendLastChunk(
                        trailers: exchange.body.trailers, connection.snapshot.blueprint,
                        to: exchange.forwarded)
                }
                return await flush() ?? .complete
            }
        }
    }

    /// Sends what is pending and then `count` bytes of `input`, which are consumed.
    private func pass(_ input: ByteBuffer, _ count: Int, _ isChunked: Bool) async -> End? {
        if isChunked { HTTP1Writer.appendChunkHeader(size: count, to: exchange.forwarded) }
        do {
            try await upstream.stream.write(
                exchange.forwarded, input, count: count, patience: pause)
        } catch {
            return error == .timedOut ? .originStalled : .originClosed
        }
        if isChunked { HTTP1Writer.appendChunkEnd(to: exchange.forwarded) }
        return nil
    }

    /// Sends the rest of a body of known length: its bytes do not come into the process.
    private func passRest(through pipe: SplicePipe, _ pace: inout Pace) async -> End? {
        defer { connection.worker.pipes.giveBack(pipe) }
        while exchange.body.plainRest > 0 {
            if let failure = await readMore(&pace, into: pipe) { return failure }
            do {
                try await upstream.stream.write(pipe, patience: pause)
            } catch {
                return error == .timedOut ? .originStalled : .originClosed
            }
        }
        return nil
    }

    private func flush() async -> End? {
        do {
            try await upstream.stream.write(exchange.forwarded, patience: pause)
            return nil
        } catch {
            return error == .timedOut ? .originStalled : .originClosed
        }
    }

    /// Reads what comes next: into `pipe` where there is one, else into the input.
    private func readMore(_ pace: inout Pace, into pipe: SplicePipe? = nil) async -> End? {
        // It was already woken when it was told to stop.
        if isStopped { return .originClosed }
        do {
            let deadline = pace.deadline(from: connection.now)
            let n: Int
            if let pipe {
                let most = Int(clamping: exchange.body.plainRest)
                n = try await connection.stream.read(into: pipe, atMost: most, until: deadline)
                exchange.body.skip(n)
                sent += UInt64(n)
            } else {
                n = try await connection.stream.read(into: exchange.input, until: deadline)
            }
            pace.note(n)
            return n == 0 ? .clientGone : nil
        } catch {
            return error == .timedOut ? .clientStalled : .clientGone
        }
    }
}
