import EventLoop
import Primitives
import TestKit
import Testing

private let address = SocketAddress.tcp(IPAddress(v4: 0x0A00_0001), port: 80)

/// What a client reads when the origin sends `text` and closes.
private func responses(to text: String, seed: UInt64, count: Int) -> [SimulatedMessage] {
    let world = SimulatedWorld(seed: seed, faults: .ragged)
    let origin = world.origin(at: address) { try await $0.send(text) }
    let read = Probe<[SimulatedMessage]>([])
    let client = world.client(to: origin.address) { peer in
        for _ in 0..<count {
            let message = try await peer.readResponse()
            read.update { $0.append(message) }
        }
        try await peer.expectEnd()
    }
    world.run { client.isFinished && origin.open == 0 }
    #expect(client.problem == nil)
    return read.value
}

@Suite struct SimulatedPeerTests {
    @Test func `responses end by length, by chunks or with the connection`() {
        let text =
            "HTTP/1.1 100 Continue\r\n\r\n"
            + "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  one \r\nx-a: two\r\n\r\nhello"
            + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nDigest: d\r\n\r\n"
            + "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
            + "HTTP/1.0 502 Bad Gateway\r\n\r\nto the end"
        for seed in Seeds.upTo(20) {
            let read = responses(to: text, seed: seed, count: 5)
            #expect(read.map(\.status) == [100, 200, 200, 304, 502])
            #expect(read.map(\.text) == ["", "hello", "abc0123456789", "", "to the end"])
            guard read.count == 5 else { continue }
            #expect(read[1].all("X-A") == ["one", "two"])
            #expect(read[2].chunks == [3, 10])
            #expect(read[2].trailers.map(\.value) == ["d"])
        }
    }

    @Test func `a response that stops early, or is framed twice, fails the script`() {
        let broken = [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Le",
        ]
        for text in broken {
            let world = SimulatedWorld(seed: 7)
            _ = world.origin(at: address) { try await $0.send(text) }
            let client = world.client(to: address) { _ = try await $0.readResponse() }
            world.run(client)
            #expect(client.failure?.hasPrefix("make sim SEED=7: ") == true)
        }
    }

    @Test func `an origin reads requests until the client ends, and sees whose they are`() {
        let world = SimulatedWorld(seed: 8)
        let seen = Probe<[String]>([])
        let origin = world.origin(at: address) { peer in
            while let request = try await peer.nextRequest() {
                guard case .tcp(let ip, _) = peer.remote else { return }
                seen.update { $0.append("\(request.method) \(request.target) \(ip.low & 255)") }
                try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            }
        }
        let client = world.client(from: IPAddress(v4: 0xC000_0207), to: address) { peer in
            try await peer.send("POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nxy")
            try await peer.send("GET /b HTTP/1.1\r\n\r\n")
            _ = try await peer.readResponse()
            _ = try await peer.readResponse()
            let other = try await peer.connect(to: address)
            defer { other.close() }
            try await other.send("GET /c HTTP/1.1\r\n\r\n")
            _ = try await other.readResponse()
        }
        world.run { client.isFinished && origin.open == 0 }
        #expect(client.problem == nil)
        #expect(seen.value == ["POST /a 7", "GET /b 7", "GET /c 1"])
        #expect(origin.failures.isEmpty)
        #expect(origin.accepted == 2)
    }

    @Test func `a script that never ends is a problem that names its seed`() {
        let world = SimulatedWorld(seed: 9)
        let origin = world.origin(at: address) { await $0.sleep(.seconds(1000)) }
        let client = world.client(to: origin.address, patience: .forever) {
            _ = try await $0.read(count: 1)
        }
        world.run(client, atMost: .seconds(10))
        #expect(client.problem == "make sim SEED=9: still waiting")
        #expect(client.failure == nil)
        #expect(origin.open == 1)
        // Two ends and the listener.
        #expect(world.problems().count == 3)
    }
}
