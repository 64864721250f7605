/// What one step of an engine came to.
public enum TLSResult<Value> {
    /// It went well.
    case done(Value)
    /// More bytes of the peer are needed first. Send what the engine has for it, too.
    case needsMore
    /// TLS is over. What the engine still has for the peer, an alert, may be sent.
    case failed(TLSFailure)
}

extension TLSResult: Sendable where Value: Sendable {}

/// Why TLS could not begin or go on.
public struct TLSFailure: Error, Sendable, Equatable {
    /// The kinds of reasons.
    public enum Kind: Sendable, BitwiseCopyable {
        /// A certificate or a setting of our own cannot be used.
        case setup
        /// The server's certificate is not accepted.
        case certificate
        /// The peer refused, or what it sent is no TLS.
        case protocolViolation
        /// The peer's bytes ended before TLS did (RFC 8446 §6.1): what came may be a part of the whole.
        case truncated
    }

    /// The kind.
    public let kind: Kind
    /// The library's words for it; for people.
    public let reason: String

    /// Creates a failure.
    public init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
