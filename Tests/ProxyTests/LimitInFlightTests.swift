import EventLoop
import Limits
import Primitives
import Proxy
import TestKit
import Testing

/// Requests in flight at once: what is held is released on every kind of end.
@Suite struct LimitInFlightTests {
    private static func flight(_ count: UInt32) -> LimitDefinition {
        LimitDefinition(
            name: "flight", rate: .inFlight(count), per: [.global], algorithm: .concurrency)
    }

    private static func world(
        _ yaml: String = "", _ others: [LimitDefinition] = []
    ) throws -> ProxyWorld {
        try ProxyWorld(yaml, limits: [flight(2)] + others)
    }

    /// Nothing is held, and two requests at once pass.
    private static func isFree(_ world: ProxyWorld) -> Bool {
        world.run()
        // What clients did last is still on its way.
        world.world.run(for: .seconds(10))
        let held = world.metric("weir_limit_in_flight{limit=\"flight\"}")
        let statuses = Probe<[Int]>([])
        for n in 0..<2 {
            world.client(from: ProxyWorld.client(50 + n)) { peer in
                let status = try await peer.ask(get("/free")).status
                statuses.update { $0.append(status) }
            }
        }
        world.run()
        if held != 0 || statuses.value.contains(429) {
            Issue.record("\(held ?? -1) held, \(statuses.value)")
            return false
        }
        return true
    }

    @Test func `no more than the limit are in flight, and an answer makes room`() throws {
        let world = try Self.world()
        let running = Probe((now: 0, most: 0))
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                running.update {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                await peer.sleep(.seconds(1))
                running.update { $0.now -= 1 }
                try await peer.send(ok("x"))
            }
        }
        let statuses = Probe<[Int]>([])
        for n in 0..<5 {
            world.client(from: ProxyWorld.client(n)) { peer in
                for _ in 0..<3 {
                    let answer = try await peer.ask(get("/"))
                    statuses.update { $0.append(answer.status) }
                    if answer.status == 429 {
                        try peer.require(answer.text.contains("\"flight\""), answer.text)
                        await peer.sleep(.seconds(5))
                    }
                }
            }
        }
        #expect(Self.isFree(world))
        #expect(world.problems() == [])
        #expect(running.value.most == 2)
        #expect(statuses.value.contains(429) && statuses.value.contains(200))
    }

    @Test func `a client that resets, before and inside the answer, holds nothing`() throws {
        for isInside in [false, true] {
            let world = try Self.world()
            world.origin { peer in
                guard let request = try await peer.nextRequest() else { return }
                if request.target == "/free" { return try await peer.send(ok("x")) }
                if isInside {
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf")
                }
                try await peer.expectGone()
            }
            for n in 0..<2 {
                world.client(from: ProxyWorld.client(n)) { peer in
                    try await peer.send(get("/"))
                    await peer.sleep(.seconds(1))
                    peer.reset()
                }
            }
            #expect(Self.isFree(world))
            #expect(world.problems() == [])
        }
    }

    @Test func `an origin that resets, stalls or breaks off leaves nothing held`() throws {
        for kind in 0..<4 {
            let world = try Self.world(
                """
                upstreams:
                  default: {servers: ['http://10.2.0.1:8000'], timeouts: {first_byte: 2s, idle: 2s}}
                """)
            world.origin { peer in
                guard let request = try await peer.nextRequest() else { return }
                if request.target == "/free" { return try await peer.send(ok("x")) }
                switch kind {
                case 0: peer.reset()
                case 1: try await peer.expectGone()
                case 2:
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                    peer.reset()
                default:
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                    try await peer.expectGone()
                }
            }
            for n in 0..<2 {
                world.client(from: ProxyWorld.client(n)) { peer in
                    try await peer.send(get("/"))
                    _ = try? await peer.readResponse()
                }
            }
            #expect(Self.isFree(world))
            #expect(world.problems() == [])
        }
    }

    @Test func `a refusal by another limit, a malformed body and an upgrade hold nothing`() throws {
        let world = try Self.world(
            "", [LimitSettlementTests.perHour(3, "hour", per: [.user, .ip])])
        world.origin { peer in
            while let request = try? await peer.nextRequest() {
                try await peer.send(ok("\(request.body.count)"))
            }
        }
        world.client { peer in
            let bad = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
            let answer = try await peer.ask(bad)
            try peer.require(answer.status == 400, answer.startLine)
        }
        world.run()
        world.client { peer in
            let answer = try await peer.ask(get("/", "Connection: upgrade", "Upgrade: websocket"))
            try peer.require(answer.status == 501, answer.startLine)
        }
        world.run()
        world.client { peer in
            for _ in 0..<2 { _ = try await peer.ask(get("/")) }
            for _ in 0..<5 {
                let refused = try await peer.ask(get("/"))
                try peer.require(refused.status == 429, refused.startLine)
                try peer.require(refused.text.contains("\"hour\""), refused.text)
            }
        }
        #expect(Self.isFree(world))
        #expect(world.problems() == [])
    }

    @Test func `hits, followers and their leader hold nothing once they are answered`() throws {
        let world = try Self.world("cache: {ttl: 1h}")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                await peer.sleep(.seconds(1))
                try await peer.send(ok("x"))
            }
        }
        for n in 0..<4 {
            world.client(from: ProxyWorld.client(n)) { peer in
                await peer.sleep(.seconds(UInt64(n / 2) * 3))
                let answer = try await peer.ask(get("/"))
                try peer.require(answer.status == 200, answer.startLine)
            }
        }
        #expect(Self.isFree(world))
        #expect(world.problems() == [])
    }

    @Test func `whatever goes wrong on the way, nothing stays held`() throws {
        for seed in Seeds.upTo(25) {
            var faults = FaultPlan()
            faults.window = 1024...8192
            let world = try ProxyWorld(
                "cache: {ttl: 1s}",
                limits: [
                    Self.flight(3),
                    LimitSettlementTests.perHour(
                        20, "some", per: [.global], costs: LimitSettlementTests.costs(hit: 0),
                        count: [200...299]),
                ], seed: seed, faults: faults)
            world.origin { peer in
                while let request = try await peer.nextRequest() {
                    await peer.sleep(.milliseconds(seed &* UInt64(request.target.count) % 50))
                    if request.target.hasSuffix("7") { return peer.reset() }
                    try await peer.send(ok(String(repeating: "x", count: 20_000)))
                }
            }
            for n in 0..<6 {
                world.client(from: ProxyWorld.client(n)) { peer in
                    for step in 0..<8 {
                        let target = "/\((UInt64(n) &+ UInt64(step) &* seed) % 9)"
                        try await peer.send(
                            step % 3 == 0 ? post(target, "body") : get(target))
                        if (UInt64(step) &+ seed) % 7 == 6 { return peer.reset() }
                        _ = try await peer.readResponse()
                    }
                }
            }
            world.run()
            world.world.run(for: .seconds(10))
            #expect(world.metric("weir_limit_in_flight{limit=\"flight\"}") == 0, "seed \(seed)")
            let problems = world.problems(ofScripts: false)
            #expect(problems == [])
        }
    }
}
