public import HTTPModel

/// Why a request does not use the cache.
public enum CacheBypass: Sendable, BitwiseCopyable, Equatable, CaseIterable {
    /// The route stores no answers to the method.
    case method
    /// A GET or HEAD with content.
    case requestBody
    /// The content is larger than is read for a key.
    case bodyTooLarge
    /// The process holds as much content of requests as it may.
    case bodiesFull
    /// The request asks for parts in a way that the cache does not keep (several, or not understood, or of a POST or
    /// QUERY), and nothing is stored or on its way of which they could be served.
    case rangeRequest
    /// A condition that only the origin can judge: If-Match, If-Unmodified-Since (RFC 9110 §13.1).
    case precondition
    /// The request says `no-store`, and the policy listens.
    case requestNoStore
    /// A condition of the route's `bypass` holds.
    case rule
    /// The request has an Idempotency-Key: it is sent once, and its answer is kept for its retries alone.
    case idempotencyKey
    /// A part of `vary_by` is missing.
    case noIdentity
    /// The request has credentials and the stored answer is not for everybody (RFC 9111 §3.5).
    case authorizationPresent
    /// A HEAD of which nothing is stored.
    case headNotStored
    /// A HEAD of which what is stored may not be used.
    case headNotFresh
    /// The key's last answer could not be shared.
    case hitForMiss
    /// Too many requests wait for the running fetch.
    case tooManyFollowers
    /// An operator has switched the cache off.
    case switchedOff

    /// The word for logs, metrics and Cache-Status.
    public var name: StaticString {
        switch self {
        case .method: "method"
        case .requestBody: "request-body"
        case .bodyTooLarge: "body-too-large"
        case .bodiesFull: "bodies-full"
        case .rangeRequest: "range"
        case .precondition: "precondition"
        case .requestNoStore: "request-no-store"
        case .rule: "rule"
        case .idempotencyKey: "idempotency-key"
        case .noIdentity: "no-identity"
        case .authorizationPresent: "authorization"
        case .headNotStored: "head-not-stored"
        case .headNotFresh: "head-not-fresh"
        case .hitForMiss: "hit-for-miss"
        case .tooManyFollowers: "too-many-followers"
        case .switchedOff: "switched-off"
        }
    }

    /// The reason why `request` may not use the cache at all, or `nil` when it may (RFC 9111 §4).
    public static func reason(
        for request: borrowing RequestHead, rules: CacheRules
    ) -> CacheBypass? {
        guard rules.policy.methods.take(request.method) else { return .method }
        let isGet = request.method == .get || request.method == .head
        if isGet && request.framing != .none { return .requestBody }
        // The parts of a QUERY's answer are the origin's work, as those of a POST's.
        if !isGet && request.fields.containsAny(of: [.range, .ifRange]) { return .rangeRequest }
        if request.fields.containsAny(of: [.ifMatch, .ifUnmodifiedSince]) { return .precondition }
        // What a condition means for a POST only the origin knows; of a QUERY it is that of a GET.
        if request.method == .post && request.fields.containsAny(of: Conditions.evaluated) {
            return .precondition
        }
        if rules.listensToClients
            && CacheDirectives(ofRequest: request.fields).flags.contains(.noStore)
        {
            return .requestNoStore
        }
        if rules.bypass?.matches(request) ?? false { return .rule }
        return nil
    }
}
