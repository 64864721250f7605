public import HTTPModel
public import Primitives

/// Asking the origin whether a stored answer is still right (RFC 9111 §4.3).
public enum Revalidation {
    /// Appends the validators of `head` as conditions to a request's fields (§4.3.1, cases
    /// `9111-4.3.1-…`). The client's own (`Conditions.evaluated`) must not be sent beside them.
    ///
    /// - Parameters:
    ///   - head: The stored answer's head.
    ///   - buffer: The request to the origin, at the beginning of a field line.
    /// - Returns: Whether there was a validator; if not the request is a plain one.
    @discardableResult
    public static func appendConditions(of head: CachedHead, to buffer: ByteBuffer)
        -> Bool
    {
        let bytes = head.bytes
        if let etag = head.etagRange {
            buffer.append("If-None-Match: ")
            buffer.append(bytes.span(etag))
            buffer.append("\r\n")
        }
        if let date = head.lastModifiedRange {
            buffer.append("If-Modified-Since: ")
            buffer.append(bytes.span(date))
            buffer.append("\r\n")
        }
        return head.etagRange != nil || head.lastModifiedRange != nil
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
    ///   when the 304 is about another answer (its ETag differs): fetch again without conditions.
    public func freshened(
        by notModified: borrowing ResponseHead, request: borrowing RequestHead,
        policy: borrowing CachePolicy, times: FetchTimes, compression: CompressionPolicy? = nil
    ) -> StoredResponse? {
        let head = self.head
        if let theirs = notModified.fields.first(.etag) {
            let bytes = head.bytes
            guard let ours = head.etagRange, Conditions.weaklyEqual(bytes.span(ours), theirs)
            else { return nil }
        }
        let merged = StoredResponse.merge(head.parsed(), with: notModified)
        var lifetime = Lifetime(
            of: merged, directives: CacheDirectives(of: merged.fields), policy: policy,
            times: times)
        var isStorable = true
        if case .store(let decided) = StoreDecision.decide(
            request: request, response: merged, policy: policy, times: times)
        {
            lifetime = decided
        } else {
            isStorable = false
        }
        let tags = head.tags.updated(by: notModified.fields)
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
        var merged = ResponseHead()
        merged.status = stored.status
        merged.framing = stored.framing
        merged.reason = merged.fields.appendBytes(stored.span(stored.reason))
        for i in stored.fields.indices
        where stored.fields[i].name != .date
            && !replaces(update.fields, stored.fields.name(at: i))
        {
            // The old Date goes even if the 304 has none: it was received now.
            merged.fields.append(
                name: stored.fields.name(at: i), value: stored.fields.value(at: i))
        }
        for i in update.fields.indices where isUpdate(i, of: update.fields) {
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
