public import HTTPModel
import Primitives

extension Conditions {
    /// Whether If-Range lets a range of the answer with `head` be sent (RFC 9110 §13.1.5, cases
    /// `9110-13.1.5-…`); without the field it does.
    ///
    /// The validator must be strong: the same entity tag without `W/`, or exactly the Last-Modified of an answer
    /// made a minute later or more (§8.8.2.2).
    public static func rangeStillHolds(
        _ request: borrowing FieldList, head: CachedHead, now: UInt64
    ) -> Bool {
        guard request.contains(.ifRange) else { return true }
        guard request.count(of: .ifRange) == 1, let value = request.first(.ifRange) else {
            return false
        }
        if value.starts(with: "\"") {
            guard let etag = head.strongETag else { return false }
            let bytes = head.bytes
            return bytes.span(etag).equals(value)
        }
        guard let date = HTTPDate.parse(value, now: now) else { return false }
        return head.hasStrongDate && head.lastModifiedSeconds == date
    }
}

extension CachedHead {
    /// Where the ETag's value stands in `bytes`, when it is a strong one (RFC 9110 §8.8.1).
    var strongETag: ByteRange? {
        let bytes = self.bytes
        guard let range = etagRange, bytes.span(range).starts(with: "\"") else { return nil }
        return range
    }

    /// Whether Last-Modified tells one version from the next: what changes twice within its second would not
    /// show, so the answer must have been made well after it (RFC 9110 §8.8.2.2).
    var hasStrongDate: Bool {
        guard let modified = lastModifiedSeconds else { return false }
        return date - CacheBounds.strongDateSeconds >= modified
    }
}
