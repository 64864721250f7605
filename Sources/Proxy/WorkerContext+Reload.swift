import EventLoop
import Identity
import Limits
import Primitives
import RedisClient
import Routes
import Settings
import Upstreams

/// Following another configuration, while requests of the former one run on.
extension WorkerContext {
    /// Makes requests that begin from now on follow `blueprint`.
    ///
    /// - Parameters:
    ///   - blueprint: The configuration.
    ///   - health: Of its upstreams, by index.
    ///   - keys: The keys of its identity; `nil`: those there are.
    func adopt(_ blueprint: Blueprint, health: [UpstreamHealth], keys: CredentialKeys?) {
        let old = snapshot
        metrics = metrics.carried(from: old.blueprint, to: blueprint)
        if old.blueprint.settings.log != blueprint.settings.log {
            flushLog()
            log = AccessLog(blueprint.settings.log)
        }
        snapshot = Snapshot(
            blueprint, pools: pools(of: blueprint, health),
            credentials: credentials(of: blueprint, keys))
        if snapshot.credentials !== old.credentials {
            metrics.credentials.add(old.credentials.counts)
        }
        for pool in old.pools where !snapshot.pools.contains(where: { $0 === pool }) {
            pool.close()
            retired.append(pool)
        }
        forgetRetiredPools()
        connections.forEach { $0.noteChange() }
    }

    /// An upstream that is configured as before keeps its connections.
    private func pools(of blueprint: Blueprint, _ health: [UpstreamHealth]) -> [UpstreamPool] {
        zip(blueprint.settings.upstreams, health).map { settings, health in
            if let kept = snapshot.pools.first(where: { $0.settings == settings }) { return kept }
            return UpstreamPool(
                settings: settings, health: health, loop: loop,
                random: SeededRandom(seed: random.next()))
        }
    }

    /// Verified tokens are remembered as long as they would be verified in the same way.
    private func credentials(of blueprint: Blueprint, _ keys: CredentialKeys?) -> Credentials {
        let old = snapshot
        let isSame =
            old.blueprint.settings.identity == blueprint.settings.identity
            && old.blueprint.claims == blueprint.claims
        guard isSame else {
            return Credentials(
                blueprint.settings.identity, claims: blueprint.claims,
                keys: keys ?? old.credentials.keys)
        }
        if let keys { old.credentials.keys = keys }
        return old.credentials
    }

    // MARK: Counting

    /// The row in which a request is counted that began under `old`; `nil` when its route is gone.
    @inline(__always)
    func row(ofRoute route: Int, in old: Snapshot) -> Int? {
        route >= 0 && old === snapshot ? route : movedRow(ofRoute: route, in: old)
    }

    @inline(never)
    private func movedRow(ofRoute route: Int, in old: Snapshot) -> Int? {
        if route < 0 { return snapshot.blueprint.routes.count }
        let name = old.blueprint.settings.routes[route].match.name
        return snapshot.blueprint.settings.routes.firstIndex { $0.match.name == name }
    }

    /// Lends the rows of the limits of `route`, of a request that began under `old`; -1 for a limit that is gone.
    @inline(__always)
    func lendRows(of route: Route, in old: Snapshot, _ body: ([Int]) -> Void) {
        if old === snapshot {
            body(route.limitIndices)
        } else {
            body(movedRows(of: route, in: old))
        }
    }

    @inline(never)
    private func movedRows(of route: Route, in old: Snapshot) -> [Int] {
        let limits = snapshot.blueprint.settings.limits
        return route.limitIndices.map { index in
            let name = old.blueprint.settings.limits[index].name
            return limits.firstIndex { $0.name == name } ?? -1
        }
    }

    /// The worker's counters in the shape of `blueprint`, whether it follows that one already or not yet.
    func metrics(by blueprint: Blueprint) -> WorkerMetrics {
        forgetRetiredPools()
        var counted = metrics
        if blueprint !== snapshot.blueprint {
            counted = counted.carried(from: snapshot.blueprint, to: blueprint)
        }
        if let secondLevel { counted.secondLevel = secondLevel.counts }
        counted.credentials.add(snapshot.credentials.counts)
        counted.pools = blueprint.settings.upstreams.map { upstream in
            var sum = PoolMetrics()
            for pool in snapshot.pools + retired where pool.settings.name == upstream.name {
                sum.merge(PoolMetrics(of: pool))
            }
            return sum
        }
        return counted
    }

    /// Lets retired pools go that have no connection left; what they counted lives on under their name.
    private func forgetRetiredPools() {
        retired.removeAll { pool in
            guard pool.openConnections == 0 && pool.waitingRequests == 0 else { return false }
            let heir = snapshot.pools.first { $0.settings.name == pool.settings.name }
            heir?.inherit(pool.counters)
            return true
        }
    }
}
