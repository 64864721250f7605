import Foundation
import Testing

extension Integration {
    /// Limits in Redis while Redis is away: what each `on_redis_failure` does, how long it takes, and what is after it.
    struct RedisFailureTests {
        private static let lines = """
            limits:
              local: {rate: 10/day, per: ip, algorithm: sliding_window}
              allow: {rate: 2/day, per: ip, algorithm: fixed_window, on_redis_failure: allow}
              deny: {rate: 1000/day, per: ip, algorithm: token_bucket, on_redis_failure: deny}
            routes:
              - {path: /local, limits: [local]}
              - {path: /allow, limits: [allow]}
              - {path: /deny, limits: [deny]}
            """

        @Test func `a Redis that has stopped is replaced by what each limit says, and used again`()
            throws
        {
            try scenario { weir, redis in
                for _ in 0..<4 { #expect(try weir.ask(request("/local")).status == 200) }
                #expect(try weir.ask(request("/allow")).status == 200)
                #expect(try weir.ask(request("/deny")).status == 200)
                redis.stop()

                // Four were let pass by Redis, and count.
                let local = try (0..<8).map { _ in try weir.ask(request("/local")).status }
                #expect(local == [200, 200, 200, 200, 200, 200, 429, 429])
                for _ in 0..<5 { #expect(try weir.ask(request("/allow")).status == 200) }
                let denied = try weir.ask(request("/deny"))
                #expect(denied.status == 503)
                #expect(denied["retry-after"] == "1")
                #expect(
                    denied.text == """
                        {"error":"Rate limit unavailable","detail":"This limit cannot be counted \
                        at the moment","limit":"deny","retry_after":1}

                        """)
                let problem = try weir.ask(
                    request("/deny", ["Accept: application/problem+json"]))
                #expect(problem.text.contains("#temporary-reduced-capacity"))
                for (name, count) in [("local", 8), ("allow", 5), ("deny", 2)] {
                    let counted = try weir.metric(
                        "weir_limit_redis_failures_total{limit=\"\(name)\",policy=\"\(name)\"}")
                    #expect(Int(counted) == count)
                }

                // It comes back empty, without the script.
                try redis.start()
                try eventually("Redis is used again", within: .seconds(2)) {
                    try weir.ask(request("/deny")).status == 200
                }
                #expect(try redis.calls(of: "eval") >= 1)
                #expect(try weir.ask(request("/local")).status == 200)
                #expect(try redis.ask("EXISTS", "weir:l:{ip=127.0.0.1}:local:window") == "1")
            }
        }

        @Test func `a Redis that hangs costs one deadline, and then nothing`() throws {
            try scenario { weir, redis in
                #expect(try weir.ask(request("/deny")).status == 200)
                redis.freeze()
                let client = try weir.connect()
                let (status, first) = try time { try client.ask(request("/deny")).status }
                #expect(status == 503)
                // The deadline is 50 ms; the bounds are for busy machines.
                #expect(first < .seconds(1))
                let (statuses, rest) = try time {
                    try (0..<50).map { _ in try client.ask(request("/deny")).status }
                }
                #expect(statuses == Array(repeating: 503, count: 50))
                // Were it one deadline each, it would be 2.5 s.
                #expect(rest < .seconds(1.5))
                redis.thaw()
                try eventually("Redis is used again", within: .seconds(2)) {
                    try client.ask(request("/deny")).status == 200
                }
            }
        }

        private func scenario(_ body: (RunningWeir, RedisServer) throws -> Void) throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                try Weir.run(
                    configuration(origin, "workers: 1\nredis: \(redis.url)\n\(Self.lines)")
                ) { weir in try body(weir, redis) }
            }
        }
    }
}

/// Asks again and again, without a pause but the question's own, until the answer is yes.
private func eventually(
    _ what: String, within bound: Duration, _ isSo: () throws -> Bool
) throws {
    let clock = ContinuousClock()
    let end = clock.now + bound
    while clock.now < end { if try isSo() { return } }
    throw Failure("not within \(bound): \(what)")
}
