import EventLoop
import Primitives
import Proxy
import TestKit
import Testing

/// The way out: what runs may end, and nothing new begins.
@Suite struct DrainTests {
    @Test func `idle connections end at once and a running request ends well`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                await peer.sleep(.seconds(5))
                try await peer.send(ok("done"))
            }
        }
        let began = Probe<MonotonicTime?>(nil)
        let closed = Probe<MonotonicTime?>(nil)
        world.client { peer in
            _ = try await peer.ask(get("/"))
            try await peer.expectEnd()
            closed.value = peer.now
        }
        world.client { peer in
            await peer.sleep(.seconds(8))
            try await peer.send(get("/1") + get("/2"))
            let answer = try await peer.readResponse()
            try peer.require(answer.text == "done", answer.startLine)
            try peer.require(answer["Connection"] == "close", "the connection stays")
            try await peer.expectGone()
            try peer.require(peer.pending.isEmpty, "a second answer")
        }
        world.world.run(for: .seconds(10))
        began.value = world.world.now
        let left = world.drain()
        world.run()
        #expect(left.value == 0)
        let (end, start) = (try #require(closed.value), try #require(began.value))
        #expect(end - start < .milliseconds(5))
        #expect(world.world.now - start < .seconds(6))
        #expect(world.problems() == [])
    }

    @Test func `a new connection is refused while what runs ends`() throws {
        let world = try ProxyWorld("")
        world.origin { peer in
            _ = try await peer.nextRequest()
            await peer.sleep(.seconds(5))
            try await peer.send(ok("done"))
        }
        world.client { peer in
            let answer = try await peer.ask(get("/"))
            try peer.require(answer.text == "done", answer.startLine)
        }
        world.world.run(for: .seconds(1))
        _ = world.drain()
        world.world.run(for: .seconds(1))
        let late = world.world.client(to: ProxyWorld.proxy) { _ in }
        world.run()
        #expect(late.failure?.contains("refused") == true)
        #expect(world.problems() == [])
    }

    @Test func `what does not end in time is cut off, and its exchange with the origin too`() throws
    {
        let world = try ProxyWorld("")
        let gone = Probe<MonotonicTime?>(nil)
        world.origin { peer in
            _ = try await peer.readRequest()
            try await peer.expectGone()
            gone.value = peer.now
        }
        let client = world.client { peer in _ = try await peer.ask(get("/")) }
        world.world.run(for: .seconds(1))
        let began = world.world.now
        let left = world.drain(within: .seconds(3))
        world.run()
        #expect(left.value == 1)
        #expect(client.failure != nil)
        world.world.run(for: .seconds(1))
        let end = try #require(gone.value)
        #expect(end - began < .seconds(3) + .milliseconds(50))
        #expect(world.server.shared.openConnections == 0)
    }

    @Test func `a request that has arrived is answered, whatever the moment drain begins`() throws {
        // Of a POST that reached the origin the client hears, however close the two are.
        for seed in Seeds.upTo(100) {
            let world = try ProxyWorld("", seed: seed)
            let served = Probe(0)
            world.origin { peer in
                while try await peer.nextRequest() != nil {
                    served.update { $0 += 1 }
                    try await peer.send(ok("done"))
                }
            }
            let answered = Probe(0)
            world.client { peer in
                _ = try await peer.ask(get("/"))
                answered.update { $0 += 1 }
                await peer.sleep(.milliseconds(10))
                if (try? await peer.ask(post("/", "x")))?.text == "done" {
                    answered.update { $0 += 1 }
                }
            }
            world.world.run { answered.value == 1 }
            // The POST arrives 10.1 ms after the first answer.
            let arrives = world.world.now + .milliseconds(10) + Nanoseconds(100_000)
            world.world.after(arrives - world.world.now) { _ = world.drain() }
            world.run()
            #expect(world.problems() == [])
            #expect(answered.value == served.value)
        }
    }
}
