public import HTTPModel
public import Primitives

/// What a request would find in the cache.
public enum CachePeek: Sendable {
    /// A stored answer that may be served; with a reason when it is stale.
    case stored(StoredResponse, CacheLookup.StaleReason?)
    /// It would have to be fetched, or wait for a fetch.
    case fetch(CacheStatus.Forward)
}

extension MemoryStore {
    /// What `lookupOrJoin` would find stored now. Begins, joins and counts nothing.
    public func peek(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules, now: MonotonicTime
    ) -> CachePeek {
        guard let stored = lookup(key: key, request: request) else { return .fetch(.uriMiss) }
        guard case .fresh = stored.freshness(at: now) else { return .fetch(.stale) }
        return .stored(stored, nil)
    }
}
