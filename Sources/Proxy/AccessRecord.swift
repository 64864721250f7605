import HTTPModel
import Primitives
import Telemetry

/// What the access log and the metrics say of one request.
struct AccessRecord {
    /// How the cache took part.
    enum Cache: UInt8, Sendable, BitwiseCopyable, CaseIterable {
        /// The route does not cache.
        case none
        /// The request may not use the cache.
        case bypass
        /// A fresh stored answer.
        case hit
        /// A stored answer beyond its lifetime.
        case stale
        /// A stored answer that the origin confirmed.
        case revalidated
        /// The origin's answer.
        case miss
        /// The answer that another request fetched.
        case collapsed

        var name: StaticString {
            switch self {
            case .none: "none"
            case .bypass: "bypass"
            case .hit: "hit"
            case .stale: "stale"
            case .revalidated: "revalidated"
            case .miss: "miss"
            case .collapsed: "collapsed"
            }
        }
    }

    /// What a request's Idempotency-Key did.
    enum Idempotency: UInt8, Sendable, BitwiseCopyable, CaseIterable {
        /// It has none that counts, or was rejected for it.
        case none
        /// It was the first.
        case first
        /// The first one's answer was sent again.
        case replayed

        var name: StaticString {
            switch self {
            case .none: "none"
            case .first: "first"
            case .replayed: "replayed"
            }
        }
    }

    /// When the first byte of the request was there.
    var started = MonotonicTime(nanoseconds: 0)
    /// Index of the route; -1 when none matched.
    var route = -1
    var status: Status = 200
    var cache = Cache.none
    /// Whether the stored answer came from Redis.
    var isShared = false
    /// Why the cache was passed by.
    var cacheReason: StaticString?
    /// What its Idempotency-Key did.
    var idempotency = Idempotency.none
    /// Time until the origin's head was there.
    var upstream: Nanoseconds?
    /// How long a limit had it wait.
    var delayed: Nanoseconds?
    /// Bytes of the answer's body.
    var bodyBytes: UInt64 = 0
    /// Why the proxy answered itself; `nil` when it did not.
    var error: StaticString?
    /// Whether the answer was cut short.
    var isIncomplete = false
}
