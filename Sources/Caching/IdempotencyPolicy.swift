public import Primitives

/// How a route keeps answers by Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07).
public struct IdempotencyPolicy: Sendable, Equatable {
    /// How long an answer is kept, from its end.
    public var ttl: Nanoseconds
    /// Whether an unsafe request without a key is refused.
    public var isRequired = false
    /// The field with the key; lower case.
    public var header = "idempotency-key"
    /// The largest content of a request with a key, in bytes: it is read before the origin is asked.
    public var maxBody = 1 << 20
    /// The largest body of an answer that is kept, in bytes.
    public var maxAnswer = 1 << 20

    /// Creates a policy that says only for how long.
    public init(ttl: Nanoseconds) { self.ttl = ttl }
}
