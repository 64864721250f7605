import Primitives
import Proxy
import TestKit
import Testing

/// Content codings of stored answers, as clients and origins see them.
@Suite struct CompressionTests {
    private static let text = (0..<400).map { "line \($0 % 17) of a text\n" }.joined()
    private static let all = "Accept-Encoding: gzip, br"
    private static let plain = "Content-Type: text/plain\r\n"

    /// An origin that sends `body` with `fields` to every request, and 304 to those that have it.
    @discardableResult
    private func origin(
        _ world: ProxyWorld, _ fields: String = plain + "ETag: \"v1\"\r\n", body: String = text,
        isChunked: Bool = false
    ) -> Probe<[SimulatedMessage]> {
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                if request["If-None-Match"] == "\"v1\"" {
                    try await peer.send("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n")
                    continue
                }
                let framing =
                    isChunked
                    ? "Transfer-Encoding: chunked\r\n\r\n"
                    : "Content-Length: \(body.utf8.count)\r\n\r\n"
                let data =
                    isChunked
                    ? "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n" : body
                try await peer.send("HTTP/1.1 200 OK\r\n\(fields)\(framing)\(data)")
            }
        }
        return seen
    }

    private func world(_ more: String = "", compression: String = "on") throws -> ProxyWorld {
        try ProxyWorld(
            "cache: {ttl: 10s, early_refresh: off}\ncompression: \(compression)\n" + more)
    }

    private func requireCoded(
        _ peer: SimulatedPeer, _ answer: SimulatedMessage, _ coding: String
    ) throws {
        let what = "\(answer.startLine) \(answer["Content-Encoding"] ?? "as it is")"
        try peer.require(answer["Content-Encoding"] == coding, what)
        try peer.require(answer["Content-Length"] == "\(answer.body.count)", "length")
        try peer.require(answer.body.count < Self.text.utf8.count / 4, "\(answer.body.count)")
        let decoded =
            coding == "br" ? Decoding.unbrotli(answer.body) : Decoding.gunzip(answer.body)
        try peer.require(decoded == Array(Self.text.utf8), "another text")
        try peer.require(answer["Vary"] == "Accept-Encoding", answer["Vary"] ?? "no Vary")
    }

    private func requirePlain(
        _ peer: SimulatedPeer, _ answer: SimulatedMessage, vary: String? = "Accept-Encoding"
    ) throws {
        try peer.require(answer["Content-Encoding"] == nil, "coded")
        try peer.require(answer.text == Self.text, "another text")
        try peer.require(answer["Vary"] == vary, answer["Vary"] ?? "no Vary")
    }

    @Test func `a stored answer is sent in the client's coding, from the second time on`() throws {
        let world = try world()
        let seen = origin(world)
        world.client { peer in
            let first = try await peer.ask(get("/a", Self.all))
            try requirePlain(peer, first)
            try peer.require(first["ETag"] == "\"v1\"", "ETag")
            let second = try await peer.ask(get("/a", Self.all))
            try requireCoded(peer, second, "br")
            try peer.require(second["ETag"] == "W/\"v1\"", second["ETag"] ?? "no ETag")
            try peer.require(second["Cache-Status"] == "weir; hit; ttl=9", "Cache-Status")
            // Another coding is made when somebody wants it.
            try requirePlain(peer, try await peer.ask(get("/a", "Accept-Encoding: gzip")))
            try requireCoded(peer, try await peer.ask(get("/a", "Accept-Encoding: gzip")), "gzip")
            try requireCoded(peer, try await peer.ask(get("/a", Self.all)), "br")
            let plain = try await peer.ask(get("/a"))
            try requirePlain(peer, plain)
            try peer.require(plain["ETag"] == "\"v1\"", "ETag")
        }
        #expect(world.problems() == [])
        // The origin is asked once, and for no coding.
        #expect(seen.value.map { $0["Accept-Encoding"] } == ["identity"])
    }

    @Test func `clients that accept no coding get the answer as it is`() throws {
        let world = try world()
        origin(world)
        world.client { peer in
            for _ in 0..<2 {
                for accept in [
                    "identity", "deflate", "gzip;q=0", "*;q=0", "identity;q=0, *;q=0", "",
                ] {
                    let answer = try await peer.ask(get("/a", "Accept-Encoding: \(accept)"))
                    try requirePlain(peer, answer)
                }
                try requirePlain(
                    peer,
                    try await peer.ask(get("/a", Self.all, "Cache-Control: no-transform")))
            }
        }
        #expect(world.problems() == [])
    }

    @Test(arguments: [
        ("Content-Type: image/png\r\n", nil as String?),
        ("ETag: \"v\"\r\n", nil),
        ("Content-Type: text/plain\r\nCache-Control: max-age=9, no-transform\r\n", nil),
        ("Content-Type: text/plain\r\nContent-Encoding: x-own\r\n", nil),
    ])
    func `answers that are not to be encoded stay untouched`(fields: String, vary: String?) throws {
        let world = try world()
        origin(world, fields)
        world.client { peer in
            for _ in 0..<3 {
                let answer = try await peer.ask(get("/a", Self.all))
                try peer.require(answer.text == Self.text, "another text")
                try peer.require(answer["Vary"] == vary, answer["Vary"] ?? "no Vary")
                let coding = fields.contains("x-own") ? "x-own" : nil
                try peer.require(answer["Content-Encoding"] == coding, "coded")
            }
        }
        #expect(world.problems() == [])
    }

    @Test func `a short answer is not encoded, whether its length is told or not`() throws {
        for isChunked in [false, true] {
            let world = try world()
            origin(world, body: String(repeating: "a", count: 1000), isChunked: isChunked)
            world.client { peer in
                for _ in 0..<3 {
                    let answer = try await peer.ask(get("/a", Self.all))
                    try peer.require(answer["Content-Encoding"] == nil, "coded")
                    try peer.require(answer.text.utf8.count == 1000, answer.startLine)
                }
            }
            #expect(world.problems() == [])
        }
    }

    @Test func `an answer in chunks is encoded like any other`() throws {
        let world = try world()
        origin(world, isChunked: true)
        world.client { peer in
            try requirePlain(peer, try await peer.ask(get("/a", Self.all)))
            try requireCoded(peer, try await peer.ask(get("/a", Self.all)), "br")
        }
        #expect(world.problems() == [])
    }

    @Test func `a HEAD tells of what a GET would send`() throws {
        let world = try world()
        origin(world)
        world.client { peer in
            _ = try await peer.ask(get("/a", Self.all))
            let full = try await peer.ask(get("/a", Self.all))
            let head = try await peer.ask(get("/a", Self.all, method: "HEAD"))
            for name in ["Content-Length", "Content-Encoding", "ETag", "Vary", "Content-Type"] {
                try peer.require(head[name] == full[name], name)
            }
            try peer.require(head.body.isEmpty, "a body")
            let plain = try await peer.ask(get("/a", method: "HEAD"))
            try peer.require(plain["Content-Length"] == "\(Self.text.utf8.count)", "length")
        }
        #expect(world.problems() == [])
    }

    @Test func `a client that has the coded answer is told so, with its weak tag`() throws {
        let world = try world()
        let seen = origin(world)
        world.client { peer in
            _ = try await peer.ask(get("/a", Self.all))
            let same = try await peer.ask(get("/a", Self.all, "If-None-Match: W/\"v1\""))
            try peer.require(same.status == 304, same.startLine)
            try peer.require(same["ETag"] == "W/\"v1\"", same["ETag"] ?? "no ETag")
            try peer.require(same["Vary"] == "Accept-Encoding", "Vary")
            try peer.require(same["Content-Encoding"] == nil, "Content-Encoding")
            let plain = try await peer.ask(get("/a", "If-None-Match: \"v1\""))
            try peer.require(plain.status == 304, plain.startLine)
            try peer.require(plain["ETag"] == "\"v1\"", plain["ETag"] ?? "no ETag")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `a validation uses the origin's own tag, and keeps what was encoded`() throws {
        let world = try world()
        let seen = origin(world)
        world.client { peer in
            _ = try await peer.ask(get("/a", Self.all))
            try requireCoded(peer, try await peer.ask(get("/a", Self.all)), "br")
            await peer.sleep(.seconds(11))
            let same = try await peer.ask(get("/a", Self.all))
            try requireCoded(peer, same, "br")
            try peer.require(
                same["Cache-Status"] == "weir; fwd=stale; fwd-status=304; stored; ttl=10",
                same["Cache-Status"] ?? "-")
        }
        #expect(world.problems() == [])
        #expect(seen.value.map { $0["If-None-Match"] } == [nil, "\"v1\""])
    }

    @Test func `an answer that replaces another is encoded anew`() throws {
        let world = try world()
        let seen = origin(world, Self.plain)
        world.client { peer in
            for round in 0..<3 {
                try requirePlain(peer, try await peer.ask(get("/a", Self.all)))
                try requireCoded(peer, try await peer.ask(get("/a", Self.all)), "br")
                if round < 2 { await peer.sleep(.seconds(11)) }
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 3)
    }

    @Test func `a large answer is encoded over several turns, and others are served meanwhile`()
        throws
    {
        let world = try world()
        let large = (0..<40_000).map { "line \($0 % 977) of a text\n" }.joined()
        origin(world, body: large)
        world.client { peer in
            _ = try await peer.ask(get("/large", Self.all))
            var isCoded = false
            for _ in 0..<200 where !isCoded {
                let answer = try await peer.ask(get("/large", Self.all))
                isCoded = answer["Content-Encoding"] == "br"
                let text = isCoded ? Decoding.unbrotli(answer.body) : answer.body
                try peer.require(text == Array(large.utf8), "another text")
            }
            try peer.require(isCoded, "never coded")
        }
        #expect(world.problems() == [])
    }

    @Test func `what gains nothing is tried once and sent as it is`() throws {
        let world = try world(compression: "{min_size: 1}")
        origin(world, body: "ab")
        world.client { peer in
            for _ in 0..<3 {
                let answer = try await peer.ask(get("/a", Self.all))
                try peer.require(answer.text == "ab", answer.text)
            }
        }
        #expect(world.problems() == [])
        #expect(world.metric("weir_compression_encodings_total{encoding=\"br\"}") == 1)
    }

    @Test func `a route that is excepted, and one that does not cache, pass everything on`() throws
    {
        let world = try world(
            "routes: [{path: /off, compression: off}, {path: /no, cache: off}, {path: /**}]")
        let seen = origin(world, Self.plain)
        world.client { peer in
            for target in ["/off", "/off", "/no", "/no"] {
                try requirePlain(peer, try await peer.ask(get(target, Self.all)), vary: nil)
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value.map { $0["Accept-Encoding"] } == ["gzip, br", "gzip, br", "gzip, br"])
    }

    @Test func `metrics tell what was encoded and saved`() throws {
        let world = try world()
        origin(world)
        let sizes = Probe<[Int]>([])
        world.client { peer in
            for _ in 0..<3 {
                let answer = try await peer.ask(get("/a", Self.all))
                sizes.update { $0.append(answer.body.count) }
            }
        }
        #expect(world.problems() == [])
        #expect(world.metric("weir_compression_encodings_total{encoding=\"br\"}") == 1)
        #expect(world.metric("weir_compression_encodings_total{encoding=\"gzip\"}") == 0)
        #expect(world.metric("weir_compression_responses_total{encoding=\"br\"}") == 2)
        #expect(
            world.metric("weir_compression_saved_bytes_total")
                == Double(2 * (sizes.value[0] - sizes.value[1])))
        #expect(world.metric("weir_compression_encoded_bytes_total") == Double(sizes.value[0]))
        #expect(
            world.metric("weir_response_body_bytes_total")
                == Double(sizes.value.reduce(0, +)))
    }

    @Test func `after compression is switched off stored answers go as they are`() throws {
        let world = try world()
        origin(world)
        world.client { peer in
            _ = try await peer.ask(get("/a", Self.all))
            try requireCoded(peer, try await peer.ask(get("/a", Self.all)), "br")
            await peer.sleep(.seconds(2))
            try requirePlain(peer, try await peer.ask(get("/a", Self.all)))
        }
        world.world.run(for: .seconds(1))
        try world.reload("cache: {ttl: 10s, early_refresh: off}")
        #expect(world.problems() == [])
    }
}
