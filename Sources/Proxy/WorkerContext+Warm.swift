import Caching
import EventLoop
import HTTP1
import HTTPModel
import Identity
import Primitives
import RedisClient
import Routes
import Settings
import Upstreams

/// Fetching answers before anybody asks for them.
extension WorkerContext {
    /// Who a warming request says it comes from: this machine.
    private static let warmingPeer = IPAddress(v4: 0x7F00_0001)

    /// Fetches the answer to `asked` on the way a client's request takes: route, key, fetch. No limit counts it,
    /// no client's metric and no line of the access log tells of it.
    ///
    /// - Returns: How it ended, once the fetch has.
    func warm(_ asked: WarmRequest) async -> JobOutcome {
        let snapshot = snapshot
        let blueprint = snapshot.blueprint
        var request = RequestHead()
        guard read(asked, into: &request, blueprint) else { return .refused(JobReason("request")) }
        guard let index = blueprint.table.match(request) else {
            return .refused(JobReason("no-route"))
        }
        let route = blueprint.routes[index]
        guard let cache = route.cache else { return .refused(JobReason("no-cache")) }
        // Nobody's answer can be fetched for somebody.
        guard !route.requiresUser && !cache.policy.isForSomebody else {
            return .refused(JobReason("no-identity"))
        }
        if let reason = CacheBypass.reason(for: request, rules: cache) {
            return .refused(JobReason(reason.name))
        }
        guard !awaitsPurges(cache) else { return .failed(JobReason("purges-unknown")) }
        var identity = ResolvedIdentity()
        blueprint.identity.resolve(
            peer: WorkerContext.warmingPeer, request: request,
            credentials: snapshot.credentials,
            at: loop.clock.wall, into: &identity)
        var key: [UInt8] = []
        guard
            CacheKey.build(
                into: &key, request: request, rules: cache, user: nil, company: nil, tier: nil,
                address: identity.address)
        else { return .refused(JobReason("no-identity")) }
        // Clients that wait for a connection come first.
        guard snapshot.pools[route.upstream].waitingRequests == 0 else {
            return .failed(JobReason("busy"))
        }
        switch shared.cache.beginWarming(
            key: key.span, request: request, rules: cache, now: loop.now)
        {
        case .fresh, .running: return .done
        case .held: return .failed(JobReason("origin-failed"))
        case .fetch(let fill):
            return await CacheFetch(
                self, snapshot, peer: AddressText(WorkerContext.warmingPeer), request, identity,
                route, cache,
                fill
            ).finished()
        }
    }

    /// Whether this process has just started, and will know in a moment whether it may use what others have in Redis:
    /// that is asked before the origin.
    private func awaitsPurges(_ cache: CacheRules) -> Bool {
        guard cache.policy.isShared, let fleet = shared.fleet, let redis = shared.redis else {
            return false
        }
        return redis.cache.isAvailable && !fleet.purges.isTrusted(at: loop.now)
            && loop.now - shared.started.monotonic < Bounds.purgesAwaited
    }

    private func read(
        _ asked: WarmRequest, into request: inout RequestHead, _ blueprint: Blueprint
    ) -> Bool {
        let fields =
            ["Host: \(asked.host)", "User-Agent: weir-warming"]
            + asked.fields.map { "\($0.name): \($0.value)" }
        guard let asked = try? AskedRequest(asked.target, fields: fields) else { return false }
        return asked.read(into: &request, blueprint) == nil
    }
}
