import BinaryKit
import Testing

extension Integration {
    /// What an operator sees of Redis: before the start, and when it goes and comes back.
    struct RedisOutageTests {
        private func configuration(_ redis: RedisServer, origin: Place) -> String {
            """
            listen: 127.0.0.1:0
            admin: 127.0.0.1:0
            upstream: http://\(origin)
            redis: \(redis.url)
            cache: 5m

            """
        }

        @Test func `an outage is one line, degraded and served, and so is its end`() throws {
            try Weir.demo { origin in
                try RedisServer.run { redis in
                    try Weir.run(configuration(redis, origin: origin)) { weir in
                        let before = try weir.askAdmin("/health").text
                        #expect(before.contains("\"status\":\"healthy\""))
                        #expect(before.contains("\"redis\":true"))
                        #expect(before.contains("\"redis\":\"ok\""))
                        #expect(try weir.metric("weir_redis_up{redis=\"redis\"}") == 1)

                        redis.stop()
                        let gone = try weir.program.awaitLine("redis unavailable") { lines in
                            lines.lazy.compactMap(JSON.init).first {
                                $0["event"] == "redis unavailable"
                            }
                        }
                        #expect(gone["level"] == "error" && gone["reason"]?.isEmpty == false)
                        for path in ["/readyz", "/healthz", "/health"] {
                            let answer = try weir.askAdmin(path)
                            #expect(answer.status == 200)
                            #expect(answer.text.contains("\"redis\":\"degraded\""))
                            #expect(answer.text.contains("\"status\":\"degraded\""))
                        }
                        #expect(try weir.metric("weir_redis_up{redis=\"redis\"}") == 0)
                        #expect(try weir.metric("weir_redis_degraded") == 1)
                        #expect(try weir.ask(request("/")).status < 500)

                        try redis.start()
                        let back = try weir.program.awaitLine("redis available again") { lines in
                            lines.lazy.compactMap(JSON.init).first {
                                $0["event"] == "redis available again"
                            }
                        }
                        #expect(back.numbers.contains("after_ms"))
                        #expect(try weir.askAdmin("/readyz").text.contains("\"redis\":\"ok\""))
                        #expect(try weir.metric("weir_redis_outages_total{redis=\"redis\"}") == 1)
                        let lines = weir.program.output.value.compactMap(JSON.init)
                        #expect(lines.count { $0["event"] == "redis unavailable" } == 1)
                    }
                }
            }
        }

        @Test func `check --connect says what a Redis is, and that it is away`() throws {
            try Weir.demo { origin in
                try RedisServer.run { redis in
                    let file = configuration(redis, origin: origin)
                    let well = try Weir.ends(["check", "FILE", "--connect"], file: file)
                    #expect(well.status == 0)
                    let place = "redis: 127.0.0.1:\(redis.port): "
                    #expect(well.output.contains("\(place)ok, Redis "))
                    #expect(well.output.contains("maxmemory-policy noeviction"))
                    #expect(well.output.contains("\(place)ok, writes and scripts work"))
                    // A replica takes no writes.
                    try redis.ask("REPLICAOF", "127.0.0.1", "\(try freePort())")
                    let replica = try Weir.ends(["check", "FILE", "--connect"], file: file)
                    #expect(replica.status == 69)
                    #expect(replica.output.contains("it is a replica"))
                    #expect(replica.output.contains("\(place)failed: READONLY "))
                    redis.stop()
                    let gone = try Weir.ends(["check", "FILE", "--connect"], file: file)
                    #expect(gone.status == 69)
                    #expect(gone.output.contains("\(place)failed: Connection refused"))
                }
            }
        }
    }
}
