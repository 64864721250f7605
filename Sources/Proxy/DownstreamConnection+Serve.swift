import EventLoop
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import Routes
import Settings

/// The life of a request, from left to right: check, route, identify, limit, cache, forward.
extension DownstreamConnection {
    /// Answers the request in `exchange`.
    func serve(_ exchange: Exchange) async -> Afterwards {
        exchange.body = BodyDecoder(exchange.request.framing)
        exchange.awaitsContinue = false
        exchange.decision = LimitDecision()
        exchange.cacheStatus = nil
        let afterwards = await answer(exchange)
        worker.finish(exchange, of: self)
        return afterwards
    }

    private func answer(_ exchange: Exchange) async -> Afterwards {
        exchange.record.trace = worker.trace(of: exchange.request)
        if let rejection = check(exchange) { return await reject(exchange, rejection) }
        if isAboutServer(exchange.request) {
            return await answerOptions(exchange)
        }
        if let report = worker.healthReport(for: exchange.request) {
            return await answerHealth(exchange, report)
        }
        guard let index = worker.blueprint.table.match(exchange.request) else {
            return await reject(exchange, .noRoute)
        }
        exchange.record.route = index
        let route = worker.blueprint.routes[index]
        worker.blueprint.identity.resolve(
            peer: peer, request: exchange.request, into: &exchange.identity)
        if route.requiresUser && !hasUser(exchange.identity) {
            return await reject(exchange, .userRequired)
        }
        decide(exchange, route)
        switch exchange.decision.outcome {
        case .refused, .deniedAnonymous: return await refuse(exchange, route.limits)
        case .notLimited, .admitted: break
        }
        if let cache = route.cache { return await answerFromCache(exchange, route, cache) }
        return await forward(exchange, route)
    }

    /// What is refused before any route is looked for.
    private func check(_ exchange: Exchange) -> Rejection? {
        let fields = exchange.request.fields
        if fields.contains(.upgrade) && fields.contains(.connection) { return .upgradeRefused }
        if let expectation = fields.first(.expect), exchange.request.version == .http11 {
            guard expectation.equalsIgnoringCase("100-continue") else { return .expectationFailed }
            exchange.awaitsContinue = !exchange.body.isComplete
        }
        if fields.count(of: .via) >= Bounds.viaHops { return .loopDetected }
        if case .length(let length) = exchange.request.framing, length > http.bodyBytes {
            return .bodyTooLarge
        }
        return nil
    }

    private func decide(_ exchange: Exchange, _ route: Route) {
        guard !route.limits.isEmpty else { return }
        exchange.decision = decision(
            of: route.limits, about: exchange.identity, exchange.request.method)
        worker.metrics.note(exchange.decision, of: route)
    }

    private func decision(
        of limits: borrowing LimitPolicy, about identity: borrowing ResolvedIdentity, _ method: Method
    ) -> LimitDecision {
        limits.decide(
            in: worker.shared.limits, address: identity.countedAddress, user: identity.user,
            company: identity.company, tier: identity.tier, method: method, at: worker.loop.clock)
    }

    /// Whether it is `OPTIONS *`, which asks about the server as a whole.
    private func isAboutServer(_ request: borrowing RequestHead) -> Bool {
        request.method == .options && request.span(request.target).equals("*")
    }

    private func hasUser(_ identity: borrowing ResolvedIdentity) -> Bool {
        if let user = identity.user { !user.isEmpty } else { false }
    }

    private func answerOptions(_ exchange: Exchange) async -> Afterwards {
        exchange.record.status = 204
        return await send(exchange, 204, type: nil) { output in
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
