import Foundation
import Testing

extension Integration {
    /// Three processes that share a Redis: what is purged in one is purged in all.
    struct FleetTests {
        private static func rest(_ isShared: Bool) -> String {
            """
            cache: {memory: 64MiB, ttl: 10m, redis: \(isShared)}
            routes:
              - {path: /sync, methods: [POST], invalidates: [t]}
              - {path: /**, cache: {ttl: 10m, tags: [t]}}
            """
        }

        /// An origin that says how often the scenario has changed what it says.
        private struct Source {
            let version = Board(0)
            let origin: RawOrigin

            init() throws {
                origin = try RawOrigin(answering: { [version] request in
                    response("200 OK", ["Cache-Control: max-age=600"], body: "\(version.value)")
                })
            }
        }

        private func withFleet(
            _ source: Source, _ redis: RedisServer, of count: Int = 3, isShared: Bool = false,
            _ fleet: [RunningWeir] = [],
            _ body: ([RunningWeir]) throws -> Void
        ) throws {
            guard fleet.count < count else {
                try awaitConnected(fleet)
                return try body(fleet)
            }
            let text = "redis: \(redis.url)\n" + Self.rest(isShared)
            try Weir.run(configuration(source.origin, text)) {
                try withFleet(
                    source, redis, of: count, isShared: isShared, fleet + [$0], body)
            }
        }

        private func awaitConnected(_ fleet: [RunningWeir]) throws {
            for weir in fleet {
                try awaitMetric(weir, "weir_fleet_connected", 1)
                try awaitMetric(weir, "weir_fleet_replicas", Double(fleet.count))
            }
        }

        private func awaitMetric(_ weir: RunningWeir, _ name: String, _ value: Double) throws {
            let end = Date(timeIntervalSinceNow: patience.inSeconds)
            while try weir.metric(name) != value {
                guard Date() < end else {
                    throw Failure("\(name) is \(try weir.metric(name)), not \(value)")
                }
                usleep(10_000)
            }
        }

        private func purge(_ weir: RunningWeir, _ query: String) throws -> JSON {
            let admin = try #require(weir.admin)
            let answer = try RawConnection(to: admin).ask(
                request("/cache/purge?\(query)", method: "POST"))
            #expect(answer.status == 200, "\(answer.text)")
            return try #require(JSON(answer.text))
        }

        /// Lets every process store the present version, changes it, lets `change` purge, and waits until no process
        /// gives the old one; returns how long that took from the end of `change`.
        private func measure(
            _ fleet: [RunningWeir], _ source: Source, _ path: String,
            _ change: (RunningWeir) throws -> Void
        ) throws -> Duration {
            let old = "\(source.version.value)"
            for weir in fleet {
                #expect(try weir.ask(request(path)).text == old)
                #expect(
                    try weir.ask(request(path))["cache-status"]?.hasPrefix("weir; hit") == true)
            }
            source.version.add()
            let connections = try fleet.map { try $0.connect() }
            try change(fleet[0])
            let clock = ContinuousClock()
            let start = clock.now
            var last = start
            for connection in connections {
                while true {
                    let text = try connection.ask(request(path)).text
                    if text != old { break }
                    last = clock.now
                    guard last - start < patience else { throw Failure("a stale answer stays") }
                }
            }
            return last - start
        }

        @Test func `a purge in one process is one in all`() throws {
            try RedisServer.run { redis throws in
                let source = try Source()
                defer { source.origin.close() }
                try withFleet(source, redis) { fleet throws in
                    var slowest = Duration.zero
                    for round in 0..<20 {
                        for query in [
                            "kind=tag&value=t", "kind=prefix&value=/x", "kind=all",
                            "kind=url&value=http://api.test/x\(round)",
                        ] {
                            let time = try measure(fleet, source, "/x\(round)") { weir throws in
                                #expect(try purge(weir, query)["redis"] == "reached")
                            }
                            slowest = max(slowest, time)
                        }
                        // Unsafe requests: the tags of their route, and their own target.
                        for path in ["/sync", "/x\(round)"] {
                            let time = try measure(fleet, source, "/x\(round)") { weir throws in
                                #expect(
                                    try weir.ask(request(path, method: "POST")).status == 200)
                            }
                            slowest = max(slowest, time)
                        }
                    }
                    print("a purge reached all processes within \(slowest)")
                    #expect(slowest < .milliseconds(500))
                    let sent = try fleet[0].metric("weir_fleet_purges_total{way=\"sent\"}")
                    #expect(sent >= 120)
                    for weir in fleet[1...] {
                        try awaitMetric(weir, "weir_fleet_purges_total{way=\"received\"}", sent)
                        // The first entry of the sequence is none.
                        try awaitMetric(weir, "weir_fleet_purge_sequence", sent + 1)
                    }
                    #expect(try fleet[0].metric("weir_fleet_purges_total{way=\"received\"}") == 0)
                }
            }
        }

        @Test(arguments: ["pubsub", "normal"], [false, true])
        func `who loses its connection reads what it missed`(kind: String, isShared: Bool) throws {
            try RedisServer.run { redis in
                let source = try Source()
                defer { source.origin.close() }
                try withFleet(source, redis, isShared: isShared) { fleet in
                    var slowest = Duration.zero
                    for _ in 0..<3 {
                        // Connections that break at once are made again ever later.
                        usleep(1_100_000)
                        let time = try measure(fleet, source, "/x") { weir throws in
                            try redis.ask("CLIENT", "KILL", "TYPE", kind)
                            _ = try purge(weir, "kind=tag&value=t")
                        }
                        slowest = max(slowest, time)
                    }
                    print("a purge after lost connections (\(kind)) reached all in \(slowest)")
                    #expect(slowest < .milliseconds(500))
                    try awaitConnected(fleet)
                }
            }
        }

        @Test(arguments: [false, true])
        func `purges wait while Redis is away, and none is missed`(isKilled: Bool) throws {
            try RedisServer.run { redis throws in
                let source = try Source()
                defer { source.origin.close() }
                try withFleet(source, redis) { fleet throws in
                    let time = try measure(fleet, source, "/x") { weir throws in
                        if isKilled { try redis.kill() } else { redis.freeze() }
                        // Made there before the fault is known, or after it.
                        #expect(try purge(weir, "kind=tag&value=t")["redis"] == "waiting")
                        #expect(try purge(weir, "kind=tag&value=u")["redis"] == "waiting")
                        #expect(try weir.metric("weir_fleet_purges_waiting") == 2)
                        #expect(try weir.metric("weir_fleet_replicas") == 3)
                        if isKilled { try redis.start() } else { redis.thaw() }
                    }
                    print("a purge reached all \(time) after Redis was back")
                    #expect(time < .seconds(3))
                    for weir in fleet { try awaitMetric(weir, "weir_fleet_connected", 1) }
                    try awaitMetric(fleet[0], "weir_fleet_purges_waiting", 0)
                    // And right after it.
                    let next = try measure(fleet, source, "/x") { weir throws in
                        #expect(try purge(weir, "kind=all")["redis"] == "reached")
                    }
                    print("the next one \(next)")
                    #expect(next < .milliseconds(500))
                }
            }
        }

        @Test func `Redis that lost the purges begins a sequence anew, and none is missed`() throws
        {
            try RedisServer.run { redis in
                let source = try Source()
                defer { source.origin.close() }
                try withFleet(source, redis) { fleet throws in
                    for last in 1...3 {
                        _ = try purge(fleet[1], "kind=tag&value=u")
                        // All of them, or, as after a failover, the last ones.
                        try redis.ask("XTRIM", "weir:f:{fleet}:purges", "MAXLEN", "\(last)")
                        if last == 1 {
                            try redis.ask("DEL", "weir:f:{fleet}:purges")
                        } else {
                            let entry = try redis.ask(
                                "XREVRANGE", "weir:f:{fleet}:purges", "+", "-", "COUNT", "1")
                            let name = entry.split(separator: "\n").first.map(String.init)
                            try redis.ask("DEL", "weir:f:{fleet}:purges")
                            try redis.ask(
                                "XADD", "weir:f:{fleet}:purges", try #require(name), "g", "77",
                                "r", "")
                        }
                        let time = try measure(fleet, source, "/x") { weir throws in
                            #expect(try purge(weir, "kind=tag&value=t")["redis"] == "reached")
                        }
                        print("a purge in a new sequence reached all in \(time)")
                        #expect(time < .milliseconds(500))
                        let sequence = try fleet[0].metric("weir_fleet_purge_sequence")
                        for weir in fleet {
                            try awaitMetric(weir, "weir_fleet_purges_waiting", 0)
                            #expect(sequence > 0)
                        }
                    }
                }
            }
        }

        @Test func `answers that were purged leave Redis, and nothing else does`() throws {
            try RedisServer.run { redis in
                let source = try Source()
                defer { source.origin.close() }
                try withFleet(source, redis, of: 1) { fleet throws in
                    let names = (0..<1200).map { "weir:c:{GET:api.test:/\($0)}" }
                    let others = ["weir:l:x", "weir:c", "other:c:{GET:api.test:/0}"]
                    let values = (names + others).flatMap { [$0, "1"] }
                    let end = try Program.run(
                        ["/usr/bin/redis-cli", "-p", "\(redis.port)", "MSET"] + values)
                    #expect(end.status == 0)
                    _ = try purge(fleet[0], "kind=url&value=http://api.test/7")
                    #expect(try redis.ask("EXISTS", names[7], names[8]) == "1")
                    _ = try purge(fleet[0], "kind=all&soft=true")
                    _ = try purge(fleet[0], "kind=all")
                    let until = Date(timeIntervalSinceNow: patience.inSeconds)
                    while try redis.ask("DBSIZE") != "5" && Date() < until { usleep(10_000) }
                    #expect(
                        Set(try redis.ask("KEYS", "*").split(separator: "\n").map(String.init))
                            == Set(
                                others + ["weir:f:{fleet}:members", "weir:f:{fleet}:purges"]))
                    #expect(try redis.calls(of: "keys") == 1)
                }
            }
        }

        @Test func `what is popular is known to a new process, from Redis`() throws {
            try RedisServer.run { redis in
                for isNew in [false, true] {
                    let origin = try RawOrigin(answering: { request in
                        response(body: request.target)
                    })
                    defer { origin.close() }
                    let text =
                        "redis: \(redis.url)\ncache: {ttl: 1h, warm: {top: 100%, chance: 1%}}"
                    try Weir.run(configuration(origin, text)) { weir throws in
                        try awaitMetric(weir, "weir_fleet_connected", 1)
                        if isNew {
                            let line = try weir.program.awaitLine("popular keys loaded") {
                                $0.lazy.compactMap(JSON.init).first {
                                    $0["event"] == "popular keys loaded"
                                }
                            }
                            #expect(line["file"] == "redis" && line["keys"] == "2")
                            try origin.awaitRequests(2)
                        } else {
                            let client = try weir.connect()
                            for target in ["/a?b=c", "/d", "/a?b=c", "/a?b=c", "/d", "/once"] {
                                _ = try client.ask(request(target))
                            }
                        }
                        weir.program.signal(SIGTERM)
                        #expect(try weir.program.awaitExit() == 0)
                    }
                    if isNew {
                        #expect(Set(origin.requests.map(\.target)) == ["/a?b=c", "/d"])
                    }
                    #expect(
                        try redis.ask("ZREVRANGE", "weir:p:{popular}", "0", "-1", "WITHSCORES")
                            == "api.test\t/a?b=c\n2\napi.test\t/d\n1")
                }
            }
        }

        @Test func `who lives is counted: a process that leaves, and one that is killed`() throws {
            try RedisServer.run { redis throws in
                let source = try Source()
                defer { source.origin.close() }
                try withFleet(source, redis) { fleet throws in
                    for weir in fleet { try awaitMetric(weir, "weir_fleet_replicas", 3) }
                    fleet[1].program.signal(SIGTERM)
                    try fleet[1].program.awaitExit()
                    #expect(try redis.ask("ZCARD", "weir:f:{fleet}:members") == "2")
                    fleet[2].program.signal(SIGKILL)
                    try fleet[2].program.awaitExit()
                    try awaitMetric(fleet[0], "weir_fleet_replicas", 1)
                }
            }
        }
    }
}
