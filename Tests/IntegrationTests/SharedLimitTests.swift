import Foundation
import Testing

extension Integration {
    /// Limits that several processes count together in a real Redis.
    struct SharedLimitTests {
        private static let limit = 30

        @Test(arguments: [
            ("{rate: 30/hour, per: global, algorithm: sliding_window}", 30),
            ("{rate: 30/hour, per: ip, algorithm: fixed_window}", 30),
            ("{rate: 30/hour, per: ip, algorithm: fixed_window, phase: key}", 30),
            ("{rate: 30/hour, per: ip, algorithm: sliding_log}", 30),
            ("{rate: 30/hour, per: [ip, endpoint], algorithm: token_bucket, burst: 30}", 30),
            ("{rate: 1/hour, per: ip, algorithm: leaky_bucket, max_delay: 1s}", 1),
        ])
        func `of twenty times the limit exactly the limit passes, over three processes`(
            limit: String, quota: Int
        ) throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            // A run that the end of an hour falls into is run again.
            var admitted = -1
            for _ in 0..<2 where admitted != quota {
                admitted = try RedisServer.run { redis in
                    try fleet(of: 3, origin, redis.url, "limits: {a: \(limit)}") { weirs in
                        try flood(weirs).filter { $0 == 200 }.count
                    }
                }
            }
            #expect(admitted == quota)
        }

        @Test func `a worker asks once in a turn of its loop, however many requests it has`() throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                let limits = "limits: {a: {rate: 100000/day, per: ip}}"
                try fleet(of: 1, origin, redis.url, limits) { weirs in
                    let turns = try weirs[0].metric("weir_loop_turns_total")
                    let statuses = try concurrently(32) { _ in
                        let client = try weirs[0].connect()
                        return try (0..<50).map { _ in try client.ask(request("/x")).status }
                    }
                    #expect(statuses.joined().allSatisfy { $0 == 200 })
                    let passed = try weirs[0].metric("weir_loop_turns_total") - turns
                    let calls = try redis.calls(of: "evalsha") + redis.calls(of: "eval")
                    #expect(
                        calls > 0 && Double(calls) <= passed, "\(calls) calls in \(passed) turns")
                    #expect(calls < 1600, "each of 1,600 decisions was a call of its own")
                }
            }
        }

        @Test
        func `a request is charged under all its limits or under none, wherever they are counted`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                let limits = """
                    limits:
                      wide: {rate: 500/day, per: ip, algorithm: sliding_window}
                      narrow: {rate: 7/day, per: ip, algorithm: sliding_log}
                      own: {rate: 500/day, per: ip, algorithm: sliding_window, consistency: process}
                      tried: {rate: 9/day, per: ip, algorithm: sliding_log, mode: shadow}
                    """
                try fleet(of: 1, origin, redis.url, limits) { weirs in
                    let statuses = try (0..<20).map { _ in
                        try weirs[0].ask(request("/x")).status
                    }
                    #expect(
                        statuses == Array(repeating: 200, count: 7)
                            + Array(repeating: 429, count: 13))
                    let refused = try weirs[0].ask(request("/x"))
                    let fields = try #require(refused["ratelimit"])
                    #expect(fields.contains("\"wide\";r=493"), "\(fields)")
                    #expect(fields.contains("\"narrow\";r=0"), "\(fields)")
                    #expect(fields.contains("\"own\";r=493"), "\(fields)")
                    #expect(!fields.contains("tried"), "\(fields)")
                    #expect(refused["x-ratelimit-limit"] == "7")
                    #expect(refused.text.contains("\"limit\":\"narrow\""))
                    let shadow = try weirs[0].metric(
                        "weir_limit_decisions_total{limit=\"tried\",outcome=\"admitted\"}")
                    #expect(shadow == 9)
                }
            }
        }

        @Test func `an answer that does not count is given back in Redis`() throws {
            let origin = try RawOrigin(answering: { asked in
                response(asked.target == "/wrong" ? "401 Unauthorized" : "200 OK")
            })
            defer { origin.close() }
            try RedisServer.run { redis in
                let limits =
                    "limits: {a: {rate: 5/day, per: ip, algorithm: sliding_window, count: [401]}}"
                try fleet(of: 1, origin, redis.url, limits) { weirs in
                    let client = try weirs[0].connect()
                    for _ in 0..<20 { #expect(try client.ask(request("/right")).status == 200) }
                    let last = try client.ask(request("/right"))
                    #expect(last["x-ratelimit-remaining"] == "5")
                    for _ in 0..<5 { #expect(try client.ask(request("/wrong")).status == 401) }
                    #expect(try client.ask(request("/right")).status == 429)
                }
            }
        }

        @Test func `explain asks Redis and charges nothing`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                let limits = "limits: {a: {rate: 5/day, per: ip, algorithm: sliding_window}}"
                try fleet(of: 2, origin, redis.url, limits) { weirs in
                    #expect(try weirs[0].ask(request("/x")).status == 200)
                    for _ in 0..<10 {
                        // The other process asks about what the first one has charged.
                        let end = try Program.run([
                            Weir.path, "explain", "--admin",
                            "http://\(try #require(weirs[1].admin))",
                            "--request", "GET /x", "--ip", "127.0.0.1",
                        ])
                        #expect(end.output.contains("level  4 left"), "\(end)")
                    }
                }
            }
        }

        @Test func `in a cluster a decision goes from slot to slot, and exactly the limit passes`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServerCluster.run { cluster in
                let nodes = cluster.servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ", ")
                let limits = """
                    limits:
                      a: {rate: 500/day, per: ip, algorithm: sliding_window}
                      b: {rate: 30/day, per: global, algorithm: sliding_log}
                      c: {rate: 500/day, per: endpoint, algorithm: sliding_window}
                    """
                try fleet(of: 2, origin, "{cluster: [\(nodes)], timeout: 2s}", limits) { weirs in
                    let statuses = try flood(weirs, clients: 8, each: 10)
                    #expect(statuses.filter { $0 == 200 }.count <= 30)
                    #expect(statuses.allSatisfy { $0 == 200 || $0 == 429 })
                    // What waited for others' units to be given back passes now.
                    while try weirs[0].ask(request("/x")).status == 200 {}
                    #expect(origin.requests.count == 30)
                    let refused = try weirs[1].ask(request("/x"))
                    let fields = try #require(refused["ratelimit"])
                    #expect(fields.contains("\"b\";r=0"), "\(fields)")
                    try waitFor("what was charged in other slots is given back") {
                        let fields = try weirs[1].ask(request("/x"))["ratelimit"] ?? ""
                        return fields.contains("\"a\";r=470")
                    }
                }
            }
        }

        @Test func `a busy turn of the loop asks once for all its requests`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                let limits = """
                    limits:
                      a: {rate: 1000000/hour, per: ip, algorithm: token_bucket}
                      b: {rate: 1000000/hour, per: global, algorithm: fixed_window}
                    """
                try fleet(of: 1, origin, redis.url, limits) { weirs in
                    let statuses = try flood(weirs, clients: 64, each: 40)
                    #expect(statuses.allSatisfy { $0 == 200 })
                    let calls = try redis.calls(of: "evalsha") + redis.calls(of: "eval")
                    // 2560 decisions of two limits each.
                    #expect(calls < 2560)
                    #expect(try redis.calls(of: "mget") <= calls)
                }
            }
        }
    }
}

/// Statuses of what many clients ask in parallel.
private func flood(_ weirs: [RunningWeir], clients: Int = 24, each: Int = 25) throws -> [Int] {
    let (ready, start) = (Board(0), Gate())
    let go = Background {
        try ready.reach(clients)
        start.open()
    }
    let statuses = try concurrently(clients) { index in
        let client = try weirs[index % weirs.count].connect()
        ready.add()
        try start.pass()
        return try (0..<each).map { _ in try client.ask(request("/x")).status }
    }
    try go.value()
    return statuses.flatMap { $0 }
}
