public import HTTP1
public import HTTPModel
public import Upstreams

/// Why the proxy itself answers a request instead of the origin; not for refusals by a limit.
///
/// The words are those of the answer's body, the access log and the metrics.
public enum Rejection: Sendable, BitwiseCopyable {
    /// The request is not well-formed HTTP/1.
    case malformed(RequestError)
    /// The head did not come in time.
    case headTimeout
    /// No route matches.
    case noRoute
    /// The route asks for a user and there is none.
    case userRequired
    /// The body is larger than `http.body_bytes`.
    case bodyTooLarge
    /// The body came too slowly.
    case bodyTimeout
    /// The body's framing is damaged.
    case malformedBody
    /// The client asked to switch protocols.
    case upgradeRefused
    /// The client expects something other than `100-continue`.
    case expectationFailed
    /// The request's own Via names this proxy too often.
    case loopDetected
    /// `only-if-cached`, and it is not.
    case onlyIfCached
    /// The origin cannot be reached, and the stored answer may not be used without it (RFC 9111 §5.2.2.2).
    case notValidated
    /// The route requires an Idempotency-Key and there is none.
    case idempotencyKeyMissing
    /// The Idempotency-Key is no String and no word, or stands twice.
    case idempotencyKeyMalformed
    /// The first request with the Idempotency-Key still runs.
    case idempotencyRunning
    /// The Idempotency-Key was used for another request.
    case idempotencyMismatch
    /// The first request with the Idempotency-Key was answered, and the answer was too large to be kept.
    case idempotencyNotKept
    /// There is no room for another Idempotency-Key or its request's body.
    case idempotencyFull
    /// The process holds as many connections as it may.
    case tooManyConnections
    /// The origin gave no answer.
    case upstream(UpstreamError)

    /// The status of the answer.
    public var status: Status {
        switch self {
        case .malformed(let error): error.status
        case .headTimeout: 408
        case .noRoute: 404
        case .userRequired: 401
        case .bodyTooLarge: 413
        case .bodyTimeout: 408
        case .malformedBody: 400
        case .upgradeRefused: 501
        case .expectationFailed: 417
        case .loopDetected: 508
        case .onlyIfCached, .notValidated: 504
        case .idempotencyKeyMissing, .idempotencyKeyMalformed: 400
        case .idempotencyRunning, .idempotencyNotKept: 409
        case .idempotencyMismatch: 422
        case .idempotencyFull: 503
        case .tooManyConnections: 503
        case .upstream(let error): error.status
        }
    }

    /// What is said in the answer and in the log.
    public var reason: StaticString {
        switch self {
        case .malformed(let error): error.reason
        case .headTimeout: "request head timeout"
        case .noRoute: "no route matches"
        case .userRequired: "the route requires a user"
        case .bodyTooLarge: "request body too large"
        case .bodyTimeout: "request body timeout"
        case .malformedBody: "request body malformed"
        case .upgradeRefused: "protocol upgrades are not supported"
        case .expectationFailed: "unknown expectation"
        case .loopDetected: "request loop detected"
        case .onlyIfCached: "not in the cache"
        case .notValidated: "stored answer could not be validated"
        case .idempotencyKeyMissing: "the route requires an Idempotency-Key"
        case .idempotencyKeyMalformed: "Idempotency-Key malformed"
        case .idempotencyRunning: "a request with this Idempotency-Key is still running"
        case .idempotencyMismatch: "this Idempotency-Key was used for another request"
        case .idempotencyNotKept: "the answer for this Idempotency-Key was not kept"
        case .idempotencyFull: "no room for another Idempotency-Key"
        case .tooManyConnections: "too many connections"
        case .upstream(let error): error.reason
        }
    }

    /// Whether the connection cannot be used further, because its bytes are no longer understood.
    var endsConnection: Bool {
        switch self {
        case .malformed, .headTimeout, .bodyTooLarge, .bodyTimeout, .malformedBody, .upgradeRefused,
            .expectationFailed, .tooManyConnections:
            true
        default: false
        }
    }

    /// Whether the same request, sent again in a moment, may get its answer.
    var isRetrySoon: Bool {
        guard case .idempotencyRunning = self else { return false }
        return true
    }

    /// Whether it is about the request's Idempotency-Key.
    var isAboutIdempotency: Bool {
        switch self {
        case .idempotencyKeyMissing, .idempotencyKeyMalformed, .idempotencyRunning,
            .idempotencyMismatch, .idempotencyNotKept, .idempotencyFull:
            true
        default: false
        }
    }

    /// All reasons, in the order of `index`.
    static let all: [Rejection] =
        [
            .headTimeout, .noRoute, .userRequired, .bodyTooLarge, .bodyTimeout, .malformedBody,
            .upgradeRefused, .expectationFailed, .loopDetected, .onlyIfCached, .tooManyConnections,
            .notValidated,
            .idempotencyKeyMissing, .idempotencyKeyMalformed, .idempotencyRunning,
            .idempotencyMismatch, .idempotencyNotKept, .idempotencyFull,
        ] + RequestError.allCases.map { .malformed($0) }
        + UpstreamError.allCases.map { .upstream($0) }

    /// Its place among all reasons.
    var index: Int {
        let own = 18
        return switch self {
        case .headTimeout: 0
        case .noRoute: 1
        case .userRequired: 2
        case .bodyTooLarge: 3
        case .bodyTimeout: 4
        case .malformedBody: 5
        case .upgradeRefused: 6
        case .expectationFailed: 7
        case .loopDetected: 8
        case .onlyIfCached: 9
        case .tooManyConnections: 10
        case .notValidated: 11
        case .idempotencyKeyMissing: 12
        case .idempotencyKeyMalformed: 13
        case .idempotencyRunning: 14
        case .idempotencyMismatch: 15
        case .idempotencyNotKept: 16
        case .idempotencyFull: 17
        case .malformed(let error): own + Int(error.rawValue)
        case .upstream(let error): own + RequestError.allCases.count + Int(error.rawValue)
        }
    }
}
