import Foundation
import Testing

extension Integration {
    /// Limits on a real process with several workers.
    struct LimitTests {
        private static let limit = 150
        private static let clients = 64

        @Test(arguments: [
            "{rate: 150/hour, per: global, algorithm: sliding_window}",
            "{rate: 150/hour, per: ip, algorithm: fixed_window}",
            "{rate: 150/hour, per: ip, algorithm: fixed_window, phase: key}",
            "{rate: 150/hour, per: ip, algorithm: sliding_log}",
            "{rate: 150/hour, per: [ip, endpoint], algorithm: token_bucket, burst: 150}",
        ])
        func
            `of twenty times the limit exactly the limit passes, over four workers and 64 connections`(
                limit: String
            ) throws
        {
            // One token of 150 an hour comes back every 24 s, and a window of an hour ends seldom: a run
            // that a boundary falls into is run again.
            var admitted = -1
            for _ in 0..<2 where admitted != Self.limit { admitted = try Self.flood(limit) }
            #expect(admitted == Self.limit)
        }

        private static func flood(_ limit: String) throws -> Int {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            return try Weir.run(
                configuration(origin, "workers: 4\nlimits: [\(limit)]\nlog: {sample: 0%}")
            ) { weir throws in
                let (ready, start) = (Board(0), Gate())
                let go = Background {
                    try ready.reach(clients)
                    start.open()
                }
                let statuses = try concurrently(clients) { _ in
                    let client = try weir.connect()
                    ready.add()
                    try start.pass()
                    let each = (20 * Self.limit + clients - 1) / clients
                    var mine: [Int] = []
                    for _ in 0..<each { mine.append(try client.ask(request("/x")).status) }
                    return mine
                }
                try go.value()
                let all = statuses.flatMap { $0 }
                #expect(all.allSatisfy { $0 == 200 || $0 == 429 })
                let admitted = all.filter { $0 == 200 }.count
                #expect(origin.requests.count == admitted)
                let name = try #require(try weir.ask(request("/x"))["ratelimit-policy"]).split(
                    separator: "\"")[0]
                let counted = try weir.metric(
                    "weir_limit_decisions_total{limit=\"\(name)\",outcome=\"admitted\"}")
                #expect(Int(counted) == admitted)
                return admitted
            }
        }

        @Test
        func
            `each user, address and tier has its own count, and nobody names a user unless trusted`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response() })
            defer { origin.close() }
            func statuses(_ weir: RunningWeir, _ count: Int, _ fields: [String]) throws -> [Int] {
                let client = try weir.connect()
                return try (0..<count).map { _ in try client.ask(request("/", fields)).status }
            }
            let trusting = """
                identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID, tier: {from: header:X-Plan, default: free}}
                limits: [{rate: 2/hour, per: user, algorithm: sliding_window, tiers: {free: 2/hour, pro: 4/hour, internal: unlimited}}]
                """
            try Weir.run(configuration(origin, trusting)) { weir throws in
                #expect(try statuses(weir, 3, ["X-User-ID: 1"]) == [200, 200, 429])
                #expect(try statuses(weir, 3, ["X-User-ID: 2"]) == [200, 200, 429])
                #expect(
                    try statuses(weir, 5, ["X-User-ID: 3", "X-Plan: pro"]) == [
                        200, 200, 200, 200, 429,
                    ])
                #expect(
                    try statuses(weir, 9, ["X-User-ID: 4", "X-Plan: internal"]).allSatisfy {
                        $0 == 200
                    })
                // Without a user the address counts: the one behind the trusted proxy.
                #expect(try statuses(weir, 3, ["X-Forwarded-For: 192.0.2.1"]) == [200, 200, 429])
                #expect(
                    try statuses(weir, 3, ["X-Forwarded-For: 192.0.2.1, 192.0.2.2"]) == [
                        200, 200, 429,
                    ])
                #expect(try statuses(weir, 1, ["X-Forwarded-For: 192.0.2.9, 192.0.2.1"]) == [429])
            }
            let distrusting = """
                identity: {trusted_proxies: [10.0.0.0/8], user: header:X-User-ID}
                limits: [{rate: 2/hour, per: user}]
                """
            try Weir.run(configuration(origin, distrusting)) { weir throws in
                #expect(
                    try statuses(weir, 2, ["X-User-ID: 1", "X-Forwarded-For: 192.0.2.1"]) == [
                        200, 200,
                    ])
                #expect(
                    try statuses(weir, 1, ["X-User-ID: 2", "X-Forwarded-For: 192.0.2.2"]) == [429])
            }
        }

        @Test func `several limits are one decision, and a shadow does not vote`() throws {
            let origin = try RawOrigin(answering: { _ in response() })
            defer { origin.close() }
            let text = """
                limits:
                  narrow: {rate: 2/hour, per: endpoint}
                  wide: {rate: 5/hour, per: ip}
                  ghost: {rate: 1/hour, per: ip, mode: shadow}
                """
            try Weir.run(configuration(origin, text)) { weir throws in
                let client = try weir.connect()
                for _ in 0..<2 { #expect(try client.ask(request("/a")).status == 200) }
                for _ in 0..<9 {
                    let refused = try client.ask(request("/a"))
                    #expect(refused.status == 429)
                    #expect(JSON(refused.text)?["limit"] == "narrow")
                }
                // What was refused has not been charged to the wide one.
                let remaining = try client.ask(request("/a"))["ratelimit"] ?? ""
                #expect(remaining.contains("\"wide\";r=3"), "\(remaining)")
                #expect(
                    try weir.metric(
                        "weir_limit_decisions_total{limit=\"ghost\",outcome=\"shadow_refused\"}")
                        >= 1)
            }
        }

        @Test
        func `of many logins guessed at once over four workers exactly the limit reach the origin`()
            throws
        {
            let origin = try RawOrigin(answering: { request in
                // All are on their way before the first is answered.
                Thread.sleep(forTimeInterval: 0.3)
                return response(request.target.hasSuffix("good") ? "200 OK" : "401 Unauthorized")
            })
            defer { origin.close() }
            let text = """
                workers: 4
                limits: {login: {rate: 10/hour, per: ip, algorithm: fixed_window, count: [401]}}
                """
            try Weir.run(configuration(origin, text)) { weir throws in
                let guesses = try concurrently(40) { _ in
                    try weir.ask(request("/login/bad")).status
                }
                #expect(guesses.filter { $0 == 401 }.count == 10)
                #expect(guesses.filter { $0 == 429 }.count == 30)
                #expect(origin.requests.count == 10)
                #expect(try weir.metric("weir_limit_units_total{limit=\"login\"}") == 10)
            }
        }

        @Test
        func `no more are in flight than may be, over four workers, and every end makes room`()
            throws
        {
            let running = Board((now: 0, most: 0))
            let origin = try RawOrigin(answering: { _ in
                running.change {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                Thread.sleep(forTimeInterval: 0.05)
                running.change { $0.now -= 1 }
                return response(body: "ok")
            })
            defer { origin.close() }
            let text = "workers: 4\nlimits: {uploads: {concurrent: 5, per: ip}}"
            try Weir.run(configuration(origin, text)) { weir throws in
                let statuses = try concurrently(32) { _ in
                    var mine: [Int] = []
                    for _ in 0..<10 {
                        let client = try weir.connect()
                        mine.append(try client.ask(request("/")).status)
                    }
                    return mine
                }
                #expect(running.value.most <= 5)
                // Others leave in the middle; the origin learns that later than the limit does.
                try concurrently(16) { _ in try weir.connect().send(request("/")) }
                #expect(statuses.joined().contains(200))
                #expect(statuses.joined().allSatisfy { $0 == 200 || $0 == 429 })
                let held = "weir_limit_in_flight{limit=\"uploads\"}"
                try running.wait(for: "the origin's last answer") { $0.now == 0 ? () : nil }
                var left = 1.0
                for _ in 0..<50 where left > 0 {
                    Thread.sleep(forTimeInterval: 0.05)
                    left = try weir.metric(held)
                }
                #expect(left == 0)
                for _ in 0..<5 { #expect(try weir.ask(request("/")).status == 200) }
            }
        }
    }
}
