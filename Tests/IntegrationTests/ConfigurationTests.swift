import Foundation
import Testing

extension Integration {
    /// What a file or a command line that is wrong leads to.
    struct ConfigurationTests {
        @Test func `a bad file ends with 78, says all that is wrong, and nothing listens`() throws {
            let place = Place.port(try freePort())
            let file = """
                listen: \(place)
                upstream: http://127.0.0.1:8000
                limits: [100/fortnight per ip]
                cahce: 5m

                """
            let end = try Weir.ends(["run", "FILE"], file: file)
            #expect(end.status == 78)
            #expect(end.output.isEmpty)
            #expect(end.errors.contains("FILE:3:"))
            #expect(end.errors.contains("FILE:4:1: error:"))
            #expect(end.errors.contains("did you mean `cache`?"))
            #expect(end.errors.contains("    4 | cahce: 5m") || end.errors.contains("cahce: 5m"))
            #expect(throws: RawSocket.Refused.self) { try RawSocket(to: place) }
            // `check` says the same.
            let check = try Weir.ends(["check", "FILE"], file: file)
            #expect(check.status == 78)
            #expect(check.errors == end.errors)
        }

        @Test(arguments: [
            ("listen: 127.0.0.1:0\n", "upstream"),
            ("", "listen"),
            ("listen: [127.0.0.1:0\n", "FILE:"),
            ("listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\nadmin: 0.0.0.0:0\n", "token"),
            ("listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\nadmin: \"[::]:0\"\n", "token"),
            ("listen: 127.0.0.1:0\nupstream: ${WEIR_TEST_UNSET}\n", "WEIR_TEST_UNSET"),
            (
                "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\nredis: redis://127.0.0.1\n",
                "3:1: error: redis: "
            ),
        ])
        func `nothing starts on a file that is not right`(file: String, says: String) throws {
            let end = try Weir.ends(["run", "FILE"], file: file)
            #expect(end.status == 78)
            #expect(end.errors.contains(says), "\(end.errors)")
        }

        @Test func `a file that is not there is 78 and named`() throws {
            let end = try Weir.ends(["run", "/nowhere/proxy.yaml"])
            #expect(end.status == 78)
            #expect(end.errors.contains("/nowhere/proxy.yaml"))
            #expect(end.errors.contains("No such file"))
        }

        @Test func `what check prints is a file that means the same`() throws {
            let file = """
                listen: [127.0.0.1:0, 127.0.0.1:0]
                admin: {address: 127.0.0.1:0, token: "${WEIR_ADMIN_TOKEN}"}
                upstreams: {default: "http://127.0.0.1:${PORT:-8000}", reports: unix:/tmp/reports.sock}
                identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}
                limits: {login: 10/minute per ip, all: {rate: 100/second, per: global, algorithm: fixed_window}}
                cache: 5m
                routes:
                  - {path: /login, methods: [POST], limits: [login]}
                  - {path: /**, limits: [all], cache: {vary_by: [user], negative: {404: 30s}}}

                """
            let environment = ["WEIR_ADMIN_TOKEN": "a-token-of-some-length"]
            let check = try Weir.ends(["check", "FILE"], file: file, environment: environment)
            #expect(check.status == 0)
            #expect(check.output == "FILE: ok, 2 routes, 2 limits")
            let first = try Weir.ends(
                ["check", "FILE", "--print"], file: file, environment: environment)
            #expect(first.status == 0)
            #expect(!first.output.contains("a-token-of-some-length"))
            let second = try Weir.ends(
                ["check", "--print", "FILE"], file: first.output + "\n", environment: environment)
            #expect(second.status == 0, "\(second.errors)")
            #expect(second.output == first.output)
        }

        @Test func `a taken address is 71 and named, whether of the proxy or of its admin`() throws
        {
            let holder = try RawSocket.listen(on: .port(0))
            let taken = "127.0.0.1:\(holder.port)"
            let upstream = "upstream: http://127.0.0.1:1\n"
            let files = [
                "listen: \(taken)\n", "listen: 127.0.0.1:0\nadmin: \(taken)\n",
            ]
            for file in files {
                let end = try Weir.ends(["run", "FILE"], file: file + upstream)
                #expect(end.status == 71)
                #expect(end.errors == "weir: cannot listen on \(taken): Address already in use")
            }
            let demo = try Weir.ends(["demo", "--listen", taken])
            #expect(demo.status == 71)
            #expect(demo.errors.contains(taken))
            holder.close()
        }

        @Test func `a second weir on the same address is an error, not half of the requests`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response() })
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let end = try Weir.ends(
                    ["run", "FILE"], file: "listen: \(weir.place)\nupstream: http://127.0.0.1:1\n")
                #expect(end.status == 71)
                #expect(try weir.ask(request("/")).status == 200)
            }
        }

        @Test(arguments: [
            (["rnu"], "unknown command `rnu`"), (["run", "--fast"], "unknown option `--fast`"),
            (["run", "a", "b"], "one file"), (["explain"], "needs `--request"),
            (["replay"], "not available in this version"),
            (["demo", "8000"], "--listen"), (["demo", "--listen", "nonsense"], "nonsense"),
        ])
        func `a wrong command line is 64 and says why`(arguments: [String], says: String) throws {
            let end = try Weir.ends(arguments)
            #expect(end.status == 64)
            #expect(end.output.isEmpty)
            #expect(end.errors.contains(says))
        }

        @Test func `help and version go to the standard output`() throws {
            for arguments in [
                ["--help"], ["-h"], ["help"], ["run", "--help"], ["demo", "-h"], [],
            ] {
                let help = try Weir.ends(arguments)
                #expect(help.status == 0, "\(arguments)")
                #expect(help.output.contains("weir run"), "\(arguments)")
            }
            #expect(try Weir.ends(["--version"]).output.hasPrefix("weir "))
        }
    }
}

/// A port that was free a moment ago.
func freePort() throws -> UInt16 {
    let socket = try RawSocket.listen(on: .port(0))
    defer { socket.close() }
    return socket.port
}
