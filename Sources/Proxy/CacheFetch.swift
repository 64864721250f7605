import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Primitives
import RedisClient
import Settings
import Upstreams

/// One fetch for the cache, as a task of its own: it goes on when the client that caused it leaves.
///
/// It validates the stored answer where there is one, stores what may be stored, and serves the stale answer
/// where the origin fails and the rules allow it. Clients read from its `Fill`.
final class CacheFetch {
    let worker: WorkerContext
    // The client's connection may follow another one before the fetch has ended.
    private let snapshot: Snapshot
    let fill: Fill
    private let route: Route
    let cache: CacheRules
    let pool: UpstreamPool
    private let peer: AddressText
    private let forwarded = ByteBuffer(capacity: 4096)
    // The client's own may serve another request before the fetch has ended.
    let request: RequestHead
    private let content: [UInt8]
    private let identity: ResolvedIdentity
    /// The second level, where the route stores answers there.
    let second: SecondLevel?
    /// How far purges had been followed when it began, for the answer that goes to Redis; `nil`: it must not.
    let position: PurgePosition?
    /// A stale answer from Redis, where none is in memory: the origin is asked about it.
    var revived: StoredResponse?
    /// Whether clients wait for it who take a stale answer from Redis where the rules allow that.
    var takesStale = false
    /// The right to fetch the key for all replicas, once it is taken.
    var lease: FetchLease?
    /// How it ended, for work that nobody reads.
    var outcome = JobOutcome.failed(JobReason(FillFailure.abandoned.name))

    convenience init(
        _ connection: DownstreamConnection, _ exchange: Exchange, _ route: Route,
        _ cache: CacheRules, _ fill: Fill
    ) {
        self.init(
            connection.worker, connection.snapshot, peer: connection.peerText, exchange.request,
            content: exchange.content.copied, exchange.identity.copy(), route, cache, fill)
    }

    init(
        _ worker: WorkerContext, _ snapshot: Snapshot, peer: AddressText, _ request: RequestHead,
        content: [UInt8] = [], _ identity: consuming ResolvedIdentity, _ route: Route,
        _ cache: CacheRules, _ fill: Fill
    ) {
        self.worker = worker
        self.snapshot = snapshot
        self.peer = peer
        self.fill = fill
        self.route = route
        self.cache = cache
        pool = snapshot.pools[route.upstream]
        second = cache.policy.isShared ? worker.secondLevel : nil
        position = second == nil ? nil : worker.shared.fleet?.purges.position
        self.content = content
        // Its framing ended when it was read.
        var request = request
        if request.framing != .none { request.framing = .length(UInt64(content.count)) }
        self.request = request
        self.identity = identity
    }

    var now: MonotonicTime { worker.loop.now }

    /// The stale answer that the origin can be asked about.
    private var known: StoredResponse? { fill.stored ?? revived }

    func start() {
        worker.shared.keepBody(content.count)
        worker.loop.start { [self] in
            _ = await finished()
            worker.shared.releaseBody(content.count)
        }
    }

    /// Fetches, and says how that ended.
    func finished() async -> JobOutcome {
        if await !endsInRedis() { await askOrigin() }
        // It brought nothing that others could have: for a moment each asks for itself.
        endLease(eachForItself: CacheBounds.errorHold)
        // Every other end came first; this one is for the loop's own bounds.
        fill.fail(.abandoned, at: now)
        return outcome
    }

    private func askOrigin() async {
        // A condition on a POST means something else (RFC 9110 §13.1.2).
        var question =
            request.method == .post ? .whole : FetchQuestion(for: fill, revived: revived)
        var freshOnly = false
        for _ in 0..<Bounds.fetchAttempts {
            let requested = now
            let upstream: UpstreamConnection
            do {
                upstream = try await pool.lease(watching: nil, freshOnly: freshOnly)
            } catch {
                return fail(error)
            }
            do {
                try await ask(upstream, question)
            } catch {
                pool.release(upstream, reusable: false)
                if error == .closedBeforeAnswer && upstream.isReused && !freshOnly {
                    // It was closed while it was idle.
                    freshOnly = true
                    continue
                }
                return fail(error)
            }
            let times = FetchTimes(requested: requested, received: worker.loop.clock)
            if case .completion(let gap) = question {
                if await takeCompletion(upstream, gap, times) == .done { return }
                question = .whole
                continue
            }
            if case .part = question, upstream.response.status == 206 {
                return await takePart(upstream, times)
            }
            if case .validation = question, upstream.response.status == 304 {
                let isDone = confirm(upstream, times)
                pool.release(upstream, reusable: true)
                if isDone { return }
                // The 304 was about something else: ask without conditions.
                question = .whole
                continue
            }
            return await take(upstream, times)
        }
    }

    private func ask(
        _ upstream: UpstreamConnection, _ question: FetchQuestion
    ) async throws(UpstreamError) {
        var keepsRange = false
        if case .part = question { keepsRange = true }
        forwarded.removeAll()
        ForwardedHead.append(
            request, identity, route, snapshot.blueprint, upstream.authority,
            peer: peer, forCache: true, keepingRange: keepsRange, to: forwarded)
        if case .validation = question {
            if let revived {
                Revalidation.appendConditions(of: revived.head, to: forwarded)
            } else {
                fill.appendConditions(to: forwarded)
            }
        } else if case .completion(let gap) = question, let parts = fill.parts {
            Revalidation.appendCompletion(of: gap, parts.head, to: forwarded)
        }
        forwarded.append("\r\n")
        // A failed write shows when the answer is read.
        try? await upstream.stream.write(
            forwarded, content, 0..<content.count, patience: pool.settings.idleTimeout)
        let firstByte = route.timeout ?? pool.settings.firstByteTimeout
        try await upstream.readFinalHead(
            for: request.method, until: now + firstByte, passingInterimsTo: fill)
    }

    /// The origin says that a stored answer is still right; `false` when it means none that was named.
    private func confirm(_ upstream: UpstreamConnection, _ times: FetchTimes) -> Bool {
        guard let fresh = confirmed(by: upstream.response, times) else { return false }
        if fill.complete(with: fresh) { share(fresh) }
        outcome = fresh.head.isStorable ? .done : .refused(JobReason("not-stored"))
        return true
    }

    private func confirmed(
        by notModified: borrowing ResponseHead, _ times: FetchTimes
    ) -> StoredResponse? {
        guard let revived else {
            return fill.confirmed(
                by: notModified, request: request, policy: cache.policy, times: times,
                compression: cache.compression)
        }
        return revived.freshened(
            by: notModified, request: request, policy: cache.policy, times: times,
            compression: cache.compression)
    }

    /// Takes a whole answer: to be stored, or for the first client alone.
    func take(_ upstream: UpstreamConnection, _ times: FetchTimes) async {
        let status = upstream.response.status
        if isFailure(status) || status.code == 429 {
            outcome = .failed(JobReason(status: status.code))
        }
        if isFailure(status), serveStale() {
            pool.release(upstream, reusable: false)
            return
        }
        switch StoreDecision.decide(
            request: request, response: upstream.response, policy: cache.policy, times: times)
        {
        case .store(let lifetime):
            let tags = tags(of: upstream.response)
            fill.publish(
                tags.isWhole
                    ? CachedHead(
                        key: fill.key, request: request, response: upstream.response,
                        lifetime: lifetime, times: times, policy: cache.policy, tags: tags,
                        compression: cache.compression)
                    : CachedHead(
                        passing: upstream.response, times: times, refusal: .tooManyTags,
                        policy: cache.policy))
        case .refuse(let refusal):
            // The others need not wait for its body.
            endLease(
                eachForItself: isFailure(status) ? CacheBounds.errorHold : CacheBounds.hitForMiss)
            if !isFailure(status) && status.code != 429 {
                outcome = .refused(
                    status.isError ? JobReason(status: status.code) : JobReason(refusal.name))
            }
            fill.publish(
                CachedHead(
                    passing: upstream.response, times: times, refusal: refusal,
                    policy: cache.policy))
        }
        let isWhole = await takeBody(upstream)
        pool.release(upstream, reusable: isWhole)
    }

    /// The tags of an answer: those in its fields and those of the route.
    func tags(of response: borrowing ResponseHead) -> CacheTags {
        var tags = CacheTags(of: response.fields)
        identity.appendTags(cache.policy.tags, of: request, to: &tags)
        return tags
    }

    /// Moves the body into the fill, with what is stored before and behind it; `false` when it ended early or nobody
    /// wants it.
    func takeBody(
        _ upstream: UpstreamConnection, before: [[UInt8]] = [], behind: [[UInt8]] = []
    ) async -> Bool {
        for segment in before where await !append(segment, of: upstream) { return false }
        do {
            while true {
                while let part = try upstream.decodedPart() {
                    guard case .data(let count) = part else {
                        for segment in behind where await !append(segment, of: upstream) {
                            return false
                        }
                        let stored = fill.finish(at: now)
                        if stored != nil && !isFailure(upstream.response.status) { outcome = .done }
                        if let stored {
                            share(stored)
                            encode(stored)
                        }
                        return true
                    }
                    let segment = upstream.input.prefix(count)
                    upstream.input.consume(count)
                    guard await append(segment, of: upstream) else { return false }
                }
                try await upstream.readMore(pause: pool.settings.idleTimeout)
            }
        } catch {
            outcome = .failed(JobReason(FillFailure.incomplete.name))
            fill.fail(.incomplete, at: now)
            return false
        }
    }

    /// Begins to make the coding that the client who caused the fetch would have had: others will want it.
    private func encode(_ stored: StoredResponse) {
        if case .wanted(let coding) = Representation(of: stored, for: request.fields, cache) {
            EncodingTask.start(on: worker, stored, coding, cache)
        }
    }

    /// Appends a segment, and waits for readers that lag; `false` when nobody wants it.
    private func append(_ segment: [UInt8], of upstream: UpstreamConnection) async -> Bool {
        switch fill.append(segment) {
        case .more: return true
        case .full:
            await readersCatchUp()
            return true
        case .unwanted:
            if case .failed = outcome, !upstream.response.status.isError {
                // It was to be stored, and outgrew what is.
                outcome = .refused(JobReason(CacheRefusal.tooLarge.name))
            }
            return false
        }
    }

    private func readersCatchUp() async {
        let waiter = Waiter(worker.loop)
        // A reader that has stopped is cut off by its own connection's patience, and then leaves.
        if !fill.whenDrained(wake: { waiter.wake() }) { _ = await waiter.wait(until: .never) }
    }

    /// Serves the stored answer in place of the origin's failure, if it may be.
    private func serveStale() -> Bool {
        guard let stored = known else { return false }
        if stored.mayServeStale(onErrorAt: now) {
            fill.serveStale(stored, at: now)
            return true
        }
        guard cache.policy.respectsClientNoCache,
            stored.mayServeStale(
                onErrorAt: now, demands: CacheDirectives(ofRequest: request.fields))
        else { return false }
        fill.serveStale(stored, at: now, toAll: false)
        return true
    }

    private func isUnreachable(_ error: UpstreamError) -> Bool {
        switch error {
        case .connectFailed, .unresolved, .closedBeforeAnswer: true
        default: false
        }
    }

    private func isFailure(_ status: Status) -> Bool {
        switch status.code {
        case 500, 502, 503, 504: true
        default: false
        }
    }

    private func fail(_ error: UpstreamError) {
        outcome = .failed(JobReason(Rejection.upstream(error).reason))
        if serveStale() { return }
        if known?.head.lifetime.forbidsStale ?? false, isUnreachable(error) {
            return fill.fail(.notValidated, at: now)
        }
        fill.fail(FillFailure(error), at: now)
    }
}
