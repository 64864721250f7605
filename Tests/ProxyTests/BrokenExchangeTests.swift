import EventLoop
import Primitives
import Proxy
import TestKit
import Testing

/// Exchanges that break half-way: nothing of one message may ever be taken for a part of another.
@Suite struct BrokenExchangeTests {
    @Test func `a body that an origin refused half-way is never read as the next request`() throws {
        for seed in Seeds.upTo(40) {
            var faults = FaultPlan()
            faults.window = 2048...8192
            let world = try ProxyWorld("", seed: seed, faults: faults)
            let targets = Probe<[String]>([])
            world.origin { peer in
                let head = try await peer.readHead()
                targets.update { $0.append(head.target) }
                guard head.target == "/upload" else { return try await peer.send(ok("fine")) }
                // Some of the body is read, so that the proxy has sent a part of what it has.
                await peer.sleep(.milliseconds(seed % 7))
                peer.reset()
            }
            world.client { peer in
                let smuggled = String(
                    repeating: "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", count: 800)
                try? await peer.send(post("/upload", smuggled))
                let answer = try? await peer.readResponse()
                if let answer { try peer.require(answer.status == 502, answer.startLine) }
                await peer.sleep(.seconds(1))
            }
            #expect(world.problems() == [])
            #expect(targets.value.allSatisfy { $0 == "/upload" }, "\(targets.value)")
        }
    }

    @Test func `a malformed request after a limited one is answered 400`() throws {
        let world = try ProxyWorld("limits: [100/minute per ip]")
        world.origin { _ in ok("fine") }
        world.client { peer in
            let first = try await peer.ask(get("/"))
            try peer.require(first.status == 200, first.startLine)
            try peer.require(first["X-RateLimit-Limit"] == "100", "no limit fields")
        }
        world.run()
        world.client { peer in
            let answer = try await peer.ask("NONSENSE\r\n\r\n")
            try peer.require(answer.status == 400, answer.startLine)
            try peer.require(answer["X-RateLimit-Limit"] == nil, "the fields of another request")
            try await peer.expectEnd()
        }
        world.client { peer in
            // In one piece: the second is parsed right after the first one's answer.
            try await peer.send(get("/") + "GET / HTTP/1.1\r\n\r\n")
            let first = try await peer.readResponse()
            try peer.require(first.status == 200, first.startLine)
            let second = try await peer.readResponse()
            try peer.require(second.status == 400, second.startLine)
            try peer.require(second["X-RateLimit-Limit"] == nil, "the fields of another request")
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
    }

    @Test func `what an origin sends unasked is nobody's answer`() throws {
        let world = try ProxyWorld("")
        let origin = world.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send(ok("first"))
            await peer.sleep(.seconds(1))
            try await peer.send(ok("poison", status: "408 Request Timeout"))
            while let request = try await peer.nextRequest() {
                try await peer.send(ok("late \(request.target)"))
            }
        }
        world.client { peer in
            let first = try await peer.ask(get("/1"))
            try peer.require(first.text == "first", first.text)
            await peer.sleep(.seconds(2))
            let second = try await peer.ask(get("/2"))
            try peer.require(second.text == "first", "\(second.startLine) \(second.text)")
        }
        #expect(world.problems() == [])
        #expect(origin.accepted == 2)
    }

    @Test func `an answer that ends with its connection and breaks does not look whole`() throws {
        for chunkedClient in [true, false] {
            let world = try ProxyWorld("")
            world.origin { peer in
                _ = try await peer.readRequest()
                try await peer.send("HTTP/1.1 200 OK\r\n\r\nhalf of")
                await peer.sleep(.seconds(1))
                peer.reset()
            }
            let client = world.client { peer in
                let version = chunkedClient ? "1.1" : "1.0"
                try await peer.send("GET / HTTP/\(version)\r\nHost: a\r\n\r\n")
                _ = try await peer.readResponse()
            }
            world.run()
            #expect(client.failure != nil)
            #expect(world.problems().count == 1)
        }
    }

    @Test func `a reset that a write has seen is not taken for the end of an answer`() throws {
        for seed in Seeds.upTo(60) {
            let world = try ProxyWorld("", seed: seed)
            world.origin { peer in
                _ = try await peer.readHead()
                try await peer.send("HTTP/1.1 200 OK\r\n\r\nhalf of")
                await peer.sleep(.milliseconds(1))
                peer.reset()
            }
            world.client { peer in
                try await peer.send(
                    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<60 {
                    // Some of them are written upstream in the moment of the reset.
                    try? await peer.send("5\r\nhello\r\n")
                    await peer.sleep(Nanoseconds(50_000))
                }
                let answer = try? await peer.readResponse()
                try peer.require(answer == nil, "half an answer looks whole: \(answer?.text ?? "")")
            }
            #expect(world.problems() == [])
            #expect(world.log.contains { $0.contains("\"incomplete\":true") })
        }
    }

    @Test func `an origin that breaks while a slow body is being sent is a 502`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            _ = try await peer.readHead()
            await peer.sleep(.seconds(1))
            peer.reset()
        }
        world.client { peer in
            try await peer.send(
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            let answer = try await peer.readResponse()
            try peer.require(answer.status == 502, answer.startLine)
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
    }
}
