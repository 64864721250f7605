import Primitives
import Proxy
import TestKit
import Testing

/// What a client is told when its origin fails, and what is tried again.
@Suite struct OriginFailureTests {
    @Test func `a refused connection is a 502 and the client's connection goes on`() throws {
        let world = try ProxyWorld("")
        world.client { peer in
            for _ in 0..<2 {
                let answer = try await peer.ask(get("/"))
                try peer.require(answer.status == 502, answer.startLine)
                try peer.require(answer.text.contains("connection failed"), answer.text)
                try peer.require(answer["Connection"] == nil, "the connection is closed")
            }
        }
        #expect(world.problems() == [])
    }

    /// An origin that closes each connection in the moment the second request arrives on it.
    private func restless(_ world: ProxyWorld, _ seen: Probe<[String]>) {
        world.origin { peer in
            let first = try await peer.readRequest()
            seen.update { $0.append("\(first.method) \(first.target)") }
            try await peer.send(ok("fresh"))
            // The first byte of the second request has left the proxy when it learns of the end.
            _ = try await peer.read(count: 1)
            peer.reset()
        }
    }

    @Test func `a GET on a connection that was closed meanwhile is sent again`() throws {
        let world = try ProxyWorld("")
        let seen = Probe<[String]>([])
        restless(world, seen)
        world.client { peer in
            for n in 1...3 {
                let answer = try await peer.ask(get("/\(n)"))
                try peer.require(answer.text == "fresh", answer.startLine)
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value == ["GET /1", "GET /2", "GET /3"])
    }

    @Test func `a POST on a connection that was closed meanwhile is not sent again`() throws {
        let world = try ProxyWorld("")
        let seen = Probe<[String]>([])
        restless(world, seen)
        world.client { peer in
            _ = try await peer.ask(get("/1"))
            let answer = try await peer.ask(post("/2", "body"))
            try peer.require(answer.status == 502, answer.startLine)
            try peer.require(answer.text.contains("closed before"), answer.text)
        }
        #expect(world.problems() == [])
        #expect(seen.value == ["GET /1"])
    }

    @Test func `a GET of which an interim answer came is not sent again`() throws {
        for yaml in ["", "cache: 1h"] {
            let world = try ProxyWorld(yaml)
            let origin = world.origin { peer in
                _ = try await peer.readRequest()
                try await peer.send(ok("fresh"))
                _ = try await peer.readRequest()
                try await peer.send("HTTP/1.1 102 Processing\r\n\r\n")
            }
            world.client { peer in
                _ = try await peer.ask(get("/1"))
                var answer = try await peer.ask(get("/2"))
                while answer.status < 200 { answer = try await peer.readResponse() }
                try peer.require(answer.status == 502, answer.startLine)
            }
            #expect(world.problems() == [])
            #expect(origin.accepted == 1)
        }
    }

    @Test func `a POST without a body is not sent again either`() throws {
        let world = try ProxyWorld("")
        let seen = Probe<[String]>([])
        restless(world, seen)
        world.client { peer in
            _ = try await peer.ask(get("/1"))
            let answer = try await peer.ask(get("/2", method: "POST"))
            try peer.require(answer.status == 502, answer.startLine)
        }
        #expect(world.problems() == [])
        #expect(seen.value == ["GET /1"])
    }

    @Test func `a GET that fails on a new connection is not sent again`() throws {
        let world = try ProxyWorld("")
        let origin = world.origin { peer in
            _ = try await peer.readRequest()
            peer.reset()
        }
        world.client { peer in
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.status == 502, answer.startLine)
        }
        #expect(world.problems() == [])
        #expect(origin.accepted == 1)
    }

    @Test func `an answer that is no HTTP is a 502, and so is one that switches protocols`() throws
    {
        for answer in ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"] {
            let world = try ProxyWorld("")
            world.origin { peer in
                _ = try await peer.readRequest()
                try await peer.send(answer)
                try await peer.expectGone()
            }
            world.client { peer in
                let answer = try await peer.ask(get("/"))
                try peer.require(answer.status == 502, answer.startLine)
            }
            #expect(world.problems() == [])
        }
    }

    @Test func `interim answers are passed on, but not to HTTP 1.0`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
                await peer.sleep(.milliseconds(5))
                try await peer.send(ok("final"))
            }
        }
        world.client { peer in
            for _ in 0..<2 {
                let interim = try await peer.ask(get("/"))
                try peer.require(interim.status == 103, interim.startLine)
                try peer.require(interim["Link"] == "</x>", "\(interim.fields)")
                let answer = try await peer.readResponse()
                try peer.require(answer.text == "final", answer.startLine)
            }
            let old = try await peer.ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            try peer.require(old.text == "final", old.startLine)
        }
        #expect(world.problems() == [])
    }

    @Test func `an early answer reaches a client that is still sending`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            let head = try await peer.readHead()
            try peer.require(head["transfer-encoding"] == "chunked", "not chunked")
            try await peer.send(
                ok("too much", "Connection: close", status: "413 Content Too Large"))
            try await peer.expectGone()
        }
        world.client { peer in
            try await peer.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            let answer = try await peer.readResponse()
            try peer.require(answer.status == 413, answer.startLine)
            try peer.require(answer["Connection"] == "close", "the connection stays")
            try await peer.send("5\r\nhello\r\n")
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
    }

    @Test func `a client that leaves ends its exchange with the origin at once`() throws {
        let world = try ProxyWorld("")
        let gone = Probe<MonotonicTime?>(nil)
        let left = Probe<MonotonicTime?>(nil)
        world.origin { peer in
            _ = try await peer.readRequest()
            try await peer.expectGone()
            gone.value = peer.now
        }
        world.client { peer in
            try await peer.send(get("/"))
            await peer.sleep(.seconds(2))
            left.value = peer.now
        }
        #expect(world.problems() == [])
        let (end, start) = (try #require(gone.value), try #require(left.value))
        #expect(end - start == Nanoseconds(200_000))
    }
}
