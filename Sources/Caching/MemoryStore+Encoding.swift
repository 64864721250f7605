public import Primitives

extension MemoryStore {
    /// Keeps `variant` with the answer it was made from, which `stored` is: it is counted, and leaves with it.
    ///
    /// - Returns: Whether it is kept: not when the answer has left the store, or would cost more than
    ///   `entryBytesMax` with it.
    @discardableResult
    public func attach(
        _ variant: EncodedVariant, to stored: StoredResponse, at now: MonotonicTime
    ) -> Bool {
        let key = stored.head.key
        let tag = tag(key.span)
        let bytesMax = entryBytesMax
        // What leaves is freed after the lock.
        let left = shard(tag).state.withLock {
            $0.attach(variant, to: stored, tag: tag, bytesMax: bytesMax, at: now)
        }
        return left != nil
    }
}
