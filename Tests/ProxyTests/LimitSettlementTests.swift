import Caching
import EventLoop
import Limits
import Primitives
import Proxy
import TestKit
import Testing

/// What a request costs when its answer is known: failures only, by the cache's part, by a field of the answer.
@Suite struct LimitSettlementTests {
    static func perHour(
        _ count: UInt32, _ name: String = "x", per: [LimitDefinition.Scope] = [.ip],
        _ algorithm: LimitDefinition.Algorithm = .fixedWindow(phase: .aligned),
        costs: LimitDefinition.Costs = .init(), count statuses: [ClosedRange<UInt16>] = []
    ) -> LimitDefinition {
        LimitDefinition(
            name: name, rate: .init(count: count, period: .seconds(3600)), per: per,
            algorithm: algorithm, costs: costs, countedStatuses: statuses)
    }

    /// What a stored answer costs, a stale one, and the origin's.
    static func costs(hit: UInt32, stale: UInt32 = 1, miss: UInt32 = 1) -> LimitDefinition.Costs {
        LimitDefinition.Costs(hit: .units(hit), stale: .units(stale), miss: .units(miss))
    }

    /// An origin that answers with the status that ends the target: `/login/401`.
    @discardableResult
    static func echo(_ world: ProxyWorld, after delay: Nanoseconds = .zero) -> Probe<Int> {
        let asked = Probe(0)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                asked.update { $0 += 1 }
                await peer.sleep(delay)
                let status = request.target.split(separator: "/").last ?? "200"
                try await peer.send(ok("x", status: "\(status) Status"))
            }
        }
        return asked
    }

    static func remaining(_ answer: SimulatedMessage) -> String {
        "\(answer.status) \(answer["X-RateLimit-Remaining"] ?? "-")"
    }

    @Test func `only failures are charged, and what is left says so in the same answer`() throws {
        let world = try ProxyWorld("", limits: [Self.perHour(3, count: [401...401, 403...403])])
        Self.echo(world)
        world.client { peer in
            var seen: [String] = []
            for status in [200, 401, 404, 403, 200, 401, 200, 401] {
                seen.append(Self.remaining(try await peer.ask(get("/login/\(status)"))))
            }
            try peer.require(
                seen == ["200 3", "401 2", "404 2", "403 1", "200 1", "401 0", "429 0", "429 0"],
                "\(seen)")
        }
        #expect(world.problems() == [])
        #expect(world.metric("weir_limit_units_total{limit=\"x\"}") == 3)
    }

    @Test func `guesses sent at once do not slip through before the first is answered`() throws {
        let world = try ProxyWorld(
            "", limits: [Self.perHour(3, per: [.global], count: [401...401])])
        let asked = Self.echo(world, after: .seconds(1))
        let statuses = Probe<[Int]>([])
        for n in 0..<20 {
            world.client(from: ProxyWorld.client(n)) { peer in
                let status = try await peer.ask(get("/login/401")).status
                statuses.update { $0.append(status) }
            }
        }
        #expect(world.problems() == [])
        #expect(asked.value == 3)
        #expect(statuses.value.filter { $0 == 401 }.count == 3)
        #expect(statuses.value.filter { $0 == 429 }.count == 17)
    }

    @Test func `a client that leaves before its answer stays charged`() throws {
        let world = try ProxyWorld("", limits: [Self.perHour(2, count: [401...401])])
        let asked = Self.echo(world, after: .seconds(10))
        for _ in 0..<2 {
            world.client { peer in
                try await peer.send(get("/login/401"))
                await peer.sleep(.seconds(1))
                peer.reset()
            }
        }
        world.client { peer in
            await peer.sleep(.seconds(5))
            let answer = try await peer.ask(get("/login/200"))
            try peer.require(answer.status == 429, answer.startLine)
        }
        #expect(world.problems() == [])
        #expect(asked.value == 2)
    }

    @Test func `an answer the proxy makes itself counts by its own status`() throws {
        for (counted, left) in [(500...599, "2"), (401...401, "3")] {
            let range = UInt16(counted.lowerBound)...UInt16(counted.upperBound)
            let world = try ProxyWorld("", limits: [Self.perHour(3, count: [range])])
            world.origin { peer in
                _ = try await peer.readRequest()
                peer.close()
            }
            world.client { peer in
                let answer = try await peer.ask(get("/"))
                try peer.require(Self.remaining(answer) == "502 \(left)", Self.remaining(answer))
            }
            #expect(world.problems() == [])
        }
    }

    @Test func `a free hit passes an exhausted limit, and nothing else does`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 10s, early_refresh: off}",
            limits: [Self.perHour(1, costs: Self.costs(hit: 0))])
        let asked = Self.echo(world)
        world.client { peer in
            let first = try await peer.ask(get("/a/200"))
            try peer.require(Self.remaining(first) == "200 0", Self.remaining(first))
            for _ in 0..<5 {
                let hit = try await peer.ask(get("/a/200"))
                try peer.require(Self.remaining(hit) == "200 0", Self.remaining(hit))
                try peer.require(hit["Cache-Status"]?.contains("hit") == true, "no hit")
            }
            let other = try await peer.ask(get("/b/200"))
            try peer.require(other.status == 429, other.startLine)
            await peer.sleep(.seconds(11))
            // What was stored has expired, and to ask again costs.
            let expired = try await peer.ask(get("/a/200"))
            try peer.require(expired.status == 429, expired.startLine)
        }
        #expect(world.problems() == [])
        #expect(asked.value == 1)
        #expect(world.metric("weir_limit_units_total{limit=\"x\"}") == 1)
        #expect(world.server.shared.cache.statistics().fills == 0)
    }

    @Test func `a stale answer costs what it says, however often it is refreshed behind it`() throws
    {
        let world = try ProxyWorld(
            "cache: {ttl: 10s, stale_while_revalidate: 1h, early_refresh: off}",
            limits: [Self.perHour(20, costs: Self.costs(hit: 1, stale: 2, miss: 10))])
        Self.echo(world)
        world.client { peer in
            var seen: [String] = []
            seen.append(Self.remaining(try await peer.ask(get("/200"))))
            seen.append(Self.remaining(try await peer.ask(get("/200"))))
            await peer.sleep(.seconds(15))
            seen.append(Self.remaining(try await peer.ask(get("/200"))))
            await peer.sleep(.seconds(1))
            seen.append(Self.remaining(try await peer.ask(get("/200"))))
            try peer.require(seen == ["200 10", "200 9", "200 7", "200 6"], "\(seen)")
        }
        #expect(world.problems() == [])
    }

    @Test func `who waits for another's fetch pays for a hit, and reserves a miss`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 1h}",
            limits: [Self.perHour(4, per: [.global], costs: Self.costs(hit: 0))])
        let asked = Self.echo(world, after: .seconds(1))
        let statuses = Probe<[Int]>([])
        for n in 0..<6 {
            world.client(from: ProxyWorld.client(n)) { peer in
                let status = try await peer.ask(get("/200")).status
                statuses.update { $0.append(status) }
            }
        }
        world.client { peer in
            await peer.sleep(.seconds(2))
            let after = try await peer.ask(get("/200"))
            try peer.require(Self.remaining(after) == "200 3", Self.remaining(after))
        }
        #expect(world.problems() == [])
        #expect(asked.value == 1)
        // Four may be on their way at once; of them one has paid in the end.
        #expect(statuses.value.sorted() == [200, 200, 200, 200, 429, 429])
        #expect(world.metric("weir_limit_units_total{limit=\"x\"}") == 1)
    }

    @Test func `a 304 from the cache is a hit`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 1h}", limits: [Self.perHour(1, costs: Self.costs(hit: 0))])
        world.origin { _ in ok("x", "ETag: \"v1\"") }
        world.client { peer in
            _ = try await peer.ask(get("/"))
            let same = try await peer.ask(get("/", "If-None-Match: \"v1\""))
            try peer.require(Self.remaining(same) == "304 0", Self.remaining(same))
        }
        #expect(world.problems() == [])
    }

    @Test func `an answer costs what its field says, and the reserve without one`() throws {
        let cost = LimitDefinition.Costs.Cost.header
        for isCached in [false, true] {
            let world = try ProxyWorld(
                isCached ? "cache: {ttl: 1h}" : "",
                limits: [
                    Self.perHour(
                        5_000_000,
                        costs: .init(
                            hit: cost, stale: cost, miss: cost, header: "x-cost", reserve: 7))
                ])
            world.origin { peer in
                while let request = try await peer.nextRequest() {
                    let fields = request.target.dropFirst().split(separator: "+").map { "\($0)" }
                    let lines = fields.map { "x-COST: \($0)\r\n" }.joined()
                    try await peer.send("HTTP/1.1 200 OK\r\n\(lines)Content-Length: 0\r\n\r\n")
                }
            }
            world.client { peer in
                var left = 5_000_000
                for (said, cost) in [
                    ("12", 12), ("0", 0), ("-3", 7), ("1.5", 7), ("", 7), ("3+3", 7), ("1e3", 7),
                    ("99999999999999999999999", 1_000_000), ("007", 7),
                ] {
                    for _ in 0..<2 {
                        let answer = try await peer.ask(get("/\(said)"))
                        left -= cost
                        try peer.require(
                            Self.remaining(answer) == "200 \(left)", "\(said): \(answer.fields)")
                    }
                }
            }
            #expect(world.problems() == [])
        }
    }

    @Test func `limits decide together, and each is settled by itself`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 1h}",
            limits: [
                Self.perHour(100, "all"), Self.perHour(50, "fetched", costs: Self.costs(hit: 0)),
                Self.perHour(20, "failed", count: [500...599]),
            ])
        Self.echo(world)
        world.client { peer in
            for target in ["/a/200", "/a/200", "/b/200", "/b/503", "/a/200"] {
                _ = try await peer.ask(get(target))
            }
            let last = try await peer.ask(get("/a/200"))
            let told = last["RateLimit"] ?? ""
            for member in ["\"all\";r=94", "\"fetched\";r=47", "\"failed\";r=19"] {
                try peer.require(told.contains(member), told)
            }
        }
        #expect(world.problems() == [])
    }

    @Test func `lines of the log say what was charged, and who refused`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 1h}",
            limits: [
                Self.perHour(2, "a", costs: Self.costs(hit: 0)),
                Self.perHour(2, "b", count: [404...404]),
            ])
        Self.echo(world)
        world.client { peer in
            for target in ["/404", "/404", "/404", "/405"] { _ = try await peer.ask(get(target)) }
        }
        #expect(world.problems() == [])
        let log = world.log
        #expect(log.count == 4)
        #expect(!log[0].contains("charged"), "\(log[0])")
        #expect(log[2].contains("\"limit\":\"refused\""), "\(log[2])")
        #expect(log[2].contains("\"limit_names\":[\"a\",\"b\"]"), "\(log[2])")
    }
}
