import Caching
import EventLoop
import HTTP1
import HTTPModel
import Limits
import Primitives
import Upstreams

/// Answering a request: the verdict, and what it takes to carry it out.
extension DownstreamConnection {
    /// How far a request is.
    enum Stage {
        /// Its head is not whole.
        case arriving
        /// It is known what becomes of it.
        case judged(Verdict)
        /// Of a stored answer this is left to be sent.
        case sending(StoredResponse, Rest, keeps: Bool)
        /// Some of the refusal in the output is left to be sent.
        case refusing
        /// It is answered, counted and logged.
        case ended(Afterwards)
    }

    /// Begins the request in `exchange`: what becomes of it.
    @inline(__always)
    func judge(_ exchange: Exchange) -> Verdict {
        let snapshot = snapshot
        exchange.begin(exchange.request.framing)
        exchange.noteCredentials(snapshot.blueprint)
        return exchange.lendRequest { request in
            worker.judge(exchange, request, peer: peer, by: snapshot, isPeek: false)
        }
    }

    /// Answers the request in `exchange` as far as nothing has to be waited for.
    func answerAtOnce(_ exchange: Exchange) -> Stage {
        let done: Afterwards
        switch judge(exchange) {
        case .refuse(let route):
            guard let refused = refuseNow(exchange, route) else { return .refusing }
            done = refused
        // An answer that others follow leaves with them.
        case .serve(let stored, let reason) where exchange.input.isEmpty:
            let keeps = mayKeep(exchange)
            let rest = compose(exchange, stored, detail: reason?.name, keeps: keeps)
            guard sendNow(exchange, rest) else { return .sending(stored, rest, keeps: keeps) }
            done = keeps ? .nextRequest : .close
        case let verdict: return .judged(verdict)
        }
        end(exchange, snapshot)
        return .ended(done)
    }

    /// Answers the request in `exchange`, counts it and logs it.
    @inline(__always)
    func goOn(_ exchange: Exchange, from stage: consuming Stage) async -> Afterwards {
        let snapshot = snapshot
        let afterwards: Afterwards
        switch consume stage {
        case .ended(let afterwards): return afterwards
        case .judged(.refuse(let route)):
            // Hardly any refusal waits: most are over before a function that may wait would have begun.
            let done = refuseNow(exchange, route)
            afterwards = if let done { done } else { await endAnswer(exchange) }
        case .judged(.forward(let route)):
            // So is what goes to the origin without the cache: it needs no frame between this one and its own.
            if !exchange.output.isEmpty { _ = await sendGathered(exchange) }
            afterwards = await forward(exchange, route, snapshot)
        case .judged(let verdict): afterwards = await answer(exchange, verdict)
        case .sending(let stored, let rest, let keeps):
            afterwards = await send(rest, of: stored, exchange, keeps: keeps)
        case .refusing: afterwards = await endAnswer(exchange)
        case .arriving: preconditionFailure("a request goes on when its head is whole")
        }
        end(exchange, snapshot)
        return afterwards
    }

    /// Counts and logs the request in `exchange`.
    @inline(__always)
    private func end(_ exchange: Exchange, _ snapshot: Snapshot) {
        worker.finish(exchange, of: self, snapshot)
        exchange.content.forget(in: worker.shared)
    }

    /// Answers what most requests come to; the frames of the rest would lie in each task's memory.
    private func answer(_ exchange: Exchange, _ first: consuming Verdict) async -> Afterwards {
        var verdict = consume first
        if !exchange.output.isEmpty && !verdict.isAnswer { _ = await sendGathered(exchange) }
        if verdict.waits { verdict = await wait(exchange, consume verdict) }
        if case .serveAndRefresh = verdict { verdict = startRefresh(exchange, verdict) }
        switch consume verdict {
        case .serve(let stored, let reason):
            return await serve(exchange, stored, detail: reason?.name)
        case .forward(let route): return await forward(exchange, route, snapshot)
        case .refuse(let route):
            if let done = refuseNow(exchange, route) { return done }
            return await endAnswer(exchange)
        case let other where other.isFetched: return await answerFromFetch(exchange, other)
        case let other: return await answerOtherwise(exchange, other)
        }
    }

    /// Starts the fetch of `serveAndRefresh`; what is left to do is to serve the stored answer.
    @inline(never)
    private func startRefresh(_ exchange: Exchange, _ verdict: Verdict) -> Verdict {
        guard case .serveAndRefresh(let route, let cache, let stored, let fill) = verdict else {
            return verdict
        }
        CacheFetch(self, exchange, route, cache, fill).start()
        if case .stale = stored.freshness(at: now) { return .serve(stored, .whileRevalidating) }
        return .serve(stored, nil)
    }

    private func answerOtherwise(
        _ exchange: Exchange, _ verdict: consuming Verdict
    ) async -> Afterwards {
        switch consume verdict {
        case .reject(let rejection): return await reject(exchange, rejection)
        case .describeServer: return await answerOptions(exchange)
        case .reportHealth(let report): return await answerHealth(exchange, report)
        case .runOnce(let route, let policy, let ticket?):
            return await runOnce(exchange, route, policy, ticket)
        case .replay(let route, let answer): return await replay(exchange, route, answer)
        case .askLimits, .delay, .readContent, .fetch, .runOnce, .serveAndRefresh, .forward,
            .refuse, .serve, .goAround, .lead, .follow:
            preconditionFailure("a request that waited, or was only looked at, is answered")
        }
    }

    /// Reads from a fetch of the cache, its own or another one's, or goes around it, until a look finds something else.
    private func answerFromFetch(
        _ exchange: Exchange, _ first: consuming Verdict
    ) async -> Afterwards {
        var verdict = consume first
        // A fill may turn out to be for another variant; a second look finds the right one.
        for _ in 0..<Bounds.lookups {
            switch consume verdict {
            case .goAround(let route, let reason):
                guard let cache = rulesInRedis(exchange, route, reason),
                    await looksInRedis(exchange, route, cache)
                else { return await goAround(exchange, route, reason) }
                verdict = lookUpAgain(exchange, route, cache)
            case .lead(let route, let cache, let lead):
                startFetch(exchange, route, cache, lead)
                if let done = await read(exchange, route, lead.fill, lead.reader) { return done }
                verdict = lookUpAgain(exchange, route, cache)
            case .follow(let route, let cache, let fill, let reader):
                exchange.record.cache = .collapsed
                exchange.answer = .hit
                exchange.cacheStatus = .forwarded(fill.reason, collapsed: true)
                if let done = await read(exchange, route, fill, reader) { return done }
                verdict = lookUpAgain(exchange, route, cache)
            case let other: return await answer(exchange, other)
            }
        }
        return await goAround(
            exchange, snapshot.blueprint.routes[exchange.record.route], .hitForMiss)
    }

    /// Starts the fetch that this request leads.
    @inline(never)
    private func startFetch(
        _ exchange: Exchange, _ route: Route, _ cache: CacheRules, _ lead: FillLead
    ) {
        let fetch = CacheFetch(self, exchange, route, cache, lead.fill)
        fetch.takesStale = true
        fetch.start()
        exchange.record.cache = .miss
        exchange.answer = .miss
        exchange.cacheStatus = .forwarded(lead.reason)
        // A fresh answer is there, and it is not for credentials.
        if lead.reason == .request && lead.stored == nil { noteCredentials(exchange) }
    }

    @inline(never)
    private func lookUpAgain(_ exchange: Exchange, _ route: Route, _ cache: CacheRules) -> Verdict {
        worker.lookUp(exchange, exchange.request, route, cache)
    }

    /// Waits for what the verdict says: the answer of Redis, the turn, the content. What becomes of the request then.
    private func wait(_ exchange: Exchange, _ first: consuming Verdict) async -> Verdict {
        var verdict = consume first
        while true {
            switch consume verdict {
            case .askLimits(let route):
                verdict = await worker.askLimits(exchange, route, snapshot, isPeek: false)
                if stream.peerClosed {
                    worker.cancelLimits(exchange, snapshot)
                    return .reject(.upstream(.aborted))
                }
            case .delay(let route):
                guard await waitForTurn(exchange) else {
                    worker.cancelLimits(exchange, snapshot)
                    return .reject(.upstream(.aborted))
                }
                verdict = worker.goOn(exchange, exchange.request, route, snapshot, isPeek: false)
            case .readContent(let route, let most):
                if let rejection = await readContent(exchange, most: most) {
                    return .reject(rejection)
                }
                verdict = worker.goOn(exchange, exchange.request, route, snapshot, isPeek: false)
            case let verdict: return verdict
            }
        }
    }

    /// Waits until a limit lets the request go on; `false` when its client has left.
    private func waitForTurn(_ exchange: Exchange) async -> Bool {
        let began = now
        worker.metrics.delayed += 1
        if stream.peerClosed { return false }
        let waiter = Waiter(worker.loop)
        stream.abortedWithPeer = waiter
        let deadline = began + exchange.decision.delay
        var reason = WakeReason.ready
        while reason == .ready && now < deadline { reason = await waiter.wait(until: deadline) }
        stream.abortedWithPeer = nil
        exchange.record.delayed = (exchange.record.delayed ?? .zero) + (now - began)
        return reason != .aborted
    }

    /// What is stored is not for requests with credentials, so the origin is asked.
    private func noteCredentials(_ exchange: Exchange) {
        exchange.record.cacheReason = CacheBypass.authorizationPresent.name
        exchange.cacheStatus?.detail = CacheBypass.authorizationPresent.name
    }

    private func answerOptions(_ exchange: Exchange) async -> Afterwards {
        await send(exchange, 204, type: nil) { output in
            output.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY\r\n")
        }
    }

    private func answerHealth(_ exchange: Exchange, _ report: HealthReport) async -> Afterwards {
        exchange.scratch.removeAll()
        report.append(to: exchange.scratch)
        return await send(exchange, report.status, type: "application/json") { output in
            output.append("Cache-Control: no-store\r\n")
        }
    }
}
