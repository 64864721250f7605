import EventLoop
import HTTP1
import HTTPModel
import Identity
import Limits
import Primitives
import Settings
import Upstreams

/// Answers that the proxy makes itself.
extension DownstreamConnection {
    /// Answers with the reason of `rejection` in a small JSON body.
    func reject(_ exchange: Exchange, _ rejection: Rejection) async -> Afterwards {
        if case .upstream(.aborted) = rejection {
            exchange.record.status = rejection.status
            exchange.record.error = rejection.reason
            exchange.record.isIncomplete = true
            return .close
        }
        exchange.record.error = rejection.reason
        exchange.answer = .miss
        worker.metrics.note(rejection)
        let body = exchange.scratch
        body.removeAll()
        body.append("{\"error\":\"")
        body.append(rejection.status.reason)
        body.append("\",\"detail\":\"")
        body.append(rejection.reason)
        body.append("\"}\n")
        if rejection.endsConnection { exchange.request.keepsAlive = false }
        let afterwards = await send(exchange, rejection.status, type: "application/json") {
            output in
            output.append("Cache-Control: no-store\r\n")
            if rejection.status == 401 { appendChallenge(exchange) }
            if rejection.status == 405 {
                output.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY\r\n")
            }
            if rejection.status == 503 || rejection.isRetrySoon {
                output.append("Retry-After: 1\r\n")
            }
        }
        if case .malformed = rejection { worker.finishUnparsed(exchange, of: self) }
        if case .headTimeout = rejection { worker.finishUnparsed(exchange, of: self) }
        return afterwards == .close && rejection.endsConnection ? .lingerAndClose : afterwards
    }

    /// Says how to prove who one is, and what was wrong with a token (RFC 6750 §3). API keys have no scheme of
    /// their own.
    private func appendChallenge(_ exchange: Exchange) {
        let output = exchange.output
        output.append("WWW-Authenticate: Bearer realm=\"weir\"")
        if case .invalidToken(let problem) = exchange.identity.credential {
            output.append(", error=\"invalid_token\", error_description=\"")
            output.append(problem.reason)
            output.append("\"")
        }
        output.append("\r\n")
    }

    /// Answers 429 with the limits that refused, or 403 where a limit serves identified clients only.
    ///
    /// - Returns: What becomes of the connection; `nil` when the client does not take the answer at once, or still
    ///   sends: then `endAnswer` is due.
    func refuseNow(_ exchange: Exchange, _ route: Route) -> Afterwards? {
        let wantsProblem =
            exchange.request.fields.contains(.accept) && acceptsProblemJSON(exchange.request)
        writeRefusal(exchange, exchange.decision, route, problemJSON: wantsProblem)
        let type: StaticString = wantsProblem ? "application/problem+json" : "application/json"
        let keeps = appendAnswer(
            exchange, exchange.decision.refusalStatus, of: route, type: type
        ) { output in
            output.append("Cache-Control: no-store\r\n")
        }
        if isFollowed(exchange, keeps: keeps) { return .nextRequest }
        guard exchange.body.isComplete, (try? stream.writeNow(exchange.output)) ?? false else {
            return nil
        }
        return keeps ? .nextRequest : .close
    }

    private func writeRefusal(
        _ exchange: Exchange, _ decision: LimitDecision, _ route: Route, problemJSON: Bool
    ) {
        // Field and body tell the same time.
        if route.limitFields.retryAfterJitter > 0 { exchange.jitter = worker.random.next() }
        exchange.scratch.removeAll()
        route.limits.appendRefusalBody(
            for: decision, problemJSON: problemJSON,
            retryAfter: route.limitFields.retryAfterSeconds(
                of: decision, jitter: exchange.jitter), to: exchange.scratch)
        exchange.scratch.append("\n")
    }

    private func acceptsProblemJSON(_ request: borrowing RequestHead) -> Bool {
        guard let accept = request.fields.first(.accept) else { return false }
        return accept.containsIgnoringCase("application/problem+json")
    }

    /// Sends a local answer whose body is in `exchange.scratch` (for 204: none).
    func send(
        _ exchange: Exchange, _ status: Status, type: StaticString?,
        _ appendFields: (ByteBuffer) -> Void
    ) async -> Afterwards {
        appendAnswer(exchange, status, type: type, appendFields)
        return await endAnswer(exchange)
    }

    /// Appends a local answer to the output; whether another request may follow it. The fields of limits are those of
    /// `route`, or of the request's when there is none at hand.
    @discardableResult
    private func appendAnswer(
        _ exchange: Exchange, _ status: Status, of route: Route? = nil, type: StaticString?,
        _ appendFields: (ByteBuffer) -> Void
    ) -> Bool {
        exchange.record.status = status
        let keeps = mayKeep(exchange)
        let output = exchange.output
        HTTP1Writer.appendStatusLine(status, to: output)
        worker.appendDate(to: output)
        if let type {
            output.append("Content-Type: ")
            output.append(type)
            output.append("\r\nContent-Length: ")
            output.append(decimal: UInt64(exchange.scratch.count))
            output.append("\r\n")
        }
        appendFields(output)
        appendLimitFields(exchange, of: route)
        appendConnection(exchange, keeps: keeps)
        HTTP1Writer.appendEndOfHead(to: output)
        if exchange.request.method != .head && type != nil {
            exchange.record.bodyBytes = UInt64(exchange.scratch.count)
            output.append(exchange.scratch)
        }
        return keeps
    }

    /// Sends what is left of a local answer, and drops what the client still sends of its request.
    func endAnswer(_ exchange: Exchange) async -> Afterwards {
        let keeps = mayKeep(exchange)
        do {
            try await sendAnswer(exchange, keeps: keeps)
        } catch {
            exchange.record.isIncomplete = true
            return .close
        }
        if exchange.body.isComplete { return keeps ? .nextRequest : .close }
        guard keeps else { return .lingerAndClose }
        return await dropBody(exchange) ? .nextRequest : .lingerAndClose
    }

    /// The rate limit fields of the decision that was taken, once the charges are settled by an answer whose
    /// status is known; `costField` reads the units from the answer's field of that name. Who has the request's route
    /// at hand gives it.
    func appendLimitFields(
        _ exchange: Exchange, of known: Route? = nil,
        omitting omitted: RateLimitFields.Dialects = [],
        costField: ([UInt8]) -> UInt32? = { _ in nil }
    ) {
        guard exchange.decision.count > 0, exchange.isLimited else { return }
        let route = known ?? route(of: exchange)
        if exchange.decision.isOpen {
            worker.settleLimits(exchange, of: route, costField: costField)
        }
        route.limitFields.append(
            for: exchange.decision, of: route.limits, at: exchange.decided,
            jitter: exchange.jitter, omitting: omitted, to: exchange.output)
    }

    /// The route of a request that was judged.
    func route(of exchange: Exchange) -> Route {
        snapshot.blueprint.routes[exchange.record.route]
    }

    /// `Connection: close`, or `keep-alive` for an HTTP/1.0 client that asked for it.
    func appendConnection(_ exchange: Exchange, keeps: Bool) {
        if !keeps {
            HTTP1Writer.appendField(.connection, "close", to: exchange.output)
        } else if exchange.request.version == .http10 {
            HTTP1Writer.appendField(.connection, "keep-alive", to: exchange.output)
        }
    }

    /// Whether another request may follow an answer given now: the unread body must be small and on its way.
    func mayKeep(_ exchange: Exchange) -> Bool {
        guard exchange.request.keepsAlive && !worker.shared.isDraining else { return false }
        if exchange.body.isComplete { return true }
        if exchange.awaitsContinue { return false }
        if case .length(let length) = exchange.request.framing {
            return length <= Bounds.drainedBody
        }
        return false
    }

    /// Reads and drops the request's body, so that the next request is found after it.
    func dropBody(_ exchange: Exchange) async -> Bool {
        let deadline = now + http.requestTimeout
        let arrived = exchange.input
        while !exchange.body.isComplete {
            guard let step = try? exchange.body.next(arrived.readable) else { return false }
            switch step {
            case .data(_, let consumed), .end(let consumed):
                exchange.input.consume(consumed)
            case .needsMore(let consumed):
                exchange.input.consume(consumed)
                guard let n = try? await stream.read(into: exchange.input, until: deadline), n > 0
                else { return false }
            }
        }
        return true
    }
}
