import Primitives
import TLSEngine
import TestKit

/// A client and a server that pass their bytes to each other in pieces of the test's choice.
final class Conversation {
    let client: TLSClientEngine
    let server: TLSServerEngine
    /// What the server has heard and the client has read.
    private(set) var heard: [UInt8] = []
    private(set) var read: [UInt8] = []
    /// How the client's handshake and reading ended.
    private(set) var isConnected = false
    private(set) var failure: TLSFailure?
    private(set) var hasEnded = false
    private let buffer = ByteBuffer(capacity: 64)
    private var toServer: [UInt8] = []
    private var toClient: [UInt8] = []

    /// 2026-01-01, which `TestCertificate` includes.
    static let now = WallTime(nanoseconds: 1_767_225_600_000_000_000)

    init(
        _ certificate: TestCertificate, trusting authorities: [UInt8], as server: TLSServerName,
        at now: WallTime = Conversation.now, minorMax: Int = 3, trustsSystem: Bool = false
    ) throws {
        client = try TLSClientEngine(
            TLSClientContext(authorities: authorities, trustsSystem: trustsSystem), server: server,
            at: now)
        self.server = TLSServerEngine(certificate, minorMax: minorMax)
    }

    /// Passes bytes on, in pieces whose length `piece` chooses, until both wait for something else.
    func run(piece: () -> Int = { .max }) {
        while true {
            stepClient()
            toServer += takeOutput()
            toClient += server.takeOutput()
            if toServer.isEmpty && toClient.isEmpty { return }
            if !toServer.isEmpty {
                let n = min(max(piece(), 1), toServer.count)
                heard += server.receive(Array(toServer[..<n]))
                toServer.removeFirst(n)
            }
            if !toClient.isEmpty {
                let n = min(max(piece(), 1), toClient.count)
                client.receive(toClient.span.extracting(0..<n))
                toClient.removeFirst(n)
            }
        }
    }

    /// Lets the client say something.
    func say(_ bytes: [UInt8]) {
        guard case .done = client.write(bytes.span) else { fatalError("the client cannot write") }
    }

    private func takeOutput() -> [UInt8] {
        let taken = buffer
        client.takeOutput(into: taken)
        defer { taken.removeAll() }
        return taken.readable.copied
    }

    private func stepClient() {
        if failure != nil || hasEnded { return }
        if !isConnected {
            switch client.handshake() {
            case .done: isConnected = true
            case .needsMore: return
            case .failed(let reason): failure = reason
            }
        }
        while isConnected && failure == nil && !hasEnded {
            let taken = buffer
            switch client.read(into: taken) {
            case .done(let n):
                if n == 0 { hasEnded = true }
                read += taken.readable.copied
                taken.removeAll()
            case .needsMore: return
            case .failed(let reason): failure = reason
            }
        }
    }
}
