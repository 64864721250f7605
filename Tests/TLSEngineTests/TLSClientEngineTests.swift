import Primitives
import TLSEngine
import TestKit
import Testing

@Suite struct TLSClientEngineTests {
    private static let certificate = TestCertificate(
        for: ["DNS:keys.example.com", "DNS:*.apps.example.com", "IP:10.2.0.1", "IP:2001:db8::7"])

    private static func conversation(
        _ name: String, trusting: [UInt8] = certificate.certificate, minorMax: Int = 3
    ) throws -> Conversation {
        try Conversation(certificate, trusting: trusting, as: .name(name), minorMax: minorMax)
    }

    @Test(arguments: [2, 3])
    func `bytes pass both ways and the end is told, in every version`(minorMax: Int) throws {
        let talk = try Self.conversation("keys.example.com", minorMax: minorMax)
        talk.run()
        #expect(talk.isConnected)
        #expect(talk.server.requestedName == "keys.example.com")
        talk.say(Array("hello".utf8))
        talk.run()
        #expect(talk.heard == Array("hello".utf8))
        let answer = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        talk.server.send(answer)
        talk.server.close()
        talk.run()
        #expect(talk.read == answer)
        #expect(talk.hasEnded)
        #expect(talk.failure == nil)
    }

    @Test func `versions before 1.2 are refused`() throws {
        let talk = try Self.conversation("keys.example.com", minorMax: 1)
        talk.run()
        #expect(!talk.isConnected)
        #expect(talk.failure?.kind == .protocolViolation)
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `any chunking of the bytes gives the same`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let talk = try Self.conversation("keys.example.com", minorMax: seed % 2 == 0 ? 2 : 3)
        let most = [1, 2, 7, 100, 5000][random.below(5)]
        talk.run { 1 + random.below(most) }
        talk.say(Array("ask".utf8))
        talk.run { 1 + random.below(most) }
        let answer = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        talk.server.send(answer)
        talk.server.close()
        talk.run { 1 + random.below(most) }
        #expect(talk.heard == Array("ask".utf8))
        #expect(talk.read == answer)
        #expect(talk.hasEnded)
        #expect(talk.failure == nil)
    }

    @Test func `a name of the certificate is accepted, and its address`() throws {
        let v4 = try #require(IPAddress(parsing: "10.2.0.1"))
        let v6 = try #require(IPAddress(parsing: "2001:db8::7"))
        for name: TLSServerName in [
            .name("KEYS.example.com"), .name("a.apps.example.com"), .address(v4), .address(v6),
        ] {
            let talk = try Conversation(
                Self.certificate, trusting: Self.certificate.certificate, as: name)
            talk.run()
            #expect(talk.isConnected, "\(name): \(String(describing: talk.failure))")
        }
    }

    @Test func `another name is refused, the common name too`() throws {
        let v4 = try #require(IPAddress(parsing: "10.2.0.2"))
        for name: TLSServerName in [
            .name("example.com"), .name("keys.example.com.evil"), .name("a.b.apps.example.com"),
            .name("apps.example.com"), .name("test.invalid"), .name("10.2.0.1"), .address(v4),
        ] {
            let talk = try Conversation(
                Self.certificate, trusting: Self.certificate.certificate, as: name)
            talk.run()
            #expect(!talk.isConnected, "\(name)")
            #expect(talk.failure?.kind == .certificate, "\(name)")
            #expect(talk.failure?.reason.contains("mismatch") == true, "\(name)")
            #expect(talk.server.failure != nil, "the server gets an alert")
        }
    }

    @Test func `an authority nobody trusts is refused`() throws {
        let other = TestCertificate(for: ["DNS:keys.example.com"])
        for (trusted, trustsSystem) in [
            ([], false), ([], true), (other.certificate, false), (other.certificate, true),
        ] {
            let talk = try Conversation(
                Self.certificate, trusting: trusted, as: .name("keys.example.com"),
                trustsSystem: trustsSystem)
            talk.run()
            #expect(!talk.isConnected)
            #expect(talk.failure?.kind == .certificate)
            #expect(talk.failure?.reason.contains("self-signed") == true)
        }
    }

    @Test func `a certificate is good between its two dates only`() throws {
        let year: UInt64 = 1_767_225_600
        let certificate = TestCertificate(
            for: ["DNS:a"], validity: (year - 100)...(year + 100))
        for (second, reason) in [
            (year, nil), (year - 101, "not yet valid"), (year + 101, "has expired"),
        ] as [(UInt64, String?)] {
            let talk = try Conversation(
                certificate, trusting: certificate.certificate, as: .name("a"),
                at: WallTime(nanoseconds: second * 1_000_000_000))
            talk.run()
            #expect(talk.isConnected == (reason == nil))
            #expect(talk.failure?.kind == (reason == nil ? nil : .certificate))
            if let reason { #expect(talk.failure?.reason.contains(reason) == true) }
        }
    }

    @Test(arguments: [2, 3])
    func `bytes that just stop are a truncation and no end`(minorMax: Int) throws {
        let talk = try Self.conversation("keys.example.com", minorMax: minorMax)
        talk.run()
        talk.server.send(Array("half".utf8))
        talk.run()
        #expect(talk.read == Array("half".utf8))
        talk.client.receiveEnd()
        talk.run()
        #expect(!talk.hasEnded)
        #expect(talk.failure?.kind == .truncated)
    }

    @Test func `an end inside the handshake is a truncation`() throws {
        let talk = try Self.conversation("keys.example.com")
        talk.client.receiveEnd()
        talk.run()
        #expect(!talk.isConnected)
        #expect(talk.failure?.kind == .truncated)
    }

    @Test func `what is no TLS fails and stops nothing`() throws {
        var random = SeededRandom(seed: 7)
        let engine = try TLSClientEngine(
            TLSClientContext(), server: .name("a"), at: Conversation.now)
        _ = engine.handshake()
        let noise = (0..<5000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        engine.receive(noise.span)
        guard case .failed(let failure) = engine.handshake() else {
            Issue.record("no failure")
            return
        }
        #expect(failure.kind == .protocolViolation)
        // Asking again changes nothing.
        guard case .failed = engine.handshake() else {
            Issue.record("it goes on")
            return
        }
    }

    @Test func `a damaged record fails`() throws {
        let talk = try Self.conversation("keys.example.com")
        talk.run()
        talk.server.send(Array("secret".utf8))
        var record = talk.server.takeOutput()
        record[record.count - 1] ^= 1
        talk.client.receive(record.span)
        talk.run()
        #expect(talk.read.isEmpty)
        #expect(talk.failure?.kind == .protocolViolation)
    }

    @Test func `a clean end of the client reaches the server`() throws {
        let talk = try Self.conversation("keys.example.com")
        talk.run()
        talk.say([1, 2, 3])
        talk.client.closeWriting()
        talk.run()
        #expect(talk.heard == [1, 2, 3])
        #expect(talk.server.failure == nil)
    }

    @Test func `authorities that cannot be used are refused with a reason`() throws {
        for text in [
            "", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let bytes = Array(text.utf8)
            if bytes.isEmpty {
                _ = try TLSClientContext(authorities: bytes)
            } else {
                #expect(throws: TLSFailure.self) { _ = try TLSClientContext(authorities: bytes) }
            }
        }
        let damaged =
            Self.certificate.certificate + Array(Self.certificate.certificate.prefix(200))
        #expect(throws: TLSFailure.self) { _ = try TLSClientContext(authorities: damaged) }
        let two =
            Self.certificate.certificate + TestCertificate(for: ["DNS:b"]).certificate
        _ = try TLSClientContext(authorities: two)
        #expect(throws: TLSFailure.self) {
            _ = try TLSClientEngine(TLSClientContext(), server: .name(""), at: Conversation.now)
        }
    }
}
