import Primitives

/// A limit as decisions use it: a plain value, so that copies count no references. Ranges lie in the policy's
/// bytes, rates and dimensions.
struct CompiledLimit: Sendable {
    /// Its place in the policy.
    let index: Int
    /// A digest of name and algorithm under a seed that is no secret: names come from the configuration.
    let identity: Digest128
    let parts: LimitParts
    let anonymous: LimitDefinition.Anonymous
    let isShadow: Bool
    /// Whether Redis counts it: each decision for itself, or by leases.
    let isShared: Bool
    /// Whether its units are leased.
    let isLeased: Bool
    /// Its rates: the ordinary one, then those of the tiers, then those of overrides.
    let rates: Range<Int>
    /// The rates of the tiers.
    let tiers: Range<Int>
    /// What a request costs by `LimitAnswer`, before its answer is known.
    let costs: InlineArray<3, UInt32>
    /// The name as a JSON string, quoted.
    let jsonName: ByteRange
    /// Its member of RateLimit up to the number, `"analytics";r=`: the name is a String of structured fields
    /// (RFC 9651 §3.3.3).
    let remainingItem: ByteRange
    /// Whether it has what few limits have: `LimitPolicy.extras(of:)`.
    let hasExtras: Bool

    /// What few limits have.
    final class Extras: Sendable {
        /// Header fields and claims among the parts.
        let dimensions: Range<Int>
        /// Rates of single keys, in order.
        let overrides: [CompiledOverride]
        /// Keys whose public digest is below this are enforced, the others are shadow; `nil`: all alike.
        let enforcedBelow: UInt64?
        /// Whether the charge is settled when the answer is known.
        let isSettled: Bool
        /// Whether it counts requests in flight.
        let isConcurrency: Bool
        /// What a request costs when its answer is known.
        let costs: LimitDefinition.Costs
        /// The field that names the cost, in lower case.
        let costField: [UInt8]
        /// The statuses that are charged; empty: all.
        let countedStatuses: [ClosedRange<UInt16>]

        init(_ definition: LimitDefinition, dimensions: Range<Int>, overrides: [CompiledOverride]) {
            self.dimensions = dimensions
            self.overrides = overrides
            enforcedBelow =
                switch definition.mode {
                case .share(let share) where share < 1: UInt64(max(share, 0) * 0x1p64)
                default: nil
                }
            isConcurrency = definition.algorithm == .concurrency
            isSettled =
                !isConcurrency
                && (!definition.countedStatuses.isEmpty || definition.costs.dependsOnAnswer)
            costs = definition.costs
            costField = Array((definition.costs.header ?? "").utf8)
            countedStatuses = definition.countedStatuses
        }

        /// Whether an answer of `status` is charged.
        func counts(_ status: UInt16) -> Bool {
            if countedStatuses.isEmpty { return true }
            for range in countedStatuses where range.contains(status) { return true }
            return false
        }
    }

    /// The shared bucket of `digest` when there is no room for it: one of a few of this limit.
    func bucket(of digest: Digest128) -> Digest128 {
        // The upper bits: the lower ones chose the shard.
        let number = (digest.high >> 32) % LimitBounds.overflowBucketsPerLimit
        return Digest128(
            high: identity.high &+ number, low: identity.low &+ number &* 0x9E37_79B9_7F4A_7C15)
    }
}

/// The rate of a single key.
struct CompiledOverride: Sendable {
    /// What is compared: the address, or a part's bytes.
    let part: LimitParts
    /// The index of the dimension, for header fields and claims.
    let dimension: Int
    /// For `ip`.
    let network: IPNetwork?
    /// For everything else.
    let value: [UInt8]
    /// Index of the rate; the rate may be unlimited.
    let rate: Int
}

/// A rate of one tier or override.
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
    /// The fields of X-RateLimit up to the units that are left.
    let limitField: ByteRange
    /// The fields of draft-ietf-httpapi-ratelimit-headers-11 up to the units that are left, where no other limit
    /// is told.
    let draft11: ByteRange
    /// A refusal's body up to the seconds to wait.
    let refusal: ByteRange
}

/// A header field or claim that limits count by.
public enum LimitDimension: Sendable, Equatable {
    /// A field of the request; lower-case name.
    case header([UInt8])
    /// A claim of the verified token.
    case claim(String)
}
