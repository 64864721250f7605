import COpenSSL

/// Owns a public key of OpenSSL's; frees it.
///
/// Unchecked, and right: the object is written by nobody after `init`, verification only reads it, and what OpenSSL
/// computes and keeps in it on first use stands behind a lock of its own. The last owner frees it.
@safe
final class PublicKey: @unchecked Sendable {
    /// What a key is for.
    enum Kind: Sendable, BitwiseCopyable {
        case rsa, p256, p384, ed25519
    }

    /// How the bytes of a key are written down.
    enum Format {
        /// SubjectPublicKeyInfo.
        case publicKey
        /// PKCS #1.
        case rsaPublicKey
        /// X.509; only its key is looked at.
        case certificate
    }

    let kind: Kind
    fileprivate let key: OpaquePointer

    /// Takes the key over; `nil`, and the key freed, when it is of a kind, size or curve that is not accepted.
    private init?(owning key: OpaquePointer?) {
        guard let key = unsafe key else { return nil }
        switch unsafe weir_key_kind(key) {
        case Int32(WEIR_KEY_RSA.rawValue): kind = .rsa
        case Int32(WEIR_KEY_P256.rawValue): kind = .p256
        case Int32(WEIR_KEY_P384.rawValue): kind = .p384
        case Int32(WEIR_KEY_ED25519.rawValue): kind = .ed25519
        default:
            unsafe EVP_PKEY_free(key)
            return nil
        }
        unsafe self.key = key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Reads a key in DER; `nil` when it is damaged, or of a kind, size or curve that is not accepted.
    convenience init?(_ format: Format, _ bytes: [UInt8]) {
        // The functions read within the count and keep no pointer.
        let key = unsafe bytes.withUnsafeBufferPointer { source in
            switch format {
            case .publicKey: unsafe weir_key_read_spki(source.baseAddress, source.count)
            case .rsaPublicKey: unsafe weir_key_read_pkcs1(source.baseAddress, source.count)
            case .certificate: unsafe weir_key_read_certificate(source.baseAddress, source.count)
            }
        }
        unsafe self.init(owning: key)
    }

    /// An RSA key of modulus and exponent, big-endian; `nil` when it is not accepted.
    convenience init?(rsaModulus n: [UInt8], exponent e: [UInt8]) {
        let key = unsafe n.withUnsafeBufferPointer { n in
            unsafe e.withUnsafeBufferPointer { e in
                unsafe weir_key_make_rsa(n.baseAddress, n.count, e.baseAddress, e.count)
            }
        }
        unsafe self.init(owning: key)
    }

    /// A key of the coordinates of a point, each as long as the curve's field; `nil` when it is not on the curve.
    convenience init?(isP384: Bool, x: [UInt8], y: [UInt8]) {
        let length = isP384 ? 48 : 32
        guard x.count == length && y.count == length else { return nil }
        let point = [4] + x + y
        let key = unsafe point.withUnsafeBufferPointer { point in
            unsafe weir_key_make_ec(isP384 ? 1 : 0, point.baseAddress, point.count)
        }
        unsafe self.init(owning: key)
    }

    /// An Ed25519 key of its 32 bytes.
    convenience init?(ed25519 bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        let key = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe weir_key_make_ed25519(bytes.baseAddress, bytes.count)
        }
        unsafe self.init(owning: key)
    }
}

/// Owns the working memory of verification; frees it. One for each worker.
@safe
final class SignatureVerifier {
    private let context: OpaquePointer

    /// Creates the memory; without any, which is a few hundred bytes, the process cannot go on.
    init() {
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("no memory for a digest context")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Whether `signature`, in OpenSSL's form, is that of `key` for `text`. `bits` says the SHA-2 in use: 256, 384
    /// or 512; 0 for Ed25519, which has its own. `isPSS` says, for RSA, whether the padding is PSS.
    func verifies(
        _ signature: Span<UInt8>, of text: Span<UInt8>, by key: PublicKey, bits: Int32, isPSS: Bool
    ) -> Bool {
        // Both spans are lent for the call; OpenSSL keeps no pointer into them. The key lives: it is a parameter.
        unsafe signature.withUnsafeBufferPointer { signature in
            unsafe text.withUnsafeBufferPointer { text in
                unsafe weir_verify(
                    context, key.key, bits, isPSS ? 1 : 0, signature.baseAddress, signature.count,
                    text.baseAddress, text.count) == 1
            }
        }
    }

    /// Whether `tag` is the HMAC-SHA256 of `text` under `secret`; compared in constant time.
    static func matches(
        _ tag: Span<UInt8>, hmacOf text: Span<UInt8>, secret: [UInt8]
    ) -> Bool {
        guard tag.count == 32 else { return false }
        // The tag has the 32 bytes that are compared.
        return unsafe secret.withUnsafeBufferPointer { secret in
            unsafe text.withUnsafeBufferPointer { text in
                unsafe tag.withUnsafeBufferPointer { tag in
                    unsafe weir_hmac_sha256_matches(
                        secret.baseAddress, secret.count, text.baseAddress, text.count,
                        tag.baseAddress) == 1
                }
            }
        }
    }
}
