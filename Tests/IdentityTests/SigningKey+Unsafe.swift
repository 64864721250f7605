import COpenSSL
import Primitives

@testable import Identity

/// A key pair that signs tokens, as an issuer does. For tests alone: the proxy holds no private key.
@safe
final class SigningKey: @unchecked Sendable {
    enum Kind {
        case rsa(Int32), p256, p384, p521, ed25519
    }

    static let rsa = SigningKey(.rsa(2048))
    static let otherRSA = SigningKey(.rsa(2048))
    static let p256 = SigningKey(.p256)
    static let p384 = SigningKey(.p384)
    static let ed25519 = SigningKey(.ed25519)

    private let key: OpaquePointer

    init(_ kind: Kind) {
        let id: Int32 =
            switch kind {
            case .rsa: EVP_PKEY_RSA
            case .ed25519: EVP_PKEY_ED25519
            default: EVP_PKEY_EC
            }
        let context = unsafe EVP_PKEY_CTX_new_id(id, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        unsafe EVP_PKEY_keygen_init(context)
        switch kind {
        case .rsa(let bits): unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits)
        case .p256:
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1)
        case .p384: unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_secp384r1)
        case .p521: unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_secp521r1)
        case .ed25519: break
        }
        var made: OpaquePointer?
        unsafe EVP_PKEY_keygen(context, &made)
        guard let key = unsafe made else { preconditionFailure("no key was made") }
        unsafe self.key = key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// The signature of `text` in the form of JWS.
    func signature(of text: [UInt8], _ algorithm: JWTAlgorithm) -> [UInt8] {
        let digest: OpaquePointer? =
            switch algorithm {
            case .RS256, .PS256, .ES256: unsafe EVP_sha256()
            case .RS384, .ES384: unsafe EVP_sha384()
            case .RS512: unsafe EVP_sha512()
            default: nil
            }
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var options: OpaquePointer?
        unsafe EVP_DigestSignInit(context, &options, digest, nil, key)
        if algorithm == .PS256 {
            unsafe EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING)
            unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST)
        }
        var length = 1024
        var signature = [UInt8](repeating: 0, count: length)
        let done = unsafe EVP_DigestSign(context, &signature, &length, text, text.count)
        precondition(done == 1)
        signature.removeLast(signature.count - length)
        switch algorithm {
        case .ES256: return raw(signature, 32)
        case .ES384: return raw(signature, 48)
        default: return signature
        }
    }

    private func raw(_ der: [UInt8], _ length: Int32) -> [UInt8] {
        unsafe der.withUnsafeBufferPointer { source in
            var at = source.baseAddress
            let pair = unsafe d2i_ECDSA_SIG(nil, &at, source.count)
            defer { unsafe ECDSA_SIG_free(pair) }
            var bytes = [UInt8](repeating: 0, count: Int(length) * 2)
            unsafe bytes.withUnsafeMutableBufferPointer { output in
                guard let start = output.baseAddress else { return }
                unsafe BN_bn2binpad(ECDSA_SIG_get0_r(pair), start, length)
                unsafe BN_bn2binpad(ECDSA_SIG_get0_s(pair), start + Int(length), length)
            }
            return bytes
        }
    }

    /// SubjectPublicKeyInfo in DER.
    var publicKey: [UInt8] { unsafe der { unsafe i2d_PUBKEY(key, $0) } }

    /// PKCS #1 in DER, for RSA.
    var rsaPublicKey: [UInt8] { unsafe der { unsafe i2d_PublicKey(key, $0) } }

    /// A certificate it signed itself, long expired.
    var certificate: [UInt8] {
        let certificate = unsafe X509_new()
        defer { unsafe X509_free(certificate) }
        unsafe X509_set_pubkey(certificate, key)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -7200)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), -3600)
        unsafe X509_sign(certificate, key, EVP_sha256())
        return unsafe der { unsafe i2d_X509(certificate, $0) }
    }

    private func der(
        _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(write(nil)))
        unsafe bytes.withUnsafeMutableBufferPointer { output in
            var at = output.baseAddress
            _ = unsafe write(&at)
        }
        return bytes
    }

    /// Modulus or exponent, `n` or `e`, of an RSA key.
    func number(_ name: String) -> [UInt8] {
        var number: OpaquePointer?
        unsafe EVP_PKEY_get_bn_param(key, name, &number)
        defer { unsafe BN_free(number) }
        var bytes = [UInt8](repeating: 0, count: Int((unsafe BN_num_bits(number) + 7) / 8))
        unsafe BN_bn2bin(number, &bytes)
        return bytes
    }

    /// The point of an elliptic key, without the byte that says it is not compressed, or the Ed25519 key.
    var point: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256)
        var length = bytes.count
        if unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &length) == 1 {
            return Array(bytes[..<length])
        }
        unsafe EVP_PKEY_get_octet_string_param(key, "pub", &bytes, bytes.count, &length)
        return Array(bytes[1..<length])
    }
}

/// The HMAC-SHA256 of `text`.
func hmac(_ text: [UInt8], secret: [UInt8]) -> [UInt8] {
    var tag = [UInt8](repeating: 0, count: 32)
    unsafe HMAC(EVP_sha256(), secret, Int32(secret.count), text, text.count, &tag, nil)
    return tag
}

/// The number of errors OpenSSL has left behind on this thread, at most one is counted.
var errorsLeftBehind: Int { ERR_peek_error() == 0 ? 0 : 1 }
