import COpenSSL

/// The other side of a TLS client: a server as bytes in, bytes out. For tests alone, so it stops the test
/// where a real one would go on.
@safe public final class TLSServerEngine {
    private let connection: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer
    /// Whether the handshake has ended.
    public private(set) var isConnected = false
    /// What the library says of a failure.
    public private(set) var failure: String?

    /// Creates a server that shows `certificate`, and speaks nothing newer than TLS 1.`minorMax`.
    public init(_ certificate: TestCertificate, minorMax: Int = 3) {
        guard let context = unsafe SSL_CTX_new(TLS_server_method()) else { fatalError("no TLS") }
        defer { unsafe SSL_CTX_free(context) }
        let shown = unsafe TLSServerEngine.read(certificate.certificate) {
            unsafe PEM_read_bio_X509($0, nil, nil, nil)
        }
        let key = unsafe TLSServerEngine.read(certificate.key) {
            unsafe PEM_read_bio_PrivateKey($0, nil, nil, nil)
        }
        defer { unsafe X509_free(shown) }
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe SSL_CTX_use_certificate(context, shown) == 1,
            unsafe SSL_CTX_use_PrivateKey(context, key) == 1,
            unsafe weir_tls_allow_up_to(context, Int32(minorMax)) == 1,
            let made = unsafe SSL_new(context), let input = unsafe BIO_new(BIO_s_mem()),
            let output = unsafe BIO_new(BIO_s_mem())
        else { fatalError("no TLS server") }
        unsafe SSL_set_bio(made, input, output)
        unsafe SSL_set_accept_state(made)
        unsafe connection = made
        unsafe incoming = input
        unsafe outgoing = output
    }

    deinit { unsafe SSL_free(connection) }

    private static func read(
        _ text: [UInt8], _ parse: (OpaquePointer?) -> OpaquePointer?
    ) -> OpaquePointer? {
        let source = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(source) }
        _ = unsafe text.withUnsafeBytes {
            unsafe BIO_write(source, $0.baseAddress, Int32($0.count))
        }
        return unsafe parse(source)
    }

    /// The name the client asked for.
    public var requestedName: String? {
        guard let name = unsafe SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name) else {
            return nil
        }
        return unsafe String(cString: name)
    }

    /// Takes bytes of the client, goes on with the handshake, and returns what the client says.
    public func receive(_ bytes: [UInt8]) -> [UInt8] {
        if !bytes.isEmpty {
            _ = unsafe bytes.withUnsafeBytes {
                unsafe BIO_write(incoming, $0.baseAddress, Int32($0.count))
            }
        }
        if failure != nil { return [] }
        if !isConnected {
            ERR_clear_error()
            let outcome = unsafe SSL_accept(connection)
            if outcome == 1 { isConnected = true } else { note(outcome) }
        }
        var heard: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16 << 10)
        while isConnected && failure == nil {
            ERR_clear_error()
            let n = unsafe part.withUnsafeMutableBytes {
                unsafe SSL_read(connection, $0.baseAddress, Int32($0.count))
            }
            guard n > 0 else {
                note(n)
                break
            }
            heard += part[..<Int(n)]
        }
        return heard
    }

    private func note(_ outcome: Int32) {
        let error = unsafe SSL_get_error(connection, outcome)
        if error == SSL_ERROR_WANT_READ || error == SSL_ERROR_ZERO_RETURN { return }
        guard let text = unsafe ERR_reason_error_string(ERR_peek_error()) else {
            failure = "error \(error)"
            return
        }
        failure = unsafe String(cString: text)
    }

    /// Encrypts `bytes` for the client; after the handshake.
    public func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let n = unsafe bytes[sent...].withUnsafeBytes {
                unsafe SSL_write(connection, $0.baseAddress, Int32($0.count))
            }
            precondition(n > 0)
            sent += Int(n)
        }
    }

    /// Says that nothing more comes.
    public func close() { _ = unsafe SSL_shutdown(connection) }

    /// Takes the bytes that must go to the client.
    public func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: unsafe BIO_ctrl_pending(outgoing))
        guard !bytes.isEmpty else { return [] }
        let n = unsafe bytes.withUnsafeMutableBytes {
            unsafe BIO_read(outgoing, $0.baseAddress, Int32($0.count))
        }
        precondition(Int(n) == bytes.count)
        return bytes
    }
}
