import Testing

extension Integration {
    /// Requests that are ambiguous or beyond a bound: answered with a reason, closed, and never forwarded.
    struct FramingTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let name: String
            let status: Int
            let bytes: String
            var testDescription: String { name }

            init(_ name: String, _ status: Int, _ bytes: String) {
                self.name = name
                self.status = status
                self.bytes = bytes
            }
        }

        private static let bounds = """
            http: {header_bytes: 4KiB, fields: 20, target_bytes: 1KiB, body_bytes: 10KiB, request_timeout: 400ms}
            """

        private static let ambiguous: [Case] = [
            Case(
                "Content-Length and Transfer-Encoding", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                "Transfer-Encoding and Content-Length", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
            ),
            Case(
                "two lengths", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
            Case(
                "a list of lengths", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 5\r\n\r\nabcde"),
            Case(
                "a signed length", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd"),
            Case(
                "a negative length", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"
            ),
            Case(
                "a hexadecimal length", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd"),
            Case("an empty length", 400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \r\n\r\n"),
            Case(
                "a length beyond 64 bits", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551620\r\n\r\nabcd"),
            Case(
                "chunked is not the last coding", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
            Case(
                "chunked twice", 400,
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            Case(
                "chunked in HTTP/1.0", 400,
                "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            Case(
                "space before a colon", 400,
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n"),
            Case("obs-fold", 400, "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n"),
            Case("a field line that begins with space", 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
            Case(
                "a bare CR in a value", 400, "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n"),
            Case("a bare LF behind a field", 400, "GET / HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"),
            Case("a bare LF behind the request line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"),
            Case("a NUL in a value", 400, "GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n"),
            Case("a NUL in the target", 400, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
            Case("no Host", 400, "GET / HTTP/1.1\r\nX-A: b\r\n\r\n"),
            Case("two Hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
            Case("a Host with a user", 400, "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n"),
            Case("a field without a name", 400, "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n"),
            Case("a field without a colon", 400, "GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n"),
            Case("two spaces in the request line", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Case("a space in the target", 400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
            Case("no method", 400, " / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Case("a fragment", 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
            Case(
                "TLS on a plain port", 400, "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{3}\u{3}\r\n\r\n"),
            Case("too many fields", 431, request("/", (1...25).map { "X-\($0): y" })),
            Case(
                "a head too large", 431,
                request("/", ["X-A: " + String(repeating: "y", count: 5000)])),
            Case("a target too long", 414, request("/" + String(repeating: "y", count: 1500))),
            Case(
                "a body announced too large", 413,
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10241\r\n\r\n"),
            Case("TRACE", 405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
            Case("CONNECT", 405, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
            Case(
                "an upgrade", 501,
                request(
                    "/", ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"])
            ),
            Case("HTTP/2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
            Case("HTTP/3.1", 505, "GET / HTTP/3.1\r\nHost: a\r\n\r\n"),
            Case("an unknown expectation", 417, request("/", ["Expect: 200-maybe"])),
            Case("a head that does not end in time", 408, "GET / HTTP/1.1\r\nHost: a\r\n"),
        ]

        @Test
        func
            `what is ambiguous or beyond a bound is answered and closed, and the origin sees nothing`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "forwarded") })
            defer { origin.close() }
            try Weir.run(configuration(origin, Self.bounds)) { weir throws in
                for item in Self.ambiguous {
                    let client = try weir.connect()
                    // Whatever stands behind it would be the smuggled request.
                    let smuggled = item.status == 408 ? "" : request("/smuggled")
                    try client.send(item.bytes + smuggled)
                    let answer = try client.readResponse()
                    #expect(answer.status == item.status, "\(item.name): \(answer)")
                    #expect(answer["connection"] == "close", "\(item.name)")
                    #expect(answer["content-type"] == "application/json", "\(item.name)")
                    #expect(
                        JSON(answer.text)?["detail"]?.isEmpty == false,
                        "\(item.name): \(answer.text)")
                    client.socket.closeWriting()
                    #expect(try client.readToEnd().isEmpty, "\(item.name): a second answer")
                }
                #expect(origin.requests.isEmpty, "\(origin.requests)")
                #expect(try weir.ask(request("/still")).text == "forwarded")
            }
        }

        /// Bodies whose framing breaks after a right head: the origin may see the head, never a whole request.
        private static let broken: [Case] = [
            Case("a chunk size that is no number", 400, "x\r\nabc\r\n0\r\n\r\n"),
            Case("a chunk size with a sign", 400, "+3\r\nabc\r\n0\r\n\r\n"),
            Case("a chunk size with a prefix", 400, "0x3\r\nabc\r\n0\r\n\r\n"),
            Case("a chunk size with a space before it", 400, " 3\r\nabc\r\n0\r\n\r\n"),
            Case("a chunk size beyond 64 bits", 400, "10000000000000003\r\nabc\r\n0\r\n\r\n"),
            Case("a chunk without a line end", 400, "3\r\nabcd\r\n0\r\n\r\n"),
            Case("a chunk size ended by a bare LF", 400, "3\nabc\r\n0\r\n\r\n"),
            Case("an empty chunk size", 400, "\r\nabc\r\n0\r\n\r\n"),
            Case(
                "a chunked body too large", 413,
                String(repeating: "400\r\n\(String(repeating: "z", count: 1024))\r\n", count: 11)),
        ]

        @Test func `a body whose framing breaks never becomes a whole request at the origin`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "forwarded") })
            defer { origin.close() }
            try Weir.run(configuration(origin, Self.bounds)) { weir throws in
                for item in Self.broken {
                    let client = try weir.connect()
                    try client.send(
                        "POST /\(item.status) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            + item.bytes
                            + request("/smuggled"))
                    let answer = try client.readResponse()
                    #expect(answer.status == item.status, "\(item.name): \(answer)")
                    #expect(answer["connection"] == "close", "\(item.name)")
                    client.socket.closeWriting()
                    #expect(try client.readToEnd().isEmpty, "\(item.name): a second answer")
                }
                #expect(origin.requests.isEmpty, "\(origin.requests)")
            }
        }

        @Test func `a request in pieces of one byte is the same request`() throws {
            let origin = try RawOrigin(answering: { response(body: "\($0.method) \($0.text)") })
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                let client = try weir.connect()
                let text =
                    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
                for byte in text.utf8 { try client.send([byte]) }
                #expect(try client.readResponse().text == "POST abcde")
            }
        }
    }
}

/// The smallest configuration before `origin`, with `more` lines.
func configuration(_ origin: RawOrigin, _ more: String = "") -> String {
    """
    listen: 127.0.0.1:0
    admin: 127.0.0.1:0
    upstream: \(origin.place.url)
    \(more)

    """
}
