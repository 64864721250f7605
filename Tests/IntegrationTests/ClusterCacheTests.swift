import Foundation
import Testing

extension Integration {
    /// Answers in a cluster of Redis, three masters, also while a slot moves from one to another.
    struct ClusterCacheTests {
        private func fleet(
            _ count: Int, _ origin: RawOrigin, cache: String = "memory: 64MiB",
            _ body: (RedisServerCluster, [RunningWeir]) throws -> Void
        ) throws {
            try RedisServerCluster.run { cluster in
                let nodes = cluster.servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ", ")
                let text = configuration(
                    origin,
                    """
                    workers: 1
                    redis: {cluster: [\(nodes)], timeout: 1s}
                    cache: {redis: true, \(cache)}
                    """)
                try run(count, text, []) { fleet in
                    for weir in fleet { try SharedCacheTests.awaitFollowing(weir) }
                    try body(cluster, fleet)
                }
            }
        }

        private func run(
            _ count: Int, _ text: String, _ running: [RunningWeir],
            _ body: ([RunningWeir]) throws -> Void
        ) throws {
            if count == 0 { return try body(running) }
            try Weir.run(text) { try run(count - 1, text, running + [$0], body) }
        }

        /// All names of answers, wherever they are.
        private func keys(_ cluster: RedisServerCluster) throws -> [String] {
            try cluster.servers.flatMap { try $0.keys() }
        }

        private func awaitKeys(_ cluster: RedisServerCluster, _ count: Int) throws {
            try waitFor("\(count) answers are there") { try keys(cluster).count == count }
        }

        private func purge(_ weir: RunningWeir, _ query: String) throws {
            let admin = try #require(weir.admin)
            let answer = try RawConnection(to: admin).ask(
                request("/cache/purge?\(query)", method: "POST"))
            #expect(answer.text.contains("reached"), "\(answer.text)")
        }

        private func tagged() throws -> RawOrigin {
            try RawOrigin(answering: { request in
                response(
                    "200 OK",
                    ["Cache-Control: max-age=600", "Surrogate-Key: t\(request.target.count) all"],
                    body: request.target)
            })
        }

        /// The slot of a key, and who has it at first.
        private func place(
            of key: String, _ cluster: RedisServerCluster
        ) throws -> (slot: Int, server: Int) {
            let answer = try cluster.servers[0].ask("CLUSTER", "KEYSLOT", key)
            let slot = try #require(Int(answer.prefix { $0.isNumber }))
            return (slot, min(slot / 5461, 2))
        }

        @Test func `what one process stored another one finds, on every master; purges reach all`()
            throws
        {
            let origin = try tagged()
            defer { origin.close() }
            try fleet(2, origin) { cluster, fleet in
                // 10 targets of 3 bytes, 90 of 4.
                let targets = (0..<100).map { "/x\($0)" }
                for target in targets { _ = try fleet[0].ask(request(target)) }
                try awaitKeys(cluster, 100)
                for server in cluster.servers { #expect(try server.keys().count > 5) }
                for target in targets {
                    let answer = try fleet[1].ask(request(target))
                    #expect(answer["cache-status"]?.contains("detail=redis") == true)
                    #expect(answer.text == target)
                }
                #expect(origin.requests.count == 100)
                // Of one URL, of a tag, of everything: dead at once, gone soon.
                try purge(fleet[1], "kind=url&value=http://api.test/x7")
                try awaitKeys(cluster, 99)
                try purge(fleet[1], "kind=tag&value=t4")
                try awaitKeys(cluster, 9)
                try purge(fleet[0], "kind=all")
                try awaitKeys(cluster, 0)
                #expect(try fleet[1].metric("weir_cache_redis_freed_total") == 90)
                #expect(try fleet[0].metric("weir_cache_redis_freed_total") == 9)
                let before = origin.requests.count
                #expect(
                    try fleet[0].ask(request("/x8"))["cache-status"]?.contains("uri-miss") == true)
                #expect(origin.requests.count == before + 1)
                for server in cluster.servers {
                    #expect(try server.calls(of: "keys") == 0)
                    #expect(try server.calls(of: "scan") > 0)
                }
                for weir in fleet {
                    #expect(try weir.metric(#"weir_redis_outages_total{redis="redis"}"#) == 0)
                }
            }
        }

        @Test
        func `one lease for the fleet, on every master: one request at the origin for each key`()
            throws
        {
            let origin = try RawOrigin(answering: { request in
                // Long enough for all to ask.
                usleep(100_000)
                return response("200 OK", ["Cache-Control: max-age=60"], body: request.target)
            })
            defer { origin.close() }
            try fleet(3, origin, cache: "memory: 64MiB, collapse: cluster") { cluster, fleet in
                for n in 0..<8 {
                    let answers = try concurrently(9) { index in
                        try fleet[index % 3].ask(request("/one/\(n)"))
                    }
                    #expect(answers.allSatisfy { $0.status == 200 && $0.text == "/one/\(n)" })
                }
                #expect(origin.requests.count == 8)
                try awaitKeys(cluster, 8)
                #expect(try keys(cluster).allSatisfy { !$0.hasSuffix(":lease") })
                let taken = try fleet.reduce(0) {
                    try $0 + $1.metric(#"weir_cache_leases_total{outcome="taken"}"#)
                }
                #expect(taken >= 8)
            }
        }

        @Test func `while a slot moves its answers are stored, found, leased and purged`() throws {
            let version = Board(0)
            let origin = try RawOrigin(answering: { _ in
                usleep(50_000)
                return response(
                    "200 OK", ["Cache-Control: max-age=600", "Surrogate-Key: t"],
                    body: "\(version.value)")
            })
            defer { origin.close() }
            try fleet(2, origin, cache: "memory: 64MiB, collapse: cluster") { cluster, fleet in
                let name = "weir:c:{GET:api.test:/moving}"
                let (slot, source) = try place(of: name, cluster)
                let target = (source + 1) % 3
                /// Both ask at once, and again: one request at the origin, and Redis has the answer.
                func round(_ server: Int) throws {
                    let before = origin.requests.count
                    let answers = try concurrently(2) { try fleet[$0].ask(request("/moving")) }
                    #expect(answers.allSatisfy { $0.text == "\(version.value)" })
                    #expect(origin.requests.count == before + 1)
                    try waitFor("it is stored") {
                        try cluster.servers[server].keys().contains(name)
                    }
                    // By its tag it is found, wherever that has its slot.
                    version.add()
                    try purge(fleet[version.value % 2], "kind=tag&value=t")
                    try waitFor("it is freed") { try keys(cluster).isEmpty }
                }
                try round(source)
                try cluster.begin(moving: slot, from: source, to: target)
                // There is none of it at the source: ASK.
                for _ in 0..<3 { try round(target) }
                try cluster.end(moving: slot, to: target)
                // MOVED.
                for _ in 0..<3 { try round(target) }
                for weir in fleet {
                    #expect(try weir.metric(#"weir_redis_outages_total{redis="redis"}"#) == 0)
                }
            }
        }

        @Test func `while the slot of the purges moves none is missed`() throws {
            let version = Board(0)
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=600"], body: "\(version.value)")
            })
            defer { origin.close() }
            try fleet(2, origin) { cluster, fleet in
                let (slot, source) = try place(of: "weir:f:{fleet}:purges", cluster)
                let target = (source + 1) % 3
                func round() throws {
                    let old = "\(version.value)"
                    for weir in fleet { #expect(try weir.ask(request("/x")).text == old) }
                    version.add()
                    try purge(fleet[0], "kind=url&value=http://api.test/x")
                    try waitFor("all have the new one") {
                        try fleet.allSatisfy { try $0.ask(request("/x")).text != old }
                    }
                }
                try round()
                try cluster.begin(moving: slot, from: source, to: target)
                let keys = ["weir:f:{fleet}:purges", "weir:f:{fleet}:members"]
                for key in keys {
                    try round()
                    try cluster.servers[source].ask(
                        "MIGRATE", "127.0.0.1", "\(cluster.servers[target].port)", key, "0", "5000")
                }
                try round()
                try cluster.end(moving: slot, to: target)
                try round()
                for weir in fleet { try SharedCacheTests.awaitFollowing(weir) }
            }
        }
    }
}
