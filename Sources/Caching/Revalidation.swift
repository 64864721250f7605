public import HTTPModel
public import Primitives

/// Asking the origin whether stored answers are still right (RFC 9111 §4.3).
public enum Revalidation {
    /// Appends validators of stored answers as conditions to a request's fields (§4.3.1, cases
    /// `9111-4.3.1-…`). The client's own (`Conditions.evaluated`) must not be sent beside them.
    ///
    /// - Parameters:
    ///   - stored: The answer that the request selects, if there is one.
    ///   - others: Other variants, each with a strong entity tag: the origin may name one of them. Beside
    ///     them no date is sent, which would be about one answer only.
    ///   - buffer: The request to the origin, at the beginning of a field line.
    /// - Returns: Whether there was a validator; if not the request is a plain one.
    @discardableResult
    public static func appendConditions(
        of stored: CachedHead?, others: [StoredResponse] = [], to buffer: ByteBuffer
    ) -> Bool {
        var count = 0
        func append(_ head: CachedHead) {
            guard let etag = head.etagRange else { return }
            let bytes = head.bytes
            buffer.append(count == 0 ? "If-None-Match: " : ", ")
            buffer.append(bytes.span(etag))
            count += 1
        }
        if let stored { append(stored) }
        for other in others { append(other.head) }
        if count > 0 { buffer.append("\r\n") }
        guard let stored, let date = stored.lastModifiedRange, others.isEmpty else {
            return count > 0
        }
        let bytes = stored.bytes
        buffer.append("If-Modified-Since: ")
        buffer.append(bytes.span(date))
        buffer.append("\r\n")
        return true
    }

    /// The answer that a 304 is about (§4.3.4, cases `9111-4.3.4-…`); `nil` when it is none of those that the
    /// request named: it then must be asked again without conditions.
    ///
    /// A strong entity tag names the answer with the same one. A weak one, or a date where there is no tag,
    /// can only mean the answer that was selected. Without any validator the 304 is about the only
    /// answer that was named.
    ///
    /// One rule is read more widely than it is written. Servers that compress on the way make the tag of what
    /// they send weak, and forget that in a 304: a strong tag that is weakly equal means the selected answer,
    /// where no other one was named, and does not replace its weak tag.
    ///
    /// - Parameters:
    ///   - fields: The fields of the 304.
    ///   - stored: The answer that the request selects, if there is one.
    ///   - others: The others that were named.
    /// - Returns: The answer to update, or `nil`.
    public static func subject(
        of fields: borrowing FieldList, stored: StoredResponse?, others: [StoredResponse]
    ) -> StoredResponse? {
        guard let tag = fields.first(.etag) else {
            guard let stored, !isOtherDate(fields, stored.head, isAlone: others.isEmpty) else {
                return nil
            }
            return stored
        }
        if let stored, stored.head.hasTag(stronglyEqualTo: tag) { return stored }
        if !Conditions.isWeak(tag) {
            var found: StoredResponse?
            for other in others where other.head.hasTag(stronglyEqualTo: tag) {
                if found.map({ $0.head.date < other.head.date }) ?? true { found = other }
            }
            if found != nil || !others.isEmpty { return found }
        }
        guard let stored, stored.head.hasTag(weaklyEqualTo: tag) else { return nil }
        return stored
    }

    /// Whether a 304 without an entity tag tells of another answer than the selected one.
    private static func isOtherDate(
        _ fields: borrowing FieldList, _ head: CachedHead, isAlone: Bool
    ) -> Bool {
        guard let theirs = fields.first(.lastModified) else { return !isAlone }
        // It was asked about by its tag alone, and nothing else was: whatever the date, it is meant.
        if head.etagRange != nil && isAlone { return false }
        guard let ours = head.lastModifiedRange else { return true }
        let bytes = head.bytes
        return !bytes.span(ours).equals(theirs)
    }

    /// Fields of a 304 that do not replace stored ones: they tell of a body that was not sent (§3.2).
    static let notUpdated: FieldNameSet = [
        .contentLength, .contentEncoding, .contentRange, .transferEncoding, .connection,
        .keepAlive, .proxyConnection, .te, .trailer, .upgrade, .setCookie,
        .proxyAuthenticate, .proxyAuthorization, .proxyAuthenticationInfo,
    ]
}

extension StoredResponse {
    /// The stored answer after the origin said 304: its body shared, its fields updated (RFC 9111 §3.2,
    /// §4.3.4, cases `9111-4.3.4-…`), its times those of the validation.
    ///
    /// - Parameters:
    ///   - notModified: The head of the 304.
    ///   - request: The GET that led to the validation.
    ///   - policy: The route's policy.
    ///   - times: When the validation was asked for and received.
    ///   - compression: In which codings the cache offers answers. What has been encoded stays with the body.
    /// - Returns: The new answer, whose head says in `isStorable` whether it may stay in the store; or `nil`
    ///   when the 304 is about another answer: fetch again without conditions.
    public func freshened(
        by notModified: borrowing ResponseHead, request: borrowing RequestHead,
        policy: borrowing CachePolicy, times: FetchTimes, compression: CompressionPolicy? = nil
    ) -> StoredResponse? {
        guard
            Revalidation.subject(of: notModified.fields, stored: self, others: []) === self
        else { return nil }
        return updated(
            by: notModified, request: request, policy: policy, times: times,
            compression: compression)
    }

    /// The answer with the fields of `update` over its own, for `request`, which may select another variant
    /// than the one it was stored for.
    func updated(
        by update: borrowing ResponseHead, request: borrowing RequestHead,
        policy: borrowing CachePolicy, times: FetchTimes, compression: CompressionPolicy?
    ) -> StoredResponse {
        let head = self.head
        let merged = StoredResponse.merge(head.parsed(), with: update)
        var lifetime = Lifetime(
            of: merged, directives: CacheDirectives(ofResponse: merged.fields), policy: policy,
            times: times)
        var isStorable = true
        if case .store(let decided) = StoreDecision.decide(
            request: request, response: merged, policy: policy, times: times)
        {
            lifetime = decided
        } else {
            isStorable = false
        }
        let tags = head.tags.updated(by: update.fields)
        let new = CachedHead(
            key: head.key,
            variant: VariantKey(
                response: merged.fields, request: request.fields, encodes: compression != nil),
            response: merged, lifetime: lifetime, times: times,
            isStorable: isStorable && tags.isWhole,
            isEncodable: compression?.admits(merged) ?? false, policy: policy, tags: tags)
        return StoredResponse(head: new, body: body, parts: parts, encodedAs: self)
    }

    /// The stored fields, each name that the 304 has replaced by all its lines there.
    static func merge(
        _ stored: ResponseHead, with update: borrowing ResponseHead
    ) -> ResponseHead {
        // A strong tag of the 304 does not make the stored bytes those of the strong tag.
        var keepsTag = false
        if let theirs = update.fields.first(.etag), let ours = stored.fields.first(.etag) {
            keepsTag = Conditions.isWeak(ours) && !Conditions.isWeak(theirs)
        }
        var merged = ResponseHead()
        merged.status = stored.status
        merged.framing = stored.framing
        merged.reason = merged.fields.appendBytes(stored.span(stored.reason))
        for i in stored.fields.indices
        where stored.fields[i].name != .date
            && (keepsTag && stored.fields[i].name == .etag
                || !replaces(update.fields, stored.fields.name(at: i)))
        {
            // The old Date goes even if the 304 has none: it was received now.
            merged.fields.append(
                name: stored.fields.name(at: i), value: stored.fields.value(at: i))
        }
        for i in update.fields.indices
        where isUpdate(i, of: update.fields) && !(keepsTag && update.fields[i].name == .etag) {
            merged.fields.append(
                name: update.fields.name(at: i), value: update.fields.value(at: i))
        }
        return merged
    }

    private static func isUpdate(_ i: Int, of fields: borrowing FieldList) -> Bool {
        !Revalidation.notUpdated.contains(fields[i].name)
            && !HeadWriter.isNamedByConnection(fields.name(at: i), in: fields)
    }

    private static func replaces(_ update: borrowing FieldList, _ name: Span<UInt8>) -> Bool {
        for i in update.indices
        where isUpdate(i, of: update) && update.name(at: i).equalsIgnoringCase(name) {
            return true
        }
        return false
    }
}
