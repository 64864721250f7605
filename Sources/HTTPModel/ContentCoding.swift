/// A content coding that the proxy can make (RFC 9110 §8.4.1).
public enum ContentCoding: UInt8, Sendable, BitwiseCopyable, Equatable, CaseIterable {
    /// Brotli (RFC 7932).
    case br
    /// gzip (RFC 1952).
    case gzip

    /// Its name in fields, logs and metrics, and in the configuration.
    public var name: StaticString {
        switch self {
        case .br: "br"
        case .gzip: "gzip"
        }
    }
}

/// The codings that are offered, the one before the other where a client likes both the same. At least one.
public struct CodingOrder: Sendable, BitwiseCopyable, Equatable {
    /// The preferred coding.
    public let first: ContentCoding
    /// The other one.
    public let second: ContentCoding?

    /// Creates an order; `second` is not `first`.
    public init(_ first: ContentCoding, _ second: ContentCoding? = nil) {
        precondition(second != first)
        self.first = first
        self.second = second
    }
}
