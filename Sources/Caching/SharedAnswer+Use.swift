public import HTTPModel
public import Primitives

extension SharedAnswer {
    /// What an answer from Redis is good for.
    public enum Use: Sendable {
        /// It is fresh: serve it, and keep it.
        case serve(StoredResponse)
        /// It is stale, and may be served while it is fetched again: keep it.
        case serveStale(StoredResponse)
        /// It is stale: the origin can be asked about it, or it stands in for the origin's failure.
        case validate(StoredResponse)
        /// Nothing.
        case none
    }

    /// Decides what the answer is good for, by the same rules as one in memory.
    ///
    /// - Parameters:
    ///   - key: The key that was looked for.
    ///   - request: The request that wants an answer.
    ///   - rules: Its route's rules.
    ///   - verdict: What purges mean for it.
    ///   - known: The answer in memory, fresh or not: the same one again is of no use.
    ///   - now: The present.
    /// - Returns: What to do with it.
    public func use(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules,
        verdict: PurgeVerdict, known: StoredResponse?, at now: MonotonicTime
    ) -> Use {
        guard stored.hasKey(key), stored.head.isVariant(for: request.fields) else { return .none }
        // Stored answers to nobody in particular are not for requests with credentials (RFC 9111 §3.5).
        let hasCredentials = !rules.hasIdentity && request.fields.hasCredentials
        guard !hasCredentials || stored.lifetime.isForEverybody else { return .none }
        if let known, known.head.isOfSameFetch(as: stored.head) { return .none }
        let stored: StoredResponse
        switch verdict {
        case .dead: return .none
        // When it was purged is not known here: it counts as stale since it was asked for.
        case .stale:
            stored = self.stored.adjusted(factor: 1000, staleSince: self.stored.head.requested)
        case .untouched: stored = self.stored
        }
        let demands =
            rules.listensToClients ? CacheDirectives(ofRequest: request.fields) : CacheDirectives()
        // No early refresh: no chance is drawn.
        var random = SeededRandom(seed: 0)
        let good = stored.use(at: now, demands: demands, early: .off, random: &random)
        if case .fresh = stored.freshness(at: now) {
            if good == .serve { return .serve(stored) }
        } else if good == .serveAndRefresh {
            return .serveStale(stored)
        }
        let hasValidator = stored.head.etagRange != nil || stored.head.lastModifiedRange != nil
        return hasValidator || stored.mayServeStale(onErrorAt: now) ? .validate(stored) : .none
    }
}

extension CachedHead {
    fileprivate func isVariant(for request: borrowing FieldList) -> Bool {
        var scratch: [UInt8] = []
        return variant.matches(request, scratch: &scratch)
    }

    /// Whether both came with one answer of the origin: how long it took tells, to the nanosecond.
    func isOfSameFetch(as other: CachedHead) -> Bool {
        delta == other.delta && date == other.date && bytes.count == other.bytes.count
    }
}
