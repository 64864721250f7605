public import HTTPModel
public import Primitives

extension MemoryStore {
    /// Begins a fetch that only looks into Redis: for a request of which the origin's answer would not be stored, a HEAD
    /// or one for several ranges. Nobody joins it, and it is no miss.
    ///
    /// - Parameters:
    ///   - key: From `CacheKey.build`.
    ///   - request: The request.
    ///   - rules: The route's rules.
    ///   - now: The present.
    /// - Returns: What is to be ended with the answer that is found, or released.
    public func beginLook(
        key: Span<UInt8>, request: borrowing RequestHead, rules: CacheRules, now: MonotonicTime
    ) -> Fill {
        let tag = tag(key)
        return shard(tag).state.withLock { shard in
            let found = find(
                &shard, tag: tag, key: key, request: request, rules: rules, now: now)
            return begin(
                &shard, found.query, key: key, request: request, rules: rules, isCollapsing: false)
        }
    }
}
