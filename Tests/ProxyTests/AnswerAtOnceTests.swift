import Primitives
import Proxy
import TestKit
import Testing

/// Answers that need nobody else: they are given where their event is told, and the connection's task sleeps on.
@Suite struct AnswerAtOnceTests {
    private func stored(_ http: String = "") throws -> ProxyWorld {
        let world = try ProxyWorld("cache: {ttl: 1h}\nhttp: {\(http)}")
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                try await peer.send(ok(request.target))
            }
        }
        return world
    }

    private func expectHit(_ peer: SimulatedPeer, _ target: String) async throws {
        let answer = try await peer.ask(get(target))
        try peer.require(answer.text == target, answer.text)
        try peer.require(
            answer["Cache-Status"]?.hasPrefix("weir; hit") ?? false, answer["Cache-Status"] ?? "-")
    }

    @Test func `the idle time begins anew with each`() throws {
        let world = try stored("idle_timeout: 20s")
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            for _ in 0..<5 {
                await peer.sleep(.seconds(15))
                try await expectHit(peer, "/a")
            }
            let began = peer.now
            try await peer.expectEnd()
            // The answer came one way after the proxy had given it, and so does the end.
            try peer.require(peer.now - began == .seconds(20), "\((peer.now - began).count) ns")
        }
        world.run()
        #expect(world.problems() == [])
        #expect(world.metric("weir_connections_accepted_total") == 1)
        #expect(world.log.count == 6)
    }

    @Test func `a head in pieces between them has its own time`() throws {
        let world = try stored("request_timeout: 3s")
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            try await expectHit(peer, "/a")
            let head = get("/a")
            try await peer.send(String(head.prefix(9)))
            await peer.sleep(.seconds(2))
            try await peer.send(String(head.dropFirst(9)))
            let answer = try await peer.readResponse()
            try peer.require(answer.text == "/a", answer.text)
            try await expectHit(peer, "/a")
            try await peer.send(String(head.prefix(9)))
            let late = try await peer.readResponse()
            try peer.require(late.status == 408, late.startLine)
            try await peer.expectEnd()
        }
        world.run()
        #expect(world.problems() == [])
    }

    @Test func `what asks the origin between them is waited for`() throws {
        let world = try stored()
        world.client { peer in
            for round in 0..<5 {
                let fresh = try await peer.ask(get("/\(round)"))
                try peer.require(fresh.text == "/\(round)", fresh.text)
                try await expectHit(peer, "/\(round)")
                try await expectHit(peer, "/0")
            }
        }
        world.run()
        #expect(world.problems() == [])
        #expect(world.log.count == 15)
    }

    @Test func `the client's end behind a request ends the connection after the answer`() throws {
        let world = try stored()
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            try await peer.send(get("/a"))
            peer.closeWriting()
            let answer = try await peer.readResponse()
            try peer.require(answer.text == "/a", answer.text)
            let began = peer.now
            try await peer.expectEnd()
            try peer.require(peer.now - began < .seconds(1), "it stayed open")
        }
        world.run()
        #expect(world.problems() == [])
    }

    @Test func `a drain closes a connection that was served so`() throws {
        let world = try stored()
        let closed = Probe<MonotonicTime?>(nil)
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            try await expectHit(peer, "/a")
            try await peer.expectEnd()
            closed.value = peer.now
        }
        world.world.run(for: .seconds(10))
        let start = world.world.now
        let left = world.drain()
        world.run()
        #expect(left.value == 0)
        #expect(try #require(closed.value) - start < .milliseconds(5))
        #expect(world.problems() == [])
    }

    @Test func `an answer that the client takes slowly is sent whole`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n")
                try await peer.sendPattern(3_000_000)
            }
        }
        world.client { peer in
            for _ in 0..<2 {
                try await peer.send(get("/large"))
                await peer.sleep(.seconds(5))
                _ = try await peer.read(until: "\r\n\r\n")
                try await peer.readPattern(3_000_000)
            }
        }
        world.run()
        #expect(world.problems() == [])
    }
}
