import Primitives
import Proxy
import TestKit
import Testing

/// Answers to POST and QUERY, stored by the digest of what was sent.
@Suite struct CachedContentTests {
    static let yaml = """
        cache: {ttl: 1h, early_refresh: off}
        limits: {few: {rate: 2/hour, burst: 2}}
        routes:
          - {path: /ask, cache: {methods: [GET, POST, QUERY], vary_by: [body], max_body: 64KiB}}
          - {path: /limited, limits: [few], cache: {methods: [QUERY]}}
          - {path: /find, cache: {methods: [QUERY]}}
          - {path: /**}
        """

    /// A request with content, of known length.
    static func send(
        _ method: String, _ target: String, _ body: String, _ fields: String...
    ) -> String {
        let lines = fields.map { "\($0)\r\n" }.joined()
        return "\(method) \(target) HTTP/1.1\r\nHost: api.example.com\r\n\(lines)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    /// The same in chunks of `size`.
    static func chunked(_ method: String, _ target: String, _ body: String, by size: Int) -> String
    {
        var text =
            "\(method) \(target) HTTP/1.1\r\nHost: api.example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
        var rest = Substring(body)
        while !rest.isEmpty {
            let part = rest.prefix(size)
            text += String(part.utf8.count, radix: 16) + "\r\n\(part)\r\n"
            rest = rest.dropFirst(size)
        }
        return text + "0\r\n\r\n"
    }

    /// An origin that says how many requests it has seen, and what it was sent.
    private func origin(
        _ world: ProxyWorld, _ fields: String = "", delay: Nanoseconds = .zero
    ) -> Probe<[SimulatedMessage]> {
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                let said = request.text.count > 20 ? "\(request.text.count)" : request.text
                let body = "\(seen.value.count) \(request.method) \(said)"
                await peer.sleep(delay)
                try await peer.send(ok(body, fields.isEmpty ? "X: y" : fields))
            }
        }
        return seen
    }

    private func expect(
        _ peer: SimulatedPeer, _ request: String, _ text: String, _ status: String
    ) async throws {
        let answer = try await peer.ask(request)
        let said = answer["Cache-Status"] ?? "-"
        try peer.require(
            answer.text == text && said.hasPrefix("weir; \(status)"),
            "\(request.prefix(40)): \(answer.startLine) \(answer.text) \(said)")
    }

    @Test(arguments: ["POST", "QUERY"])
    func `the same content is answered from the store, any other is not`(method: String) throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world)
        let stored = "fwd=uri-miss; fwd-status=200; stored"
        world.client { peer in
            let one = Self.send(method, "/ask", "one")
            try await expect(peer, one, "1 \(method) one", stored)
            try await expect(peer, one, "1 \(method) one", "hit; ttl=3599")
            try await expect(
                peer, Self.chunked(method, "/ask", "one", by: 2), "1 \(method) one", "hit")
            try await expect(peer, Self.send(method, "/ask", "two"), "2 \(method) two", stored)
            let json = Self.send(method, "/ask", "one", "Content-Type: application/json")
            try await expect(peer, json, "3 \(method) one", stored)
            let coded = Self.send(
                method, "/ask", "one", "Content-Type: application/json", "Content-Encoding: x")
            try await expect(peer, coded, "4 \(method) one", stored)
            try await expect(peer, json, "3 \(method) one", "hit")
            try await expect(peer, Self.send(method, "/ask?x", "one"), "5 \(method) one", stored)
            // Without content at all, and with an empty one.
            try await expect(peer, Self.send(method, "/ask", ""), "6 \(method) ", stored)
            try await expect(
                peer, "\(method) /ask HTTP/1.1\r\nHost: api.example.com\r\n\r\n", "6 \(method) ",
                "hit")
            // A HEAD is of a GET, of which nothing is stored.
            let head = try await peer.ask(get("/ask", method: "HEAD"))
            try peer.require(
                head["Cache-Status"] == "weir; fwd=miss; fwd-status=200", "a HEAD was served")
            let secret = Self.send(method, "/ask", "one", "Authorization: x")
            try await expect(peer, secret, "8 \(method) one", "fwd=request")
            try await expect(peer, secret, "9 \(method) one", "fwd=request")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 9)
        #expect(world.server.shared.heldBodies == 0)
    }

    @Test func `what only asks invalidates nothing, what changes something invalidates all`() throws
    {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world)
        world.client { peer in
            let post = Self.send("POST", "/ask", "x")
            let query = Self.send("QUERY", "/ask", "x")
            try await expect(peer, get("/ask"), "1 GET ", "fwd=uri-miss")
            try await expect(peer, query, "2 QUERY x", "fwd=uri-miss")
            try await expect(peer, post, "3 POST x", "fwd=uri-miss")
            try await expect(peer, get("/ask"), "1 GET ", "hit")
            try await expect(peer, query, "2 QUERY x", "hit")
            try await expect(peer, post, "3 POST x", "hit")
            // Too large for the store, but still one that asks.
            let large = Self.send("POST", "/ask", String(repeating: "x", count: 70_000))
            try await expect(peer, large, "4 POST 70000", "fwd=bypass; fwd-status=200; detail=body")
            try await expect(peer, get("/ask"), "1 GET ", "hit")
            _ = try await peer.ask(Self.send("PUT", "/ask", "new"))
            try await expect(peer, get("/ask"), "6 GET ", "fwd=uri-miss")
            try await expect(peer, query, "7 QUERY x", "fwd=uri-miss")
            try await expect(peer, post, "8 POST x", "fwd=uri-miss")
            // Elsewhere a POST is what it always was.
            try await expect(peer, get("/other"), "9 GET ", "fwd=uri-miss")
            try await expect(peer, Self.send("POST", "/other", "x"), "10 POST x", "fwd=method")
            try await expect(peer, get("/other"), "11 GET ", "fwd=uri-miss")
            // Where the file asks for no part of the key, the content of a QUERY is one all the same.
            let found = Self.send("QUERY", "/find", "x")
            try await expect(peer, found, "12 QUERY x", "fwd=uri-miss")
            try await expect(peer, found, "12 QUERY x", "hit")
            _ = try await peer.ask(Self.send("POST", "/find", "x"))
            try await expect(peer, found, "14 QUERY x", "fwd=uri-miss")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 14)
    }

    @Test func `content beyond the bound goes to the origin whole, however it comes`() throws {
        for seed in Seeds.upTo(20) {
            let world = try ProxyWorld(Self.yaml, seed: seed, faults: FaultPlan())
            let seen = origin(world)
            let large = String((0..<200_000).map { Character(UnicodeScalar(97 + UInt8($0 % 26))) })
            world.client { peer in
                for request in [
                    Self.send("POST", "/ask", large),
                    Self.chunked("POST", "/ask", large, by: 10_000),
                    Self.chunked("QUERY", "/ask", large, by: 100_000),
                ] {
                    let answer = try await peer.ask(request)
                    try peer.require(answer.status == 200, answer.startLine)
                    let said = answer["Cache-Status"] ?? ""
                    try peer.require(said.hasSuffix("detail=body-too-large"), said)
                }
                try await expect(
                    peer, Self.send("POST", "/ask", "small"), "4 POST small", "fwd=uri-miss")
            }
            #expect(world.problems() == [])
            #expect(seen.value.prefix(3).allSatisfy { $0.text == large })
            #expect(world.server.shared.heldBodies == 0)
        }
    }

    @Test func `the limits decide before the body is read, and only then it is asked for`() throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world)
        let head =
            "QUERY /limited HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        world.client { peer in
            for count in 1...2 {
                let interim = try await peer.ask(head)
                try peer.require(interim.status == 100, interim.startLine)
                let final = try await peer.ask("hello")
                try peer.require(final.text == "1 QUERY hello", final.startLine)
                let said = final["Cache-Status"] ?? ""
                try peer.require(said.hasPrefix(count == 1 ? "weir; fwd" : "weir; hit"), said)
            }
            let refused = try await peer.ask(head)
            try peer.require(refused.status == 429, refused.startLine)
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `requests with the same content share one fetch, also of a leader that left`() throws
    {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world, delay: .seconds(2))
        world.client { peer in
            try await peer.send(Self.send("POST", "/ask", "same"))
            await peer.sleep(.seconds(1))
            peer.reset()
        }
        for _ in 0..<5 {
            world.client { peer in
                await peer.sleep(.milliseconds(500))
                try await expect(
                    peer, Self.chunked("POST", "/ask", "same", by: 1), "1 POST same",
                    "fwd=uri-miss; fwd-status=200; stored; collapsed")
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
        #expect(world.server.shared.heldBodies == 0)
    }

    @Test func `a refresh sends the content again; a QUERY is validated, a POST is not`() throws {
        let world = try ProxyWorld(
            """
            cache:
              ttl: 10s
              stale_while_revalidate: 10s
              stale_if_error: 1h
              early_refresh: off
              methods: [POST, QUERY]
              vary_by: [body]
            """)
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                let isSame = request["If-None-Match"] == "\"v1\""
                if seen.value.count > 6 { return }
                try await peer.send(
                    isSame
                        ? "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"
                        : ok(request.text, "ETag: \"v1\""))
            }
        }
        world.client { peer in
            for method in ["POST", "QUERY"] {
                let request = Self.send(method, "/", "body")
                try await expect(peer, request, "body", "fwd=uri-miss")
                await peer.sleep(.seconds(12))
                try await expect(peer, request, "body", "hit; ttl=-2; detail=swr")
                await peer.sleep(.seconds(1))
                try await expect(peer, request, "body", "hit; ttl=9")
                await peer.sleep(.seconds(30))
                try await expect(
                    peer, request, "body",
                    method == "POST" ? "fwd=stale; fwd-status=200" : "fwd=stale; fwd-status=304")
            }
            let known = Self.send("QUERY", "/", "body", "If-None-Match: \"v1\"")
            let answer = try await peer.ask(known)
            try peer.require(answer.status == 304, answer.startLine)
            await peer.sleep(.seconds(50))
            try await expect(
                peer, Self.send("POST", "/", "body"), "body", "hit; ttl=-83; detail=sie")
        }
        #expect(world.problems() == [])
        #expect(seen.value.prefix(6).map(\.text) == Array(repeating: "body", count: 6))
        #expect(
            seen.value.prefix(6).map { $0["If-None-Match"] } == [
                nil, nil, nil, nil, "\"v1\"", "\"v1\"",
            ])
    }

    @Test func `an answer that may not be shared sends the others' content on their own`() throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world, "Cache-Control: no-store", delay: .seconds(1))
        for count in 0..<3 {
            world.client { peer in
                await peer.sleep(.milliseconds(UInt64(count) * 100))
                let answer = try await peer.ask(Self.send("POST", "/ask", "private"))
                try peer.require(answer.text.hasSuffix("POST private"), answer.text)
                let said = answer["Cache-Status"] ?? ""
                try peer.require(
                    said.hasSuffix(count == 0 ? "detail=no-store" : "detail=hit-for-miss"), said)
                // Once more on the same connection: the next request begins where this one ended.
                let next = try await peer.ask(Self.chunked("POST", "/ask", "private", by: 3))
                try peer.require(next.text.hasSuffix("POST private"), next.text)
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 6)
    }

    @Test func `a body that breaks off, stops or makes no sense ends the request`() throws {
        let world = try ProxyWorld(
            Self.yaml
                + "\nhttp: {idle_timeout: 5s, body_bytes: 70KB}"
                .replacing("70KB", with: "70000"))
        let seen = origin(world)
        let head = "POST /ask HTTP/1.1\r\nHost: api.example.com\r\n"
        world.client { peer in
            try await peer.send(head + "Content-Length: 10\r\n\r\nhal")
            peer.close()
        }
        world.client { peer in
            let late = try await peer.ask(head + "Content-Length: 10\r\n\r\nhal")
            try peer.require(late.status == 408, late.startLine)
            try await peer.expectEnd()
        }
        world.client { peer in
            let bad = try await peer.ask(head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n")
            try peer.require(bad.status == 400, bad.startLine)
            try await peer.expectEnd()
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 0)
        #expect(world.server.shared.heldBodies == 0)
    }
}
