public import Primitives
public import TLSEngine

/// Why a TLS stream cannot go on.
public enum TLSStreamError: Error, Sendable, Equatable {
    /// The stream below it cannot.
    case stream(StreamError)
    /// TLS could not be agreed upon, or broke.
    case tls(TLSFailure)
    /// The peer's bytes ended before TLS did.
    case closedEarly
}

/// TLS over a byte stream, as its client. After the handshake one task reads and another one may write.
///
/// What the engine wants to send goes through `leaving`, in the engine's order. One task at a time empties it: what
/// reading adds while another task writes is sent by that one.
public final class TLSStream {
    /// The stream below, which the creator owns and closes.
    public let stream: ByteStream
    private let engine: TLSClientEngine
    private let arrived = ByteBuffer(capacity: 16 << 10)
    private let leaving = ByteBuffer(capacity: 16 << 10)
    private var isWriting = false
    private var hasEnded = false

    /// Prepares TLS over a connected stream, which the caller still owns and closes.
    public init(_ stream: ByteStream, _ engine: TLSClientEngine) {
        self.stream = stream
        self.engine = engine
    }

    /// Bytes that are encrypted and not yet taken by the system.
    public var unsentBytes: Int { leaving.count }

    /// Agrees upon keys, and makes sure who the server is.
    public func handshake(until deadline: MonotonicTime) async throws(TLSStreamError) {
        while true {
            switch engine.handshake() {
            case .done: return try await flush(patience: deadline - stream.loop.now)
            case .needsMore:
                try await flush(patience: deadline - stream.loop.now)
                try await receive(until: deadline)
            case .failed(let failure):
                // The alert that tells the server why.
                sendWhatFits()
                throw .tls(failure)
            }
        }
    }

    // MARK: Reading

    /// Reads what is there, waiting for the first byte; 0 is the end that the server has declared.
    public func read(
        into buffer: ByteBuffer, until deadline: MonotonicTime
    ) async throws(TLSStreamError) -> Int {
        while true {
            let step = engine.read(into: buffer)
            sendWhatFits()
            switch step {
            case .done(let n): return n
            case .needsMore: try await receive(until: deadline)
            case .failed(let failure): throw .tls(failure)
            }
        }
    }

    /// Gives the engine the next bytes of the server.
    private func receive(until deadline: MonotonicTime) async throws(TLSStreamError) {
        // The engine has been told of the end and still asks for more.
        if hasEnded { throw .closedEarly }
        do throws(StreamError) {
            if try await stream.read(into: arrived, until: deadline) == 0 {
                hasEnded = true
                return engine.receiveEnd()
            }
        } catch {
            throw .stream(error)
        }
        let bytes = arrived
        engine.receive(bytes.readable)
        arrived.removeAll()
    }

    /// Sends answers of the engine to what was read, as far as there is room: the rest goes with the next write.
    private func sendWhatFits() {
        engine.takeOutput(into: leaving)
        guard !leaving.isEmpty, !isWriting else { return }
        _ = try? stream.writeNow(leaving)
    }

    // MARK: Writing

    /// Encrypts all of `buffer` and consumes it, and writes what fits without waiting; whether that was all.
    public func writeNow(_ buffer: ByteBuffer) throws(TLSStreamError) -> Bool {
        try encrypt(buffer)
        guard !isWriting else { return false }
        do throws(StreamError) {
            return try stream.writeNow(leaving)
        } catch {
            throw .stream(error)
        }
    }

    /// Writes all of `buffer`, and what `writeNow` has left, and consumes it.
    ///
    /// The server must take 32 KiB, or the rest, within `patience`, and again within the next.
    public func write(
        _ buffer: ByteBuffer, patience: Nanoseconds
    ) async throws(TLSStreamError) {
        repeat {
            try encrypt(buffer)
            try await flush(patience: patience)
            // What was appended meanwhile goes the same way.
        } while !buffer.isEmpty
    }

    private func encrypt(_ buffer: ByteBuffer) throws(TLSStreamError) {
        guard !buffer.isEmpty else { return }
        switch engine.write(buffer.readable) {
        case .done: buffer.removeAll()
        // Only before the end of the handshake: there is no renegotiation.
        case .needsMore: throw .tls(TLSFailure(.protocolViolation, "the handshake has not ended"))
        case .failed(let failure): throw .tls(failure)
        }
        engine.takeOutput(into: leaving)
    }

    private func flush(patience: Nanoseconds) async throws(TLSStreamError) {
        engine.takeOutput(into: leaving)
        guard !leaving.isEmpty else { return }
        precondition(!isWriting, "two tasks write at once")
        isWriting = true
        defer { isWriting = false }
        do throws(StreamError) {
            try await stream.write(leaving, patience: patience)
        } catch {
            throw .stream(error)
        }
    }

    /// Tells the server that no more comes, if there is room for it.
    public func closeWriting() {
        engine.closeWriting()
        sendWhatFits()
    }
}
