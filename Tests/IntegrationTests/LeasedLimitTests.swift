import Foundation
import Testing

extension Integration {
    /// Limits whose units several processes lease from a real Redis.
    struct LeasedLimitTests {
        private static let kinds = [
            "algorithm: fixed_window", "algorithm: sliding_window",
            "algorithm: token_bucket, burst: 900",
        ]

        private static func limits(_ rate: String, _ kind: String, _ more: String = "") -> String {
            "limits: {a: {rate: \(rate), per: global, \(kind), consistency: leased\(more)}}"
        }

        @Test(arguments: kinds)
        func `three processes with 80, 15 and 5 of 100 requests use all of a limit, and no more`(
            kind: String
        ) throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            // A run that the end of an hour falls into is run again.
            var admitted = 0
            for _ in 0..<2 where !(855...900).contains(admitted) {
                admitted = try RedisServer.run { redis in
                    try leasing(3, origin, redis, Self.limits("900/hour", kind)) { weirs in
                        let shares = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2]
                        let statuses = try concurrently(shares.count) { index in
                            let client = try weirs[shares[index]].connect()
                            let pause: UInt32 = shares[index] == 2 ? 1000 : 0
                            return try (0..<300).map { _ in
                                usleep(pause)
                                return try client.ask(request("/x")).status
                            }
                        }
                        // What was held elsewhere when these were refused goes back, and is used by who asks again.
                        usleep(1_500_000)
                        let late = try (0..<900).map { number in
                            if number % 100 == 99 { usleep(300_000) }
                            return try weirs[number % 3].ask(request("/x")).status
                        }
                        return (statuses.flatMap { $0 } + late).filter { $0 == 200 }.count
                    }
                }
            }
            // A bucket gets back one token in four seconds.
            #expect(admitted >= 855 && admitted <= 900 + (kind.contains("bucket") ? 10 : 0))
        }

        @Test(arguments: kinds)
        func `processes that are killed again and again never make more pass than the limit`(
            kind: String
        ) throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            var admitted = 0
            for _ in 0..<2 where admitted == 0 || admitted > 900 {
                admitted = try RedisServer.run { redis in
                    try leasing(2, origin, redis, Self.limits("900/hour", kind)) { weirs in
                        let steady = Background {
                            try concurrently(2) { index in
                                let client = try weirs[index].connect()
                                return try (0..<800).map { _ in
                                    usleep(2000)
                                    return try client.ask(request("/x")).status
                                }
                            }
                        }
                        var statuses: [Int] = []
                        for _ in 0..<4 {
                            try leasing(1, origin, redis, Self.limits("900/hour", kind)) { weirs in
                                let client = try weirs[0].connect()
                                for _ in 0..<60 {
                                    statuses.append(try client.ask(request("/x")).status)
                                }
                                weirs[0].program.signal(SIGKILL)
                            }
                        }
                        statuses += try steady.value().flatMap { $0 }
                        return statuses.filter { $0 == 200 }.count
                    }
                }
            }
            #expect(admitted > 300 && admitted <= 900 + (kind.contains("bucket") ? 10 : 0))
        }

        @Test func `under a limit that is not reached few decisions ask Redis`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                try leasing(
                    3, origin, redis, Self.limits("1000000/minute", "algorithm: token_bucket")
                ) { weirs in
                    let statuses = try concurrently(12) { index in
                        let client = try weirs[index % 3].connect()
                        return try (0..<1000).map { _ in
                            try client.ask(request("/x")).status
                        }
                    }
                    #expect(statuses.joined().allSatisfy { $0 == 200 })
                    let calls = try redis.calls(of: "evalsha") + redis.calls(of: "eval")
                    #expect(calls <= 600, "\(calls) calls for 12,000 decisions")
                }
            }
        }

        @Test
        func `in a cluster units of several slots are leased, and no more pass than the limit`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServerCluster.run { cluster in
                let nodes = cluster.servers.map { "127.0.0.1:\($0.port)" }.joined(separator: ", ")
                let limits = """
                    limits:
                      a: {rate: 100000/day, per: ip, algorithm: fixed_window, consistency: leased}
                      b: {rate: 400/day, per: global, algorithm: fixed_window, consistency: leased}
                      c: {rate: 100000/day, per: endpoint, algorithm: fixed_window, consistency: leased}
                    """
                try fleet(of: 2, origin, "{cluster: [\(nodes)], timeout: 2s}", limits) { weirs in
                    let early = try concurrently(6) { index in
                        let client = try weirs[index % 2].connect()
                        return try (0..<100).map { _ in try client.ask(request("/x")).status }
                    }
                    // What one held when the other was refused goes back, and is used by who asks again.
                    usleep(1_500_000)
                    let late = try (0..<200).map { number in
                        try weirs[number % 2].ask(request("/x")).status
                    }
                    let statuses = early.flatMap { $0 } + late
                    #expect(statuses.allSatisfy { $0 == 200 || $0 == 429 })
                    let admitted = statuses.filter { $0 == 200 }.count
                    #expect(admitted >= 380 && admitted <= 400, "\(admitted)")
                    let calls = try cluster.servers.map {
                        try $0.calls(of: "evalsha") + $0.calls(of: "eval")
                    }
                    #expect(calls.reduce(0, +) < 800, "\(calls) calls for 800 decisions")
                }
            }
        }

        @Test func `what a process holds goes back when it drains`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            let limits = Self.limits("400/day", "algorithm: sliding_window")
            try RedisServer.run { redis in
                try leasing(1, origin, redis, limits) { weirs in
                    try leasing(1, origin, redis, limits) { others in
                        let client = try others[0].connect()
                        for _ in 0..<100 {
                            #expect(try client.ask(request("/x")).status == 200)
                        }
                        others[0].program.signal(SIGTERM)
                        try others[0].program.awaitExit()
                    }
                    let client = try weirs[0].connect()
                    var admitted = 0
                    while try client.ask(request("/x")).status == 200 { admitted += 1 }
                    #expect(admitted == 300)
                    let refused = try client.ask(request("/x"))
                    #expect(refused["x-ratelimit-remaining"] == "0")
                    #expect(refused["retry-after"] != nil)
                }
            }
        }

        @Test func `without Redis what is held is spent, and then each limit does as it says`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            let kind = "algorithm: fixed_window"
            for (choice, rest) in [("deny", 503), ("allow", 200), ("local", 429)] {
                try RedisServer.run { redis in
                    let limits = Self.limits("300/day", kind, ", on_redis_failure: \(choice)")
                    try leasing(1, origin, redis, limits) { weirs in
                        let client = try weirs[0].connect()
                        for _ in 0..<100 {
                            #expect(try client.ask(request("/x")).status == 200)
                        }
                        redis.stop()
                        let statuses = try (0..<400).map { _ in
                            try client.ask(request("/x")).status
                        }
                        #expect(statuses.allSatisfy { $0 == 200 || $0 == rest })
                        #expect(statuses.last == rest)
                        if choice == "local" {
                            #expect(statuses.filter { $0 == 200 }.count == 200)
                        }
                    }
                }
            }
        }
    }
}

/// Several processes that lease from `redis` while `body` runs.
private func leasing<Result>(
    _ count: Int, _ origin: RawOrigin, _ redis: RedisServer, _ lines: String,
    _ body: ([RunningWeir]) throws -> Result
) throws -> Result {
    try fleet(of: count, origin, "{url: \"\(redis.url)\", timeout: 500ms}", lines, body)
}
