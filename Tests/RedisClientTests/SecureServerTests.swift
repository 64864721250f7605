import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import TestKit
import Testing

@Suite struct SecureServerTests {
    private static let certificate = TestCertificate(for: ["DNS:localhost", "IP:127.0.0.1"])

    /// Runs `body` with the port at which a server speaks TLS, and a file of its authority.
    private static func run(
        _ body: (_ server: RedisServer, _ port: UInt16, _ authority: String) throws -> Void
    ) throws {
        try Weir.withFolder { folder in
            try Host.replaceFile("\(folder)/cert.pem", certificate.certificate)
            try Host.replaceFile("\(folder)/key.pem", certificate.key)
            let socket = try RawSocket.listen(on: .port(0))
            let port = socket.port
            socket.shutDown()
            let server = try RedisServer(
                in: folder,
                [
                    "--tls-port", "\(port)", "--tls-cert-file", "\(folder)/cert.pem",
                    "--tls-key-file", "\(folder)/key.pem", "--tls-ca-cert-file",
                    "\(folder)/cert.pem", "--tls-auth-clients", "no",
                ])
            defer { server.stop() }
            try body(server, port, "\(folder)/cert.pem")
        }
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `commands, large replies and messages pass over TLS`(host: String) throws {
        try Self.run { server, port, authority in
            try LiveLoop.run { loop async throws in
                let place = RedisSettings.Place.host(host, port: port)
                let client = RedisClient.make(loop, place) {
                    $0.tls = RedisSettings.TLS(authorityFile: authority)
                    $0.timeout = .seconds(20)
                }
                let subscription = RedisSubscription(
                    client.settings, channels: ["c"], loop: loop, random: SeededRandom(seed: 1)
                ) { event in
                    guard event == .subscribed else { return }
                    // Waits for the connection, which `send` does not.
                    client.begin(
                        RedisCommand("SET", "subscribed", "1"), until: client.deadline
                    ) { _ in }
                }
                defer {
                    client.close()
                    subscription.close()
                }
                let end = loop.now + .seconds(20)
                while try await client.ask("GET", "subscribed").text != "1" {
                    try #require(loop.now < end)
                    await loop.sleep(for: .milliseconds(5))
                }
                #expect(try await client.ask("PUBLISH", "c", "hello").integer == 1)
                // Both directions at once, more than sockets hold.
                let large = String(repeating: "0123456789abcdef", count: 1 << 16)
                var got = 0
                let all = Waiter(loop)
                for n in 0..<12 {
                    client.begin(RedisCommand("SET", "k\(n)", large), until: client.deadline) { _ in
                    }
                    client.begin(RedisCommand("GET", "k\(n)"), until: client.deadline) { result in
                        if case .success(let reply) = result, reply.text == large { got += 1 }
                        if n == 11 { all.wake() }
                    }
                }
                #expect(await all.wait(until: loop.now + .seconds(30)) == .ready)
                #expect(got == 12)
            }
        }
    }

    @Test func `a server that nobody vouches for is none`() throws {
        try Self.run { server, port, authority in
            try LiveLoop.run { loop async throws in
                // No authority, no TLS at all, an authority that cannot be read.
                let cases: [(String, UInt16, String?)] = [
                    ("127.0.0.1", port, nil), ("127.0.0.1", server.port, authority),
                    ("127.0.0.1", port, "/nowhere/ca.pem"),
                ]
                for (host, port, authority) in cases {
                    let client = RedisClient.make(loop, .host(host, port: port)) {
                        $0.tls = RedisSettings.TLS(authorityFile: authority)
                        $0.connectTimeout = .milliseconds(500)
                    }
                    defer { client.close() }
                    let error = await client.failure("GET", "k")
                    guard case .connect(let reason) = error else {
                        Issue.record("\(host) \(port): \(String(describing: error))")
                        continue
                    }
                    // A server without TLS does not even answer.
                    if port != server.port, case .tls = reason {
                    } else {
                        #expect(reason == .timedOut || reason == .closed)
                        #expect(port == server.port)
                    }
                    #expect(client.health.isDegraded)
                }
            }
        }
    }
}
