import Caching
import EventLoop
import HTTPModel
import Limits
import Primitives

extension WorkerContext {
    /// What the cache holds for a request on `route`, and which part it has in the answer as costs see it.
    func cachePart(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route
    ) -> (cache: Explanation.Cache, found: CachePart)? {
        guard let rules = route.cache else { return nil }
        if let reason = CacheBypass.reason(for: request, rules: rules) {
            return (.bypass(reason, key: nil), .around(reason))
        }
        guard buildKey(into: &exchange.cacheKey, request, exchange.identity, rules) else {
            return (.bypass(.noIdentity, key: nil), .around(.noIdentity))
        }
        let bytes = exchange.cacheKey
        let key = bytes.span.text
        switch shared.cache.peek(key: bytes.span, request: request, rules: rules, now: loop.now) {
        case .stored(let stored, let reason):
            let cache = Explanation.Cache(
                key: key, state: reason == nil ? "hit" : "stale",
                detail: Explanation.Cache.freshness(of: stored, reason, at: loop.now), store: nil)
            return (cache, .stored(stored, reason))
        case .fetch(let reason):
            if request.method == .head {
                return (.bypass(.headNotStored, key: key), .around(.headNotStored))
            }
            let cache = Explanation.Cache(
                key: key, state: "miss", detail: "\(reason.name)",
                store: Explanation.Storing(request, rules, at: loop.clock))
            return (cache, .fetch)
        }
    }
}

/// The cache's part in an answer.
enum CachePart {
    /// A stored answer.
    case stored(StoredResponse, CacheLookup.StaleReason?)
    /// The origin's answer, fetched for the cache.
    case fetch
    /// The origin's answer, past the cache.
    case around(CacheBypass)

    /// As costs see it.
    var answer: LimitAnswer {
        switch self {
        case .stored(_, nil): .hit
        case .stored: .stale
        case .fetch, .around: .miss
        }
    }
}

extension Explanation.Cache {
    /// A request that goes past the cache.
    static func bypass(_ reason: CacheBypass, key: String?) -> Explanation.Cache {
        Explanation.Cache(
            key: key, state: "bypass", detail: "\(reason.name)",
            store: Explanation.Storing(plain: false, reason: "the request goes past the cache"))
    }

    fileprivate static func freshness(
        of stored: StoredResponse, _ reason: CacheLookup.StaleReason?, at now: MonotonicTime
    ) -> String {
        let age = "age \(stored.age(at: now).wholeSeconds) s"
        switch stored.freshness(at: now) {
        case .fresh(let ttl): return "\(age), fresh for \(PlainText.duration(ttl))"
        case .stale(let time):
            let why = reason.map { ", served stale: \($0.name)" } ?? ""
            return "\(age), stale for \(PlainText.duration(time))\(why)"
        }
    }
}
