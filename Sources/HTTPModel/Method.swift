import Primitives

/// A request method (RFC 9110 §9). Names are case-sensitive.
public enum Method: UInt8, Sendable, BitwiseCopyable, CaseIterable {
    /// Any method without a case of its own; its bytes are in the head.
    case other
    /// `GET`
    case get
    /// `HEAD`
    case head
    /// `POST`
    case post
    /// `PUT`
    case put
    /// `DELETE`
    case delete
    /// `PATCH`
    case patch
    /// `OPTIONS`
    case options
    /// `TRACE`
    case trace
    /// `CONNECT`
    case connect
    /// `QUERY` (RFC 10008)
    case query

    /// The method that `bytes` spell, or `other`.
    public init(_ bytes: Span<UInt8>) {
        let candidate: Method =
            switch bytes.count == 0 ? 0 : bytes[0] {
            case 0x47: .get
            case 0x48: .head
            case 0x50 where bytes.count == 3: .put
            case 0x50 where bytes.count == 4: .post
            case 0x50: .patch
            case 0x44: .delete
            case 0x4F: .options
            case 0x51: .query
            case 0x54: .trace
            case 0x43: .connect
            default: .other
            }
        self = bytes.equals(candidate.text) ? candidate : .other
    }

    /// The name; empty for `other`.
    public var text: StaticString {
        switch self {
        case .other: ""
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .query: "QUERY"
        }
    }

    /// Whether the method only reads (RFC 9110 §9.2.1).
    public var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace, .query: true
        default: false
        }
    }

    /// Whether doing it twice is doing it once (RFC 9110 §9.2.2).
    public var isIdempotent: Bool { isSafe || self == .put || self == .delete }
}
