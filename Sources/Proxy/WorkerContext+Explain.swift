import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import Settings

/// Questions about requests, answered by the code that judges live ones.
extension WorkerContext {
    /// Says what would become of a request that begins now, and under which configuration. Changes nothing:
    /// no charge, no count, no fetch, no token that is remembered.
    ///
    /// The routes before the one that matches are not gone through here: that takes longer, and needs no
    /// worker (`Explanation.tryRoutes`).
    func explain(_ asked: AskedRequest) async -> (explanation: Explanation, by: Blueprint) {
        let blueprint = snapshot.blueprint
        let exchange = Exchange()
        if let error = asked.read(into: &exchange.request, blueprint) {
            return (Explanation(asked, outcome: .rejected(.malformed(error))), blueprint)
        }
        var (verdict, apart) = look(at: asked, exchange)
        while case .askLimits(let route) = verdict {
            verdict = await askLimits(exchange, route, apart, isPeek: true)
        }
        return (explanation(asked, exchange, verdict, blueprint), blueprint)
    }

    /// The same where no limit is counted by Redis.
    func explainAlone(_ asked: AskedRequest) -> Explanation {
        let exchange = Exchange()
        if let error = asked.read(into: &exchange.request, snapshot.blueprint) {
            return Explanation(asked, outcome: .rejected(.malformed(error)))
        }
        let (verdict, _) = look(at: asked, exchange)
        return explanation(asked, exchange, verdict, snapshot.blueprint)
    }

    /// The verdict about a request that was read into `exchange`, and what it was made by.
    private func look(at asked: AskedRequest, _ exchange: Exchange) -> (Verdict, Snapshot) {
        let blueprint = snapshot.blueprint
        exchange.begin(exchange.request.framing)
        exchange.noteCredentials(blueprint)
        // A view of the keys of its own: it counts and remembers for itself.
        let apart = Snapshot(
            blueprint, pools: snapshot.pools,
            credentials: Credentials(
                blueprint.settings.identity, claims: blueprint.claims,
                keys: snapshot.credentials.keys))
        let verdict = judge(exchange, exchange.request, peer: asked.peer, by: apart, isPeek: true)
        return (verdict, apart)
    }

    private func explanation(
        _ asked: AskedRequest, _ exchange: Exchange, _ verdict: Verdict, _ blueprint: Blueprint
    ) -> Explanation {
        var explanation = Explanation(
            asked,
            outcome: Explanation.Outcome(of: verdict, exchange, blueprint, at: loop.clock.wall))
        if case .reject(.noRoute) = verdict { explanation.routing = .none }
        guard exchange.record.route >= 0 else { return explanation }
        explanation.routing = .matched(exchange.record.route)
        let route = blueprint.routes[exchange.record.route]
        explanation.identity = Explanation.Identity(
            exchange.identity, exchange.request, peer: asked.peer, blueprint.settings.identity)
        guard verdict.reachesLimits else { return explanation }
        explanation.decision = decision(exchange, route)
        explanation.limits = limits(
            exchange.decision, exchange.identity, exchange.dimensions, exchange.request, route,
            exchange.answer)
        explanation.cache = cachePart(exchange, exchange.request, route, verdict)
        return explanation
    }

    private func decision(_ exchange: Exchange, _ route: Route) -> Explanation.Decision {
        switch exchange.decision.outcome {
        case .notLimited: .notLimited
        case .admitted: .admitted
        case .refused(let limit):
            .refused(
                limit: route.limits.name(of: limit),
                retryAfter: exchange.decision.retryAfterSeconds)
        case .deniedAnonymous(let limit): .denied(limit: route.limits.name(of: limit))
        case .uncounted(let limit): .uncounted(limit: route.limits.name(of: limit))
        }
    }

    /// Describes the limits of `route`, in order: the exchange's own parts, lent.
    private func limits(
        _ decision: LimitDecision, _ identity: borrowing ResolvedIdentity,
        _ dimensions: borrowing LimitDimensions, _ request: borrowing RequestHead, _ route: Route,
        _ answer: LimitAnswer
    ) -> [LimitView] {
        let subject = LimitSubject(identity, method: request.method)
        let methodName = request.span(request.methodRange)
        var views: [LimitView] = []
        for limit in 0..<route.limits.count {
            views.append(
                LimitView(
                    limit, of: route.limits, decision.state(of: limit), subject, dimensions,
                    methodName: methodName, answer: answer))
        }
        return views
    }
}

extension LimitDecision {
    /// What was said about the limit of this index in the policy; `nil`: it does not apply.
    func state(of limit: Int) -> LimitState? {
        for index in 0..<count where Int(self[index].limit) == limit { return self[index] }
        return nil
    }
}

extension AskedRequest {
    /// Reads the head as a connection would; the reason when it is refused.
    func read(into request: inout RequestHead, _ blueprint: Blueprint) -> RequestError? {
        let http = blueprint.settings.http
        var parser = RequestParser(
            bounds: HeadBounds(
                headerBytes: http.headerBytes, fields: http.fields, targetBytes: http.targetBytes))
        do {
            // The head is whole, so it is either read or refused, or too long.
            return try parser.parse(bytes.span, into: &request) == nil ? .headTooLarge : nil
        } catch {
            return error
        }
    }
}

extension Explanation {
    /// Goes through the routes up to the one that matches. Needs no worker.
    mutating func tryRoutes(_ asked: AskedRequest, _ blueprint: Blueprint) {
        var request = RequestHead()
        guard asked.read(into: &request, blueprint) == nil else { return }
        let match: Int?
        switch routing {
        case .notReached: return
        case .none: match = nil
        case .matched(let index): match = index
        }
        routes = Explanation.trials(
            request, blueprint.settings.routes.map(\.match), upTo: match)
    }
}
