public import HTTPModel
public import Primitives

/// What the store says to a fetch that no client asked for.
public enum WarmLookup: Sendable {
    /// A fresh answer is stored.
    case fresh
    /// Somebody fetches it already.
    case running
    /// The origin failed a moment ago.
    case held
    /// Fetch it; the fill must be ended.
    case fetch(Fill)
}

extension MemoryStore {
    /// Begins a fetch for a request that no client waits for, unless a fresh answer is there. Counts neither
    /// hit nor miss, nor a use of what is stored.
    ///
    /// - Parameters:
    ///   - key: From `CacheKey.build`.
    ///   - request: The request; `CacheBypass.reason` had nothing against it.
    ///   - rules: The route's rules.
    ///   - now: The present.
    /// - Returns: Whether there is something to fetch, and the fill to do it with.
    public func beginWarming(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules, now: MonotonicTime
    ) -> WarmLookup {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            var found = find(
                &shard, tag: tag, key: key, request: request, rules: rules, now: now)
            switch found.use {
            case .serve:
                guard case .stale? = found.stored?.freshness(at: now) else { return .fresh }
                return .held
            case .refresh:
                if shard.nodes[Int(found.node)].heldUntil > now { return .held }
                found.query.stored = found.stored
            case .none: break
            }
            if let running = shard.fills[tag] {
                for fill in running
                where fill.hasKey(key) && !fill.isForPart && fill.suits(request.fields)
                    && !shard.isPurged(fill)
                {
                    return .running
                }
            }
            // What lets clients not wait for each other does not keep this one from trying; nobody waits for it.
            let isPassed = shard.passes[passTag(tag, request, rules)].map { now < $0 } ?? false
            return .fetch(
                begin(
                    &shard, found.query, key: key, request: request, rules: rules,
                    isCollapsing: rules.collapses && !isPassed))
        }
    }
}
