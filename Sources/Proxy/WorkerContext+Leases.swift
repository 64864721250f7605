import EventLoop
import HTTPModel
import Identity
import Limits
import Primitives
import RedisClient

/// The limits of which units are leased from Redis and spent here.
extension WorkerContext {
    /// Takes what a request costs from the leases of its limits, as far as they have it. Limits that lack units
    /// leave the decision to `awaitLeases`; where one only looks, what is known here counts.
    func takeLeases(_ exchange: Exchange, method: Method, _ route: Route, isPeek: Bool) {
        if isPeek {
            return route.limits.peekLeases(exchange.decision, in: limitTable, at: loop.clock)
        }
        route.limits.takeLeases(
            exchange.decision, in: limitTable, replicas: shared.liveReplicas, at: loop.clock)
        if exchange.decision.lowLeases != 0 { refillLeases(exchange, method: method, route) }
    }

    /// Asks for more units of the leases that have few left, ahead of need.
    @inline(never)
    private func refillLeases(_ exchange: Exchange, method: Method, _ route: Route) {
        guard let desk = leaseDesk else { return }
        let decision = exchange.decision
        exchange.lendSubject(method: method) { subject, dimensions in
            for index in 0..<decision.count where decision.lowLeases >> index & 1 == 1 {
                let lease = route.limits.lease(
                    index, of: decision, subject, dimensions, keys: desk.keys)
                desk.refill(lease.digest, key: lease.key, terms: lease.terms)
            }
        }
    }

    /// Asks Redis for the units that a request lacks, until it has them or is refused.
    ///
    /// - Returns: `false` when Redis gives no answer: limits without units are open still.
    func awaitLeases(_ exchange: Exchange, _ route: Route) async -> Bool {
        var lack = LeaseLack.waits
        var rounds = 0
        while exchange.decision.lackingLeases != 0 {
            rounds += 1
            switch await askForLeases(exchange, route) {
            case .given: lack = rounds < Bounds.leaseRounds ? .waits : .refuses
            case .noRoom: lack = .refuses
            case .none: lack = .staysOpen
            }
            route.limits.takeLeases(
                exchange.decision, in: limitTable, replicas: shared.liveReplicas,
                at: loop.clock, lack: lack)
            if lack == .staysOpen { return exchange.decision.lackingLeases == 0 }
        }
        return true
    }

    /// Asks for all units that lack, in one call, and says what is worst.
    private func askForLeases(_ exchange: Exchange, _ route: Route) async -> UnitsAnswer {
        guard let desk = leaseDesk else { return .none }
        let asks = leaseAsks(exchange, route, desk)
        var worst = UnitsAnswer.given
        for ask in asks {
            switch await desk.wait(for: ask) {
            case .given: continue
            case .noRoom: worst = .noRoom
            case .none: return .none
            }
        }
        return worst
    }

    private func leaseAsks(
        _ exchange: Exchange, _ route: Route, _ desk: LeaseDesk
    ) -> [LeaseAsk] {
        var asks: [LeaseAsk] = []
        let decision = exchange.decision
        exchange.lendSubject(method: exchange.request.method) { subject, dimensions in
            for index in 0..<decision.count where decision.lackingLeases >> index & 1 == 1 {
                let lease = route.limits.lease(
                    index, of: decision, subject, dimensions, keys: desk.keys)
                asks.append(
                    desk.ask(lease.digest, key: lease.key, terms: lease.terms, units: lease.units))
            }
        }
        return asks
    }

    // MARK: Giving back

    /// Gives idle units back from now on, until the process ends: one worker does.
    func startSweepingLeases() {
        guard let desk = leaseDesk else { return }
        loop.start { [self] in
            while !shared.isDraining {
                await loop.sleep(for: Bounds.leaseSweep)
                desk.sweep()
            }
        }
    }
}
