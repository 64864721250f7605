import Primitives
import Proxy
import TestKit
import Testing

/// Every wait has its end, at exactly the configured time. A segment travels 0.1 ms.
@Suite struct TimeTests {
    private static let way = Nanoseconds(100_000)
    private static let bothWays = Nanoseconds(200_000)

    private static func expect(
        _ peer: SimulatedPeer, _ began: MonotonicTime, _ duration: Nanoseconds
    ) throws {
        let took = peer.now - began
        try peer.require(took == duration, "took \(took.count) ns instead of \(duration.count)")
    }

    @Test func `a head that is not complete in time is answered 408`() throws {
        let world = try ProxyWorld("http: {request_timeout: 3s}")
        world.client { peer in
            await peer.sleep(.seconds(7))
            let began = peer.now
            try await peer.send("GET / HTTP/1.1\r\nHo")
            await peer.sleep(.seconds(2))
            // Progress does not help.
            try await peer.send("st: a\r\nX")
            let answer = try await peer.readResponse()
            try peer.require(answer.status == 408, answer.startLine)
            try Self.expect(peer, began, .seconds(3) + Self.bothWays)
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
    }

    @Test func `a connection without a request is closed at the idle time`() throws {
        let world = try ProxyWorld("http: {idle_timeout: 20s}")
        world.origin { _ in ok("x") }
        world.client { peer in
            // The proxy accepts when the request to connect arrives, one way before.
            let began = peer.now
            try await peer.expectEnd()
            try Self.expect(peer, began, .seconds(20))
        }
        world.client { peer in
            _ = try await peer.ask(get("/"))
            let began = peer.now
            try await peer.expectEnd()
            try Self.expect(peer, began, .seconds(20))
        }
        #expect(world.problems() == [])
    }

    @Test func `an origin that does not answer in time is a 504`() throws {
        let world = try ProxyWorld(
            "upstreams: {default: {servers: ['http://10.2.0.1:8000'], timeouts: {first_byte: 4s}}}")
        let gone = Probe(false)
        world.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\n")
            try await peer.expectGone()
            gone.value = true
        }
        world.client { peer in
            let began = peer.now
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.status == 504, answer.startLine)
            try peer.require(answer.text.contains("first byte"), answer.text)
            // To the proxy and back, and to the origin and back for the connection.
            try Self.expect(peer, began, .seconds(4) + Self.bothWays + Self.bothWays)
            // The client's connection goes on.
            let again = try await peer.ask(get("/"))
            try peer.require(again.status == 504, again.startLine)
        }
        #expect(world.problems() == [])
        #expect(gone.value)
    }

    @Test func `a connection that is not made in time is a 504`() throws {
        let world = try ProxyWorld(
            "upstreams: {default: {servers: ['http://10.2.0.1:8000'], timeouts: {connect: 2s}}}")
        var hole = FaultPlan()
        hole.blackHole = 1
        world.world.network.faultsOfAddress[ProxyWorld.origin] = hole
        world.client { peer in
            let began = peer.now
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.status == 504, answer.startLine)
            try peer.require(answer.text.contains("connect timeout"), answer.text)
            try Self.expect(peer, began, .seconds(2) + Self.bothWays)
        }
        #expect(world.problems() == [])
    }

    @Test func `a pause inside an answer beyond the idle time cuts it short`() throws {
        let world = try ProxyWorld(
            "upstreams: {default: {servers: ['http://10.2.0.1:8000'], timeouts: {idle: 5s}}}")
        world.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            try await peer.expectGone()
        }
        world.client { peer in
            try await peer.send(get("/"))
            _ = try await peer.readHead()
            let began = peer.now
            try await peer.expectGone()
            try Self.expect(peer, began, .seconds(5))
        }
        #expect(world.problems() == [])
    }

    @Test func `a request that gets no connection in time is a 503`() throws {
        let world = try ProxyWorld(
            """
            upstreams:
              default: {servers: ['http://10.2.0.1:8000'], pool: {size: 1, overflow: 0, wait: 3s}}
            """)
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                await peer.sleep(.seconds(10))
                try await peer.send(ok("slow"))
            }
        }
        let first = world.client { peer in
            let answer = try await peer.ask(get("/1"))
            try peer.require(answer.text == "slow", answer.startLine)
        }
        world.client { peer in
            await peer.sleep(.seconds(1))
            let began = peer.now
            let answer = try await peer.ask(get("/2"))
            try peer.require(answer.status == 503, answer.startLine)
            try peer.require(answer.text.contains("exhausted"), answer.text)
            try peer.require(answer["Retry-After"] == "1", "no Retry-After")
            try Self.expect(peer, began, .seconds(3) + Self.bothWays)
        }
        world.run()
        #expect(first.problem == nil)
        #expect(world.problems() == [])
    }

    @Test func `a body that trickles is answered 408, and one that keeps up is not`() throws {
        let world = try ProxyWorld("http: {idle_timeout: 10s}")
        world.origin { peer in
            while let request = try? await peer.nextRequest() {
                try await peer.send(ok("\(request.body.count)"))
            }
        }
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
        world.client { peer in
            try await peer.send(head)
            let began = peer.now
            for _ in 0..<9 {
                try await peer.send("a few bytes")
                await peer.sleep(.seconds(1))
            }
            let answer = try await peer.readResponse()
            try peer.require(answer.status == 408, answer.startLine)
            // The connection to the origin is made first.
            try Self.expect(peer, began, .seconds(10) + Self.bothWays + Self.bothWays)
            try await peer.expectEnd()
        }
        world.client { peer in
            try await peer.send(head)
            for _ in 0..<20 {
                try await peer.sendPattern(5000)
                await peer.sleep(.seconds(8))
            }
            let answer = try await peer.readResponse()
            try peer.require(answer.text == "100000", answer.text)
        }
        #expect(world.problems() == [])
    }

    @Test func `a reader that stops is cut off, and one that is slow is not`() throws {
        let world = try ProxyWorld("http: {idle_timeout: 10s}")
        let size = 2 << 20
        let sent = Probe<[String: Int]>([:])
        world.origin { peer in
            let request = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            var position = 0
            while position < size {
                try await peer.sendPattern(4096, from: position)
                position += 4096
                sent.update { $0[request.target] = position }
            }
        }
        let stopped = world.client { peer in
            try await peer.send(get("/stopped"))
            let began = peer.now
            await peer.sleep(.seconds(5))
            // Nothing was read: what lies between is bounded, whatever the body's size.
            try peer.require(sent.value["/stopped", default: 0] < 256 << 10, "\(sent.value)")
            await peer.sleep(.seconds(20))
            try peer.require(peer.now - began == .seconds(25), "time")
            _ = try await peer.readResponse()
        }
        world.client { peer in
            try await peer.send(get("/slow"))
            _ = try await peer.readHead()
            var read = 0
            while read < size {
                let count = min(64 << 10, size - read)
                try await peer.readPattern(count, from: read)
                read += count
                await peer.sleep(.seconds(5))
            }
        }
        world.run()
        #expect(stopped.failure != nil)
        let problems = world.problems()
        #expect(problems.count == 1, "\(problems)")
    }
}
