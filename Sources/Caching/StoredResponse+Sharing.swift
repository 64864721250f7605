public import Primitives

extension StoredResponse {
    /// How long it is worth keeping for other processes: the rest of its lifetime, the longer of the times it may be
    /// served stale for, and with a validator as long again as it was fresh, an hour at most, so that the origin can
    /// be asked about it in place of for it.
    ///
    /// `nil` when others could do nothing with it without the origin: it must be validated on each use, or its time is
    /// over already.
    public func sharedLifetime(at now: MonotonicTime) -> Nanoseconds? {
        guard !head.lifetime.mustValidate else { return nil }
        let lifetime = head.lifetime
        let use = lifetime.fresh + max(lifetime.staleWhileRevalidate, lifetime.staleIfError)
        let rest = use - age(at: now)
        guard rest > .zero else { return nil }
        let hasValidator = head.etagRange != nil || head.lastModifiedRange != nil
        let validator =
            hasValidator
            ? min(lifetime.fresh - head.initialAge, CacheBounds.sharedValidatorMax) : .zero
        return min(rest + validator, CacheBounds.sharedLifetimeMax)
    }
}
