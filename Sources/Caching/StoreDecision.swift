public import HTTPModel
import Primitives

/// Why an answer is not stored.
public enum CacheRefusal: Sendable, BitwiseCopyable, Equatable, CaseIterable {
    /// The route stores no answers to the method.
    case method
    /// The status is not final, or says nothing that can be stored (304, 412, 416).
    case status
    /// A part of a representation.
    case partial
    /// The answer says `no-store`.
    case noStore
    /// `must-understand` with a status that is not understood.
    case notUnderstood
    /// The answer says `private`.
    case privateAnswer
    /// The answer sets a cookie, and the policy does not store such answers.
    case setCookie
    /// The origin says in the policy's field that it is not stored.
    case originTTL
    /// The answer varies by something that is in no request.
    case varyStar
    /// The answer varies by more fields than are kept.
    case varyTooMany
    /// The request has Authorization and neither the answer nor `vary_by` allows sharing.
    case authorization
    /// The request has cookies, and neither the origin nor `vary_by` speaks of sharing.
    case cookie
    /// The body is or became larger than `max_object`, or than the store keeps.
    case tooLarge
    /// An endless answer.
    case eventStream
    /// Nobody says that it may be reused, and it has no validator.
    case noFreshness
    /// More or longer tags than are kept: purges could not find it.
    case tooManyTags

    /// The word for logs, metrics and Cache-Status.
    public var name: StaticString {
        switch self {
        case .method: "method"
        case .status: "status"
        case .partial: "partial"
        case .noStore: "no-store"
        case .notUnderstood: "not-understood"
        case .privateAnswer: "private"
        case .setCookie: "set-cookie"
        case .originTTL: "origin-ttl"
        case .varyStar: "vary-star"
        case .varyTooMany: "vary-too-many"
        case .authorization: "authorization"
        case .cookie: "cookie"
        case .tooLarge: "too-large"
        case .eventStream: "event-stream"
        case .noFreshness: "no-freshness"
        case .tooManyTags: "too-many-tags"
        }
    }
}

/// Whether an answer is stored, and for whom (RFC 9111 §3).
public enum StoreDecision: Sendable, BitwiseCopyable, Equatable {
    /// Store it.
    case store(Lifetime)
    /// Do not.
    case refuse(CacheRefusal)

    /// Decides about the answer to a request (cases `9111-3-…`, `9111-3.5-…`).
    ///
    /// - Parameters:
    ///   - request: The request as the client sent it.
    ///   - response: The head of the answer.
    ///   - policy: The route's policy.
    ///   - times: When it was asked for and received.
    /// - Returns: The lifetime it is stored with, or the first reason against it.
    public static func decide(
        request: borrowing RequestHead, response: borrowing ResponseHead,
        policy: borrowing CachePolicy, times: FetchTimes
    ) -> StoreDecision {
        let directives = CacheDirectives(ofResponse: response.fields)
        if let refusal = refusal(of: response, directives: directives, request: request) {
            return .refuse(refusal)
        }
        guard policy.methods.take(request.method), request.method != .head else {
            return .refuse(.method)
        }
        if response.fields.contains(.setCookie) && !policy.storesCookieAnswers
            && !withholdsCookies(response, directives.flags)
        {
            return .refuse(.setCookie)
        }
        let named = OriginTTL(
            of: response.fields, policy: policy, receivedAt: times.received.wall.epochSeconds)
        if named == .refuse { return .refuse(.originTTL) }
        if case .length(let count) = response.framing, count > UInt64(max(0, policy.maxObject)) {
            return .refuse(.tooLarge)
        }
        let lifetime = Lifetime(
            of: response, directives: directives, policy: policy, times: times)
        if !policy.hasIdentity {
            if request.fields.hasCredentials && !lifetime.isForEverybody {
                return .refuse(.authorization)
            }
            // A cookie is a credential of which RFC 9111 does not speak: without a word of the origin
            // about sharing, a session's answer could go to another one. What the key says of a cookie
            // goes to requests that send the same one only.
            if request.fields.contains(.cookie) && !lifetime.source.isExplicit
                && !lifetime.isForEverybody && !policy.keysSayAllCookies(of: request.fields)
            {
                return .refuse(.cookie)
            }
        }
        if request.method == .post && lifetime.source == .heuristic {
            // Of a POST only explicit freshness counts (RFC 9110 §9.3.3), the file's included.
            return .refuse(.noFreshness)
        }
        let hasValidator = response.fields.containsAny(of: [.etag, .lastModified])
        if lifetime.source == .none && !directives.flags.contains(.isPublic) {
            // Not explicit, and of a status that may not be kept without (§3).
            guard response.status.isHeuristicallyCacheable && hasValidator else {
                return .refuse(.noFreshness)
            }
        }
        if !hasValidator && (lifetime.fresh == .zero || lifetime.mustValidate)
            && lifetime.staleIfError == .zero && lifetime.staleWhileRevalidate == .zero
        {
            return .refuse(.noFreshness)
        }
        return .store(lifetime)
    }

    /// The conditions of §3 that need no clock.
    private static func refusal(
        of response: borrowing ResponseHead, directives: CacheDirectives,
        request: borrowing RequestHead
    ) -> CacheRefusal? {
        let code = response.status.code
        if code == 206 || response.fields.contains(.contentRange) { return .partial }
        guard code >= 200, code != 304, code != 412, code != 416 else { return .status }
        let flags = directives.flags
        if flags.contains(.mustUnderstand) {
            // It exists to let caches that know the status ignore no-store (§5.2.2.3).
            guard isUnderstood(code) else { return .notUnderstood }
        } else if flags.contains(.noStore) {
            return .noStore
        }
        if flags.contains(.isPrivate) { return .privateAnswer }
        switch VariantKey.named(by: response.fields) {
        case .star: return .varyStar
        case .tooMany: return .varyTooMany
        case .names: break
        }
        if let type = response.fields.first(.contentType),
            type.count >= 17, type.extracting(0..<17).equalsIgnoringCase("text/event-stream")
        {
            return .eventStream
        }
        return nil
    }

    /// Whether the origin itself says that its cookies are for one client only, and the rest for all:
    /// `private="set-cookie"`.
    private static func withholdsCookies(
        _ response: borrowing ResponseHead, _ flags: CacheDirectives.Flags
    ) -> Bool {
        guard flags.contains(.withholdsFields) else { return false }
        return WithheldFields(of: response.fields).contains("set-cookie")
    }

    /// The final statuses whose meaning for a cache is implemented here (RFC 9110 §15).
    static func isUnderstood(_ code: UInt16) -> Bool {
        switch code {
        case 200...205, 300...303, 307, 308, 400...411, 413...415, 417, 421, 422, 426, 428, 429,
            431, 451, 500...505, 511:
            true
        default: false
        }
    }
}
