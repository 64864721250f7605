import Glibc
public import Primitives

/// What a stored answer is good for at a moment.
public enum StoredUse: Sendable, BitwiseCopyable, Equatable {
    /// Serve it.
    case serve
    /// Serve it, and fetch it again in the background: it expires soon, or did a moment ago.
    case serveAndRefresh
    /// Ask the origin before serving it.
    case validate
}

extension StoredResponse {
    /// Whether it may be served at `now` (RFC 9111 §4, cases `9111-4-…`, `9111-5.2.1-…`).
    ///
    /// - Parameters:
    ///   - now: The present.
    ///   - demands: The request's directives, empty where the policy does not listen to clients.
    ///   - early: The policy's early refresh.
    ///   - random: For early refresh; drawn from only in the last half of the lifetime.
    /// - Returns: Whether to serve it, to refresh it, or to ask first.
    public func use(
        at now: MonotonicTime, demands: CacheDirectives, early: CachePolicy.EarlyRefresh,
        random: inout SeededRandom
    ) -> StoredUse {
        if lifetime.mustValidate || demands.flags.contains(.noCache) { return .validate }
        let age = age(at: now)
        if let most = demands.maxAge, age > .seconds(UInt64(most)) {
            // A reload says `max-age=0` without doubting the answer; `no-cache` does (RFC 8246 §2.1, case
            // `8246-2-max-age-0`).
            guard head.lifetime.isImmutable, age < head.lifetime.fresh else { return .validate }
        }
        switch freshness(at: now) {
        case .fresh(let ttl):
            if let least = demands.minFresh, ttl < .seconds(UInt64(least)) { return .validate }
            return shouldRefreshEarly(at: now, early: early, random: &random)
                ? .serveAndRefresh : .serve
        case .stale(let time):
            // A client that limits age or asks for freshness wants no stale answer (§5.2.1.1).
            let wantsFresh = demands.maxAge != nil || demands.minFresh != nil
            if !wantsFresh && mayServeStale(whileRevalidatingAt: now) { return .serveAndRefresh }
            if lifetime.forbidsStale { return .validate }
            if let most = demands.maxStale, time <= .seconds(UInt64(most)) { return .serve }
            return demands.flags.contains(.maxStaleAny) ? .serve : .validate
        }
    }

    /// Whether a fresh answer should be fetched again before it expires (standards A7).
    ///
    /// XFetch (Vattani et al. 2015): `now − Δ·β·ln u ≥ expiry`, u uniform in (0, 1]. The lead is bounded: an
    /// early refresh happens only in the last half of the time that the answer had on arrival, so that a
    /// slow origin with a short lifetime is not asked on every hit.
    public func shouldRefreshEarly(
        at now: MonotonicTime, early: CachePolicy.EarlyRefresh, random: inout SeededRandom
    ) -> Bool {
        guard case .fresh(let ttl) = freshness(at: now) else { return false }
        let usable = lifetime.fresh - head.initialAge
        guard ttl.count <= usable.count / 2 else { return false }
        switch early {
        case .off:
            return false
        case .xfetch(let beta):
            return -log(random.unit()) * beta * Double(head.delta.count) >= Double(ttl.count)
        case .chance(let last, let chance):
            guard Double(ttl.count) <= last * Double(usable.count) else { return false }
            return random.unit() <= chance
        }
    }
}
