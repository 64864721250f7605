import Caching

/// What becomes of a request: decided in one step, from what is known before anything is waited for.
///
/// What begins a fetch or waits for one is a reference, so that the verdict on all other requests is of two words.
enum Verdict {
    /// The proxy answers with a reason.
    case reject(Rejection)
    /// A limit stopped it: the exchange's decision says which.
    case refuse(Route)
    /// The limits of the process let it pass; those that Redis counts are to be asked.
    case askLimits(Route)
    /// All limits let it pass, but it has to wait: `decision.delay`.
    case delay(Route)
    /// Its key says its content: the body is read first, up to so many bytes.
    case readContent(Route, most: Int)
    /// It is the first with its Idempotency-Key: to the origin, and the answer is kept. Without a ticket where
    /// one only looks.
    indirect case runOnce(Route, IdempotencyPolicy, IdempotencyStore.Ticket?)
    /// Its Idempotency-Key has an answer already.
    case replay(Route, StoredResponse)
    /// `OPTIONS *`
    case describeServer
    /// A health check on the main address.
    indirect case reportHealth(HealthReport)
    /// The route does not cache: to the origin.
    case forward(Route)
    /// The request or its key may not use the cache: to the origin.
    case goAround(Route, CacheBypass)
    /// A stored answer.
    case serve(StoredResponse, CacheLookup.StaleReason?)
    /// A stored answer now, and a fetch in the background.
    indirect case serveAndRefresh(Route, CacheRules, StoredResponse, Fill)
    /// A fetch for the cache, begun by this request.
    indirect case lead(Route, CacheRules, FillLead)
    /// A running fetch.
    indirect case follow(Route, CacheRules, Fill, FillReader)
    /// Where one only looks: it would be fetched for the cache, or wait for a fetch.
    case fetch(Route, CacheStatus.Forward)

    /// Whether something has to be waited for before the request is judged on.
    var waits: Bool {
        switch self {
        case .askLimits, .delay, .readContent: true
        default: false
        }
    }

    /// Whether the answer comes from a fetch for the cache, or from the origin past the cache.
    var isFetched: Bool {
        switch self {
        case .goAround, .lead, .follow: true
        default: false
        }
    }

    /// Whether the answer is known: nobody else is asked for it.
    var isAnswer: Bool {
        switch self {
        case .serve, .serveAndRefresh, .replay, .reject, .refuse, .describeServer, .reportHealth:
            true
        default: false
        }
    }
}
