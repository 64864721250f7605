import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

/// What is found out about a Redis before it goes wrong.
@Suite struct InspectionTests {
    private let limitsAndCache = RedisUse(countsLimits: true, storesAnswers: true)

    private func settings(_ server: RedisServer) -> RedisSettings {
        RedisSettings(topology: .single(.host("127.0.0.1", port: server.port)))
    }

    @Test func `a server says what it is, and that writes and scripts work`() throws {
        try RedisServer.run(["--maxmemory", "32mb", "--maxmemory-policy", "allkeys-lru"]) {
            server in
            let settings = settings(server)
            try LiveLoop.run { loop async throws in
                let inspection = RedisInspection(settings, loop: loop)
                let place = settings.topology.places[0]
                let found = try await inspection.look(at: place, until: loop.now + .seconds(10))
                #expect(found.facts.version.split(separator: ".").count == 3)
                #expect(found.facts.mode == "standalone" && found.facts.role == "master")
                #expect(found.facts.memoryMax == 32 << 20 && found.facts.usedMemory > 0)
                #expect(!found.facts.isLoading)
                #expect(
                    found.facts.risks(for: limitsAndCache, under: settings)
                        == [.evictsLimits(policy: "allkeys-lru", sharesWithCache: true)])
                let cacheAlone = RedisUse(countsLimits: false, storesAnswers: true)
                #expect(found.facts.risks(for: cacheAlone, under: settings) == [])
                let refusal = try await inspection.tryWork(
                    at: place, until: loop.now + .seconds(10))
                #expect(refusal == nil)
            }
        }
    }

    @Test func `a server that is full, and a replica, refuse to work`() throws {
        try RedisServer.run { master in
            // Not even its own clients have room in so little.
            try RedisServer.run(["--maxmemory", "1", "--maxmemory-policy", "noeviction"]) { full in
                try RedisServer.run(["--replicaof", "127.0.0.1", "\(master.port)"]) { replica in
                    let (full, replica) = (settings(full), settings(replica))
                    try LiveLoop.run { loop async throws in
                        let refusal = try await RedisInspection(full, loop: loop)
                            .tryWork(at: full.topology.places[0], until: loop.now + .seconds(10))
                        #expect(refusal?.text.hasPrefix("OOM ") ?? false)
                        let looked = await RedisInspection(full, loop: loop)
                            .look(until: loop.now + .seconds(10))
                        let facts = try looked.get()
                        #expect(
                            facts.risks(for: limitsAndCache, under: full) == [.cacheFillsMemory])

                        let read = try await RedisInspection(replica, loop: loop)
                            .tryWork(at: replica.topology.places[0], until: loop.now + .seconds(10))
                        #expect(read?.text.hasPrefix("READONLY ") ?? false)
                        let second = try await RedisInspection(replica, loop: loop)
                            .look(until: loop.now + .seconds(10)).get()
                        #expect(second.risks(for: limitsAndCache, under: replica) == [.isReplica])
                    }
                }
            }
        }
    }

    @Test func `a server that is not there, or wants another password, is a failure`() throws {
        try RedisServer.run(["--requirepass", "sesame"]) { server in
            var settings = settings(server)
            try LiveLoop.run { loop async throws in
                let without = await RedisInspection(settings, loop: loop)
                    .look(until: loop.now + .seconds(10))
                guard case .failure(.server(let error)) = without else {
                    Issue.record("\(without)")
                    return
                }
                #expect(error.kind == .noAuthentication)
                settings.password = "sesame"
                let with = await RedisInspection(settings, loop: loop)
                    .look(until: loop.now + .seconds(10))
                #expect(try with.get().role == "master")
                server.stop()
                let gone = await RedisInspection(settings, loop: loop)
                    .look(until: loop.now + .seconds(10))
                #expect(throws: RedisConnectFailure.self) { try gone.get() }
            }
        }
    }

    @Test func `an old server, a sentinel and a server of a cluster are told apart`() {
        let single = RedisSettings(topology: .single(.unix("/r")))
        func risks(_ info: String, _ settings: RedisSettings) -> [RedisRisk] {
            RedisFacts(info: info).risks(for: limitsAndCache, under: settings)
        }
        #expect(
            risks("redis_version:4.0.14\r\nrole:master\r\n", single) == [.isOld(version: "4.0.14")])
        #expect(risks("redis_version:7.0.15\r\nredis_mode:sentinel\r\n", single) == [.isSentinel])
        let member = "redis_version:7.0.15\nredis_mode:cluster\nrole:slave\n"
        #expect(risks(member, single) == [.isCluster, .isReplica])
        #expect(risks(member, RedisSettings(topology: .cluster([.unix("/r")]))) == [])
        #expect(risks("nonsense", single) == [])
        // Without a bound nothing is evicted.
        #expect(risks("maxmemory:0\nmaxmemory_policy:allkeys-lru\n", single) == [])
    }
}
