import Caching
import EventLoop
import HTTPModel
import Identity
import Limits
import Primitives

/// What the limits say to a request, from their decision to its end.
extension WorkerContext {
    /// Lets the limits of `route` decide, and finds out what becomes of the request then.
    ///
    /// Where a cost depends on the cache's part in the answer, that is looked at first; nothing is fetched
    /// before the limits have let the request pass.
    func limit(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ snapshot: Snapshot, isPeek: Bool
    ) -> Verdict {
        if !route.dimensions.isEmpty { fillDimensions(exchange, request, route) }
        if route.limits.dependsOnAnswer, let cache = route.cache, !lacksUser(exchange, route),
            !needsContent(exchange, request, cache),
            case .serve(_, let reason) = peek(exchange, request, route, cache)
        {
            exchange.answer = reason == nil ? .hit : .stale
        }
        return decide(exchange, request, route, snapshot, isPeek: isPeek)
    }

    /// Decides anew for a request whose stored answer has gone: what it was charged is given back.
    func limitAgain(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ snapshot: Snapshot
    ) -> Verdict {
        cancelLimits(exchange, snapshot)
        exchange.answer = .miss
        return decide(exchange, request, route, snapshot, isPeek: false)
    }

    private func decide(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ snapshot: Snapshot, isPeek: Bool
    ) -> Verdict {
        let decision = exchange.decision
        exchange.lendSubject(method: request.method) { subject, dimensions in
            route.limits.decide(
                subject, dimensions: dimensions, answer: exchange.answer, in: limitTable,
                at: loop.clock, isPeek: isPeek, into: decision)
        }
        if decision.awaitsRedis && route.limits.hasLeased {
            takeLeases(exchange, method: request.method, route, isPeek: isPeek)
        }
        if decision.awaitsRedis { return .askLimits(route) }
        return conclude(exchange, request, route, snapshot, isPeek: isPeek)
    }

    /// What becomes of a request when all its limits have spoken.
    func conclude(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ snapshot: Snapshot, isPeek: Bool
    ) -> Verdict {
        exchange.decided = loop.clock
        let decision = exchange.decision
        if !isPeek {
            exchange.isLimited = true
            lendRows(of: route, in: snapshot) { metrics.note(decision, of: route, rows: $0) }
        }
        if !decision.isAdmitted {
            if !isPeek { noteRefusedKeys(exchange, request, route) }
            return .refuse(route)
        }
        if !isPeek && decision.delay > .zero { return .delay(route) }
        return goOn(exchange, request, route, snapshot, isPeek: isPeek)
    }

    /// Counts the keys of all limits that refused the request; shadow limits refuse nothing.
    private func noteRefusedKeys(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route
    ) {
        let decision = exchange.decision
        for index in 0..<decision.count where decision[index].refused && !decision[index].isShadow {
            let key = decision[index].key
            guard let slot = refusedKeys.note(key, at: loop.clock.wall) else { continue }
            exchange.lendSubject(method: request.method) { subject, dimensions in
                refusedKeys.setWords(
                    of: slot, Int(decision[index].limit), of: route, subject, dimensions,
                    methodName: request.span(request.methodRange))
            }
        }
    }

    /// Collects the values of header fields and claims that the limits count by. All lines of a field are one
    /// value, joined by commas (RFC 9110 §5.3).
    private func fillDimensions(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route
    ) {
        exchange.dimensions.removeAll()
        for dimension in route.dimensions {
            switch dimension {
            case .header(let name, let known):
                append(known, name, of: request.fields, to: &exchange.dimensions)
            case .claim(let index): exchange.dimensions.append(exchange.identity.claim(index))
            }
        }
    }

    private func append(
        _ known: FieldName, _ name: [UInt8], of fields: borrowing FieldList,
        to dimensions: inout LimitDimensions
    ) {
        var isFirst = true
        if known == .other || fields.contains(known) {
            for index in fields.indices where fields[index].name == known {
                let isNamed =
                    known != .other || fields.name(at: index).equalsIgnoringCase(name.span)
                guard isNamed else { continue }
                if isFirst {
                    dimensions.append(fields.value(at: index))
                } else {
                    dimensions.extendLast(fields.value(at: index))
                }
                isFirst = false
            }
        }
        if isFirst { dimensions.append(nil) }
    }

    // MARK: After the decision

    /// Corrects the charges by the answer, whose status and cache part are in `exchange`; only the first call
    /// for a request changes anything. `costField` reads the units from the answer's field of that name.
    func settleLimits(
        _ exchange: Exchange, of route: Route, costField: ([UInt8]) -> UInt32?
    ) {
        guard exchange.decision.isOpen, exchange.isLimited else { return }
        // Mostly receipts are kept only for a request that is cancelled.
        guard route.limits.isSettled else { return exchange.decision.forgetReceipts() }
        settle(exchange, of: route, costField: costField)
    }

    @inline(never)
    private func settle(
        _ exchange: Exchange, of route: Route, costField: ([UInt8]) -> UInt32?
    ) {
        route.limits.settle(
            exchange.decision, in: limitTable, status: exchange.record.status,
            answer: exchange.answer, at: loop.clock,
            correct: { correct($0, exchange, route) },
            costField: costField)
    }

    /// Ends the request for its limits: what it held in flight is free again.
    func finishLimits(_ exchange: Exchange, _ snapshot: Snapshot) {
        guard exchange.isLimited else { return }
        exchange.isLimited = false
        let blueprint = snapshot.blueprint
        blueprint.routes.lend(exchange.record.route) { route in
            lendRows(of: route, in: snapshot) { rows in
                metrics.noteEnd(exchange.decision, of: route, rows: rows)
            }
            guard exchange.decision.isOpen else { return }
            route.limits.finish(exchange.decision, in: limitTable, at: loop.clock)
        }
    }

    /// Ends a request that did not go on, and gives back what it was charged.
    func cancelLimits(_ exchange: Exchange, _ snapshot: Snapshot) {
        guard exchange.isLimited else { return }
        exchange.isLimited = false
        let route = snapshot.blueprint.routes[exchange.record.route]
        lendRows(of: route, in: snapshot) { rows in
            metrics.noteCancelled(exchange.decision, of: route, rows: rows)
        }
        route.limits.cancel(exchange.decision, in: limitTable, at: loop.clock) {
            correct($0, exchange, route)
        }
    }
}
