import Primitives

/// A signature algorithm of RFC 7518 §3.1 and RFC 8037; the raw value is its name.
public enum JWTAlgorithm: String, Sendable, CaseIterable {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case RS256
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    case RS384
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    case RS512
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    case PS256
    /// ECDSA on P-256 with SHA-256.
    case ES256
    /// ECDSA on P-384 with SHA-384.
    case ES384
    /// Ed25519.
    case EdDSA
    /// HMAC with SHA-256.
    case HS256

    /// The algorithm a token or key names, compared byte by byte; `nil` for `none` and all others.
    init?(name: Span<UInt8>) {
        if name.equals("RS256") {
            self = .RS256
        } else if name.equals("RS384") {
            self = .RS384
        } else if name.equals("RS512") {
            self = .RS512
        } else if name.equals("PS256") {
            self = .PS256
        } else if name.equals("ES256") {
            self = .ES256
        } else if name.equals("ES384") {
            self = .ES384
        } else if name.equals("EdDSA") {
            self = .EdDSA
        } else if name.equals("HS256") {
            self = .HS256
        } else {
            return nil
        }
    }

    /// Its bit in a set.
    fileprivate var bit: UInt8 {
        switch self {
        case .RS256: 1
        case .RS384: 2
        case .RS512: 4
        case .PS256: 8
        case .ES256: 16
        case .ES384: 32
        case .EdDSA: 64
        case .HS256: 128
        }
    }
}

/// A set of algorithms, one byte.
struct JWTAlgorithmSet: Sendable, BitwiseCopyable {
    private var bits: UInt8 = 0

    init(_ algorithms: [JWTAlgorithm]) {
        for algorithm in algorithms { bits |= algorithm.bit }
    }

    func contains(_ algorithm: JWTAlgorithm) -> Bool { bits & algorithm.bit != 0 }
}
