import Foundation
import Testing

extension Integration {
    /// Sets of tags in Redis: a purge gives the memory of what it means back at once, and of nothing else.
    struct TagSetTests {
        /// An origin whose answers have the tags of their path: `/one/two/7` has `one` and `two`.
        private func origin(_ fields: String...) throws -> RawOrigin {
            try RawOrigin(answering: { request in
                let tags = request.target.split(separator: "/").dropLast().joined(separator: " ")
                return response(
                    "200 OK", ["Cache-Control: max-age=600", "Surrogate-Key: \(tags)"] + fields,
                    body: request.target)
            })
        }

        private func purge(_ weir: RunningWeir, _ query: String) throws {
            let admin = try #require(weir.admin)
            let answer = try RawConnection(to: admin).ask(
                request("/cache/purge?\(query)", method: "POST"))
            #expect(answer.text.contains("reached"), "\(answer.text)")
        }

        private func number(_ text: String) -> Int {
            Int(text.prefix { $0.isNumber || $0 == "-" }) ?? 0
        }

        @Test func `a set lives as long as its answers, and a purge by tag empties it`() throws {
            let origin = try origin()
            defer { origin.close() }
            try SharedCacheTests.fleet(2, origin) { redis, fleet in
                for n in 0..<300 { _ = try fleet[n % 2].ask(request("/one/two/\(n)")) }
                for n in 0..<10 { _ = try fleet[0].ask(request("/two/\(n)")) }
                try redis.awaitKeys(310)
                try redis.await("the sets are there") {
                    try number(redis.ask("ZCARD", "weir:t:{one}")) == 300
                        && number(redis.ask("ZCARD", "weir:t:{two}")) == 310
                }
                let name = "weir:c:{GET:api.test:/one/two/7}"
                #expect(
                    try number(redis.ask("PTTL", "weir:t:{one}"))
                        >= number(redis.ask("PTTL", name)))
                try self.purge(fleet[1], "kind=tag&value=one&soft=true")
                #expect(try redis.keys().count == 310)
                try self.purge(fleet[1], "kind=tag&value=one")
                try redis.awaitKeys(10)
                try redis.await("the set is gone") {
                    try number(redis.ask("EXISTS", "weir:t:{one}")) == 0
                }
                #expect(try fleet[1].metric("weir_cache_redis_freed_total") == 300)
                let done = #"weir_jobs_total{kind="free",priority="low",outcome="done"}"#
                try redis.await("the job has ended") { try fleet[1].metric(done) == 1 }
                // Its members that are gone leave the other set when that is walked over.
                try self.purge(fleet[0], "kind=tag&value=two")
                try redis.awaitKeys(0)
                try redis.await("the set is gone") {
                    try number(redis.ask("EXISTS", "weir:t:{two}")) == 0
                }
                #expect(try redis.calls(of: "keys") == 0)
                let errors = #"weir_redis_failures_total{redis="redis",reason="error"}"#
                // The script of sets was not known at first.
                #expect(try fleet[0].metric(errors) <= 20)
            }
        }

        @Test func `what is stored after a purge stays, whatever set it is in`() throws {
            let origin = try origin()
            defer { origin.close() }
            try SharedCacheTests.fleet(1, origin) { redis, fleet in
                for n in 0..<20 { _ = try fleet[0].ask(request("/t/\(n)")) }
                try redis.awaitKeys(20)
                for query in ["kind=tag&value=t", "kind=prefix&value=/t"] {
                    let number = try fleet[0].metric("weir_fleet_purge_sequence")
                    try self.purge(fleet[0], query)
                    // What is fetched before the purge has a number here counts as older.
                    try waitFor("the purge is numbered") {
                        try fleet[0].metric("weir_fleet_purge_sequence") > number
                    }
                    for n in 0..<20 {
                        _ = try fleet[0].ask(request("/t/\(n)"))
                        _ = try fleet[0].ask(request("/other/\(n)"))
                    }
                    let before = try fleet[0].metric("weir_cache_redis_freed_total")
                    // Another purge walks over the same names.
                    try self.purge(fleet[0], "kind=glob&value=/nothing/*")
                    try self.awaitFree(fleet[0])
                    #expect(try fleet[0].metric("weir_cache_redis_freed_total") == before)
                    try redis.awaitKeys(40)
                }
            }
        }

        private func awaitFree(_ weir: RunningWeir) throws {
            try waitFor("what was purged is freed") {
                try ["waiting", "running"].allSatisfy {
                    try weir.metric(#"weir_jobs{kind="free",priority="low",state="\#($0)"}"#) == 0
                }
            }
        }

        @Test func `a group is one of its host; a variant and one's own answer are found too`()
            throws
        {
            let origin = try origin("Cache-Groups: \"g\"", "Vary: Accept-Language")
            defer { origin.close() }
            try SharedCacheTests.fleet(1, origin) { redis, fleet in
                for host in ["a.test", "b.test"] {
                    for language in ["de", "en"] {
                        let text =
                            "GET /t/1 HTTP/1.1\r\nHost: \(host)\r\n"
                            + "Accept-Language: \(language)\r\n\r\n"
                        #expect(try fleet[0].ask(text).status == 200)
                    }
                }
                // Two answers of each host, and what they vary by.
                try redis.awaitKeys(6)
                try self.purge(fleet[0], "kind=group&value=a.test%20g")
                try redis.awaitKeys(4)
                try self.awaitFree(fleet[0])
                #expect(try redis.keys().filter { $0.contains("b.test") }.count == 3)
                try self.purge(fleet[0], "kind=prefix&value=a.test/")
                // What a key's answers vary by leaves with a walk over all names.
                try redis.awaitKeys(3)
            }
        }

        @Test func `an answer with many tags is in so many sets, and is dead by all of them`()
            throws
        {
            let tags = (0..<100).map { "t\($0)" }.joined(separator: " ")
            let origin = try RawOrigin(answering: { _ in
                response(
                    "200 OK", ["Cache-Control: max-age=600", "Surrogate-Key: \(tags)"], body: "x")
            })
            defer { origin.close() }
            try SharedCacheTests.fleet(1, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/x"))
                try redis.await("the sets are there") {
                    try redis.ask("--scan", "--pattern", "weir:t:*").split(separator: "\n").count
                        == 32
                }
                try self.purge(fleet[0], "kind=tag&value=t99")
                #expect(
                    try fleet[0].ask(request("/x"))["cache-status"]?.contains("fwd=uri-miss")
                        == true)
                #expect(origin.requests.count == 2)
            }
        }

        @Test
        func `a Redis that is full refuses sets as it does answers, and is read all the same`()
            throws
        {
            let text = String(repeating: "x", count: 100_000)
            let origin = try RawOrigin(answering: { _ in
                response(
                    "200 OK", ["Cache-Control: max-age=600", "Surrogate-Key: one two"], body: text)
            })
            defer { origin.close() }
            try SharedCacheTests.fleet(2, origin) { redis, fleet in
                _ = try fleet[0].ask(request("/kept"))
                try redis.awaitKey("weir:c:{GET:api.test:/kept}")
                try redis.ask("CONFIG", "SET", "maxmemory", "1mb")
                for n in 0..<50 { _ = try fleet[0].ask(request("/\(n)")) }
                for weir in fleet {
                    #expect(try weir.metric("weir_redis_degraded") == 0)
                    #expect(try weir.metric(#"weir_redis_outages_total{redis="redis"}"#) == 0)
                }
                let answer = try fleet[1].ask(request("/kept"))
                #expect(answer["cache-status"]?.contains("detail=redis") == true)
            }
        }

        @Test func `a walk is seen while it runs, and does not keep the process from leaving`()
            throws
        {
            let origin = try origin()
            defer { origin.close() }
            try SharedCacheTests.fleet(1, origin) { redis, fleet in
                let values = (0..<60_000).flatMap { ["weir:c:{GET:api.test:/\($0)}", "1"] }
                for part in stride(from: 0, to: values.count, by: 10_000) {
                    let end = try Program.run(
                        ["/usr/bin/redis-cli", "-p", "\(redis.port)", "MSET"]
                            + values[part..<min(part + 10_000, values.count)])
                    #expect(end.status == 0)
                }
                try self.purge(fleet[0], "kind=all")
                try redis.await("the job is seen") {
                    let jobs = try fleet[0].askAdmin("/jobs").text
                    return jobs.contains(#""of":"all names""#) && jobs.contains(#""servers":1"#)
                        && !jobs.contains(#""freed":0,"#)
                }
                #expect(try fleet[0].askAdmin("/health").text.contains("warming") == false)
                let began = Date()
                fleet[0].program.signal(SIGTERM)
                #expect(try fleet[0].program.awaitExit() == 0)
                #expect(Date().timeIntervalSince(began) < 2)
                #expect(try number(redis.ask("DBSIZE")) > 1000)
            }
        }
    }
}
