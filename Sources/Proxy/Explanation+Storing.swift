import Caching
import HTTPModel
import Primitives

extension Explanation.Storing {
    /// Says whether the answer to `request` would be stored, by asking the live rules about three answers of
    /// the origin: one that says nothing about caching, one with a lifetime, one for everybody.
    init(_ request: borrowing RequestHead, _ rules: CacheRules, at now: ClockReading) {
        let silent = Self.decide(request, nil, rules, at: now)
        if case .store(let lifetime) = silent {
            plain = true
            reason = "for \(PlainText.duration(lifetime.fresh)), by \(Self.words(lifetime.source))"
            return
        }
        plain = false
        if case .store = Self.decide(request, "max-age=60", rules, at: now) {
            reason = "only when the origin names a lifetime, such as max-age=60"
        } else if case .store = Self.decide(request, "public, max-age=60", rules, at: now) {
            reason = "only when the origin says public: the request has credentials"
        } else if case .refuse(let refusal) = silent {
            reason = "\(refusal.name)"
        } else {
            reason = "never"
        }
    }

    private static func decide(
        _ request: borrowing RequestHead, _ cacheControl: StaticString?, _ rules: CacheRules,
        at now: ClockReading
    ) -> StoreDecision {
        var answer = ResponseHead()
        if let cacheControl { answer.fields.append(.cacheControl, cacheControl) }
        answer.framing = .length(1)
        return StoreDecision.decide(
            request: request, response: answer, policy: rules.policy,
            times: FetchTimes(requested: now.monotonic, received: now))
    }

    private static func words(_ source: Lifetime.Source) -> String {
        switch source {
        case .sharedMaxAge: "s-maxage"
        case .maxAge: "max-age"
        case .expires: "Expires"
        case .originTTL: "the field of origin_ttl"
        case .forced: "the route's force_ttl"
        case .negative: "the route's negative"
        case .policy: "the route's ttl"
        case .heuristic: "a tenth of the time since Last-Modified"
        case .none: "nobody: it is validated each time"
        }
    }
}
