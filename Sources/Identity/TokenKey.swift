import Primitives

/// A key that verifies tokens.
///
/// The key decides which algorithms are possible, never the token: an RSA key can do nothing but RS… and PS256, a
/// secret nothing but HS256. So a token that names HS256 finds no public key to be taken for a secret
/// (RFC 8725 §3.1).
public struct TokenKey: Sendable {
    /// The key's `kid`, from a JWK set: it verifies the tokens that name it. `nil`: it has none and is tried for
    /// any token.
    public let id: String?

    /// What verifies.
    enum Material: Sendable {
        case publicKey(PublicKey)
        case secret([UInt8])
    }

    let material: Material
    /// The bytes of `id`.
    let idBytes: [UInt8]?
    /// What it can verify.
    let algorithms: JWTAlgorithmSet

    /// A key for everything its kind can do, or for `only` when that is among it; otherwise `nil`.
    init?(_ material: Material, id: String? = nil, only: JWTAlgorithm? = nil) {
        var possible = TokenKey.algorithms(of: material)
        if let only {
            guard possible.contains(only) else { return nil }
            possible = [only]
        }
        self.id = id
        self.material = material
        idBytes = id.map { Array($0.utf8) }
        algorithms = JWTAlgorithmSet(possible)
    }

    private static func algorithms(of material: Material) -> [JWTAlgorithm] {
        switch material {
        case .secret(let secret): secret.count < IdentityBounds.secretBytesMin ? [] : [.HS256]
        case .publicKey(let key):
            switch key.kind {
            case .rsa: [.RS256, .RS384, .RS512, .PS256]
            case .p256: [.ES256]
            case .p384: [.ES384]
            case .ed25519: [.EdDSA]
            }
        }
    }

    /// A shared secret for HS256. One of fewer than `IdentityBounds.secretBytesMin` bytes is a key that verifies
    /// nothing, as RFC 7518 §3.2 demands: it could be guessed.
    public static func secret(_ bytes: [UInt8]) -> TokenKey {
        TokenKey(secret: bytes)
    }

    private init(secret: [UInt8]) {
        id = nil
        material = .secret(secret)
        idBytes = nil
        algorithms = JWTAlgorithmSet(TokenKey.algorithms(of: .secret(secret)))
    }

    /// Reads the public keys and certificates of a PEM file: blocks `PUBLIC KEY`, `RSA PUBLIC KEY` and
    /// `CERTIFICATE`, of which only the key is looked at, not its dates or issuer. Other blocks are left out.
    ///
    /// - Throws: `malformed` for a damaged block and for a private key, which has no place on a proxy;
    ///   `unsupported` for a key that cannot be used; `noKey` when there is no block of the three kinds.
    public static func pem(_ bytes: [UInt8]) throws(TokenKeyError) -> [TokenKey] {
        guard bytes.count <= IdentityBounds.keyFileBytesMax,
            let blocks = PEMFile.blocks(of: bytes)
        else { throw .malformed }
        var keys: [TokenKey] = []
        for block in blocks {
            let format: PublicKey.Format
            switch block.label {
            case "PUBLIC KEY": format = .publicKey
            case "RSA PUBLIC KEY": format = .rsaPublicKey
            case "CERTIFICATE": format = .certificate
            default:
                if block.label.hasSuffix("PRIVATE KEY") { throw .malformed }
                continue
            }
            guard let key = PublicKey(format, block.bytes),
                let usable = TokenKey(.publicKey(key))
            else { throw .unsupported }
            keys.append(usable)
        }
        guard !keys.isEmpty else { throw .noKey }
        return keys
    }
}

/// Why keys could not be read.
public enum TokenKeyError: Error, Sendable, BitwiseCopyable {
    /// There is no public key or certificate in it.
    case noKey
    /// It is not what it should be.
    case malformed
    /// A key of it is damaged, or of a kind, size or curve that no algorithm here is for.
    case unsupported

    /// What is said in the log.
    public var reason: StaticString {
        switch self {
        case .noKey: "no usable key in it"
        case .malformed: "malformed, or not public keys"
        case .unsupported:
            "a key that is not RSA of 2048 to 8192 bits, P-256, P-384 or Ed25519, or is damaged"
        }
    }
}
