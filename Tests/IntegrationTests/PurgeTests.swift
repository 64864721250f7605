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
            #expect(answer["surrogate-key"] == nil)
            return answer["cache-status"] ?? ""
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
            ["cache", "keys"], ["cache", "stats", "x"], ["cache", "--json"],
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
