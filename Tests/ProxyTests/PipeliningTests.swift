import EventLoop
import Primitives
import TestKit
import Testing

/// Several requests in one piece (RFC 9112 §9.3.2): what leaves when.
@Suite struct PipeliningTests {
    /// The writes to sockets that the whole network has seen.
    private func writes(_ peer: SimulatedPeer) -> Int {
        (peer.stream.loop.kernel as? SimulatedKernel)?.network.writes ?? 0
    }

    @Test func `sixteen hits that are asked for together leave in one write`() throws {
        let world = try ProxyWorld("cache: 1h")
        world.origin { peer in
            while try await peer.nextRequest() != nil { try await peer.send(ok("stored")) }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            let before = writes(peer)
            try await peer.send(String(repeating: get("/a"), count: 16))
            for _ in 0..<16 {
                let hit = try await peer.readResponse(toHead: false)
                try peer.require(hit.text == "stored", hit.text)
                let status = hit["Cache-Status"] ?? "-"
                try peer.require(status.hasPrefix("weir; hit"), status)
            }
            // The client's own, and one with all answers.
            try peer.require(writes(peer) == before + 2, "\(writes(peer) - before) writes")
        }
        #expect(world.problems() == [])
    }

    @Test func `refusals that are asked for together leave in one write`() throws {
        let world = try ProxyWorld("limits: [1/hour per ip]")
        world.origin { peer in
            while try await peer.nextRequest() != nil { try await peer.send(ok("passed")) }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            let before = writes(peer)
            try await peer.send(String(repeating: get("/a"), count: 16))
            for _ in 0..<16 {
                let refusal = try await peer.readResponse(toHead: false)
                try peer.require(refusal.startLine.contains("429"), refusal.startLine)
            }
            try peer.require(writes(peer) == before + 2, "\(writes(peer) - before) writes")
        }
        #expect(world.problems() == [])
    }

    @Test func `no answer waits for what another request waits for`() throws {
        let world = try ProxyWorld(
            "routes: [{path: /slow}, {path: /**, cache: {ttl: 1h}}]\nlimits: []")
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                if request.target == "/slow" { await peer.sleep(.seconds(5)) }
                try await peer.send(ok(request.target))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            // The second one waits for its origin, of the third only a part comes.
            try await peer.send(get("/a") + get("/slow") + get("/a") + "GET /a HTTP/1.1\r\n")
            let began = peer.now
            try peer.require(try await peer.readResponse(toHead: false).text == "/a", "first")
            try peer.require(peer.now - began < .seconds(1), "the first waited for the second")
            try peer.require(try await peer.readResponse(toHead: false).text == "/slow", "second")
            try peer.require(try await peer.readResponse(toHead: false).text == "/a", "third")
            try peer.require(peer.now - began < .seconds(6), "the third waited for a head")
            try await peer.send("Host: api.example.com\r\n\r\n")
            try peer.require(try await peer.readResponse(toHead: false).text == "/a", "fourth")
        }
        #expect(world.problems() == [])
    }
}
