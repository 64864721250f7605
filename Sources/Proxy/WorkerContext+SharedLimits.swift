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
        var answer: SharedLimiter.Answer?
        let hasLeases = await awaitLeases(exchange, route)
        if hasLeases && !exchange.decision.awaitsRedis {
            return conclude(
                exchange, exchange.identity, exchange.dimensions, exchange.request, route, snapshot,
                isPeek: isPeek)
        }
        if hasLeases, let limiter = sharedLimiter {
            answer = await limiter.ask { batch in
                ask(
                    about: exchange, exchange.identity, exchange.dimensions, route, limiter.keys,
                    isPeek: isPeek, in: &batch)
            }
        }
        let replicas = shared.liveReplicas
        if let answer {
            route.limits.conclude(
                exchange.decision, by: answer.reply, from: answer.place, in: shared.limits,
                replicas: replicas, at: loop.clock, isPeek: isPeek)
        } else {
            if !isPeek {
                metrics.noteWithoutRedis(
                    exchange.decision, of: route, rows: rows(of: route, in: snapshot))
            }
            route.limits.concludeWithoutRedis(
                exchange.decision, in: shared.limits, replicas: replicas, at: loop.clock,
                isPeek: isPeek)
        }
        return conclude(
            exchange, exchange.identity, exchange.dimensions, exchange.request, route, snapshot,
            isPeek: isPeek)
    }

    /// Adds the question about a request to a batch.
    private func ask(
        about exchange: Exchange, _ identity: borrowing ResolvedIdentity,
        _ dimensions: borrowing LimitDimensions, _ route: Route, _ keys: SharedKeyWriter,
        isPeek: Bool, in batch: inout SharedLimitBatch
    ) -> Int {
        let subject = LimitSubject(
            address: identity.address, counted: identity.countedAddress,
            method: exchange.request.method, user: identity.user, company: identity.company,
            tier: identity.tier)
        return route.limits.ask(
            about: exchange.decision, subject, dimensions, keys: keys, isPeek: isPeek, in: &batch)
    }

    /// Tells Redis what it was charged too much, or too little, for a request. Nobody waits for it.
    func correct(
        _ correction: SharedCorrection, _ exchange: Exchange,
        _ identity: borrowing ResolvedIdentity, _ dimensions: borrowing LimitDimensions,
        _ route: Route
    ) {
        guard let limiter = sharedLimiter else { return }
        let subject = LimitSubject(
            address: identity.address, counted: identity.countedAddress,
            method: exchange.request.method, user: identity.user, company: identity.company,
            tier: identity.tier)
        limiter.add(correction, of: route.limits, subject, dimensions)
    }
}
