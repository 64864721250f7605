internal import COpenSSL

/// The library's list of errors of this thread, which must be empty before a call and is read right after it.
enum ErrorQueue {
    static func clear() { ERR_clear_error() }

    /// Empties the queue into a failure; `fallback` when it says nothing.
    static func setupFailure(_ fallback: String) -> TLSFailure {
        defer { clear() }
        return TLSFailure(.setup, text(of: ERR_peek_error()) ?? fallback)
    }

    /// The library's words for `error`; `nil` when there are none.
    static func text(of error: UInt) -> String? {
        // A constant text of the library, or null.
        guard error != 0, let text = unsafe ERR_reason_error_string(error) else { return nil }
        return unsafe String(cString: text)
    }

    /// Empties the queue into a failure of a connection; `verification` is what its certificate check said.
    static func connectionFailure(verification: Int) -> TLSFailure {
        defer { clear() }
        let error = ERR_peek_error()
        if weir_tls_is_distrust(error) != 0,
            let text = unsafe X509_verify_cert_error_string(verification)
        {
            // A constant text of the library.
            return TLSFailure(.certificate, unsafe String(cString: text))
        }
        // An end without any error recorded is one below TLS: the bytes just stopped.
        if error == 0 || weir_tls_is_truncation(error) != 0 {
            return TLSFailure(.truncated, "the connection ended before TLS did")
        }
        return TLSFailure(.protocolViolation, text(of: error) ?? "TLS failed")
    }
}
