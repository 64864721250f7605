/// A scripted origin that speaks TLS on a peer's connection.
public final class SecurePeer {
    private let peer: SimulatedPeer
    private let engine: TLSServerEngine
    private var heard: [UInt8] = []

    /// Serves TLS on the connection of `peer` with `certificate`.
    public init(_ peer: SimulatedPeer, _ certificate: TestCertificate) {
        self.peer = peer
        engine = TLSServerEngine(certificate)
    }

    /// The name the client asked for.
    public var requestedName: String? { engine.requestedName }

    /// Reads the head of a request, up to and with its empty line; agrees upon keys before.
    public func readHead() async throws -> String {
        while true {
            let text = String(decoding: heard, as: UTF8.self)
            if text.hasSuffix("\r\n\r\n") { return text }
            guard try await peer.fill() else { throw PeerFailure("the end instead of a request") }
            heard += engine.receive(peer.pending)
            peer.pending = []
            try await flush()
            if let failure = engine.failure { throw PeerFailure("TLS: \(failure)") }
        }
    }

    /// Sends the bytes of `text`.
    public func send(_ text: String) async throws {
        engine.send(Array(text.utf8))
        try await flush()
    }

    /// Declares the end of what is sent. Without it the client must not take a close for the end.
    public func close() async throws {
        engine.close()
        try await flush()
    }

    private func flush() async throws {
        let bytes = engine.takeOutput()
        if !bytes.isEmpty { try await peer.send(bytes: bytes) }
    }
}
