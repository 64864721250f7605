import EventLoop
import Primitives
import TLSEngine

/// TLS over a byte stream, as its client. One task reads and writes.
final class TLSStream {
    private let stream: ByteStream
    private let engine: TLSClientEngine
    private let arrived = ByteBuffer(capacity: 16 << 10)
    private let leaving = ByteBuffer(capacity: 16 << 10)
    private var hasEnded = false

    /// Prepares TLS over a connected stream, which the caller still owns and closes.
    init(_ stream: ByteStream, _ engine: TLSClientEngine) {
        self.stream = stream
        self.engine = engine
    }

    /// Agrees upon keys, and makes sure who the server is.
    func handshake(until deadline: MonotonicTime) async throws(FetchError) {
        while true {
            switch engine.handshake() {
            case .done: return try await flush(until: deadline)
            case .needsMore: try await exchange(until: deadline)
            case .failed(let failure): throw fail(failure)
            }
        }
    }

    /// Reads what is there, waiting for the first byte; 0 is the end that the server has declared.
    func read(into buffer: ByteBuffer, until deadline: MonotonicTime) async throws(FetchError)
        -> Int
    {
        while true {
            switch engine.read(into: buffer) {
            case .done(let n): return n
            case .needsMore: try await exchange(until: deadline)
            case .failed(let failure): throw fail(failure)
            }
        }
    }

    /// Writes all of `buffer` and consumes it.
    func write(_ buffer: ByteBuffer, until deadline: MonotonicTime) async throws(FetchError) {
        while !buffer.isEmpty {
            switch engine.write(buffer.readable) {
            case .done: buffer.removeAll()
            case .needsMore: try await exchange(until: deadline)
            case .failed(let failure): throw fail(failure)
            }
        }
        try await flush(until: deadline)
    }

    /// Tells the server that no more comes, if there is room for it.
    func closeWriting() {
        engine.closeWriting()
        engine.takeOutput(into: leaving)
        _ = try? stream.writeNow(leaving)
    }

    /// Sends what the engine has, and gives it the next bytes of the server.
    private func exchange(until deadline: MonotonicTime) async throws(FetchError) {
        // The engine has been told of the end and still asks for more.
        if hasEnded { throw .closedEarly }
        try await flush(until: deadline)
        do throws(StreamError) {
            if try await stream.read(into: arrived, until: deadline) == 0 {
                hasEnded = true
                return engine.receiveEnd()
            }
        } catch {
            throw FetchError(error)
        }
        let bytes = arrived
        engine.receive(bytes.readable)
        arrived.removeAll()
    }

    private func flush(until deadline: MonotonicTime) async throws(FetchError) {
        engine.takeOutput(into: leaving)
        guard !leaving.isEmpty else { return }
        do throws(StreamError) {
            try await stream.write(leaving, patience: deadline - stream.loop.now)
        } catch {
            throw FetchError(error)
        }
    }

    /// Sends the alert that tells the server why, if there is room for it.
    private func fail(_ failure: TLSFailure) -> FetchError {
        engine.takeOutput(into: leaving)
        _ = try? stream.writeNow(leaving)
        return .tls(failure)
    }
}
