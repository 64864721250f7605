/// What a request does at the cache.
public enum CacheLookup: Sendable {
    /// Serve it.
    case hit(StoredResponse)
    /// Serve it now, and fetch it again in the background for the fill: nobody else does.
    case refresh(StoredResponse, Fill)
    /// Serve it although it is stale: it is being fetched again, or the origin failed a moment ago.
    case stale(StoredResponse, StaleReason)
    /// Fetch it, for yourself and for those who come after.
    case lead(FillLead)
    /// Wait for a running fetch, and read it as it arrives.
    case follow(Fill, FillReader)
    /// Go upstream alone and store nothing.
    case bypass(CacheBypass)
    /// Answer 504: the client wants a stored answer or none (RFC 9111 §5.2.1.7).
    case onlyIfCached

    /// Why a stale answer is served.
    public enum StaleReason: Sendable, BitwiseCopyable, Equatable {
        /// stale-while-revalidate
        case whileRevalidating
        /// stale-if-error
        case onError
        /// The client's `max-stale`.
        case maxStale

        /// The word for Cache-Status.
        public var name: StaticString {
            switch self {
            case .whileRevalidating: "swr"
            case .onError: "sie"
            case .maxStale: "max-stale"
            }
        }
    }
}

/// What a request would find in the cache.
public enum CachePeek: Sendable {
    /// A stored answer that may be served; with a reason when it is stale.
    case stored(StoredResponse, CacheLookup.StaleReason?)
    /// It would have to be fetched, or wait for a fetch.
    case fetch(CacheStatus.Forward)
    /// The origin would be asked past the cache.
    case around(CacheBypass)
    /// The client wants a stored answer or none, and there is none.
    case onlyIfCached
}

/// The task of fetching an answer for the cache.
public struct FillLead: Sendable {
    /// Where the answer goes.
    public let fill: Fill
    /// The first client's place in it; it may `leave` while the fill goes on.
    public let reader: FillReader
    /// Why it goes upstream.
    public let reason: CacheStatus.Forward
    /// The stored answer to validate (`Revalidation`), if there is one.
    public var stored: StoredResponse? { fill.stored }
}
