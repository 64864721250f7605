public import EventLoop
import HTTP1
public import HTTPModel
public import Primitives

/// One connection to an origin server: leased for one exchange after the other, idle in between.
///
/// While idle it is closed as soon as the origin closes it: `abort` is what its stream calls then.
public final class UpstreamConnection: TimedObject {
    /// The head of the answer that was read last.
    public var response: ResponseHead { _read { yield lentResponse.value } }
    /// Its status. Between two waits `response.status` would need memory for the head that is lent.
    public var status: Status { lentResponse.value.status }
    private var lentResponse = Lent(ResponseHead())
    /// Bytes of the answer that have arrived and are not yet used.
    public let input = ByteBuffer(capacity: Bounds.inputBytes)
    /// The socket.
    public let stream: ByteStream
    /// Whether an exchange has ended well on it before this one.
    public internal(set) var isReused = false

    /// By when the head of the answer must be there: `never` while the request is being sent, `nil` between
    /// exchanges.
    @usableFromInline private(set) var headDeadline: MonotonicTime?

    /// The origin server's own name, as configured.
    public let authority: [UInt8]

    let server: Server
    let created: MonotonicTime
    var idleSince: MonotonicTime
    /// Whether it waits in its pool for an exchange.
    var isIdle = false
    // Its pool holds it while it is idle, and the exchange holds both until then.
    private unowned let pool: UpstreamPool
    private var parser: ResponseParser
    private var decoder = BodyDecoder(.none)
    /// Whether the last read found as much as fits: a large body flows.
    private var hasFilledInput = false
    /// Whether an interim answer came: the origin has seen the request.
    private var hasBegun = false

    init(
        stream: ByteStream, pool: UpstreamPool, server: Server, now: MonotonicTime
    ) {
        self.stream = stream
        self.pool = pool
        authority = server.authority
        self.server = server
        created = now
        idleSince = now
        parser = ResponseParser(bounds: Bounds.responseHead)
        super.init()
    }

    /// Ends an idle connection that its origin has closed.
    override public func abort() {
        if isIdle { pool.discardIdle(self) }
    }

    // MARK: Answer

    /// Reads the next head of the answer to a request of `method` into `response`: an interim one (1xx), or
    /// the final one, after which the body follows.
    ///
    /// The whole head must be there at `deadline`; a task that still sends the request gives `.never` here
    /// and calls `setHeadDeadline` when it has ended. As the wait in it, it has no frame beside that of its caller.
    @inlinable
    @inline(__always)
    public func readHead(
        for method: Method, until deadline: MonotonicTime
    ) async throws(UpstreamError) {
        awaitHead(until: deadline)
        while try !takeHead(for: method) {
            do {
                try await stream.waitReadable(until: headDeadline ?? deadline)
                try readNow()
            } catch {
                throw headFailure(error)
            }
        }
    }

    @usableFromInline
    func awaitHead(until deadline: MonotonicTime) {
        if headDeadline == nil { headDeadline = deadline }
    }

    /// Takes the next head from what has arrived; `false` when it is not whole yet.
    @usableFromInline
    func takeHead(for method: Method) throws(UpstreamError) -> Bool {
        guard try parseHead(for: method) else { return false }
        hasBegun = response.status.isInformational
        if response.status == 101 { throw .unexpectedUpgrade }
        if response.status.isInformational { return true }
        headDeadline = nil
        decoder.begin(response.framing)
        return true
    }

    /// Reads what is there without waiting.
    @usableFromInline
    func readNow() throws(StreamError) {
        let n = try stream.readNow(into: input)
        hasFilledInput = input.count == input.capacity
        if n == 0 { throw .closedByPeer }
    }

    /// Why there is no head.
    @usableFromInline
    func headFailure(_ error: StreamError) -> UpstreamError {
        UpstreamConnection.failure(
            error, late: .firstByteTimeout, hadBytes: hasBegun || !input.isEmpty)
    }

    /// Lends the head of the answer as a whole, so that nothing of it is copied.
    @inline(__always)
    public func lendResponse<Result>(_ body: (borrowing ResponseHead) -> Result) -> Result {
        lentResponse.lend(body)
    }

    /// Sets the deadline of the head that is being waited for.
    public func setHeadDeadline(_ deadline: MonotonicTime) {
        headDeadline = deadline
        stream.shortenReading(to: deadline)
    }

    private func parseHead(for method: Method) throws(UpstreamError) -> Bool {
        let arrived = input
        guard !arrived.isEmpty else { return false }
        do {
            guard
                let consumed = try parser.parse(
                    arrived.readable, for: method, into: &lentResponse.value)
            else { return false }
            input.consume(consumed)
            return true
        } catch {
            throw .malformedAnswer
        }
    }

    /// A part of the answer's body.
    public enum BodyPart: Sendable, BitwiseCopyable {
        /// The first `count` bytes of `input` belong to the body. Use them, then consume them.
        case data(count: Int)
        /// The body has ended; the connection is ready for another exchange if `canBeReused`.
        case end
    }

    /// Reads more of the body; call it when `decodedPart` has nothing.
    public func readMore(pause: Nanoseconds) async throws(UpstreamError) {
        if hasFilledInput { input.reserve(Bounds.largeRead) }
        let n: Int
        do {
            n = try await stream.read(into: input, until: stream.loop.now + pause)
        } catch {
            throw UpstreamConnection.failure(error, late: .idleTimeout, hadBytes: true)
        }
        hasFilledInput = input.count == input.capacity
        if n == 0 {
            do { try decoder.endOfInput() } catch { throw .closedInsideAnswer }
        }
    }

    /// The next part of the body among the bytes that have arrived; `nil` when more must be read.
    ///
    /// The bytes of a part lie at the beginning of `input`; framing before them has been consumed.
    public func decodedPart() throws(UpstreamError) -> BodyPart? {
        if decoder.isComplete { return .end }
        let arrived = input
        let step: BodyDecoder.Step
        do { step = try decoder.next(arrived.readable) } catch { throw .malformedAnswer }
        switch step {
        case .data(let range, _):
            input.consume(Int(range.start))
            return .data(count: Int(range.count))
        case .needsMore(let consumed):
            input.consume(consumed)
            return nil
        case .end(let consumed):
            input.consume(consumed)
            return .end
        }
    }

    /// Bytes of the body that have not arrived and have no framing between them.
    public var plainRest: UInt64 { input.isEmpty ? decoder.plainRest : 0 }

    /// Moves what comes of `plainRest` into the empty `pipe`, waiting for the first byte; how many bytes that is.
    public func readPlain(
        into pipe: SplicePipe, pause: Nanoseconds
    ) async throws(UpstreamError) -> Int {
        let most = Int(clamping: plainRest)
        let n: Int
        do {
            n = try await stream.read(into: pipe, atMost: most, until: stream.loop.now + pause)
        } catch {
            throw UpstreamConnection.failure(error, late: .idleTimeout, hadBytes: true)
        }
        guard n > 0 else { throw .closedInsideAnswer }
        decoder.skip(n)
        return n
    }

    /// Trailers of a chunked body, once it has ended.
    public var trailers: FieldList { decoder.trailers }

    /// Whether the exchange ended so that another one may follow. It may have ended well although its client left
    /// meanwhile, which aborted the stream for good.
    public var canBeReused: Bool {
        decoder.isComplete && response.keepsAlive && input.isEmpty && !stream.peerClosed
            && !stream.isAborted
    }

    /// Gives back what a large head or body needed; between exchanges.
    func shrink() { input.shrink(to: Bounds.inputBytes) }

    /// Whether something has come, or the end, while nobody had asked: what an idle origin sends would
    /// be taken for the answer to the next request.
    var hasUnaskedBytes: Bool {
        do { return try stream.readNow(into: input) != nil } catch { return true }
    }

    private static func failure(
        _ error: StreamError, late: UpstreamError, hadBytes: Bool
    ) -> UpstreamError {
        switch error {
        case .timedOut: late
        case .aborted: .aborted
        case .closedByPeer, .refused: hadBytes ? .closedInsideAnswer : .closedBeforeAnswer
        }
    }
}
