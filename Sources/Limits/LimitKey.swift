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

/// The digest of one key in the making: the limit's identity, then every part with its kind and length.
///
///     identity 16 | kind, method, length 8 | bytes | kind, method, length 8 | bytes | …
///
/// As every part says what it is and how long, no two lists of parts have the same bytes.
struct LimitKey {
    private var hasher: KeyedHasher

    init(of limit: CompiledLimit, seed: KeyedHasher.Seed) {
        hasher = KeyedHasher(seed: seed)
        hasher.append(limit.identity.high)
        hasher.append(limit.identity.low)
    }

    mutating func append(_ address: IPAddress) {
        hasher.append(Self.header(.ip, length: 16))
        hasher.append(address.high)
        hasher.append(address.low)
    }

    mutating func append(_ part: LimitParts, _ bytes: Span<UInt8>, method: Method = .other) {
        hasher.append(Self.header(part, length: bytes.count, method: method))
        hasher.append(bytes)
    }

    consuming func finish() -> Digest128 { hasher.finish() }

    private static func header(_ part: LimitParts, length: Int, method: Method = .other) -> UInt64 {
        UInt64(part.rawValue) << 56 | UInt64(method.rawValue) << 48 | UInt64(length)
    }
}
