internal import COpenSSL
public import Primitives

/// Who a server must prove to be.
public enum TLSServerName: Sendable, Equatable {
    /// A DNS name, without a point at its end. It is sent in the handshake (RFC 6066 §3).
    case name(String)
    /// An address, which the certificate must list as such.
    case address(IPAddress)
}

/// One TLS connection seen from the client: bytes in, bytes out, no socket, no clock.
///
///     network → receive → [ engine ] → read  → application
///     network ← takeOutput ← [     ] ← write ← application
///
/// The certificate must be good at the time given, reach a trusted authority and name the server among its
/// subject alternative names (RFC 9525 §6); its common name does not count. After a failure an engine does
/// nothing more. What waits inside is bounded by what was given and not yet taken.
@safe public final class TLSClientEngine {
    /// Bytes that a TLS record holds at most (RFC 8446 §5.1).
    public static let recordBytesMax = 16 << 10

    /// An `SSL` that this object owns.
    private let connection: OpaquePointer
    /// Memory BIOs that `connection` owns.
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// Begins a connection to `server`, whose certificate must be good at `now`.
    ///
    /// - Throws: `setup` when the name cannot be used, or there is no memory.
    public init(
        _ context: TLSClientContext, server: TLSServerName, at now: WallTime
    ) throws(TLSFailure) {
        ErrorQueue.clear()
        guard let made = unsafe SSL_new(context.handle) else {
            throw ErrorQueue.setupFailure("no memory for a connection")
        }
        guard let input = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(made)
            throw ErrorQueue.setupFailure("no memory for a connection")
        }
        guard let output = unsafe BIO_new(BIO_s_mem()) else {
            unsafe BIO_free(input)
            unsafe SSL_free(made)
            throw ErrorQueue.setupFailure("no memory for a connection")
        }
        // The connection takes both over and frees them with itself.
        unsafe SSL_set_bio(made, input, output)
        unsafe SSL_set_connect_state(made)
        unsafe connection = made
        unsafe incoming = input
        unsafe outgoing = output
        // From here on `deinit` frees everything, also when this initialiser throws.
        guard expect(server, at: now) else {
            throw ErrorQueue.setupFailure("the server's name cannot be used")
        }
    }

    deinit { unsafe SSL_free(connection) }

    /// Sets what the certificate must prove.
    private func expect(_ server: TLSServerName, at now: WallTime) -> Bool {
        guard let wanted = unsafe SSL_get0_param(connection) else { return false }
        unsafe X509_VERIFY_PARAM_set_time(wanted, time_t(now.epochSeconds))
        unsafe X509_VERIFY_PARAM_set_hostflags(
            wanted,
            UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        switch server {
        case .name(let name):
            // An empty name would switch the check off.
            guard !name.isEmpty, !name.utf8.contains(0) else { return false }
            return unsafe X509_VERIFY_PARAM_set1_host(wanted, name, name.utf8.count) == 1
                && weir_tls_name_server(connection, name) == 1
        case .address(let address):
            let bytes = TLSClientEngine.networkOrder(address)
            return unsafe X509_VERIFY_PARAM_set1_ip(wanted, bytes, bytes.count) == 1
        }
    }

    private static func networkOrder(_ address: IPAddress) -> [UInt8] {
        let all = [address.high, address.low].flatMap { half in
            (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) }
        }
        return address.isV4 ? Array(all.suffix(4)) : all
    }

    // MARK: Towards the network

    /// Takes bytes that came from the server.
    public func receive(_ bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return }
        var written = 0
        // The BIO takes a copy; a memory BIO takes everything.
        let taken = unsafe bytes.withUnsafeBytes {
            unsafe BIO_write_ex(incoming, $0.baseAddress, $0.count, &written)
        }
        precondition(taken == 1)
        precondition(written == bytes.count)
    }

    /// Notes that the server will send no more bytes.
    public func receiveEnd() { unsafe weir_bio_end(incoming) }

    /// Moves what must be sent to the server to the end of `buffer`; the number of bytes.
    @discardableResult
    public func takeOutput(into buffer: ByteBuffer) -> Int {
        var total = 0
        while true {
            let pending = unsafe BIO_ctrl_pending(outgoing)
            guard pending > 0 else { return total }
            total += unsafe buffer.withSpare(pending) { spare in
                var count = 0
                // At most `spare.count` bytes are written into it.
                let read = unsafe BIO_read_ex(outgoing, spare.baseAddress, spare.count, &count)
                precondition(read == 1)
                return count
            }
        }
    }

    // MARK: Towards the application

    /// Goes on with the handshake.
    public func handshake() -> TLSResult<Void> {
        ErrorQueue.clear()
        let outcome = unsafe SSL_connect(connection)
        if outcome == 1 { return .done(()) }
        let next: TLSResult<Int> = interpret(outcome)
        switch next {
        case .needsMore: return .needsMore
        case .failed(let failure): return .failed(failure)
        case .done: return .failed(TLSFailure(.truncated, "the server ended the handshake"))
        }
    }

    /// Moves application bytes of the server to the end of `buffer`; 0 is the end in good order (RFC 8446 §6.1).
    public func read(into buffer: ByteBuffer) -> TLSResult<Int> {
        ErrorQueue.clear()
        let n = unsafe buffer.withSpare(TLSClientEngine.recordBytesMax) { spare in
            var count = 0
            // At most `spare.count` bytes are written into it.
            let read = unsafe SSL_read_ex(connection, spare.baseAddress, spare.count, &count)
            return read == 1 ? count : -1
        }
        return n > 0 ? .done(n) : interpret(0)
    }

    /// Takes application bytes for the server, all or none; after the handshake.
    public func write(_ bytes: Span<UInt8>) -> TLSResult<Void> {
        guard bytes.count > 0 else { return .done(()) }
        ErrorQueue.clear()
        var written = 0
        // The library copies what it encrypts.
        let taken = unsafe bytes.withUnsafeBytes {
            unsafe SSL_write_ex(connection, $0.baseAddress, $0.count, &written)
        }
        if taken == 1 { return .done(()) }
        let next: TLSResult<Int> = interpret(0)
        switch next {
        case .needsMore: return .needsMore
        case .failed(let failure): return .failed(failure)
        case .done: return .failed(TLSFailure(.truncated, "the server has ended TLS"))
        }
    }

    /// Ends what the application sends: `takeOutput` then holds the close_notify.
    public func closeWriting() {
        // 0 and 1 are both well; before the handshake's end there is nothing to close.
        _ = unsafe SSL_shutdown(connection)
        ErrorQueue.clear()
    }

    /// What a call that returned `outcome` waits for or died of; `done(0)` is the end in good order.
    private func interpret(_ outcome: Int32) -> TLSResult<Int> {
        switch unsafe SSL_get_error(connection, outcome) {
        case SSL_ERROR_WANT_READ: return .needsMore
        case SSL_ERROR_ZERO_RETURN: return .done(0)
        default:
            return .failed(
                ErrorQueue.connectionFailure(
                    verification: unsafe SSL_get_verify_result(connection)))
        }
    }
}
