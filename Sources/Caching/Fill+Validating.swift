public import HTTPModel
public import Primitives

/// A fill's part in validation (RFC 9111 §4.3).
extension Fill {
    /// Whether there is something to ask the origin about.
    public var validates: Bool { stored != nil || !others.isEmpty }

    /// Appends the validators of the stored answers to the request for the origin.
    public func appendConditions(to buffer: ByteBuffer) {
        Revalidation.appendConditions(of: stored?.head, others: others, to: buffer)
    }

    /// The stored answer that a 304 is about, updated by it and for `request`.
    ///
    /// - Returns: The answer for `complete(with:)`; `nil`: fetch again without conditions.
    public func confirmed(
        by notModified: borrowing ResponseHead, request: borrowing RequestHead,
        policy: borrowing CachePolicy, times: FetchTimes, compression: CompressionPolicy? = nil
    ) -> StoredResponse? {
        Revalidation.subject(of: notModified.fields, stored: stored, others: others)?
            .updated(
                by: notModified, request: request, policy: policy, times: times,
                compression: compression)
    }
}

extension StoreShard {
    /// The other variants of a key that the origin may name in a 304 to `request` (RFC 9111 §4.3.1, case
    /// `9111-4.3.1-several`): those with a strong entity tag in a content coding that the client takes.
    ///
    /// A weak tag says nothing here: it may be the same in all codings.
    func validated(
        beside stored: StoredResponse?, chain: Int32, request: borrowing FieldList,
        onlyForEverybody: Bool
    ) -> [StoredResponse] {
        // A date would be lost beside tags.
        if let stored, stored.head.etagRange == nil { return [] }
        var found: [StoredResponse] = []
        var room = CacheBounds.validatorBytes
        var node = chain
        while node >= 0 {
            let entry = nodes[Int(node)]
            node = entry.nextVariant
            guard let other = entry.stored, other !== stored, other.isWhole,
                let etag = other.head.etagRange,
                !onlyForEverybody || other.head.lifetime.isForEverybody,
                Int(etag.count) <= room, other.head.isStrong(at: etag),
                other.head.isCoded(for: request)
            else { continue }
            room -= Int(etag.count)
            found.append(other)
        }
        return found
    }
}

extension CachedHead {
    fileprivate func isStrong(at etag: ByteRange) -> Bool {
        let bytes = self.bytes
        return !Conditions.isWeak(bytes.span(etag))
    }

    /// Whether the body is in no content coding, or in one that the request names.
    fileprivate func isCoded(for request: borrowing FieldList) -> Bool {
        let (coding, count) = coding
        guard count == 1 else { return count == 0 }
        let bytes = self.bytes
        for i in request.indices where request[i].name == .acceptEncoding {
            let line = request.value(at: i)
            var start = 0
            while start < line.count {
                let end = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.count
                let member = line.extracting(start..<end).trimmed
                if member.equalsIgnoringCase(bytes.span(coding)) { return true }
                start = end + 1
            }
        }
        return false
    }

    /// Where the first Content-Encoding's value stands in `bytes`, and how many there are.
    private var coding: (ByteRange, count: Int) {
        let bytes = self.bytes
        let all = bytes.span
        var found = (ByteRange.empty, count: 0)
        var start = 0
        while let end = all.firstIndex(of: ASCII.lf, from: start) {
            let colon = all.firstIndex(of: UInt8(ascii: ":"), from: start) ?? end
            if start > 0, colon < end,
                FieldName(recognising: all.extracting(start..<colon)) == .contentEncoding
            {
                // Every line was written here as `Name: value`.
                if found.count == 0 {
                    found.0 = ByteRange(start: colon + 2, count: end - 1 - colon - 2)
                }
                found.count += 1
            }
            start = end + 1
        }
        return found
    }
}
