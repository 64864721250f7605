public import Primitives

/// The version of an HTTP/1 message.
public enum HTTPVersion: UInt8, Sendable, BitwiseCopyable {
    /// HTTP/1.0
    case http10
    /// HTTP/1.1
    case http11
}

/// How the end of a message's body is found (RFC 9112 §6.3).
public enum BodyFraming: Sendable, BitwiseCopyable, Equatable {
    /// There is no body.
    case none
    /// The body has exactly this many bytes.
    case length(UInt64)
    /// The body is in chunks and may have trailers.
    case chunked
    /// The body of a response ends with its connection.
    case untilClose
}

/// A request without its body. Ranges lie in `fields.bytes`; a head is reused from request to request.
public struct RequestHead: Sendable {
    /// The method; its bytes are at `methodRange`.
    public var method: Method = .other
    /// The version the client spoke.
    public var version: HTTPVersion = .http11
    /// Where the method's name stands.
    public var methodRange: ByteRange = .empty
    /// The target in origin-form, path and query: what is forwarded. `*` for the asterisk-form.
    public var target: ByteRange = .empty
    /// The path, normalised: dot segments removed, unreserved characters decoded. Begins `target`.
    public var path: ByteRange = .empty
    /// The query without its `?`, or `nil` when there is no `?`.
    public var query: ByteRange?
    /// Host and port that the request is for, from the absolute-form or the Host field.
    public var authority: ByteRange = .empty
    /// How the body ends.
    public var framing: BodyFraming = .none
    /// Whether the connection may serve another request after this one.
    public var keepsAlive = true
    /// The header fields, and the bytes of all ranges.
    public var fields = FieldList()

    /// Creates an empty head.
    public init() {}

    /// The bytes at `range`.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public borrowing func span(_ range: ByteRange) -> Span<UInt8> { fields.span(range) }
}

/// A response without its body. Ranges lie in `fields.bytes`; a head is reused.
public struct ResponseHead: Sendable {
    /// The status.
    public var status: Status = 200
    /// The version the origin spoke.
    public var version: HTTPVersion = .http11
    /// The reason phrase as it was sent.
    public var reason: ByteRange = .empty
    /// How the body ends.
    public var framing: BodyFraming = .none
    /// Whether the connection may serve another exchange after this one.
    public var keepsAlive = true
    /// The header fields, and the bytes of all ranges.
    public var fields = FieldList()

    /// Creates an empty head.
    public init() {}

    /// The bytes at `range`.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public borrowing func span(_ range: ByteRange) -> Span<UInt8> { fields.span(range) }
}
