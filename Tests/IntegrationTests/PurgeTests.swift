import Foundation
import Testing

extension Integration {
    /// `weir purge` and `weir cache` between real clients, a real origin and the built binary.
    struct PurgeTests {
        private static func tagged() throws -> RawOrigin {
            try RawOrigin(answering: { request in
                response(
                    "200 OK",
                    [
                        "Cache-Control: max-age=600", "Surrogate-Key: analytics all",
                        "Cache-Groups: \"g\"",
                    ], body: request.target)
            })
        }

        private func cacheStatus(_ weir: RunningWeir, _ path: String) throws -> String {
            let answer = try weir.ask(request(path))
            let status = answer["cache-status"] ?? ""
            // What goes past the cache is not touched.
            #expect(answer["surrogate-key"] == nil || status.contains("bypass"))
            return status
        }

        @Test func `purged through the command: the next request goes to the origin`() throws {
            let origin = try Self.tagged()
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 4\ncache: {memory: 64MiB, ttl: 1s}")) {
                weir throws in
                let admin = "\(try #require(weir.admin))"
                for arguments in [
                    ["--tag", "analytics"], ["--glob", "/*"], ["--all"], ["--prefix", "/x"],
                    ["--url", "http://api.test/x"], ["--group", "api.test g"],
                ] {
                    _ = try cacheStatus(weir, "/x")
                    #expect(try cacheStatus(weir, "/x").hasPrefix("weir; hit"))
                    let before = origin.requests.count
                    let end = try Program.run(
                        [Weir.path, "purge", "--admin", admin] + arguments)
                    #expect(end.status == 0, "\(end.errors)")
                    #expect(JSON(end.output)?["soft"] == "0")
                    #expect(try cacheStatus(weir, "/x").contains("fwd=uri-miss"), "\(arguments)")
                    #expect(origin.requests.count == before + 1)
                }
                let stats = try Program.run([Weir.path, "cache", "--admin", admin])
                #expect(JSON(stats.output)?["entries"] == "1")
                let key = try Program.run(
                    [Weir.path, "cache", "key", "api.test/x", "--admin", admin])
                #expect(key.output.contains(#""tags":["analytics","all","g"]"#), "\(key.output)")
            }
        }

        @Test func `requests at the moment of a purge never bring the old answer back`() throws {
            let version = Board(0)
            let origin = try RawOrigin(answering: { request in
                response("200 OK", ["Cache-Control: max-age=600"], body: "\(version.value)")
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 4\ncache: {memory: 64MiB}")) {
                weir throws in
                let stop = Board(0)
                let admin = try #require(weir.admin)
                let clients = Background {
                    try concurrently(6) { _ in
                        let client = try weir.connect()
                        while stop.value == 0 {
                            try client.send(request("/x"))
                            _ = try client.readResponse()
                        }
                    }
                }
                for round in 1...30 {
                    version.add()
                    let answer = try RawConnection(to: admin).ask(
                        request("/cache/purge?kind=prefix&value=/x", method: "POST"))
                    #expect(answer.status == 200)
                    // What comes after the purge's answer was made after the change.
                    #expect(try weir.ask(request("/x")).text == "\(round)")
                }
                stop.add()
                _ = try clients.value()
            }
        }

        @Test(arguments: [
            ["purge"], ["purge", "--tag"], ["purge", "--tag", "a", "--url", "b"],
            ["purge", "--soft"], ["purge", "a"], ["purge", "--all", "--admin", "a/b"],
            ["purge", "--tag", "a", "--token", "x", "--token", "y"], ["cache", "key"],
            ["cache", "keys"], ["cache", "stats", "x"], ["cache", "--json"], ["cache", "bypass"],
            ["cache", "bypass", "maybe"], ["cache", "ttl"], ["cache", "stats", "--for", "1m"],
        ])
        func `wrong arguments end with 64`(arguments: [String]) throws {
            let end = try Weir.ends(arguments)
            #expect(end.status == 64)
            #expect(end.output == "")
            #expect(end.errors.contains("Usage:"))
        }

        @Test func `what the process refuses, or nobody answers, ends with 71`() throws {
            let origin = try Self.tagged()
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let admin = "\(try #require(weir.admin))"
                let end = try Program.run(
                    [Weir.path, "purge", "--glob", "x", "--admin", admin])
                #expect(end.status == 71)
                #expect(end.errors.contains("has no path"), "\(end.errors)")
            }
            let port = try freePort()
            let nobody = try Weir.ends(["purge", "--all", "--admin", "127.0.0.1:\(port)"])
            #expect(nobody.status == 71)
            #expect(nobody.errors.contains("cannot connect"))
        }

        @Test
        func `an unsafe request purges what its route and its answer name, a failed one nothing`()
            throws
        {
            let origin = try RawOrigin(answering: { request in
                guard request.startLine.hasPrefix("POST") else {
                    return response(
                        "200 OK", ["Cache-Control: max-age=600", "Cache-Groups: \"g\", \"h\""])
                }
                return response(
                    request.target.hasPrefix("/fail") ? "500 Oops" : "200 OK",
                    request.target.contains("group") ? ["Cache-Group-Invalidation: \"h\""] : [])
            })
            defer { origin.close() }
            let routes = """
                cache: {memory: 64MiB}
                routes:
                  - {path: "/sync/**", methods: [POST], invalidates: ["connection:{query.id}"]}
                  - {path: "/fail/**", methods: [POST], invalidates: ["connection:{query.id}"]}
                  - {path: "/c/{id}", cache: {ttl: 1h, tags: ["all", "connection:{path.id}"]}}
                  - {path: /**, cache: 1h}
                """
            try Weir.run(configuration(origin, "workers: 2\n" + routes)) { weir throws in
                func post(_ target: String) throws {
                    _ = try weir.ask(request(target, method: "POST"))
                }
                func isStored(_ target: String) throws -> Bool {
                    let status = try cacheStatus(weir, target)
                    return status.hasPrefix("weir; hit")
                }
                for path in ["/c/7", "/c/8", "/x"] { #expect(try !isStored(path)) }
                try post("/fail/a?id=7")
                #expect(try isStored("/c/7"))
                try post("/sync/a?id=%37")
                #expect(try !isStored("/c/7"))
                for path in ["/c/7", "/c/8", "/x"] { #expect(try isStored(path)) }
                // A group is named by the answer, whatever its status; on a safe request it means nothing.
                try post("/fail/group")
                for path in ["/c/7", "/c/8", "/x"] { #expect(try !isStored(path)) }
                _ = try weir.ask(request("/group"))
                #expect(try isStored("/x"))
                #expect(try weir.metric("weir_cache_purges_total{kind=\"tag\"}") == 1)
                #expect(try weir.metric("weir_cache_purges_total{kind=\"group\"}") == 1)
            }
        }

        @Test func `the switches are turned by the command, and logged once for each change`()
            throws
        {
            let origin = try Self.tagged()
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let admin = "\(try #require(weir.admin))"
                for words in [
                    ["bypass", "on", "--for", "30m"], ["bypass", "on", "--for", "20m"],
                    ["bypass", "off"], ["bypass", "off"], ["ttl", "1.5"],
                ] {
                    let end = try Program.run([Weir.path, "cache"] + words + ["--admin", admin])
                    #expect(end.status == 0, "\(end.errors)")
                    if words[1] == "on" {
                        #expect(try cacheStatus(weir, "/x").contains("detail=switched-off"))
                    }
                }
                _ = try weir.program.awaitLine("the last change") { lines in
                    lines.first { $0.contains("\"event\":\"cache ttl factor\"") }
                }
                let events = weir.program.output.value.compactMap { JSON($0)?["event"] }
                    .filter { $0.hasPrefix("cache ") }
                #expect(
                    events == [
                        "cache switched off", "cache switched off", "cache switched on",
                        "cache ttl factor",
                    ])
            }
        }

        @Test func `the commands that the manual prints do what they say`() throws {
            let origin = try Self.tagged()
            defer { origin.close() }
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let manual = try String(
                contentsOf: root.appendingPathComponent("docs/purge.md"), encoding: .utf8)
            let commands = manual.split(separator: "\n").filter { $0.hasPrefix("$ ") }
            #expect(commands.count >= 10)
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let admin = "\(try #require(weir.admin))"
                for command in commands {
                    var text = command.dropFirst(2)
                        .replacingOccurrences(of: "127.0.0.1:9900", with: admin)
                    if text.hasPrefix("weir ") {
                        text = "'\(Weir.path)' \(text.dropFirst(5)) --admin \(admin)"
                    }
                    let end = try Program.run(["/bin/bash", "-c", text])
                    #expect(end.status == 0, "\(command): \(end.errors)")
                    #expect(JSON(end.output)?["error"] == nil, "\(command): \(end.output)")
                }
            }
        }
    }
}
