public import HTTPModel
public import Primitives

/// What the answer to a HEAD says of a stored answer to GET (RFC 9111 §4.3.5, cases `9111-4.3.5-…`).
public enum HeadUpdate: Sendable, BitwiseCopyable, Equatable {
    /// It is still the right one: its fields are replaced.
    case freshens
    /// It is of another representation, and stale.
    case makesStale
    /// Nothing: the answer is no 200, or was asked for before the stored one.
    case saysNothing

    /// Compares the validators and the length that the answer names with the stored ones.
    ///
    /// - Parameters:
    ///   - answer: The head of the answer to HEAD.
    ///   - stored: The stored answer.
    ///   - requested: When the HEAD was sent.
    /// - Returns: What becomes of the stored answer.
    public static func of(
        _ answer: borrowing ResponseHead, for stored: StoredResponse, requested: MonotonicTime
    ) -> HeadUpdate {
        guard answer.status == 200, stored.head.status == 200,
            stored.head.requested <= requested
        else { return .saysNothing }
        let head = stored.head
        let agrees =
            agree(answer.fields, .etag, head, head.etagRange)
            && agree(answer.fields, .lastModified, head, head.lastModifiedRange)
        guard agrees else { return .makesStale }
        guard let length = answer.fields.first(.contentLength) else { return .freshens }
        return length.decimalValue == UInt64(stored.bodyCount) ? .freshens : .makesStale
    }

    private static func agree(
        _ fields: borrowing FieldList, _ name: FieldName, _ head: CachedHead, _ range: ByteRange?
    ) -> Bool {
        guard let theirs = fields.first(name) else { return true }
        guard let range else { return false }
        let bytes = head.bytes
        return bytes.span(range).equals(theirs)
    }
}

extension MemoryStore {
    /// Updates or removes each stored answer that a HEAD could have been answered with.
    ///
    /// - Parameters:
    ///   - answer: The head of the origin's answer.
    ///   - key: From `CacheKey.build` for the request.
    ///   - request: The request.
    ///   - rules: The route's rules.
    ///   - times: When it was asked for and received.
    public func apply(
        _ answer: borrowing ResponseHead, key: Span<UInt8>, request: borrowing RequestHead,
        rules: CacheRules, times: FetchTimes
    ) {
        guard answer.status == 200 else { return }
        let tag = tag(key)
        let onlyForEverybody = !rules.hasIdentity && request.fields.hasCredentials
        let concerned = shard(tag).state.withLock { $0.selectable(tag, key, request.fields) }
        var asGet = request.fieldsOnly
        asGet.method = .get
        for stored in concerned where !onlyForEverybody || stored.head.lifetime.isForEverybody {
            switch HeadUpdate.of(answer, for: stored, requested: times.requested) {
            case .saysNothing: continue
            case .makesStale:
                let left = shard(tag).state.withLock { $0.remove(stored, tag: tag) }
                _ = left?.byteCost
            case .freshens:
                let new = stored.updated(
                    by: answer, request: asGet, policy: rules.policy, times: times,
                    compression: rules.compression)
                let left = shard(tag).state.withLock { shard in
                    new.head.isStorable
                        ? shard.replace(stored, by: new, tag: tag)
                        : [shard.remove(stored, tag: tag)].compactMap(\.self)
                }
                _ = left.count
            }
        }
    }
}

extension StoreShard {
    /// All whole answers that a request selects, dead ones left out.
    func selectable(
        _ tag: UInt64, _ key: Span<UInt8>, _ request: borrowing FieldList
    ) -> [StoredResponse] {
        var found: [StoredResponse] = []
        var scratch: [UInt8] = []
        var node = chain(tag, key)
        while node >= 0 {
            let entry = nodes[Int(node)]
            node = entry.nextVariant
            if let stored = entry.stored, stored.isWhole, !isDead(entry),
                stored.head.variant.matches(request, scratch: &scratch)
            {
                found.append(stored)
            }
        }
        return found
    }
}

extension RequestHead {
    /// A copy with its fields.
    fileprivate var fieldsOnly: RequestHead {
        borrowing get {
            var copy = RequestHead()
            copy.fields = fields
            return copy
        }
    }
}
