import EventLoop
import HTTP1
import HTTPModel
import Primitives
import Settings

/// One client's connection: reads requests and answers each in turn, as one task from accept to close.
final class DownstreamConnection: ReadObserver {
    let worker: WorkerContext
    let stream: ByteStream
    /// The client's address, and its text.
    let peerText: AddressText
    var peer: IPAddress { peerText.address }
    /// What the request in progress follows.
    private(set) var snapshot: Snapshot
    private(set) var http: HTTPSettings
    /// Whether the worker follows another configuration since the request in progress began.
    private var isOutdated = false
    /// Its index in the worker's list.
    var place = 0

    private(set) var isIdle = true
    /// The exchange of a request that was begun as its event was told, and is for the task to go on with.
    private var begun: Exchange?
    /// How far the request in progress is.
    private var stage = Stage.arriving

    /// What becomes of the connection after an answer.
    enum Afterwards: Sendable, BitwiseCopyable {
        /// The next request may come.
        case nextRequest
        /// The client has been told, or is gone.
        case close
        /// The answer ends with the connection and was cut short: the client must not take it for whole.
        case reset
        /// The client may still be sending: read on for a moment, so that it sees the answer.
        case lingerAndClose
    }

    init(worker: WorkerContext, stream: ByteStream, peer: IPAddress) {
        self.worker = worker
        self.stream = stream
        peerText = AddressText(peer)
        snapshot = worker.snapshot
        http = snapshot.blueprint.settings.http
    }

    private var headBounds: HeadBounds {
        HeadBounds(
            headerBytes: http.headerBytes, fields: http.fields, targetBytes: http.targetBytes)
    }

    /// Follows the worker's current configuration. Between two requests only: each sees one from its first
    /// byte to its end.
    private func follow() {
        snapshot = worker.snapshot
        http = snapshot.blueprint.settings.http
        isOutdated = false
    }

    /// The worker has changed its configuration: an idle connection follows at once and keeps nothing of the old one
    /// in memory, another one with its next request.
    func noteChange() {
        if isIdle { follow() } else { isOutdated = true }
    }

    var now: MonotonicTime { worker.loop.now }

    override func streamBecameReadable() -> Bool {
        guard isIdle, begin() else { return false }
        stream.prolongReading(to: now + http.idleTimeout)
        return true
    }

    /// Serves the connection until it ends.
    func run() async {
        worker.connections.insert(self)
        stream.readObserver = self
        while await awaitRequest() {
            isIdle = false
            let exchange = begun.take() ?? worker.takeExchange()
            let afterwards = await serveArrived(exchange)
            if afterwards == .reset { stream.closeWithReset() }
            if afterwards == .lingerAndClose || (afterwards == .close && hasUnread(exchange)) {
                await linger(exchange)
            }
            worker.giveBack(exchange)
            if afterwards != .nextRequest { break }
            isIdle = true
        }
        stream.readObserver = nil
        stream.close()
        worker.connections.remove(self)
    }

    /// Ends the connection if it waits for a request; otherwise its next answer says `Connection: close`.
    func drain() {
        // A request that has just arrived has ended the wait already: it is served.
        if isIdle { stream.interruptReading() }
    }

    /// Ends whatever it is doing, and the exchange with the origin.
    func cutOff() {
        stream.abort()
        stream.abortedWithPeer?.abort()
    }

    /// Waits, without a buffer, until there is something to read that `streamBecameReadable` has not answered already.
    @inline(__always)
    private func awaitRequest() async -> Bool {
        do {
            let patience = worker.shared.isDraining ? Nanoseconds.zero : http.idleTimeout
            try await stream.waitReadable(until: now + patience)
            return true
        } catch {
            // What was begun is charged and must be ended.
            return begun != nil
        }
    }

    /// Answers the requests that have arrived, until there is none; the first one is at `stage`.
    @inline(__always)
    private func serveArrived(_ exchange: Exchange) async -> Afterwards {
        exchange.parser.begin(bounds: headBounds)
        while true {
            if case .arriving = stage {
                if isOutdated {
                    follow()
                    exchange.parser.begin(bounds: headBounds)
                }
                exchange.record = AccessRecord()
                exchange.record.started = now
                var arrived = takeHead(exchange)
                if !exchange.output.isEmpty && !isRequest(arrived) {
                    guard await sendGathered(exchange) else { return .close }
                }
                if arrived == nil { arrived = await readHead(exchange) }
                switch arrived ?? .gone {
                case .none: return .nextRequest
                case .gone: return .close
                case .rejected(let rejection):
                    exchange.request.method = .other
                    exchange.begin(.none)
                    return await reject(exchange, rejection)
                case .request: stage = .judged(judge(exchange))
                }
            }
            let afterwards = await goOn(exchange, from: takeStage())
            if afterwards != .nextRequest || exchange.input.isEmpty { return afterwards }
        }
    }

    @inline(__always)
    private func takeStage() -> Stage {
        let taken = stage
        stage = .arriving
        return taken
    }

    /// Answers a request that has just arrived as its event is told, if nobody else is needed for that and the client takes
    /// the answer at once: the task need not be woken. Otherwise the task goes on from where this ends.
    private func begin() -> Bool {
        if isOutdated { follow() }
        let exchange = worker.takeExchange()
        isIdle = false
        exchange.parser.begin(bounds: headBounds)
        exchange.record = AccessRecord()
        exchange.record.started = now
        switch takeHead(exchange) {
        case .request?: stage = answerAtOnce(exchange)
        case HeadOutcome.none?: stage = .ended(.nextRequest)
        case .gone?: stage = .ended(.close)
        case .rejected?, nil: break
        }
        guard case .ended(.nextRequest) = stage, exchange.input.isEmpty, !stream.mayRead else {
            begun = exchange
            return false
        }
        stage = .arriving
        worker.giveBack(exchange)
        isIdle = true
        return true
    }

    enum HeadOutcome {
        case request
        case none
        case gone
        case rejected(Rejection)
    }

    private func isRequest(_ arrived: HeadOutcome?) -> Bool {
        if case .request = arrived { true } else { false }
    }

    /// Waits for the rest of a head. Its time runs from the first byte.
    private func readHead(_ exchange: Exchange) async -> HeadOutcome {
        let deadline = now + http.requestTimeout
        while true {
            do {
                try await stream.waitReadable(until: deadline)
            } catch {
                return error == .timedOut ? .rejected(.headTimeout) : .gone
            }
            if let outcome = takeHead(exchange) { return outcome }
        }
    }

    /// Takes the next head from what has arrived; `nil` when it is not whole yet.
    private func takeHead(_ exchange: Exchange) -> HeadOutcome? {
        while true {
            if !exchange.input.isEmpty {
                let arrived = exchange.input
                do {
                    let consumed = try exchange.parser.parse(
                        arrived.readable, into: &exchange.request)
                    if let consumed {
                        arrived.consume(consumed)
                        return .request
                    }
                } catch {
                    return .rejected(.malformed(error))
                }
            }
            do {
                guard let n = try stream.readNow(into: exchange.input) else {
                    return exchange.input.isEmpty ? HeadOutcome.none : nil
                }
                if n == 0 { return .gone }
            } catch {
                return .gone
            }
        }
    }

    /// Whether the client has sent more than was used.
    private func hasUnread(_ exchange: Exchange) -> Bool {
        if !exchange.input.isEmpty { return true }
        guard let n = try? stream.readNow(into: exchange.input) else { return false }
        return n > 0
    }

    /// Reads and drops what the client still sends, for a bounded time and number of bytes: closing with
    /// unread bytes would reset the connection, and the client would lose the answer.
    private func linger(_ exchange: Exchange) async {
        stream.closeWriting()
        let deadline = now + Bounds.linger
        var dropped = 0
        while dropped < Bounds.lingerBytes {
            exchange.input.removeAll()
            guard let n = try? await stream.read(into: exchange.input, until: deadline), n > 0
            else {
                return
            }
            dropped += n
        }
    }
}
