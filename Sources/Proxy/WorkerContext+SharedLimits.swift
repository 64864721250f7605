import EventLoop
import HTTPModel
import Identity
import Limits
import Primitives
import RedisClient

/// The limits that Redis counts for the whole fleet.
extension WorkerContext {
    /// Asks Redis about the limits that it counts, and finds out what becomes of the request then. Without an
    /// answer in time each limit says what to do.
    ///
    /// - Parameters:
    ///   - exchange: A request whose verdict is `askLimits`.
    ///   - route: Its route.
    ///   - snapshot: The configuration the request began under.
    ///   - isPeek: Whether only to look.
    /// - Returns: The verdict then.
    func askLimits(
        _ exchange: Exchange, _ route: Route, _ snapshot: Snapshot, isPeek: Bool
    ) async -> Verdict {
        let decision = exchange.decision
        var hasLeases = true
        if route.limits.hasLeased { hasLeases = await awaitLeases(exchange, route) }
        while decision.awaitsRedis {
            let replicas = shared.liveReplicas
            if hasLeases, let limiter = sharedLimiter {
                let next = nextSlot(exchange, route, limiter)
                let answer = await limiter.ask(slot: next.slot) { batch in
                    ask(
                        about: exchange, route, states: next.states, limiter.keys,
                        isPeek: isPeek, in: &batch)
                }
                if let answer {
                    route.limits.conclude(
                        decision, by: answer.reply, from: answer.place, states: next.states,
                        in: shared.limits, replicas: replicas, at: loop.clock, isPeek: isPeek
                    ) { correct($0, exchange, route) }
                    continue
                }
            }
            if !isPeek {
                lendRows(of: route, in: snapshot) { rows in
                    metrics.noteWithoutRedis(decision, of: route, rows: rows)
                }
            }
            route.limits.concludeWithoutRedis(
                decision, in: shared.limits, replicas: replicas, at: loop.clock, isPeek: isPeek
            ) { correct($0, exchange, route) }
        }
        return conclude(exchange, exchange.request, route, snapshot, isPeek: isPeek)
    }

    /// The limits that are asked next.
    private func nextSlot(
        _ exchange: Exchange, _ route: Route, _ limiter: SharedLimiter
    ) -> (states: UInt8, slot: Int) {
        exchange.lendSubject(method: exchange.request.method) { subject, dimensions in
            limiter.nextSlot(of: exchange.decision, by: route.limits, subject, dimensions)
        }
    }

    /// Adds the question about a request to a batch.
    private func ask(
        about exchange: Exchange, _ route: Route, states: UInt8, _ keys: SharedKeyWriter,
        isPeek: Bool, in batch: inout SharedLimitBatch
    ) -> Int {
        exchange.lendSubject(method: exchange.request.method) { subject, dimensions in
            route.limits.ask(
                about: exchange.decision, subject, dimensions, states: states, keys: keys,
                isPeek: isPeek, in: &batch)
        }
    }

    /// Tells Redis what it was charged too much, or too little, for a request. Nobody waits for it.
    func correct(_ correction: SharedCorrection, _ exchange: Exchange, _ route: Route) {
        guard let limiter = sharedLimiter else { return }
        exchange.lendSubject(method: exchange.request.method) { subject, dimensions in
            limiter.add(correction, of: route.limits, subject, dimensions)
        }
    }
}
