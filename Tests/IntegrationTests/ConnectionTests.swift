import Foundation
import Testing

extension Integration {
    /// Connections on both sides: kept, pipelined, old, over TCP and Unix sockets, on several workers.
    struct ConnectionTests {
        @Test func `a hundred requests of a client use one connection on each side`() throws {
            let origin = try RawOrigin { origin, connection in
                while let request = try connection.readRequest() {
                    origin.note(request)
                    try connection.send(response(body: request.target))
                }
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 1")) { weir throws in
                let client = try weir.connect()
                for index in 0..<100 {
                    #expect(try client.ask(request("/\(index)")).text == "/\(index)")
                }
                #expect(
                    try weir.metric(
                        "weir_upstream_connects_total{upstream=\"default\",outcome=\"connected\"}")
                        == 1)
                #expect(try weir.metric("weir_connections_accepted_total") == 1)
            }
        }

        @Test func `pipelined requests are answered in order, whatever each is`() throws {
            let origin = try RawOrigin(answering: { request in
                response(
                    "200 OK", ["Cache-Control: max-age=60"],
                    body: "\(request.method) \(request.target) \(request.text)")
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                var all = ""
                for index in 0..<50 {
                    all += request("/\(index % 5)")
                    all += post("/post", "body \(index)")
                    all +=
                        "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                    all += request("/head", method: "HEAD")
                }
                let text = all
                let sending = Background { try client.send(text) }
                for index in 0..<50 {
                    #expect(try client.readResponse().text == "GET /\(index % 5) ")
                    #expect(try client.readResponse().text == "POST /post body \(index)")
                    #expect(try client.readResponse().text == "POST /chunked ab")
                    #expect(try client.readResponse(toHead: true).status == 200)
                }
                try sending.value()
            }
        }

        @Test func `HTTP/1.0 closes unless asked to keep, and gets no chunks`() throws {
            let origin = try RawOrigin { _, connection in
                while let request = try connection.readRequest() {
                    if request.target == "/chunked" {
                        try connection.send(
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
                        )
                    } else {
                        try connection.send(response(body: "known"))
                    }
                }
            }
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let closing = try weir.connect()
                let answer = try closing.ask("GET /known HTTP/1.0\r\n\r\n")
                #expect(answer.text == "known")
                try closing.awaitClose()

                let keeping = try weir.connect()
                let kept = try keeping.ask(
                    "GET /known HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                #expect(kept["connection"] == "keep-alive")
                let chunked = try keeping.ask(
                    "GET /chunked HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
                #expect(chunked["transfer-encoding"] == nil)
                #expect(chunked.text == "abc")
                try keeping.awaitClose()
            }
        }

        @Test func `Connection close is obeyed`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "x") })
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let client = try weir.connect()
                #expect(
                    try client.ask(request("/", ["Connection: close"]))["connection"] == "close")
                try client.awaitClose()
            }
        }

        @Test func `Unix sockets on both sides carry the same requests`() throws {
            try Weir.withFolder { folder in
                let origin = try RawOrigin(
                    at: .unix(folder + "/origin.sock"),
                    answering: { request in
                        response(body: "\(request.target) for \(request["x-forwarded-for"] ?? "-")")
                    })
                defer { origin.close() }
                let socket = folder + "/weir.sock"
                let text = """
                    listen: ["127.0.0.1:0", "unix:\(socket)"]
                    upstream: \(origin.place)
                    workers: 2

                    """
                try Weir.run(text) { weir throws in
                    #expect(weir.places.count == 2)
                    #expect(weir.places[1] == .unix(socket))
                    for place in weir.places {
                        let client = try RawConnection(to: place)
                        for index in 0..<3 {
                            #expect(
                                try client.ask(request("/\(index)")).text
                                    == "/\(index) for 127.0.0.1")
                        }
                    }
                    weir.program.signal(SIGTERM)
                    #expect(try weir.program.awaitExit() == 0)
                    #expect(!FileManager.default.fileExists(atPath: socket))
                }
            }
        }

        @Test func `a Unix socket left behind by a killed process is no obstacle, other files are`()
            throws
        {
            try Weir.withFolder { folder in
                let socket = folder + "/weir.sock"
                let text = "listen: \"unix:\(socket)\"\nupstream: http://127.0.0.1:1\n"
                try Weir.run(text) { weir throws in
                    weir.program.signal(SIGKILL)
                    try weir.program.awaitExit()
                    #expect(FileManager.default.fileExists(atPath: socket))
                }
                try Weir.run(text) { weir throws in
                    #expect(try weir.ask(request("/")).status == 502)
                    // But one that somebody listens on is taken.
                    #expect(try Weir.ends(["run", "FILE"], file: text).status == 71)
                    #expect(try weir.ask(request("/")).status == 502)
                }
                try Data("precious".utf8).write(to: URL(fileURLWithPath: socket))
                #expect(try Weir.ends(["run", "FILE"], file: text).status == 71)
                #expect(try String(contentsOfFile: socket, encoding: .utf8) == "precious")
            }
        }

        @Test func `many clients on four workers each get their own answers`() throws {
            let origin = try RawOrigin(answering: { response(body: $0.target + $0.text) })
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 4\nlog: {sample: 0%}")) { weir throws in
                let wrong = try concurrently(32) { index in
                    var wrong = 0
                    for round in 0..<4 {
                        let client = try weir.connect()
                        for step in 0..<25 {
                            let target = "/\(index)/\(round)/\(step)"
                            let text = step % 2 == 0 ? request(target) : post(target, "+\(index)")
                            let right = step % 2 == 0 ? target : target + "+\(index)"
                            if try client.ask(text).text != right { wrong += 1 }
                        }
                    }
                    return wrong
                }
                #expect(wrong.allSatisfy { $0 == 0 })
                #expect(try weir.metric("weir_connections_accepted_total") == 128)
            }
        }

        @Test func `hop-by-hop fields end at the proxy, and what it adds is right`() throws {
            let origin = try RawOrigin(answering: { request in
                response(
                    "200 OK",
                    [
                        "Connection: X-Hop", "X-Hop: secret", "Keep-Alive: timeout=5",
                        "X-End: kept", "X-RateLimit-Limit: 1",
                    ],
                    body: request.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n"))
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "limits: [100/minute per ip]")) { weir throws in
                let answer = try weir.ask(
                    request(
                        "/",
                        [
                            "Connection: keep-alive, X-Mine, X-Forwarded-For", "X-Mine: secret",
                            "Keep-Alive: 5",
                            "Proxy-Connection: close", "TE: trailers",
                            "X-Forwarded-For: 203.0.113.9",
                            "Forwarded: for=203.0.113.9", "Via: 1.1 before",
                        ]))
                #expect(answer["x-hop"] == nil)
                #expect(answer["keep-alive"] == nil)
                #expect(answer["x-end"] == "kept")
                #expect(answer["via"] == "1.1 weir")
                #expect(answer["x-ratelimit-limit"] == "100")
                let seen = Dictionary(
                    answer.text.split(separator: "\n").map { line in
                        let parts = line.split(separator: ":", maxSplits: 1)
                        return (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
                    }, uniquingKeysWith: { $0 + ", " + $1 })
                #expect(seen["x-mine"] == nil)
                #expect(seen["keep-alive"] == nil)
                #expect(seen["proxy-connection"] == nil)
                #expect(seen["host"] == "api.test")
                #expect(seen["via"] == "1.1 before, 1.1 weir")
                // Nobody is trusted here: what the client says about itself does not pass.
                #expect(seen["x-forwarded-for"] == "127.0.0.1")
                #expect(seen["x-forwarded-proto"] == "http")
                #expect(seen["x-forwarded-host"] == "api.test")
                #expect(seen["forwarded"]?.contains("for=127.0.0.1") == true)
                #expect(seen["forwarded"]?.contains("203.0.113.9") == false)
            }
        }

        @Test func `a connection that the origin closed while idle costs no client an error`()
            throws
        {
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.send(response(body: "once"))
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 1")) { weir throws in
                let client = try weir.connect()
                for _ in 0..<20 { #expect(try client.ask(request("/")).text == "once") }
                #expect(origin.requests.count == 20)
            }
        }

        @Test func `two thousand idle connections do not disturb the others`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            let count = min(2000, descriptorsMax() / 2 - 200)
            try Weir.run(configuration(origin, "workers: 2\ncache: 5m")) { weir throws in
                let before = try weir.residentBytes()
                let idle = try concurrently(8) { _ in
                    try (0..<count / 8).map { _ in
                        let client = try weir.connect()
                        _ = try client.ask(request("/"))
                        return client
                    }
                }.flatMap { $0 }
                #expect(try weir.metric("weir_connections") >= Double(count / 8 * 8))
                let grown = try weir.residentBytes() - before
                #expect(
                    weir.isSanitized || grown / idle.count < 16 << 10,
                    "\(grown / idle.count) bytes a connection")
                let client = try weir.connect()
                let latencies = try (0..<100).map { _ in try time { try client.ask(request("/")) }.1
                }.sorted()
                #expect(latencies[50] < .milliseconds(20))
                // And each of them still works.
                for client in idle { #expect(try client.ask(request("/")).text == "ok") }
            }
        }

        @Test func `beyond http connections a client is told, and those there stay`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try Weir.run(configuration(origin, "http: {connections: 4}")) { weir throws in
                let inside = try (0..<4).map { _ in
                    let client = try weir.connect()
                    _ = try client.ask(request("/"))
                    return client
                }
                let outside = try weir.connect()
                let refusal = try outside.readResponse()
                #expect(refusal.status == 503)
                #expect(JSON(refusal.text)?["detail"] == "too many connections")
                try outside.awaitClose()
                for client in inside { #expect(try client.ask(request("/")).status == 200) }
                #expect(
                    try weir.metric("weir_rejections_total{reason=\"too many connections\"}") == 1)
            }
        }
    }
}
