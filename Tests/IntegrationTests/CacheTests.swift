import Foundation
import Testing

extension Integration {
    /// The cache between real clients and a real origin.
    struct CacheTests {
        @Test func `fifty clients at once are one request at the origin, and all get its answer`()
            throws
        {
            let release = Gate()
            let body = String(repeating: "0123456789", count: 20_000)
            let origin = try RawOrigin(answering: { _ in
                try release.pass()
                return response("200 OK", ["Cache-Control: max-age=60"], body: body)
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 4\ncache: {memory: 64MiB}")) {
                weir throws in
                let asked = Board(0)
                let go = Background {
                    try asked.reach(50)
                    release.open()
                }
                let answers = try concurrently(50) { _ in
                    let client = try weir.connect()
                    try client.send(request("/one"))
                    asked.add()
                    return try client.readResponse()
                }
                try go.value()
                #expect(answers.allSatisfy { $0.status == 200 && $0.text == body })
                #expect(origin.requests.count == 1)
                let fetched = answers.filter {
                    $0["cache-status"]?.contains("fwd=uri-miss; fwd-status=200; stored") == true
                }
                #expect(fetched.count >= 1)
            }
        }

        @Test func `followers have the first part before the origin sends the last`() throws {
            let (following, halfway) = (Gate(), Board(0))
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.send(
                    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n"
                )
                try connection.sendChunk(Array("first".utf8))
                try halfway.reach(8, "all clients have the first part")
                try connection.sendChunk(Array("last".utf8))
                try connection.sendChunk([])
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 4\ncache: {memory: 64MiB}")) {
                weir throws in
                let bodies = try concurrently(8) { index in
                    if index > 0 { try following.pass() }
                    let client = try weir.connect()
                    try client.send(request("/stream"))
                    _ = try client.readHead()
                    let first = try client.readChunk().bytes
                    following.open()
                    halfway.add()
                    let last = try client.readChunk().bytes
                    return String(decoding: first, as: UTF8.self) + "|"
                        + String(decoding: last, as: UTF8.self)
                }
                #expect(bodies == Array(repeating: "first|last", count: 8))
                #expect(origin.requests.count == 1)
            }
        }

        @Test func `a leader whose client leaves completes the fetch for the others`() throws {
            let (following, release) = (Gate(), Gate())
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.send(
                    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 8\r\n\r\nhalf")
                try release.pass()
                try connection.send("half")
                _ = try connection.readRequest()
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let leader = try weir.connect()
                try leader.send(request("/fill"))
                _ = try leader.readHead()
                #expect(try leader.readExactly(4) == Array("half".utf8))
                let follower = Background {
                    let client = try weir.connect()
                    try client.send(request("/fill"))
                    var head = try client.readHead()
                    following.open()
                    if var message = head {
                        try client.readBody(of: &message, endsWithConnection: false)
                        head = message
                    }
                    return head?.text
                }
                try following.pass()
                leader.socket.reset()
                release.open()
                #expect(try follower.value() == "halfhalf")

                // It is stored, or about to be: the last byte reaches the follower a moment earlier.
                let later = try weir.ask(request("/fill"))
                #expect(later.text == "halfhalf")
                let status = later["cache-status"] ?? ""
                #expect(status.hasPrefix("weir; hit") || status.contains("collapsed"), "\(status)")
                #expect(origin.requests.count == 1)
            }
        }

        @Test func `what Vary names selects the variant`() throws {
            let origin = try RawOrigin(answering: { request in
                response(
                    "200 OK", ["Cache-Control: max-age=60", "Vary: Accept-Language"],
                    body: request["accept-language"] ?? "none")
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                for _ in 0..<2 {
                    for language in ["de", "en", nil] {
                        let fields = language.map { ["Accept-Language: \($0)"] } ?? []
                        #expect(try client.ask(request("/vary", fields)).text == language ?? "none")
                    }
                }
                #expect(origin.requests.count == 3)
            }
        }

        @Test func `what belongs to one client is not stored for another`() throws {
            let origin = try RawOrigin(answering: { request in
                let fields =
                    switch request.target {
                    case "/cookie": ["Set-Cookie: session=\(UUID().uuidString)"]
                    case "/private": ["Cache-Control: private, max-age=60"]
                    case "/nostore": ["Cache-Control: no-store"]
                    default: ["Cache-Control: max-age=60"]
                    }
                return response("200 OK", fields, body: UUID().uuidString)
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: 5m")) { weir throws in
                let client = try weir.connect()
                for target in ["/cookie", "/private", "/nostore"] {
                    let (first, second) = (
                        try client.ask(request(target)), try client.ask(request(target))
                    )
                    #expect(first.text != second.text, "\(target)")
                    #expect(
                        first["set-cookie"] == nil || first["set-cookie"] != second["set-cookie"])
                }
                let mine = try client.ask(request("/account", ["Authorization: Bearer me"]))
                let yours = try client.ask(request("/account", ["Authorization: Bearer you"]))
                let anyone = try client.ask(request("/account"))
                #expect(Set([mine.text, yours.text, anyone.text]).count == 3)
                #expect(mine["cache-status"]?.contains("fwd=") == true)
                #expect(origin.requests.count == 9)
            }
        }

        @Test func `one user never sees the answer of another, however they come`() throws {
            let origin = try RawOrigin(answering: { request in
                response(
                    "200 OK", ["Cache-Control: max-age=60"],
                    body: "for \(request["x-user-id"] ?? "nobody")")
            })
            defer { origin.close() }
            let text = """
                workers: 4
                identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}
                cache: {memory: 64MiB, vary_by: [user]}
                """
            try Weir.run(configuration(origin, text)) { weir throws in
                let wrong = try concurrently(16) { index in
                    let client = try weir.connect()
                    var wrong = 0
                    for round in 0..<50 {
                        let user = (index + round) % 5
                        let fields =
                            ["X-User-ID: \(user)"]
                            + (round % 2 == 0 ? ["Authorization: Bearer \(user)"] : [])
                        if try client.ask(request("/me", fields)).text != "for \(user)" {
                            wrong += 1
                        }
                    }
                    return wrong
                }
                #expect(wrong.allSatisfy { $0 == 0 })
                #expect(origin.requests.count >= 5)
                // A key that is another's by trickery of characters stays one's own.
                for user in ["0&user=1", "0 1", "a:b", "%30", "0\t1"] {
                    #expect(
                        try weir.ask(request("/me", ["X-User-ID: \(user)"])).text == "for \(user)")
                }
            }
        }

        @Test func `HEAD and conditional requests are answered from what GET stored`() throws {
            let origin = try RawOrigin(answering: { _ in
                response(
                    "200 OK",
                    [
                        "Cache-Control: max-age=60", "ETag: \"v1\"",
                        "Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT",
                    ],
                    body: "content")
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                #expect(try client.ask(request("/c")).text == "content")
                let head = try client.ask(request("/c", method: "HEAD"))
                #expect(head.status == 200)
                #expect(head["content-length"] == "7")
                #expect(head["cache-status"]?.hasPrefix("weir; hit") == true)
                for field in [
                    "If-None-Match: \"v1\"", "If-None-Match: W/\"v1\", \"v0\"", "If-None-Match: *",
                    "If-Modified-Since: Mon, 02 Nov 2026 10:00:00 GMT",
                ] {
                    let answer = try client.ask(request("/c", [field]))
                    #expect(answer.status == 304, "\(field)")
                    #expect(answer["etag"] == "\"v1\"")
                    #expect(answer["content-length"] == nil)
                }
                for field in [
                    "If-None-Match: \"v2\"", "If-Modified-Since: Sun, 01 Nov 2026 10:00:00 GMT",
                ] {
                    #expect(try client.ask(request("/c", [field])).text == "content", "\(field)")
                }
                #expect(origin.requests.count == 1)
            }
        }

        @Test func `an expired answer is validated, and the origin's 304 renews it`() throws {
            let origin = try RawOrigin(answering: { request in
                request["if-none-match"] == "\"v1\""
                    ? "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\n\r\n"
                    : response(
                        "200 OK", ["Cache-Control: max-age=0", "ETag: \"v1\""], body: "content")
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                #expect(try client.ask(request("/v")).text == "content")
                let renewed = try client.ask(request("/v"))
                #expect(renewed.text == "content")
                #expect(renewed["cache-status"]?.contains("fwd=stale; fwd-status=304") == true)
                #expect(
                    try client.ask(request("/v"))["cache-status"]?.hasPrefix("weir; hit") == true)
                #expect(origin.requests.count == 2)
            }
        }

        @Test func `an unsafe request that succeeds drops what is stored, one that fails does not`()
            throws
        {
            let origin = try RawOrigin(answering: { request in
                request.method == "POST"
                    ? response(request.text == "bad" ? "422 Unprocessable Content" : "200 OK")
                    : response("200 OK", ["Cache-Control: max-age=60"], body: UUID().uuidString)
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                let first = try client.ask(request("/thing")).text
                #expect(try client.ask(post("/thing", "bad")).status == 422)
                #expect(try client.ask(request("/thing")).text == first)
                #expect(try client.ask(post("/other", "good")).status == 200)
                #expect(try client.ask(request("/thing")).text == first)
                #expect(try client.ask(post("/thing", "good")).status == 200)
                #expect(try client.ask(request("/thing")).text != first)
            }
        }

        @Test
        func
            `a stale answer is served when the origin fails, and refreshed behind the client's back`()
            throws
        {
            let (failing, refreshed) = (Board(false), Board(0))
            let origin = try RawOrigin(answering: { request in
                if failing.value { return response("503 Service Unavailable") }
                if request.target == "/swr" { refreshed.add() }
                return response("200 OK", ["Cache-Control: max-age=0"], body: request.target)
            })
            defer { origin.close() }
            let text = """
                routes:
                  - {path: /sie, cache: {stale_if_error: 1h}}
                  - {path: /swr, cache: {stale_while_revalidate: 1h}}
                """
            try Weir.run(configuration(origin, text)) { weir throws in
                let client = try weir.connect()
                #expect(try client.ask(request("/sie")).text == "/sie")
                failing.change { $0 = true }
                let stale = try client.ask(request("/sie"))
                #expect(stale.status == 200)
                #expect(stale["cache-status"]?.contains("hit; ttl=") == true, "\(stale)")
                failing.change { $0 = false }
                #expect(try client.ask(request("/swr")).text == "/swr")
                let behind = try client.ask(request("/swr"))
                #expect(behind["cache-status"]?.contains("hit; ttl=") == true, "\(behind)")
                try refreshed.reach(2, "the refresh in the background")
            }
        }

        @Test func `what may not be stored passes to all at once, none waits for another`() throws {
            let inside = Board(0)
            let origin = try RawOrigin(answering: { request in
                if request.target == "/u" {
                    // Each waits until all but the first are here together.
                    inside.add()
                    if inside.value > 1 { try inside.reach(20, "all requests are at the origin") }
                }
                return response("200 OK", ["Cache-Control: no-store"], body: UUID().uuidString)
            })
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                _ = try weir.ask(request("/u"))
                let bodies = try concurrently(19) { _ in try weir.ask(request("/u")).text }
                #expect(Set(bodies).count == 19)
            }
        }
    }
}
