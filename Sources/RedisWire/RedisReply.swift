import Primitives

/// One reply of a Redis server, in the types of RESP 2.
public enum RedisReply: Sendable, Equatable {
    /// A string of bytes.
    case bulk([UInt8])
    /// A short word of success, as `OK`.
    case status([UInt8])
    /// A whole number.
    case integer(Int64)
    /// Nothing: no such key, no such element.
    case null
    /// A refusal.
    case error(RedisServerError)
    /// Further replies, in order.
    case array([RedisReply])

    /// The bytes of a string or status.
    public var bytes: [UInt8]? {
        switch self {
        case .bulk(let bytes), .status(let bytes): bytes
        default: nil
        }
    }

    /// The number of an integer, or of a string of decimal digits.
    public var integer: Int64? {
        switch self {
        case .integer(let number): number
        case .bulk(let bytes), .status(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
        default: nil
        }
    }

    /// The elements of an array.
    public var elements: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The text of a string or status, with damaged UTF-8 replaced.
    public var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    /// Whether it is the status `word`.
    public func isStatus(_ word: StaticString) -> Bool {
        if case .status(let bytes) = self { bytes.span.equals(word) } else { false }
    }
}
