import Primitives

/// What purges compare: the key and the tags of an answer that is stored, arrives or is being fetched.
struct PurgeSubject {
    let key: [UInt8]
    /// The digest of the key without the identity's parts.
    let base: UInt64
    /// `nil`: not known yet.
    let tags: CacheTags?

    /// Whether a pattern is about its URL.
    func matches(_ pattern: PurgePattern) -> Bool {
        let key = self.key.span
        let place = CacheKey.place(in: key)
        return pattern.matches(
            host: key.extracting(place.host), target: key.extracting(place.target))
    }

    /// Calls `body` with the digest of each thing that `table` has records of a kind for.
    func forEachDigest(in table: borrowing PurgeTable, _ body: (UInt64) -> Void) {
        if table.has(.key) { body(base) }
        let key = self.key.span
        if table.has(.user), let part = CacheKey.part("|user=", of: key) {
            body(PurgeDigest.of(key.extracting(part), kind: .user, seed: table.seed))
        }
        if table.has(.company), let part = CacheKey.part("|company=", of: key) {
            body(PurgeDigest.of(key.extracting(part), kind: .company, seed: table.seed))
        }
        guard let tags, tags.count > 0 else { return }
        if table.has(.tag) {
            tags.forEach { _, tag in body(PurgeDigest.of(tag, kind: .tag, seed: table.seed)) }
        }
        guard table.has(.group) else { return }
        let origin = PurgeSubject.origin(of: key)
        tags.forEach { source, tag in
            guard source == .group else { return }
            var group = origin
            group.append(ASCII.space)
            group.append(tag)
            body(PurgeDigest.of(group.span, kind: .group, seed: table.seed))
        }
    }

    /// The origin of a key as records of groups write it.
    static func origin(of key: Span<UInt8>) -> [UInt8] {
        let place = CacheKey.place(in: key)
        var origin: [UInt8] = []
        if place.isSecure { origin.append("https://") }
        origin.append(key.extracting(place.host))
        return origin
    }
}
