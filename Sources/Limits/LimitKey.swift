import HTTPModel
import Primitives

/// The parts of a limit's key.
struct LimitParts: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt8

    static let ip = LimitParts(rawValue: 1)
    static let user = LimitParts(rawValue: 2)
    static let company = LimitParts(rawValue: 4)
    static let endpoint = LimitParts(rawValue: 8)
    /// Header fields and claims; which ones is in the limit's identity.
    static let dimension = LimitParts(rawValue: 16)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The part of `scope`; `global` adds none.
    init(_ scope: LimitDefinition.Scope) {
        switch scope {
        case .global: self = []
        case .ip: self = .ip
        case .user: self = .user
        case .company: self = .company
        case .endpoint: self = .endpoint
        case .header, .claim: self = .dimension
        }
    }
}

/// The keys of one request: what a part adds to them is hashed once, however many limits count by it.
///
///     key = the limit's identity ⊕ digest of the address ⊕ digest of the user ⊕ … of the endpoint
///
/// A part's digest is made under a secret and says of what kind the part is and how long. Two keys of a limit that
/// differ in parts differ by these parts' digests, which look random to who does not know the secret: they are
/// equal with a chance of 2⁻¹²⁸, as two digests of everything would be. Identities and endpoints come from the
/// configuration: nobody chooses them to meet a key, so their digests need no secret and are made with the policy.
struct LimitKeys {
    private let seed: KeyedHasher.Seed
    // A part that the request lacks adds nothing.
    private var ip = Digest128(high: 0, low: 0)
    private var user = Digest128(high: 0, low: 0)
    private var company = Digest128(high: 0, low: 0)

    /// Hashes what the keys of limits with these `parts` need.
    init(of subject: borrowing LimitSubject, _ parts: LimitParts, seed: KeyedHasher.Seed) {
        self.seed = seed
        // A request that lacks a part is counted by its address.
        var lacksPart = parts.contains(.dimension)
        if parts.contains(.user) {
            if let bytes = subject.user, !bytes.isEmpty {
                user = digest(.user, bytes)
            } else {
                lacksPart = true
            }
        }
        if parts.contains(.company) {
            if let bytes = subject.company, !bytes.isEmpty {
                company = digest(.company, bytes)
            } else {
                lacksPart = true
            }
        }
        if parts.contains(.ip) || lacksPart { ip = digest(subject.counted) }
    }

    /// The key under a limit by all but its endpoint, header fields and claims; `isAnonymous`: by address, in
    /// place of what the request lacks.
    func key(of limit: CompiledLimit, isAnonymous: Bool) -> Digest128 {
        var key = limit.identity
        if limit.parts.contains(.ip) || isAnonymous { key = key ^ ip }
        if limit.parts.contains(.user) { key = key ^ user }
        if limit.parts.contains(.company) { key = key ^ company }
        return key
    }

    /// What the value of a header field or claim adds: `place` is its place among those of the limit.
    func digest(ofDimension value: Span<UInt8>, at place: Int) -> Digest128 {
        digest(.dimension, value, place: place)
    }

    @inline(__always)
    private func digest(_ address: IPAddress) -> Digest128 {
        var hasher = KeyedHasher(seed: seed)
        hasher.append(Self.header(.ip, length: 16))
        hasher.append(address.high)
        hasher.append(address.low)
        return hasher.finish()
    }

    @inline(never)
    private func digest(_ part: LimitParts, _ bytes: Span<UInt8>, place: Int = 0) -> Digest128 {
        Self.digest(part, bytes, place: place, seed: seed)
    }

    private static func digest(
        _ part: LimitParts, _ bytes: Span<UInt8>, place: Int, seed: KeyedHasher.Seed
    ) -> Digest128 {
        var hasher = KeyedHasher(seed: seed)
        hasher.append(header(part, length: bytes.count, place: place))
        hasher.append(bytes)
        return hasher.finish()
    }

    private static func header(_ part: LimitParts, length: Int, place: Int = 0) -> UInt64 {
        UInt64(part.rawValue) << 56 | UInt64(place) << 48 | UInt64(length)
    }

    // MARK: Endpoints

    /// The digest of a route's pattern.
    static func digest(ofEndpoint pattern: Span<UInt8>) -> Digest128 {
        digest(.endpoint, pattern, place: 0, seed: KeyedHasher.Seed(0, 0))
    }

    /// What an endpoint adds, by the digest of its pattern. All methods without a case count as one.
    static func digest(ofEndpoint pattern: Digest128, method: Method) -> Digest128 {
        let mixed = UInt64(method.rawValue) &* 0x9E37_79B9_7F4A_7C15
        return pattern ^ Digest128(high: mixed, low: mixed)
    }
}
