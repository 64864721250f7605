import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import Routes
import Settings
import Telemetry

/// The life of a request up to the first wait, from left to right: check, route, identify, limit, look up.
extension WorkerContext {
    /// Decides about the request in `exchange`, which is lent as a whole, so that no step copies it.
    ///
    /// - Parameters:
    ///   - exchange: Takes what is found out.
    ///   - request: The exchange's own.
    ///   - peer: The address at the other end of the connection.
    ///   - snapshot: The configuration the request began under.
    ///   - isPeek: Whether only to look (`weir explain`): nothing is charged, counted or begun.
    func judge(
        _ exchange: Exchange, _ request: borrowing RequestHead, peer: IPAddress,
        by snapshot: Snapshot, isPeek: Bool
    ) -> Verdict {
        let blueprint = snapshot.blueprint
        exchange.record.trace = trace(of: request)
        if let rejection = check(exchange, request, blueprint) { return .reject(rejection) }
        if request.method == .options && isAboutProxy(request) { return .describeServer }
        if let report = healthReport(for: request) { return .reportHealth(report) }
        guard let index = blueprint.table.match(request) else { return .reject(.noRoute) }
        exchange.record.route = index
        let route = blueprint.routes[index]
        blueprint.identity.resolve(
            peer: peer, request: request, credentials: snapshot.credentials, at: loop.clock.wall,
            into: &exchange.identity)
        if let verdict = limit(
            exchange, exchange.identity, exchange.dimensions, route, request.method, snapshot,
            isPeek: isPeek)
        {
            return verdict
        }
        guard let cache = route.cache else { return .forward(route) }
        return lookUp(exchange, request, route, cache)
    }

    /// What is refused before any route is looked for.
    private func check(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ blueprint: Blueprint
    ) -> Rejection? {
        if request.fields.contains(.upgrade) && request.fields.contains(.connection) {
            return .upgradeRefused
        }
        if let expectation = request.fields.first(.expect), request.version == .http11 {
            guard expectation.equalsIgnoringCase("100-continue") else { return .expectationFailed }
            exchange.awaitsContinue = !exchange.body.isComplete
        }
        if request.fields.contains(.via) && ownHops(request.fields) >= Bounds.viaHops {
            return .loopDetected
        }
        if case .length(let length) = request.framing, length > blueprint.settings.http.bodyBytes {
            return .bodyTooLarge
        }
        return nil
    }

    /// Whether an OPTIONS request asks about the server as a whole, or may go no further (RFC 9110 §7.6.2).
    private func isAboutProxy(_ request: borrowing RequestHead) -> Bool {
        if request.span(request.target).equals("*") { return true }
        return request.fields.first(.maxForwards)?.equals("0") ?? false
    }

    /// How often a request's Via names this proxy's pseudonym (RFC 9110 §7.6.3).
    private func ownHops(_ fields: borrowing FieldList) -> Int {
        var hops = 0
        for index in fields.indices where fields[index].name == .via {
            let value = fields.value(at: index)
            var start = 0
            while start <= value.count {
                let end = value.firstIndex(of: UInt8(ascii: ","), from: start) ?? value.count
                let member = value.extracting(start..<end).trimmed
                if member.count >= 8
                    && member.extracting(member.count - 5..<member.count).equals(" weir")
                {
                    hops += 1
                }
                start = end + 1
            }
        }
        return hops
    }

    /// Charges the route's limits; `nil` when the request goes on.
    private func limit(
        _ exchange: Exchange, _ identity: borrowing ResolvedIdentity,
        _ dimensions: borrowing LimitDimensions, _ route: Route, _ method: Method,
        _ snapshot: Snapshot, isPeek: Bool
    ) -> Verdict? {
        if route.requiresUser && identity.user?.isEmpty ?? true { return .reject(.userRequired) }
        guard !route.limits.isEmpty else { return nil }
        let subject = LimitSubject(
            address: identity.address, counted: identity.countedAddress, method: method,
            user: identity.user, company: identity.company, tier: identity.tier)
        route.limits.decide(
            subject, dimensions: dimensions, in: shared.limits, at: loop.clock, isPeek: isPeek,
            into: &exchange.decision)
        exchange.decided = loop.clock
        if !isPeek { count(exchange.decision, of: route, in: snapshot) }
        return exchange.decision.isAdmitted ? nil : .refuse(route)
    }

    /// Looks at the cache. Once more for a request whose fill turned out to be for another variant.
    func lookUp(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route, _ cache: CacheRules
    ) -> Verdict {
        if let reason = CacheBypass.reason(for: request, rules: cache) {
            return .goAround(route, reason)
        }
        guard buildKey(into: &exchange.cacheKey, request, exchange.identity, cache) else {
            return .goAround(route, .noIdentity)
        }
        let key = exchange.cacheKey
        let found = shared.cache.lookupOrJoin(
            key: key.span, request: request, rules: cache, now: loop.now, random: &random)
        switch found {
        case .hit(let stored): return .serve(stored, nil)
        case .stale(let stored, let reason): return .serve(stored, reason)
        case .refresh(let stored, let fill): return .serveAndRefresh(route, cache, stored, fill)
        case .lead(let lead): return .lead(route, cache, lead)
        case .follow(let fill, let reader): return .follow(route, cache, fill, reader)
        case .bypass(let reason): return .goAround(route, reason)
        case .onlyIfCached: return .reject(.onlyIfCached)
        }
    }

    private func buildKey(
        into key: inout [UInt8], _ request: borrowing RequestHead,
        _ identity: borrowing ResolvedIdentity, _ cache: CacheRules
    ) -> Bool {
        CacheKey.build(
            into: &key, request: request, rules: cache, user: identity.user,
            company: identity.company, tier: identity.tier)
    }
}
