import BinaryKit
import EventLoop
import Limits
import Primitives
import RedisClient
import Settings
import TestKit
import Testing

/// Leases asked for through real clients of a real Redis.
@Suite struct LeaseDeskTests {
    /// One process of a fleet: a table and a worker's desk.
    private final class Process {
        let table = LeaseTable()
        let client: RedisClient
        let desk: LeaseDesk
        private let digest = Digest128(high: 1, low: 1)
        private let key: [UInt8]
        private let terms: LeaseTerms
        private(set) var admitted = 0
        private(set) var refused = 0
        private(set) var unanswered = 0

        convenience init(
            _ loop: EventLoop, _ server: RedisServer, _ terms: LeaseTerms, seed: UInt64,
            _ change: (inout RedisSettings) -> Void = { _ in }
        ) {
            let client = RedisClient.make(
                loop, .host("127.0.0.1", port: server.port), seed: seed, change)
            self.init(client, terms, seed: seed)
        }

        init(_ client: RedisClient, _ terms: LeaseTerms, seed: UInt64) {
            self.client = client
            desk = LeaseDesk(
                client, table: table, replicas: { 3 }, random: SeededRandom(seed: seed))
            key = Array("weir:l:{a}:a:lease".utf8)
            self.terms = terms
        }

        /// One request, as the proxy decides it.
        func request() async {
            while true {
                switch table.take(digest, 1, at: client.loop.now).taking {
                case .taken(_, let isLow):
                    admitted += 1
                    if isLow { desk.refill(digest, key: key, terms: terms) }
                    return
                case .refused:
                    refused += 1
                    return
                case .lacking:
                    let ask = desk.ask(digest, key: key, terms: terms, units: 1)
                    guard await desk.wait(for: ask) == .given else {
                        unanswered += 1
                        return
                    }
                }
            }
        }
    }

    private static func terms(
        _ algorithm: LimitDefinition.Algorithm, _ count: UInt32, _ period: Nanoseconds
    ) throws -> LeaseTerms {
        try #require(LeaseTerms(algorithm, .init(count: count, period: period)))
    }

    @Test
    func `three processes with uneven load use all of a quota, none of it twice, in few calls`()
        throws
    {
        let terms = try Self.terms(.fixedWindow(phase: .aligned), 20_000, .seconds(86_400))
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let fleet = (0..<3).map { Process(loop, server, terms, seed: UInt64($0)) }
                defer { for process in fleet { process.client.close() } }
                let done = Waiter(loop)
                var running = 0
                for (process, share) in zip(fleet, [80, 15, 5]) {
                    running += 1
                    loop.start {
                        // About 10,000 requests a second in all, until none passes for a while.
                        var lastAdmitted = 0
                        var idle = 0
                        while idle < 1500 {
                            for _ in 0..<(share / 5) {
                                loop.start { await process.request() }
                            }
                            await loop.sleep(for: .milliseconds(2))
                            idle = process.admitted == lastAdmitted ? idle + 1 : 0
                            lastAdmitted = process.admitted
                        }
                        running -= 1
                        if running == 0 { done.wake() }
                    }
                    loop.start {
                        while running > 0 {
                            await loop.sleep(for: .milliseconds(6))
                            process.desk.sweep()
                        }
                    }
                }
                while running > 0 { _ = await done.wait(until: loop.now + .seconds(60)) }
                #expect(fleet.reduce(0) { $0 + $1.admitted } == 20_000)
                #expect(fleet.allSatisfy { $0.unanswered == 0 && $0.admitted > 0 })
            }
            let calls = try server.calls(of: "evalsha")
            // The quota is exhausted in the end: the last units are asked for one by one.
            #expect(calls < 1000, "\(calls) calls")
        }
    }

    @Test func `what a process holds goes back when it leaves`() throws {
        let terms = try Self.terms(.tokenBucket(burst: 1000), 100, .seconds(1000))
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let first = Process(loop, server, terms, seed: 1)
                let second = Process(loop, server, terms, seed: 2)
                defer {
                    first.client.close()
                    second.client.close()
                }
                for _ in 0..<100 {
                    await first.request()
                    await loop.sleep(for: .milliseconds(1))
                }
                await first.desk.empty()
                for _ in 0..<1100 { await second.request() }
                // In the time of the test less than a token comes back for each second of it.
                #expect(first.admitted == 100)
                #expect((900...910).contains(second.admitted), "\(second.admitted)")
            }
        }
    }

    @Test func `a Redis that stands still costs one deadline, and units that are held are spent`()
        throws
    {
        let terms = try Self.terms(.fixedWindow(phase: .aligned), 100_000, .seconds(86_400))
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let process = Process(loop, server, terms, seed: 1) {
                    $0.timeout = .milliseconds(200)
                }
                defer { process.client.close() }
                for _ in 0..<200 {
                    await process.request()
                    await loop.sleep(for: .milliseconds(1))
                }
                #expect(process.admitted == 200)
                server.freeze()
                let start = loop.now
                // More than a lease holds.
                for _ in 0..<2000 { await process.request() }
                #expect(loop.now - start < .seconds(5))
                #expect(process.admitted > 200 && process.admitted < 2200)
                #expect(process.unanswered > 0)
                server.thaw()
                #expect(await process.client.awaitBreaker(open: false, within: .seconds(10)) != nil)
                let before = process.admitted
                for _ in 0..<10 { await process.request() }
                #expect(process.admitted == before + 10)
            }
        }
    }

    /// Lets a request ask, and three more come while its order is on its way. It is granted `granted` units, as all later
    /// ones are. The units that orders were waited for with, one after the other.
    private static func needsOfFourRequests(granted: Int) throws -> [String] {
        let terms = try terms(.tokenBucket(burst: 1000), 1000, .seconds(1))
        let needs = Probe<[String]>([])
        ScriptedServer.run { peer in
            try await peer.welcome()
            while let order = try await peer.nextCommand() {
                // EVALSHA, the digest, 1, the key, the replicas, and the ten numbers of an order.
                try peer.require(order.count == 15, "\(order) instead of an order")
                if order[13] != "0" { needs.update { $0.append(order[13]) } }
                await peer.sleep(.milliseconds(10))
                let grant = [granted, 0, 1, 1_000_000, 900, 0, 100_000]
                try await peer.send("*7\r\n" + grant.map { ":\($0)\r\n" }.joined())
            }
        } with: { client async throws in
            let process = Process(client, terms, seed: 1)
            client.loop.start { await process.request() }
            await client.loop.sleep(for: .milliseconds(5))
            for _ in 0..<2 { client.loop.start { await process.request() } }
            await process.request()
            await client.loop.sleep(for: .milliseconds(30))
            #expect(process.admitted == 4)
        }
        return needs.value
    }

    @Test func `who comes while an order is on its way is served from its grant`() throws {
        let needs = try Self.needsOfFourRequests(granted: 4)
        #expect(needs == ["1"])
    }

    @Test func `what a grant leaves lacking is asked for at once, and no more than that`() throws {
        let needs = try Self.needsOfFourRequests(granted: 2)
        #expect(needs == ["1", "2"])
    }
}
