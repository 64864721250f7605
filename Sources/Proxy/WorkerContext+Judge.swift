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
    ///   - isPeek: Whether only to look (`weir explain`): nothing is charged, counted or begun, and the
    ///     verdict is never `delay`, `lead`, `follow` or `serveAndRefresh`.
    /// - Returns: What becomes of it.
    func judge(
        _ exchange: Exchange, _ request: borrowing RequestHead, peer: IPAddress,
        by snapshot: Snapshot, isPeek: Bool
    ) -> Verdict {
        let blueprint = snapshot.blueprint
        if let rejection = check(exchange, request, blueprint) { return .reject(rejection) }
        if request.method == .options && isAboutProxy(request) { return .describeServer }
        if let report = healthReport(for: request) { return .reportHealth(report) }
        guard let index = blueprint.table.match(request) else { return .reject(.noRoute) }
        exchange.record.route = index
        blueprint.identity.resolve(
            peer: peer, request: request, credentials: snapshot.credentials, at: loop.clock.wall,
            into: &exchange.identity)
        return blueprint.routes.lend(index) { route in
            route.limits.isEmpty
                ? goOn(exchange, request, route, snapshot, isPeek: isPeek)
                : limit(exchange, request, route, snapshot, isPeek: isPeek)
        }
    }

    /// What becomes of a request that its limits let pass, now: the cache or the origin.
    func goOn(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ snapshot: Snapshot, isPeek: Bool
    ) -> Verdict {
        // Behind the limits: whoever tries tokens is counted, by address, and `count: [401]` finds them.
        if lacksUser(exchange, route) { return .reject(.userRequired) }
        if let verdict = judgeKey(
            exchange, request, route, snapshot.blueprint, isPeek: isPeek)
        {
            return verdict
        }
        guard let cache = route.cache else { return .forward(route) }
        if needsContent(exchange, request, cache) {
            return .readContent(route, most: cache.policy.maxBody)
        }
        if isPeek { return peek(exchange, request, route, cache) }
        guard exchange.answer != .miss else { return lookUp(exchange, request, route, cache) }
        if let verdict = lookUpStored(exchange, request, route, cache) { return verdict }
        // What it was to be answered with has gone: it is a dearer request now.
        return limitAgain(exchange, request, route, snapshot)
    }

    /// Whether the route asks for a user, and the request has not proven to have one.
    func lacksUser(_ exchange: Exchange, _ route: Route) -> Bool {
        route.requiresUser && !exchange.identity.userIsProven
    }

    /// What is refused before any route is looked for.
    private func check(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ blueprint: Blueprint
    ) -> Rejection? {
        if request.fields.containsAny(of: Self.checkedFields),
            let rejection = checkFields(exchange, request)
        {
            return rejection
        }
        if case .length(let length) = request.framing, length > blueprint.settings.http.bodyBytes {
            return .bodyTooLarge
        }
        return nil
    }

    private static let checkedFields: FieldNameSet = [.upgrade, .expect, .via]

    @inline(never)
    private func checkFields(
        _ exchange: Exchange, _ request: borrowing RequestHead
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

    /// Why the request goes past the cache; `nil` when it does not, and its key is built.
    private func bypass(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ cache: CacheRules
    ) -> CacheBypass? {
        if shared.switches.isBypassed { return .switchedOff }
        if let reason = CacheBypass.reason(for: request, rules: cache) { return reason }
        if case .cut(let reason) = exchange.content.state { return reason }
        if cache.keysContent(of: request.method) && !exchange.content.isWhole {
            // It has none: `needsContent` lets no other one come here.
            exchange.content.end()
        }
        return buildKey(
            into: &exchange.cacheKey, request, exchange.identity, cache, exchange.content.digest)
            ? nil : .noIdentity
    }

    /// Whether the key says the request's content, and it is not read yet.
    func needsContent(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ cache: CacheRules
    ) -> Bool {
        guard case .unread = exchange.content.state, cache.keysContent(of: request.method) else {
            return false
        }
        return request.framing != .none && CacheBypass.reason(for: request, rules: cache) == nil
    }

    /// Looks at the cache. Once more for a request whose fill turned out to be for another variant.
    func lookUp(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route, _ cache: CacheRules
    ) -> Verdict {
        if let reason = bypass(exchange, request, cache) { return .goAround(route, reason) }
        let key = exchange.cacheKey
        return verdict(
            shared.cache.lookupOrJoin(
                key: key.span, request: request, rules: cache, now: loop.now, random: &random),
            route, cache)
    }

    /// Looks for the stored answer that the limits were told of, whose key is built; `nil` when it has gone.
    private func lookUpStored(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route, _ cache: CacheRules
    ) -> Verdict? {
        let key = exchange.cacheKey
        let found = shared.cache.lookupStored(
            key: key.span, request: request, rules: cache, now: loop.now, random: &random)
        return found.map { verdict($0, route, cache) }
    }

    private func verdict(
        _ found: consuming CacheLookup, _ route: Route, _ cache: CacheRules
    ) -> Verdict {
        switch consume found {
        case .hit(let stored): .serve(stored, nil)
        case .stale(let stored, let reason): .serve(stored, reason)
        case .refresh(let stored, let fill): .serveAndRefresh(route, cache, stored, fill)
        case .lead(let lead): .lead(route, cache, lead)
        case .follow(let fill, let reader): .follow(route, cache, fill, reader)
        case .bypass(let reason): .goAround(route, reason)
        case .onlyIfCached: .reject(.onlyIfCached)
        }
    }

    /// Looks what is stored, and begins nothing.
    func peek(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route, _ cache: CacheRules
    ) -> Verdict {
        if let reason = bypass(exchange, request, cache) { return .goAround(route, reason) }
        let key = exchange.cacheKey
        switch shared.cache.peek(key: key.span, request: request, rules: cache, now: loop.now) {
        case .stored(let stored, let reason): return .serve(stored, reason)
        case .fetch(let reason): return .fetch(route, reason)
        case .around(let reason): return .goAround(route, reason)
        case .onlyIfCached: return .reject(.onlyIfCached)
        }
    }

    /// Builds the request's key; `false` when a part of `vary_by` is missing.
    func buildKey(
        into key: inout [UInt8], _ request: borrowing RequestHead,
        _ identity: borrowing ResolvedIdentity, _ cache: CacheRules, _ content: ContentDigest
    ) -> Bool {
        CacheKey.build(
            into: &key, request: request, rules: cache, user: identity.user,
            company: identity.company, tier: identity.tier, address: identity.address,
            content: content)
    }
}
