public import Primitives

/// Every bound of credentials in one place. Beyond a bound a token or key is refused or forgotten.
public enum IdentityBounds {
    /// Bytes of a token; a longer one is malformed.
    public static let tokenBytesMax = 16 << 10
    /// Bytes of a claim that becomes part of an identity; a longer one counts as absent.
    public static let claimBytesMax = 1024
    /// The longest leeway between clocks; a configured one is cut to it.
    public static let leewayMax = Nanoseconds.seconds(60)
    /// The shortest secret of HS256 (RFC 7518 §3.2). A key of a shorter one verifies nothing.
    public static let secretBytesMin = 32
    /// Keys that are tried for one token, in their order.
    public static let keysTriedMax = 8
    /// Bytes of a PEM file or of a JWK set.
    public static let keyFileBytesMax = 1 << 20
    /// Keys of a PEM file or of a JWK set.
    public static let keysMax = 256

    /// Verified tokens that a worker remembers.
    public static let tokensRemembered = TokenMemory.sets * TokenMemory.ways
    /// Bytes of claims, with 64 for the housekeeping of each token, that a worker remembers.
    public static let rememberedBytesMax = 4 << 20
    /// Bytes of the claims of one token; one with more is verified again each time.
    static let rememberedBytesPerToken = 4096

    /// How deep arrays and objects of a JSON text may be nested.
    static let jsonDepthMax = 32
    /// Values and names in a JSON text.
    static let jsonNodesMax = 16 << 10
    /// Names of an object that is read by name.
    static let jsonMembersMax = 128
}
