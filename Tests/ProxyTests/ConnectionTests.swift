import Primitives
import Proxy
import TestKit
import Testing

/// A client's connection: what it carries, what is refused, and how it ends.
@Suite struct ConnectionTests {
    @Test func `requests in one piece are answered in their order`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                if request.target == "/1" { await peer.sleep(.seconds(1)) }
                try await peer.send(ok(request.target + request.text))
            }
        }
        world.client { peer in
            try await peer.send(get("/1") + post("/2", "x") + get("/3") + "\r\n" + get("/4"))
            for expected in ["/1", "/2x", "/3", "/4"] {
                let answer = try await peer.readResponse()
                try peer.require(answer.text == expected, answer.text)
            }
        }
        #expect(world.problems() == [])
    }

    @Test func `HTTP 1.0 gets no chunks, and the end of its connection`() throws {
        let world = try ProxyWorld("")
        world.origin { _ in
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n"
        }
        world.client { peer in
            let answer = try await peer.ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            try peer.require(answer.text == "abcdefg", answer.text)
            try peer.require(answer["Transfer-Encoding"] == nil, "chunks for HTTP/1.0")
        }
        world.client { peer in
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.text == "abcdefg", answer.text)
            try peer.require(answer["Connection"] == nil, "closes")
            let again = try await peer.ask(get("/"))
            try peer.require(again.text == "abcdefg", again.text)
        }
        #expect(world.problems() == [])
    }

    @Test func `an upgrade is refused with 501`() throws {
        let world = try ProxyWorld("")
        let origin = world.origin { _ in ok("never") }
        world.client { peer in
            let answer = try await peer.ask(get("/", "Connection: Upgrade", "Upgrade: websocket"))
            try peer.require(answer.status == 501, answer.startLine)
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
        #expect(origin.accepted == 0)
    }

    @Test func `a request that goes in circles is stopped`() throws {
        // The proxy is its own origin.
        let world = try ProxyWorld("upstream: http://10.1.0.1:8080")
        world.client { peer in
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.status == 508, answer.startLine)
        }
        #expect(world.problems() == [])
    }

    @Test func `a connection beyond the bound is answered 503 and those within it go on`() throws {
        for seed in Seeds.upTo(20) {
            var faults = FaultPlan()
            faults.acceptFailure = 0.5
            let world = try ProxyWorld("http: {connections: 2}", seed: seed, faults: faults)
            world.origin { _ in ok("fine") }
            for _ in 0..<2 {
                world.client { peer in
                    let answer = try await peer.ask(get("/"))
                    try peer.require(answer.status == 200, answer.startLine)
                    await peer.sleep(.seconds(5))
                    let again = try await peer.ask(get("/"))
                    try peer.require(again.status == 200, again.startLine)
                }
            }
            world.client { peer in
                await peer.sleep(.seconds(1))
                let third = try await peer.connect(from: ProxyWorld.client(2), to: ProxyWorld.proxy)
                defer { third.close() }
                let answer = try await third.ask(get("/"))
                try peer.require(answer.status == 503, answer.startLine)
                try peer.require(answer.text.contains("too many connections"), answer.text)
                try await third.expectEnd()
                peer.close()
            }
            world.run()
            // The third client's own connection was beyond the bound as well.
            #expect(world.problems().isEmpty, "\(world.problems())")
        }
    }

    @Test func `a body is asked for only when a limit has admitted the request`() throws {
        let world = try ProxyWorld("limits: [{rate: 1/hour, per: ip, algorithm: fixed_window}]")
        let bodies = Probe<[String]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                try peer.require(request["Expect"] == nil, "Expect is forwarded")
                bodies.update { $0.append(request.text) }
                try await peer.send(ok("thanks"))
            }
        }
        let head =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        world.client { peer in
            let interim = try await peer.ask(head)
            try peer.require(interim.status == 100, interim.startLine)
            let final = try await peer.ask("hello")
            try peer.require(final.text == "thanks", final.startLine)

            let refused = try await peer.ask(head)
            try peer.require(refused.status == 429, refused.startLine)
            try peer.require(refused["Connection"] == "close", "the body may still come")
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
        #expect(bodies.value == ["hello"])
    }

    @Test func `a client that asks to close and sends more still gets its whole answer`() throws {
        for seed in Seeds.upTo(20) {
            let world = try ProxyWorld("", seed: seed)
            world.origin { peer in
                while try await peer.nextRequest() != nil {
                    await peer.sleep(.milliseconds(2))
                    try await peer.send(ok(String(repeating: "x", count: 40_000)))
                }
            }
            world.client { peer in
                try await peer.send(get("/", "Connection: close"))
                try await peer.send(get("/never"))
                await peer.sleep(.milliseconds(1))
                try? await peer.send(get("/never"))
                let answer = try await peer.readResponse()
                try peer.require(answer.body.count == 40_000, answer.startLine)
                try peer.require(answer["Connection"] == "close", "keeps")
                try await peer.expectGone()
            }
            #expect(world.problems() == [])
        }
    }
}
