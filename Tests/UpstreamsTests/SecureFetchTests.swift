import EventLoop
import Primitives
import TLSEngine
import TestKit
import Testing
import Upstreams

@Suite struct SecureFetchTests {
    private static let certificate = TestCertificate(for: ["DNS:keys.example", "IP:10.2.0.1"])
    private static let url = "https://keys.example/jwks"

    private static func fetch(
        _ url: String = url, trusting authorities: [UInt8] = certificate.certificate,
        seed: UInt64 = 1, faults: FaultPlan = FaultPlan(), answer: String, closing: Bool = true
    ) throws -> Result<FetchedBody, FetchError> {
        let scene = FetchScene(seed: seed, faults: faults)
        scene.origin(port: 443) { peer in
            let secure = SecurePeer(peer, certificate)
            _ = try await secure.readHead()
            try await secure.send(answer)
            if closing { try await secure.close() }
        }
        return try scene.fetch(url, trusting: authorities).answer
    }

    private static func failure(_ answer: Result<FetchedBody, FetchError>) -> TLSFailure? {
        guard case .failure(.tls(let failure)) = answer else { return nil }
        return failure
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `a server that proves its name is read from`(seed: UInt64) throws {
        for url in [Self.url, "https://10.2.0.1/jwks"] {
            for framing in ["Content-Length: 9\r\n", ""] {
                let answer = "HTTP/1.1 200 OK\r\n\(framing)\r\n{\"a\":\"b\"}"
                let got = try Self.fetch(url, seed: seed, faults: .ragged, answer: answer)
                #expect(try got.get().bytes == Array("{\"a\":\"b\"}".utf8))
            }
        }
    }

    @Test func `a large body passes`() throws {
        let body = String(repeating: "0123456789abcdef", count: 60_000)
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        #expect(try Self.fetch(answer: answer).get().bytes.count == body.utf8.count)
    }

    @Test func `another name is refused before anything is asked`() throws {
        let scene = FetchScene()
        scene.world.network.names["other.example"] = [IPAddress(v4: 0x0A02_0001)]
        let asked = Probe(false)
        scene.origin(port: 443) { peer in
            let secure = SecurePeer(peer, Self.certificate)
            _ = try await secure.readHead()
            asked.value = true
        }
        let answer = try scene.fetch(
            "https://other.example/", trusting: Self.certificate.certificate
        ).answer
        let failure = try #require(Self.failure(answer))
        #expect(failure.kind == .certificate)
        #expect(failure.reason.contains("hostname mismatch"))
        #expect(!asked.value)
    }

    @Test func `a certificate of nobody we trust is refused`() throws {
        let failure = Self.failure(
            try Self.fetch(trusting: [], answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
        #expect(failure?.kind == .certificate)
    }

    @Test func `an end that the server has not declared is a truncation`() throws {
        let open = "HTTP/1.1 200 OK\r\n\r\n{\"keys\":["
        #expect(Self.failure(try Self.fetch(answer: open, closing: false))?.kind == .truncated)
        // A length says itself where the end is.
        let counted = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        #expect(
            try Self.fetch(answer: counted, closing: false).get().bytes == Array("{}".utf8))
    }

    @Test func `a server without TLS is an error`() throws {
        let scene = FetchScene()
        scene.origin(port: 443) { peer in
            try await peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            try await peer.expectGone()
        }
        #expect(Self.failure(try scene.fetch(Self.url).answer)?.kind == .protocolViolation)
    }

    @Test func `a handshake that never ends ends at the deadline`() throws {
        let scene = FetchScene()
        scene.origin(port: 443) { peer in try await peer.expectGone() }
        let (answer, took) = try scene.fetch(Self.url, within: .seconds(3))
        #expect(answer == .failure(.timedOut))
        #expect(took == .seconds(3))
    }
}
