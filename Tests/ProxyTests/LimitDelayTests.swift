import EventLoop
import Limits
import Primitives
import Proxy
import TestKit
import Testing

/// Requests that have to wait for their turn. A segment travels 0.1 ms.
@Suite struct LimitDelayTests {
    /// One request a second, and up to `maxDelay` to wait.
    private static func bucket(
        _ maxDelay: Nanoseconds, _ mode: LimitDefinition.Mode = .enforce
    ) -> LimitDefinition {
        LimitDefinition(
            name: "slow", rate: .init(count: 1, period: .seconds(1)), per: [.global],
            algorithm: .leakyBucket(maxDelay: maxDelay), mode: mode)
    }

    private static func origin(_ world: ProxyWorld) -> Probe<[MonotonicTime]> {
        let asked = Probe<[MonotonicTime]>([])
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                asked.update { [now = peer.now] in $0.append(now) }
                try await peer.send(ok("x"))
            }
        }
        return asked
    }

    @Test func `requests leave at the rate, and who would wait too long is refused at once`() throws
    {
        let world = try ProxyWorld("", limits: [Self.bucket(.milliseconds(2500))])
        let asked = Self.origin(world)
        let ends = Probe<[String]>([])
        for n in 0..<5 {
            world.client(from: ProxyWorld.client(n)) { peer in
                // In order.
                await peer.sleep(.milliseconds(UInt64(n)))
                let began = peer.now
                let answer = try await peer.ask(get("/"))
                let took = Double((peer.now - began).count) / 1e9
                ends.update { $0.append("\(answer.status) \(Int(took.rounded()))") }
            }
        }
        #expect(world.problems() == [])
        #expect(ends.value.sorted() == ["200 0", "200 1", "200 2", "429 0", "429 0"])
        let gaps = zip(asked.value, asked.value.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { $0 >= .milliseconds(995) }, "\(gaps)")
        #expect(world.metric("weir_limit_delayed_total") == 2)
        #expect(world.log.filter { $0.contains("\"delayed_ms\":") }.count == 2)
    }

    @Test func `a delayed client that leaves never reaches the origin, and its turn is free again`()
        throws
    {
        for leaves in [true, false] {
            let world = try ProxyWorld("", limits: [Self.bucket(.seconds(5))])
            let asked = Self.origin(world)
            world.client { peer in _ = try await peer.ask(get("/1")) }
            world.client { peer in
                await peer.sleep(.milliseconds(10))
                try await peer.send(get("/2"))
                await peer.sleep(.milliseconds(500))
                if leaves { peer.reset() } else { _ = try await peer.readResponse() }
            }
            world.client { peer in
                await peer.sleep(.milliseconds(700))
                let began = peer.now
                _ = try await peer.ask(get("/3"))
                let took = peer.now - began
                let turn = Nanoseconds.milliseconds(leaves ? 300 : 1300)
                try peer.require(took < turn + .milliseconds(20), "took \(took.count)")
            }
            #expect(world.problems() == [])
            #expect(asked.value.count == (leaves ? 2 : 3))
            if leaves {
                let line = world.log.first { $0.contains("\"path\":\"/2\"") } ?? ""
                #expect(line.contains("\"incomplete\":true"), "\(line)")
                #expect(line.contains("\"delayed_ms\":"), "\(line)")
                #expect(!line.contains("upstream_ms"), "\(line)")
            }
        }
    }

    @Test func `a delayed request is served although the process is on its way out`() throws {
        let world = try ProxyWorld("", limits: [Self.bucket(.seconds(5))])
        let asked = Self.origin(world)
        for n in 0..<3 {
            world.client(from: ProxyWorld.client(n)) { peer in
                let answer = try await peer.ask(get("/"))
                try peer.require(answer.status == 200, answer.startLine)
            }
        }
        world.world.run(for: .milliseconds(500))
        let left = world.drain()
        world.run()
        #expect(left.value == 0)
        #expect(asked.value.count == 3)
        #expect(world.problems() == [])
    }

    @Test func `what is cut off while it waits ends, and nothing stays held`() throws {
        let inFlight = LimitDefinition(
            name: "flight", rate: .inFlight(9), per: [.global], algorithm: .concurrency)
        let world = try ProxyWorld("", limits: [Self.bucket(.seconds(60)), inFlight])
        let asked = Self.origin(world)
        for n in 0..<5 {
            world.client(from: ProxyWorld.client(n)) { peer in
                try await peer.send(get("/"))
                try await peer.expectGone()
            }
        }
        world.world.run(for: .milliseconds(1500))
        let left = world.drain(within: .milliseconds(200))
        world.run()
        #expect(left.value == 3)
        #expect(asked.value.count == 2)
        #expect(world.metric("weir_limit_in_flight{limit=\"flight\"}") == 0)
        #expect(world.problems(ofScripts: false) == [])
    }

    @Test func `after the wait the cache is asked, and a hit that has gone is paid as a miss`()
        throws
    {
        let limits = [
            Self.bucket(.seconds(30)),
            LimitSettlementTests.perHour(1, costs: LimitSettlementTests.costs(hit: 0)),
        ]
        let world = try ProxyWorld("cache: {ttl: 3s, early_refresh: off}", limits: limits)
        let asked = Self.origin(world)
        let answers = Probe<[String]>([])
        for n in 0..<6 {
            world.client(from: ProxyWorld.client(1)) { peer in
                await peer.sleep(.milliseconds(UInt64(n * 10)))
                let answer = try await peer.ask(get("/"))
                answers.update { $0.append("\(answer.status)") }
            }
        }
        #expect(world.problems() == [])
        // The first is fetched; those whose turn comes while it is fresh are free; the others would have to
        // be fetched again, and the limit has no more.
        #expect(answers.value.filter { $0 == "200" }.count >= 3)
        #expect(answers.value.filter { $0 == "429" }.count >= 2)
        #expect(asked.value.count == 1)
    }

    @Test func `a shadow delays nobody`() throws {
        let world = try ProxyWorld("", limits: [Self.bucket(.seconds(60), .shadow)])
        let asked = Self.origin(world)
        for n in 0..<5 {
            world.client(from: ProxyWorld.client(n)) { peer in
                let began = peer.now
                let answer = try await peer.ask(get("/"))
                try peer.require(answer.status == 200, answer.startLine)
                try peer.require(peer.now - began < .milliseconds(5), "it waited")
            }
        }
        #expect(world.problems() == [])
        #expect(asked.value.count == 5)
    }
}
