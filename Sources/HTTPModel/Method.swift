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
        guard bytes.count < 8 else {
            self = .other
            return
        }
        // The number of letters, then the letters from the last to the first.
        self =
            switch bytes.shortWord(from: 0, to: bytes.count) {
            case 0x0300_0000_0054_4547: .get
            case 0x0400_0000_4441_4548: .head
            case 0x0400_0000_5453_4F50: .post
            case 0x0300_0000_0054_5550: .put
            case 0x0600_4554_454C_4544: .delete
            case 0x0500_0048_4354_4150: .patch
            case 0x0753_4E4F_4954_504F: .options
            case 0x0500_0045_4341_5254: .trace
            case 0x0754_4345_4E4E_4F43: .connect
            case 0x0500_0059_5245_5551: .query
            default: .other
            }
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
