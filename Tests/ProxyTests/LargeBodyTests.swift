import EventLoop
import Primitives
import Proxy
import TestKit
import Testing

/// Bodies of known length that go through a pipe, 64 KiB and more to come.
@Suite struct LargeBodyTests {
    private static let length = 300_000

    /// Both directions, then a small exchange on the same connections: nothing of the bodies is left over.
    private func passBoth(_ world: ProxyWorld) {
        let length = LargeBodyTests.length
        world.origin { peer in
            for _ in 0..<2 {
                let upload = try await peer.readHead()
                try peer.require(upload.startLine.hasPrefix("POST"), upload.startLine)
                try await peer.readPattern(length)
                try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(length)\r\n\r\n")
                try await peer.sendPattern(length)
            }
            _ = try await peer.readHead()
            try await peer.send(ok("small"))
        }
        world.client { peer in
            for _ in 0..<2 {
                try await peer.send(
                    "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n")
                try await peer.sendPattern(length)
                _ = try await peer.readHead()
                try await peer.readPattern(length)
            }
            let last = try await peer.ask(get("/"))
            try peer.require(last.text == "small", last.text)
        }
    }

    @Test func `they arrive whole in both directions, however the network cuts them`() throws {
        for seed in Seeds.upTo(30) {
            var faults = FaultPlan.ragged
            faults.acceptFailure = 0
            let world = try ProxyWorld("", seed: seed, faults: faults)
            passBoth(world)
            #expect(world.problems() == [])
        }
    }

    @Test func `an answer that its origin cuts short ends the client's connection`() throws {
        for seed in Seeds.upTo(20) {
            let world = try ProxyWorld("", seed: seed, faults: .ragged)
            let taken = Probe(0)
            world.origin { peer in
                while try await peer.nextRequest() != nil {
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n")
                    try await peer.sendPattern(200_000)
                    peer.close()
                }
            }
            world.client { peer in
                try await peer.send(get("/cut"))
                _ = try await peer.readHead()
                taken.value = try await peer.readAll().count
            }
            world.run()
            #expect(taken.value == 200_000, "seed \(seed)")
            #expect(world.problems(ofScripts: false) == [])
        }
    }

    @Test func `a client that leaves half-way closes the pipe and leaves nothing to the next one`()
        throws
    {
        for seed in Seeds.upTo(20) {
            var faults = FaultPlan()
            faults.window = 4096...(64 << 10)
            let world = try ProxyWorld("", seed: seed, faults: faults)
            world.origin { peer in
                while try await peer.nextRequest() != nil {
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
                    try await peer.sendPattern(300_000)
                }
            }
            world.client { peer in
                try await peer.send(get("/"))
                _ = try await peer.readHead()
                try await peer.readPattern(50_000)
                peer.reset()
            }
            world.run()
            world.client { peer in
                try await peer.send(get("/"))
                _ = try await peer.readHead()
                try await peer.readPattern(300_000)
            }
            #expect(world.problems(ofScripts: false) == [])
        }
    }
}
