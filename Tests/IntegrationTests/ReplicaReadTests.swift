import Foundation
import Testing

extension Integration {
    /// Answers read from replicas of Redis: they take the reading off the master, and nothing else changes.
    struct ReplicaReadTests {
        private static let cache = "memory: 64MiB"

        /// A master, a replica, and two processes that read from it when `body` begins.
        private func run(
            _ origin: RawOrigin, timeout: String = "2s", cache: String = cache,
            _ body: (_ master: RedisServer, _ replica: RedisServer, [RunningWeir]) throws -> Void
        ) throws {
            try RedisServer.run(replicas: 1) { master, replicas in
                let text = SharedCacheTests.text(
                    origin, master, "read_replicas: true, timeout: \(timeout)", cache: cache)
                try Weir.run(text) { first in
                    try Weir.run(text) { second in
                        for weir in [first, second] {
                            try SharedCacheTests.awaitFollowing(weir)
                            try awaitReading(weir)
                        }
                        try body(master, replicas[0], [first, second])
                    }
                }
            }
        }

        /// Asks for what nobody has until a replica says so.
        private func awaitReading(_ weir: RunningWeir) throws {
            try waitFor("a replica is asked") {
                let before = try answers(weir, "nothing")
                _ = try weir.ask(request("/new?\(UInt64.random(in: 0...UInt64.max))"))
                return try answers(weir, "nothing") > before
            }
        }

        private func answers(_ weir: RunningWeir, _ outcome: String) throws -> Int {
            Int(try weir.metric(#"weir_cache_redis_replica_total{outcome="\#(outcome)"}"#))
        }

        private func name(_ target: String) -> String { "weir:c:{GET:api.test:\(target)}" }

        @Test func `what one process stored, another one reads from the replica`() throws {
            let origin = try SharedCacheTests.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try run(origin) { master, replica, fleet in
                for n in 0..<5 {
                    _ = try fleet[0].ask(request("/\(n)"))
                    try replica.await(name("/\(n)"))
                }
                let asked = origin.requests.count
                let reads = try master.calls(of: "get")
                for n in 0..<5 {
                    let answer = try fleet[1].ask(request("/\(n)"))
                    #expect(answer.text == "/\(n)")
                    #expect(answer["cache-status"]?.hasSuffix("; detail=redis") == true)
                }
                #expect(origin.requests.count == asked)
                #expect(try master.calls(of: "get") == reads)
                #expect(try answers(fleet[1], "hit") == 5)
                #expect(try fleet[1].metric(#"weir_cache_redis_total{outcome="hit"}"#) == 5)
            }
        }

        @Test func `what was purged stays so, though the replica still has it`() throws {
            let version = Board(0)
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=600"], body: "\(version.value)")
            })
            defer { origin.close() }
            try run(origin) { master, replica, fleet in
                _ = try fleet[0].ask(request("/x"))
                try replica.await(name("/x"))
                try replica.fallBehind()
                version.add()
                let sequence = try fleet[1].metric("weir_fleet_purge_sequence")
                let before = try answers(fleet[1], "nothing")
                let admin = try #require(fleet[0].admin)
                let purged = try RawConnection(to: admin).ask(
                    request(
                        "/cache/purge?kind=url&value=http://api.test/x", method: "POST"))
                #expect(purged.status == 200, "\(purged.text)")
                try waitFor("the master has it no more") {
                    try master.ask("EXISTS", name("/x")).hasPrefix("0")
                }
                try waitFor("the other process knows") {
                    try fleet[1].metric("weir_fleet_purge_sequence") > sequence
                }
                // The other process has it in no memory: it can come from the origin or a Redis.
                #expect(try fleet[1].ask(request("/x")).text == "1")
                // The replica, which was not known to lag yet, was asked, and its old answer was not used.
                #expect(try answers(fleet[1], "nothing") == before + 1)
                #expect(try replica.ask("EXISTS", name("/x")).hasPrefix("1"))
                // Nor is it later, by whom else it may be asked.
                try Weir.run(
                    SharedCacheTests.text(
                        origin, master, "read_replicas: true, timeout: 2s", cache: Self.cache)
                ) { third in
                    try SharedCacheTests.awaitFollowing(third)
                    #expect(try third.ask(request("/x")).text == "1")
                }
                #expect(try fleet[1].ask(request("/x")).text == "1")
            }
        }

        @Test func `what the replica does not have yet is not fetched again`() throws {
            let origin = try SharedCacheTests.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try run(origin, cache: Self.cache + ", collapse: cluster") { master, replica, fleet in
                try replica.fallBehind()
                _ = try fleet[0].ask(request("/x"))
                try master.await(name("/x"))
                let asked = origin.requests.count
                let answer = try fleet[1].ask(request("/x"))
                #expect(answer["cache-status"]?.hasSuffix("; detail=redis") == true)
                #expect(origin.requests.count == asked)
                #expect(try replica.ask("EXISTS", name("/x")).hasPrefix("0"))
            }
        }

        @Test func `a replica that stands still, dies or is away costs no more than Redis may`()
            throws
        {
            let origin = try SharedCacheTests.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try run(origin) { master, replica, fleet in
                for n in 0..<20 { _ = try fleet[0].ask(request("/\(n)")) }
                try replica.await(name("/19"))
                replica.freeze()
                var slow = 0
                for n in 0..<10 {
                    let began = Date()
                    let answer = try fleet[1].ask(request("/\(n)"))
                    #expect(answer["cache-status"]?.hasSuffix("; detail=redis") == true)
                    let time = Date().timeIntervalSince(began)
                    // A quarter of `timeout` for the replica, then its master.
                    if time > 0.4 { slow += 1 }
                    #expect(time < 2)
                }
                #expect(slow <= 1)
                try replica.kill()
                for n in 10..<20 {
                    let answer = try fleet[1].ask(request("/\(n)"))
                    #expect(answer["cache-status"]?.hasSuffix("; detail=redis") == true)
                }
                #expect(try answers(fleet[1], "failed") >= 20)
                #expect(try fleet[1].metric("weir_redis_degraded") == 0)
                try replica.start()
                try awaitReading(fleet[1])
            }
        }

        @Test func `a cluster's answers come from the replica of whoever has the slot`() throws {
            let origin = try SharedCacheTests.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try RedisServerCluster.run(replica: true) { cluster in
                // Those of the first server, which has the replica.
                let targets = try (0..<60).map { "/\($0)" }.filter {
                    let slot = try cluster.servers[1].ask("CLUSTER", "KEYSLOT", name($0))
                    return Int(slot.prefix { $0.isNumber }) ?? 0 <= 5460
                }
                let nodes = cluster.servers.map { "'127.0.0.1:\($0.port)'" }
                let text = configuration(
                    origin,
                    "workers: 1\nredis: {cluster: [\(nodes.joined(separator: ", "))], "
                        + "read_replicas: true, timeout: 2s}\ncache: {redis: true, \(Self.cache)}")
                try Weir.run(text) { first in
                    try Weir.run(text) { second in
                        for weir in [first, second] {
                            try SharedCacheTests.awaitFollowing(weir)
                            try awaitReading(weir)
                        }
                        for target in targets { _ = try first.ask(request(target)) }
                        let asked = origin.requests.count
                        let offset =
                            try cluster.servers[0].ask("INFO", "replication")
                            .split(whereSeparator: \.isNewline)
                            .first { $0.hasPrefix("master_repl_offset") } ?? ""
                        try waitFor("the replica has them") {
                            let found = try cluster.servers[3].ask("INFO", "replication")
                            return found.split(whereSeparator: \.isNewline).contains {
                                $0.hasPrefix("slave_repl_offset")
                                    && Int($0.drop { $0 != ":" }.dropFirst()) ?? 0
                                        >= Int(offset.drop { $0 != ":" }.dropFirst()) ?? 0
                            }
                        }
                        let reads = try cluster.servers[0].calls(of: "get")
                        for target in targets {
                            let answer = try second.ask(request(target))
                            #expect(answer["cache-status"]?.hasSuffix("; detail=redis") == true)
                        }
                        #expect(targets.count > 5)
                        #expect(origin.requests.count == asked)
                        #expect(try cluster.servers[0].calls(of: "get") == reads)
                        #expect(try answers(second, "hit") == targets.count)
                    }
                }
            }
        }
    }
}
