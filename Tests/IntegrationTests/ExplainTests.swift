import Foundation
import Testing

extension Integration {
    /// `weir explain` as people type it.
    struct ExplainTests {
        private static let limits = """
            identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}
            limits:
              login: {rate: 3/hour, per: ip, algorithm: sliding_window}
              reports: {rate: 30/hour, per: [user, endpoint], burst: 10}
            cache: 5m
            routes:
              - {path: /login, methods: [POST], limits: [login]}
              - {path: /reports/**, name: reports, limits: [reports, login]}
            """
        private static let file = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\n" + limits

        @Test func `a file is asked without a process`() throws {
            let end = try Weir.ends(
                [
                    "explain", "--config", "FILE", "--request", "GET /reports/1?x=1", "--header",
                    "X-User-ID: 42", "--header", "X-Forwarded-For: 192.0.2.7",
                ], file: Self.file)
            #expect(end.status == 0)
            #expect(end.errors == "")
            let lines = end.output.split(separator: "\n").map(String.init)
            for line in [
                "request   GET /reports/1?x=1 from 127.0.0.1",
                "route     routes[1] reports, /reports/**",
                "          not routes[0] /login: the path does not match",
                "identity  address 192.0.2.7, from X-Forwarded-For of the trusted proxy 127.0.0.1",
                "          user 42, from header:x-user-id",
                "limit     reports: pass",
                "            key    user=42, endpoint=GET /reports/**",
                "            rate   30 per 1 hour, token_bucket, burst 10",
                "            level  10 left, nothing counted",
                "            key    ip=192.0.2.7",
                "together  admitted by all",
                "cache     miss, uri-miss",
                "            key    {GET}:localhost:/reports/1?x=1",
                "outcome   forwarded, to upstream default, for the cache",
            ] {
                #expect(lines.contains(line), "\(end.output)")
            }
        }

        @Test func `the running process is asked for its levels, and gives the same words`() throws
        {
            let origin = try RawOrigin(answering: { _ in response("200 OK", [], body: "ok") })
            defer { origin.close() }
            try Weir.run(configuration(origin, Self.limits)) { weir throws in
                for _ in 0..<3 { #expect(try weir.ask(request("/reports/1")).status == 200) }
                let admin = try #require(weir.admin)
                let url = "http://\(admin)"
                let arguments = [
                    Weir.path, "explain", "--admin", url, "--request", "GET /reports/1",
                    "--header", "Host: api.test",
                ]
                let end = try Program.run(arguments)
                #expect(end.status == 0, "\(end.errors)")
                #expect(end.output.contains("limit     login: refuse, retry after "))
                #expect(end.output.contains("outcome   refused 429, by login"))
                #expect(end.output.contains("cache     hit, age "), "\(end.output)")
                let again = try Program.run(arguments + ["--json"])
                #expect(JSON(again.output)?["request"] == "GET /reports/1")
                #expect(try weir.ask(request("/reports/1")).status == 429)
            }
        }

        @Test(arguments: [
            ["explain"], ["explain", "--request"], ["explain", "--request", "GET"],
            ["explain", "--request", "GET /", "--ip", "here"],
            ["explain", "--request", "GET /", "--header", "nocolon"],
            ["explain", "--request", "GET /", "--request", "GET /"],
            ["explain", "--request", "GET /", "--config", "a", "--admin", "b:1"],
            ["explain", "--request", "GET /", "--token", "t"],
            ["explain", "--request", "GET /", "--admin", "http://a/b"],
            ["explain", "GET /"],
        ])
        func `wrong arguments end with 64`(arguments: [String]) throws {
            let end = try Weir.ends(arguments)
            #expect(end.status == 64)
            #expect(end.output == "")
            #expect(end.errors.contains("Usage:"))
        }

        @Test func `of a limit in Redis it says that Redis was not asked, and of no other one`()
            throws
        {
            let file = """
                listen: 127.0.0.1:0
                upstream: http://127.0.0.1:1
                redis: redis://127.0.0.1:1
                limits:
                  all: {rate: 10/hour, per: global}
                  own: {rate: 20/hour, per: global, consistency: process}

                """
            let question = ["explain", "--config", "FILE", "--request", "GET /"]
            let end = try Weir.ends(question, file: file)
            #expect(end.status == 0)
            let level = "left, nothing counted"
            #expect(end.output.contains("10 \(level); Redis counts it, and was not asked\n"))
            #expect(end.output.contains("20 \(level)\n"))
            let json = try Weir.ends(question + ["--json"], file: file).output
            #expect(json.split(separator: "\"assumed\":true").count == 2)
        }

        @Test func `a wrong file ends with 78, an address without a process with 71`() throws {
            let wrong = try Weir.ends(
                ["explain", "--config", "FILE", "--request", "GET /"], file: "listen: 1")
            #expect(wrong.status == 78)
            let port = try freePort()
            let nobody = try Weir.ends(
                ["explain", "--admin", "127.0.0.1:\(port)", "--request", "GET /"])
            #expect(nobody.status == 71)
            #expect(nobody.errors.contains("cannot connect"))
        }
    }
}
