import COpenSSL

/// A self-signed certificate and its key, as PEM texts. It is its own authority.
public struct TestCertificate: Sendable {
    /// The certificate; also what a client trusts who shall accept it.
    public let certificate: [UInt8]
    /// The private key.
    public let key: [UInt8]

    /// Makes a certificate for DNS names and addresses, with a fresh Ed25519 key.
    ///
    /// - Parameters:
    ///   - names: What it is for, as OpenSSL writes it: `DNS:example.com`, `IP:10.0.0.1`.
    ///   - validity: When it is good, in seconds of the calendar clock.
    public init(
        for names: [String], validity: ClosedRange<UInt64> = 1_735_689_600...2_051_222_400
    ) {
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil),
            let made = unsafe X509_new()
        else { fatalError("no memory for a certificate") }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        defer { unsafe X509_free(made) }
        var pair: OpaquePointer? = nil
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_keygen(context, &pair) == 1
        else { fatalError("no key for a certificate") }
        defer { unsafe EVP_PKEY_free(pair) }
        unsafe X509_set_version(made, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(made), 1)
        unsafe ASN1_TIME_set(X509_getm_notBefore(made), time_t(validity.lowerBound))
        unsafe ASN1_TIME_set(X509_getm_notAfter(made), time_t(validity.upperBound))
        unsafe X509_set_pubkey(made, pair)
        let subject = unsafe X509_get_subject_name(made)
        unsafe X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, "test.invalid", -1, -1, 0)
        unsafe X509_set_issuer_name(made, subject)
        let listed = names.joined(separator: ",")
        guard
            let extra = unsafe X509V3_EXT_conf_nid(nil, nil, NID_subject_alt_name, listed)
        else { fatalError("bad names: \(listed)") }
        unsafe X509_add_ext(made, extra, -1)
        unsafe X509_EXTENSION_free(extra)
        guard unsafe X509_sign(made, pair, nil) > 0 else { fatalError("no signature") }
        certificate = unsafe TestCertificate.text { unsafe PEM_write_bio_X509($0, made) }
        key = unsafe TestCertificate.text {
            unsafe PEM_write_bio_PrivateKey($0, pair, nil, nil, 0, nil, nil)
        }
    }

    /// What `write` puts into a BIO.
    private static func text(_ write: (OpaquePointer?) -> Int32) -> [UInt8] {
        let target = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(target) }
        guard unsafe write(target) == 1 else { fatalError("no PEM") }
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(target))
        let read = unsafe bytes.withUnsafeMutableBytes {
            unsafe BIO_read(target, $0.baseAddress, Int32($0.count))
        }
        precondition(Int(read) == bytes.count)
        return bytes
    }
}
