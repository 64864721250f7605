import Caching
import EventLoop
import HTTPModel
import Limits
import Primitives

extension WorkerContext {
    /// What the cache has for a request on `route`, whatever its limits say; `nil` when the route has none.
    ///
    /// Where `judge` said with `verdict` that a limit refused, the cache is asked here.
    func cachePart(
        _ exchange: Exchange, _ request: borrowing RequestHead, _ route: Route,
        _ verdict: Verdict
    ) -> Explanation.Cache? {
        guard let rules = route.cache else { return nil }
        if needsContent(exchange, request, rules) {
            return Explanation.Cache(
                key: nil, state: "unknown",
                detail: "the key says the body, which an explanation does not have",
                store: Explanation.Storing(request, rules, at: loop.clock))
        }
        let found: Verdict
        if case .refuse = verdict {
            found = peek(exchange, request, route, rules)
        } else {
            found = verdict
        }
        let hasKey = CacheBypass.reason(for: request, rules: rules) == nil
        let bytes = exchange.cacheKey
        let key = bytes.span.text
        switch found {
        case .serve(let stored, let reason):
            return Explanation.Cache(
                key: key, state: reason == nil ? "hit" : "stale",
                detail: Explanation.Cache.freshness(of: stored, reason, at: loop.now), store: nil,
                coding: Explanation.Cache.coding(of: stored, for: request.fields, rules))
        case .fetch(_, let reason):
            return Explanation.Cache(
                key: key, state: "miss", detail: "\(reason.name)",
                store: Explanation.Storing(request, rules, at: loop.clock))
        case .goAround(_, let reason):
            return Explanation.Cache(
                key: hasKey && reason != .noIdentity ? key : nil, state: "bypass",
                detail: "\(reason.name)",
                store: Explanation.Storing(plain: false, reason: "the request goes past the cache"))
        case .reject(.onlyIfCached):
            return Explanation.Cache(
                key: key, state: "miss", detail: "the client wants a stored answer or none",
                store: nil)
        default: return nil
        }
    }
}

extension Explanation.Cache {
    fileprivate static func coding(
        of stored: StoredResponse, for request: borrowing FieldList, _ rules: CacheRules
    ) -> String? {
        guard rules.compression != nil else { return nil }
        switch Representation(of: stored, for: request, rules) {
        case .encoded(let variant):
            return "\(variant.coding.name), \(variant.bodyCount) bytes of \(stored.bodyCount)"
        case .wanted(let coding): return "none yet; this request would have \(coding.name) made"
        case .asIs:
            guard stored.head.isEncodable else { return "none, the answer is not one to encode" }
            guard rules.isLongEnough(stored) else { return "none, the answer is too short" }
            guard rules.coding(for: request) != nil else { return "none, the client wants none" }
            return "none, it would not be shorter"
        }
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
