import HTTPModel
import Primitives

/// What tells one version of an answer from another with certainty (RFC 9110 §8.8.1): bytes of answers that
/// share it may be put together (RFC 9111 §3.4), of others never.
public enum StrongValidator: Sendable, Equatable {
    /// A strong entity tag, with its quotes.
    case etag([UInt8])
    /// Last-Modified in seconds since 1970, of an answer made well after it (RFC 9110 §8.8.2.2).
    case date(Int64)

    /// The validator of a prepared head. An answer with an ETag has no other: a weak one says that bytes may
    /// differ.
    public init?(of head: CachedHead) {
        if let range = head.etagRange {
            guard head.strongETag != nil else { return nil }
            let bytes = head.bytes
            self = .etag(bytes.span(range).copied)
        } else if head.hasStrongDate, let date = head.lastModifiedSeconds {
            self = .date(date)
        } else {
            return nil
        }
    }

    /// The validator of an answer that has just arrived.
    init?(of response: borrowing ResponseHead, times: FetchTimes) {
        if let etag = response.fields.first(.etag) {
            guard etag.starts(with: "\"") else { return nil }
            self = .etag(etag.copied)
            return
        }
        guard let text = response.fields.first(.lastModified),
            let date = HTTPDate.parse(text, now: times.received.wall.epochSeconds),
            times.date(of: response.fields) - CacheBounds.strongDateSeconds >= date
        else { return nil }
        self = .date(date)
    }
}
