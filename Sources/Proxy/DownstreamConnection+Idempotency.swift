import Caching
import EventLoop
import HTTP1
import HTTPModel
import Limits
import Primitives
import Settings

/// Answering requests with an Idempotency-Key.
extension DownstreamConnection {
    /// Asks the origin on behalf of the key, and passes its answer on as it comes.
    func runOnce(
        _ exchange: Exchange, _ route: Route, _ policy: IdempotencyPolicy,
        _ ticket: IdempotencyStore.Ticket
    ) async -> Afterwards {
        exchange.record.idempotency = .first
        exchange.answer = .miss
        noteBypass(exchange, route)
        let (fill, reader) = worker.shared.cache.detachedFill(at: now)
        IdempotentExchange(self, exchange, route, policy, ticket, fill).start()
        // Nothing but the first client reads from it, so it never has to look again.
        return await read(exchange, route, fill, reader) ?? .close
    }

    /// Sends the first answer again: its status, fields and body, and a field that says so. What it told of the
    /// origin's limits held then.
    func replay(
        _ exchange: Exchange, _ route: Route, _ answer: StoredResponse
    ) async -> Afterwards {
        exchange.record.idempotency = .replayed
        // It costs the origin nothing.
        exchange.answer = .hit
        noteBypass(exchange, route)
        exchange.record.status = answer.head.status
        let keeps = mayKeep(exchange)
        let output = exchange.output
        answer.head.append(to: output) { name in
            HeadFields.limits.contains(FieldName(recognising: name))
        }
        output.append("Idempotency-Replayed: true\r\nVia: 1.1 weir\r\n")
        appendLimitFields(exchange, of: route) { LimitCost.units(named: $0, in: answer.head) }
        appendConnection(exchange, keeps: keeps)
        HTTP1Writer.appendEndOfHead(to: output)
        do {
            if !answer.head.status.forbidsBody {
                exchange.record.bodyBytes = UInt64(answer.bodyCount)
                for segment in answer.body {
                    try await stream.write(
                        output, segment, 0..<segment.count, patience: http.idleTimeout)
                }
            }
            try await stream.write(output, patience: http.idleTimeout)
        } catch {
            exchange.record.isIncomplete = true
            return .close
        }
        return keeps ? .nextRequest : .close
    }

    /// The cache has no part in requests with a key.
    private func noteBypass(_ exchange: Exchange, _ route: Route) {
        guard let cache = route.cache else { return }
        let takes = cache.policy.methods.take(exchange.request.method)
        let reason = takes ? CacheBypass.idempotencyKey : .method
        exchange.record.cache = .bypass
        exchange.record.cacheReason = reason.name
        exchange.cacheStatus = .bypassed(reason)
    }
}

/// Sets of fields by what they are about.
enum HeadFields {
    /// The origin's limits.
    static let limits: FieldNameSet = [
        .ratelimit, .ratelimitPolicy, .xRatelimitLimit, .xRatelimitRemaining, .xRatelimitReset,
    ]
}
