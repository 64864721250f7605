import Foundation
import Testing

extension Integration {
    /// Answers in Redis: what one process stored, another one serves; whatever becomes of Redis, clients do not notice.
    struct SharedCacheTests {
        // MARK: The second level

        @Test func `what one process stored is a hit in another one, with its age`() throws {
            let origin = try Self.origin("Cache-Control: max-age=600", "Age: 7", "ETag: \"a\"")
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                let first = try fleet[0].ask(request("/x?a=1"))
                #expect(first["cache-status"] == "weir; fwd=uri-miss; fwd-status=200; stored")
                try redis.awaitKey("weir:c:{GET:api.test:/x?a=1}")
                let second = try fleet[1].ask(request("/x?a=1"))
                #expect(second["cache-status"]?.hasPrefix("weir; hit; ttl=59") == true)
                #expect(second["cache-status"]?.hasSuffix("; detail=redis") == true)
                #expect(second["age"].flatMap { Int($0) } ?? 0 >= 7)
                #expect(second.text == first.text)
                #expect(second["etag"] == "\"a\"")
                let line = try fleet[1].awaitLog("the hit") { $0["path"] == "/x" }
                #expect(line["cache"] == "hit")
                #expect(line["cache_level"] == "2")
                // From now on it is in memory, too.
                let third = try fleet[1].ask(request("/x?a=1"))
                #expect(third["cache-status"]?.contains("detail") == false)
                #expect(origin.requests.count == 1)
                #expect(try fleet[1].metric(#"weir_cache_redis_total{outcome="hit"}"#) == 1)
            }
        }

        @Test func `variants stand beside each other, and each process finds its own`() throws {
            let origin = try RawOrigin(answering: { request in
                response(
                    "200 OK", ["Cache-Control: max-age=600", "Vary: Accept-Language"],
                    body: request["accept-language"] ?? "none")
            })
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                for language in ["de", "en"] {
                    _ = try fleet[0].ask(request("/v", ["Accept-Language: \(language)"]))
                }
                try redis.awaitKeys(3)
                for language in ["en", "de"] {
                    let answer = try fleet[1].ask(request("/v", ["Accept-Language: \(language)"]))
                    #expect(answer.text == language)
                    #expect(answer["cache-status"]?.contains("detail=redis") == true)
                }
                #expect(try fleet[1].ask(request("/v")).text == "none")
                #expect(origin.requests.count == 3)
            }
        }

        @Test func `a damaged value is ignored and replaced`() throws {
            let origin = try Self.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                let name = "weir:c:{GET:api.test:/x}"
                _ = try fleet[0].ask(request("/x"))
                try redis.awaitKey(name)
                let good = try redis.ask("STRLEN", name)
                try redis.ask("SETRANGE", name, "40", "damage")
                let answer = try fleet[1].ask(request("/x"))
                #expect(answer["cache-status"] == "weir; fwd=uri-miss; fwd-status=200; stored")
                #expect(answer.text == "/x")
                try redis.await("it is replaced") {
                    try redis.ask("GETRANGE", name, "40", "45") != "damage\n"
                }
                #expect(try redis.ask("STRLEN", name) == good)
                // What is no value of ours, or of another kind, is none either.
                try redis.ask("SET", "weir:c:{GET:api.test:/y}", "hello")
                try redis.ask("RPUSH", "weir:c:{GET:api.test:/z}", "hello")
                #expect(try fleet[1].ask(request("/y")).text == "/y")
                #expect(try fleet[1].ask(request("/z")).text == "/z")
                #expect(try fleet[1].metric("weir_cache_redis_unusable_total") == 2)
                #expect(origin.requests.count == 4)
            }
        }

        @Test func `a stale value is asked about, not fetched again`() throws {
            let origin = try RawOrigin(answering: { request in
                request["if-none-match"] == "\"a\""
                    ? response("304 Not Modified", ["Cache-Control: max-age=600", "ETag: \"a\""])
                    : response(
                        "200 OK", ["Cache-Control: max-age=1", "ETag: \"a\""], body: "text")
            })
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x"))
                try redis.awaitKey("weir:c:{GET:api.test:/x}")
                Thread.sleep(forTimeInterval: 1.1)
                let answer = try fleet[1].ask(request("/x"))
                #expect(answer.text == "text")
                #expect(answer["cache-status"]?.contains("fwd-status=304; stored") == true)
                #expect(origin.requests.count == 2)
                #expect(origin.requests.last?["if-none-match"] == "\"a\"")
            }
        }

        @Test func `what is too large, private or for one user stays where it is`() throws {
            let large = String(repeating: "x", count: 1 << 20 + 1)
            let origin = try RawOrigin(answering: { request in
                request.target == "/large"
                    ? response("200 OK", ["Cache-Control: max-age=600"], body: large)
                    : response("200 OK", ["Cache-Control: private, max-age=600"], body: "mine")
            })
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/large"))
                _ = try fleet[0].ask(request("/private"))
                #expect(
                    try fleet[0].ask(request("/large"))["cache-status"]?.contains("hit") == true)
                _ = try fleet[1].ask(request("/private"))
                #expect(try redis.keys().isEmpty)
                #expect(origin.requests.count == 3)
            }
        }

        @Test
        func `an answer to a request with credentials is found by those with the right to it`()
            throws
        {
            let origin = try Self.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x"))
                try redis.awaitKey("weir:c:{GET:api.test:/x}")
                let answer = try fleet[1].ask(request("/x", ["Authorization: Bearer secret"]))
                #expect(answer["cache-status"]?.contains("hit") == false)
                #expect(try fleet[1].ask(request("/x"))["cache-status"]?.contains("redis") == true)
            }
        }

        @Test func `a process that starts is warmed from Redis, not from the origin`() throws {
            let origin = try Self.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try Self.fleet(1, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/w"))
                try redis.awaitKey("weir:c:{GET:api.test:/w}")
                let cache = "memory: 64MiB, warm: {host: api.test, urls: [/w]}"
                try Weir.run(Self.text(origin, redis, cache: cache)) { new in
                    try redis.await("it is warm") {
                        try new.metric(#"weir_cache_redis_total{outcome="hit"}"#) == 1
                    }
                    let answer = try new.ask(request("/w"))
                    #expect(answer["cache-status"]?.hasPrefix("weir; hit; ttl=") == true)
                    #expect(answer["cache-status"]?.contains("detail") == false)
                    #expect(origin.requests.count == 1)
                }
            }
        }

        @Test func `where a key means something else its answer is not used`() throws {
            let origin = try Self.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try Self.fleet(1, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x?b=1"))
                try redis.awaitKey("weir:c:{GET:api.test:/x?b=1}")
                let cache = "memory: 64MiB, ignore_query: [a]"
                try Weir.run(Self.text(origin, redis, cache: cache)) { other in
                    try Self.awaitFollowing(other)
                    let answer = try other.ask(request("/x?b=1"))
                    #expect(answer["cache-status"]?.contains("fwd=uri-miss") == true)
                    #expect(try other.metric("weir_cache_redis_unusable_total") == 1)
                }
            }
        }

        // MARK: Faults

        @Test func `Redis frozen: no error, and one deadline at most`() throws {
            let origin = try Self.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try Self.fleet(2, origin, "timeout: 100ms") { redis, fleet in
                _ = try fleet[0].ask(request("/warm"))
                redis.freeze()
                defer { redis.thaw() }
                let began = Date()
                for n in 0..<20 {
                    #expect(try fleet[0].ask(request("/\(n)")).status == 200)
                }
                #expect(Date().timeIntervalSince(began) < 1.5)
                #expect(try fleet[0].ask(request("/warm"))["cache-status"]?.contains("hit") == true)
                redis.thaw()
                try redis.await("it is used again") {
                    _ = try fleet[0].ask(request("/again?\(Int.random(in: 0..<1_000_000))"))
                    return try redis.keys().contains { $0.contains("/again") }
                }
            }
        }

        @Test func `Redis gone and back, empty: clients see nothing of it`() throws {
            let origin = try Self.origin("Cache-Control: max-age=600")
            defer { origin.close() }
            try Self.fleet(1, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/a"))
                redis.stop()
                for n in 0..<5 { #expect(try fleet[0].ask(request("/gone/\(n)")).status == 200) }
                try redis.start()
                try redis.await("it is used again") {
                    _ = try fleet[0].ask(request("/again?\(Int.random(in: 0..<1_000_000))"))
                    return try redis.keys().contains { $0.contains("/again") }
                }
            }
        }

        // MARK: Purges

        @Test func `an unsafe method in one process makes what another one stored in Redis dead`()
            throws
        {
            let version = Board(0)
            let origin = try RawOrigin(answering: { request in
                if request.method == "POST" { version.add() }
                return response(
                    "200 OK", ["Cache-Control: max-age=600"], body: "\(version.value)")
            })
            defer { origin.close() }
            try Self.fleet(2, origin) { redis, fleet in
                #expect(try fleet[0].ask(request("/x")).text == "0")
                try redis.awaitKey("weir:c:{GET:api.test:/x}")
                #expect(
                    try fleet[1].ask(request("/x", method: "POST", ["Content-Length: 0"])).status
                        == 200)
                #expect(try fleet[1].ask(request("/x")).text == "1")
            }
        }
    }
}

extension Integration.SharedCacheTests {
    /// An origin that answers with these fields.
    static func origin(_ fields: String...) throws -> RawOrigin {
        try RawOrigin(answering: { request in response("200 OK", fields, body: request.target) })
    }

    /// Runs a Redis and `count` processes at it, which follow its purges when `body` begins.
    static func fleet(
        _ count: Int, _ origin: RawOrigin, _ redisLine: String = "timeout: 500ms",
        cache: String = "memory: 64MiB", _ body: (RedisServer, [RunningWeir]) throws -> Void
    ) throws {
        try RedisServer.run { redis in
            let text = text(origin, redis, redisLine, cache: cache)
            try run(count, text, []) { fleet in
                for weir in fleet { try awaitFollowing(weir) }
                try body(redis, fleet)
            }
        }
    }

    /// A configuration of a process at this Redis.
    static func text(
        _ origin: RawOrigin, _ redis: RedisServer, _ redisLine: String = "timeout: 500ms",
        cache: String
    ) -> String {
        configuration(
            origin,
            "workers: 1\nredis: {url: '\(redis.url)', \(redisLine)}\ncache: {redis: true, \(cache)}"
        )
    }

    private static func run(
        _ count: Int, _ text: String, _ running: [RunningWeir],
        _ body: ([RunningWeir]) throws -> Void
    ) throws {
        if count == 0 { return try body(running) }
        try Weir.run(text) { try run(count - 1, text, running + [$0], body) }
    }

    /// Waits until a process knows all purges, and so uses what is in Redis.
    static func awaitFollowing(_ weir: RunningWeir) throws {
        let deadline = Date(timeIntervalSinceNow: patience.inSeconds)
        while try weir.metric("weir_fleet_connected") != 1
            || weir.metric("weir_fleet_purge_sequence") < 1
        {
            guard Date() < deadline else { throw Failure("purges are not followed") }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }
}

extension RedisServer {
    /// The names of all answers.
    func keys() throws -> [String] {
        try ask("--scan", "--pattern", "weir:c:*").split(separator: "\n").map(String.init)
    }

    func awaitKey(_ name: String) throws {
        try `await`("the key \(name)") { try ask("EXISTS", name).hasPrefix("1") }
    }

    func awaitKeys(_ count: Int) throws {
        try `await`("\(count) keys") { try keys().count == count }
    }

    /// Asks again and again until `body` says yes: Redis announces nothing of this.
    func `await`(_ what: String, _ body: () throws -> Bool) throws {
        let deadline = Date(timeIntervalSinceNow: patience.inSeconds)
        while try !body() {
            guard Date() < deadline else { throw Failure("\(what): not in time; \(try keys())") }
            Thread.sleep(forTimeInterval: 0.01)
        }
    }
}
