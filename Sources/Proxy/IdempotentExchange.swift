import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Primitives
import Settings
import Upstreams

/// The exchange of a first request with an Idempotency-Key, as a task of its own: it goes on when the client
/// leaves, and its answer is kept for the retries.
///
/// The client reads from a fill that nothing else knows. What the origin has never answered is forgotten.
final class IdempotentExchange {
    private let worker: WorkerContext
    private let snapshot: Snapshot
    private let fill: Fill
    private let ticket: IdempotencyStore.Ticket
    private let policy: IdempotencyPolicy
    private let route: Route
    private let pool: UpstreamPool
    private let peer: AddressText
    private let forwarded = ByteBuffer(capacity: 4096)
    // The client's own may serve another request before the exchange has ended.
    private let request: RequestHead
    private let content: [UInt8]
    private let identity: ResolvedIdentity

    init(
        _ connection: DownstreamConnection, _ exchange: Exchange, _ route: Route,
        _ policy: IdempotencyPolicy, _ ticket: IdempotencyStore.Ticket, _ fill: Fill
    ) {
        worker = connection.worker
        snapshot = connection.snapshot
        peer = connection.peerText
        self.fill = fill
        self.ticket = ticket
        self.policy = policy
        self.route = route
        pool = snapshot.pools[route.upstream]
        content = exchange.content.copied
        // Its framing ended when it was read.
        var request = exchange.request
        if request.framing != .none { request.framing = .length(UInt64(content.count)) }
        self.request = request
        identity = exchange.identity.copy()
    }

    private var now: MonotonicTime { worker.loop.now }
    private var store: IdempotencyStore { worker.shared.idempotency }

    func start() {
        worker.shared.keepBody(content.count)
        worker.loop.start { [self] in
            await run()
            worker.shared.releaseBody(content.count)
            // Every other end came first; these are for the loop's own bounds.
            store.abandon(ticket)
            fill.fail(.abandoned, at: now)
        }
    }

    private func run() async {
        var freshOnly = false
        while true {
            let requested = now
            let upstream: UpstreamConnection
            do {
                upstream = try await pool.lease(watching: nil, freshOnly: freshOnly)
            } catch {
                return fail(error)
            }
            do {
                try await ask(upstream)
            } catch {
                pool.release(upstream, reusable: false)
                if error == .closedBeforeAnswer && upstream.isReused && !freshOnly
                    && request.method.isIdempotent
                {
                    // It was closed while it was idle.
                    freshOnly = true
                    continue
                }
                return fail(error)
            }
            return await take(
                upstream, FetchTimes(requested: requested, received: worker.loop.clock))
        }
    }

    private func ask(_ upstream: UpstreamConnection) async throws(UpstreamError) {
        forwarded.removeAll()
        ForwardedHead.append(
            request, identity, route, snapshot.blueprint, upstream.authority,
            peer: peer, forCache: false, to: forwarded)
        forwarded.append("\r\n")
        // A failed write shows when the answer is read.
        try? await upstream.stream.write(
            forwarded, content, 0..<content.count, patience: pool.settings.idleTimeout)
        let firstByte = route.timeout ?? pool.settings.firstByteTimeout
        try await upstream.readFinalHead(
            for: request.method, until: now + firstByte, passingInterimsTo: fill)
    }

    /// Passes the answer on, and keeps it.
    private func take(_ upstream: UpstreamConnection, _ times: FetchTimes) async {
        let status = upstream.response.status
        worker.noteAnswer(to: request, identity, upstream.response, route, snapshot.blueprint)
        let head = CachedHead(passing: upstream.response, times: times)
        fill.publish(head)
        var body: [[UInt8]]? = head.contentLength ?? 0 > UInt64(policy.maxAnswer) ? nil : []
        do {
            try await takeBody(upstream, keeping: &body)
        } catch {
            store.abandon(ticket)
            fill.fail(.incomplete, at: now)
            pool.release(upstream, reusable: false)
            return
        }
        // Known before the client has all of it: a retry finds the answer.
        if IdempotentExchange.isKept(status) {
            store.finish(
                ticket,
                with: body.map { StoredResponse(passed: head, body: $0, finished: now) },
                expires: now + policy.ttl)
        } else {
            store.abandon(ticket)
        }
        fill.finish(at: now)
        pool.release(upstream, reusable: true)
    }

    /// Moves the body into the fill, and into `kept` while there is room. It is read to its end, also when
    /// the client has left.
    private func takeBody(
        _ upstream: UpstreamConnection, keeping kept: inout [[UInt8]]?
    ) async throws(UpstreamError) {
        var count = 0
        while true {
            while let part = try upstream.decodedPart() {
                guard case .data(let length) = part else { return }
                let segment = upstream.input.prefix(length)
                upstream.input.consume(length)
                count += length
                if count > policy.maxAnswer { kept = nil } else { kept?.append(segment) }
                if case .full = fill.append(segment) { await readerCatchesUp() }
            }
            try await upstream.readMore(pause: pool.settings.idleTimeout)
        }
    }

    private func readerCatchesUp() async {
        let waiter = Waiter(worker.loop)
        // A reader that has stopped is cut off by its own connection's patience, and then leaves.
        if !fill.whenDrained(wake: { waiter.wake() }) { _ = await waiter.wait(until: .never) }
    }

    /// Whether an answer is the request's last word: others ask the client to come again.
    private static func isKept(_ status: Status) -> Bool {
        switch status.code {
        case 408, 425, 429, 503: false
        default: true
        }
    }

    private func fail(_ error: UpstreamError) {
        store.abandon(ticket)
        fill.fail(FillFailure(error), at: now)
    }
}

extension FillFailure {
    /// What a failure of the origin is for those who read from a fill.
    init(_ error: UpstreamError) {
        switch error {
        case .connectFailed: self = .connect
        case .poolExhausted: self = .exhausted
        case .unresolved: self = .unresolved
        case .connectTimeout, .firstByteTimeout, .idleTimeout: self = .timeout
        case .closedInsideAnswer: self = .incomplete
        case .closedBeforeAnswer, .malformedAnswer, .unexpectedUpgrade: self = .reset
        case .aborted: self = .abandoned
        }
    }
}
