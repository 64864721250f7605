internal import COpenSSL

/// Whom clients trust: the system's authorities and, where given, some more. TLS 1.2 and later.
///
/// The system's are those of OpenSSL's default paths, which `SSL_CERT_FILE` and `SSL_CERT_DIR` replace. They
/// are read when a context is made, a few milliseconds of work: a new context sees a renewed file.
@safe public final class TLSClientContext {
    /// An `SSL_CTX` that this object owns.
    let handle: OpaquePointer

    /// Creates a context.
    ///
    /// - Parameters:
    ///   - authorities: A PEM text of certificates that are trusted, too; empty: none.
    ///   - trustsSystem: Whether the system's authorities are trusted.
    /// - Throws: `setup` when `authorities` holds no certificate or a damaged one, or there is no memory.
    public init(authorities: [UInt8] = [], trustsSystem: Bool = true) throws(TLSFailure) {
        guard let made = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw ErrorQueue.setupFailure("no memory for TLS")
        }
        unsafe handle = made
        // From here on `deinit` frees the context, also when this initialiser throws.
        guard unsafe weir_tls_restrict(handle) == 1 else {
            throw ErrorQueue.setupFailure("TLS 1.2 is not available")
        }
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
        // Default files that are missing are no error here: then nobody is trusted, and a handshake says so.
        guard !trustsSystem || (unsafe SSL_CTX_set_default_verify_paths(handle)) == 1 else {
            throw ErrorQueue.setupFailure("the system's authorities cannot be read")
        }
        if !authorities.isEmpty { try trust(authorities) }
        ErrorQueue.clear()
    }

    deinit { unsafe SSL_CTX_free(handle) }

    private func trust(_ text: [UInt8]) throws(TLSFailure) {
        ErrorQueue.clear()
        guard let store = unsafe SSL_CTX_get_cert_store(handle),
            let source = unsafe BIO_new(BIO_s_mem())
        else { throw ErrorQueue.setupFailure("no memory for certificates") }
        defer { unsafe BIO_free(source) }
        var written = 0
        // The BIO takes a copy of the bytes.
        let copied = unsafe text.withUnsafeBytes {
            unsafe BIO_write_ex(source, $0.baseAddress, $0.count, &written)
        }
        guard copied == 1 else { throw ErrorQueue.setupFailure("no memory for certificates") }
        var count = 0
        while let certificate = unsafe PEM_read_bio_X509(source, nil, nil, nil) {
            // The store takes a reference of its own.
            let added = unsafe X509_STORE_add_cert(store, certificate)
            unsafe X509_free(certificate)
            guard added == 1 else { throw ErrorQueue.setupFailure("a certificate is not usable") }
            count += 1
        }
        guard count > 0, weir_pem_is_end(ERR_peek_last_error()) != 0 else {
            throw ErrorQueue.setupFailure("a certificate is damaged, or there is none")
        }
    }
}
