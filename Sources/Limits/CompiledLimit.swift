import Primitives

/// A limit as decisions use it. Ranges lie in the policy's bytes and rates.
struct CompiledLimit: Sendable {
    /// A digest of name and algorithm under a seed that is no secret: names come from the configuration.
    let identity: Digest128
    let parts: LimitParts
    let anonymous: LimitDefinition.Anonymous
    let isShadow: Bool
    /// Its rates: the ordinary one, then those of the tiers.
    let rates: Range<Int>
    /// The name as a JSON string, quoted.
    let jsonName: ByteRange
    /// The name as a String of structured fields, quoted (RFC 9651 §3.3.3).
    let fieldName: ByteRange

    /// The rates of the tiers.
    var tiers: Range<Int> { (rates.lowerBound + 1)..<rates.upperBound }

    /// The shared bucket of `digest` when there is no room for it: one of a few of this limit.
    func bucket(of digest: Digest128) -> Digest128 {
        // The upper bits: the lower ones chose the shard.
        let number = (digest.high >> 32) % LimitBounds.overflowBucketsPerLimit
        return Digest128(
            high: identity.high &+ number, low: identity.low &+ number &* 0x9E37_79B9_7F4A_7C15)
    }
}

/// A rate of one tier.
struct CompiledRate: Sendable, BitwiseCopyable {
    let meter: LimitMeter
    let isUnlimited: Bool
    let quota: UInt32
    let period: Nanoseconds
    /// The tier's name.
    let tier: ByteRange
    /// What clients read: `30 per 1 minute`.
    let text: ByteRange
    /// Its member of RateLimit-Policy: `"analytics";q=30;w=60`.
    let policyItem: ByteRange
}
