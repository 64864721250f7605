import Primitives
import Proxy
import TestKit
import Testing

/// Parts of answers in the cache: kept, put together, completed (RFC 9111 §3.3, §3.4).
@Suite struct RangePartTests {
    private func describe(_ answer: SimulatedMessage) -> String {
        "\(answer.startLine) \(answer.body.count) \(answer["Content-Range"] ?? "-") \(answer["Cache-Status"] ?? "-")"
    }

    private func require(
        _ peer: SimulatedPeer, _ answer: SimulatedMessage, _ body: [UInt8], _ status: String,
        range: String? = nil
    ) throws {
        let what = "\(describe(answer)) for \(status)"
        try peer.require(answer.status == (range == nil ? 200 : 206), what)
        try peer.require(answer.body == body, what)
        try peer.require(answer["Content-Range"] == range, what)
        try peer.require(answer["Cache-Status"] == status, what)
    }

    @Test func `parts of one version serve what lies in them, and become the whole`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        let origin = RangeOrigin()
        let body = origin.content(1)
        world.origin { peer in try await origin.serve(peer, seen, version: { _ in 1 }) }
        world.client { peer in
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=0-99")), Array(body[0...99]),
                "weir; fwd=uri-miss; fwd-status=206; stored", range: "bytes 0-99/2000")
            let inside = try await peer.ask(get("/a", "Range: bytes=10-19"))
            try require(
                peer, inside, Array(body[10...19]), "weir; hit; ttl=59", range: "bytes 10-19/2000")
            try peer.require(inside["Age"] == "0", inside["Age"] ?? "no Age")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=90-120")), Array(body[90...120]),
                "weir; fwd=partial; fwd-status=206; stored", range: "bytes 90-120/2000")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=5-115")), Array(body[5...115]),
                "weir; hit; ttl=59", range: "bytes 5-115/2000")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=-100")), Array(body[1900...]),
                "weir; fwd=partial; fwd-status=206; stored", range: "bytes 1900-1999/2000")
            let both = try await peer.ask(get("/a", "Range: bytes=0-1,1998-1999"))
            try peer.require(both.status == 206, describe(both))
            try peer.require(both["Cache-Status"]?.hasPrefix("weir; hit") == true, describe(both))
            let head = try await peer.ask(get("/a", method: "HEAD"))
            try peer.require(
                head["Cache-Status"] == "weir; fwd=miss; fwd-status=200", describe(head))
            try require(
                peer, try await peer.ask(get("/a")), body,
                "weir; fwd=partial; fwd-status=206; stored")
            try require(peer, try await peer.ask(get("/a")), body, "weir; hit; ttl=59")
        }
        #expect(world.problems() == [])
        #expect(
            seen.value.map { $0["Range"] } == [
                "bytes=0-99", "bytes=90-120", "bytes=-100", nil, "bytes=121-1899",
            ])
        #expect(seen.value.last?["If-Range"] == "\"v1\"")
    }

    @Test func `bytes of two versions never come together`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let (seen, version) = (Probe<[SimulatedMessage]>([]), Probe(1))
        let origin = RangeOrigin()
        let (old, new) = (origin.content(1), origin.content(2))
        world.origin { peer in try await origin.serve(peer, seen, version: { _ in version.value }) }
        world.client { peer in
            for target in ["/a", "/b"] {
                try require(
                    peer, try await peer.ask(get(target, "Range: bytes=0-99")), Array(old[0...99]),
                    "weir; fwd=uri-miss; fwd-status=206; stored", range: "bytes 0-99/2000")
            }
            version.value = 2
            // The rest is asked for, and the new version comes whole.
            try require(
                peer, try await peer.ask(get("/a")), new,
                "weir; fwd=partial; fwd-status=200; stored")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=0-9")), Array(new[0...9]),
                "weir; hit; ttl=59", range: "bytes 0-9/2000")
            // A part of the new version: the old one's leave.
            try require(
                peer, try await peer.ask(get("/b", "Range: bytes=50-199")), Array(new[50...199]),
                "weir; fwd=partial; fwd-status=206; stored", range: "bytes 50-199/2000")
            try require(
                peer, try await peer.ask(get("/b", "Range: bytes=0-9")), Array(new[0...9]),
                "weir; fwd=partial; fwd-status=206; stored", range: "bytes 0-9/2000")
        }
        #expect(world.problems() == [])
    }

    @Test func `an answer that broke off is completed by the next request`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        let origin = RangeOrigin()
        let body = origin.content(1)
        world.origin { peer in
            try await origin.serve(
                peer, seen, version: { _ in 1 },
                manners: { _ in
                    RangeOrigin.Manners(cut: [1000, 500][safe: seen.value.count - 1])
                })
        }
        for _ in 0..<2 {
            world.client { peer in
                try await peer.send(get("/a"))
                _ = try? await peer.readResponse()
            }
            world.run()
        }
        world.client { peer in
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=1400-1499")),
                Array(body[1400...1499]), "weir; hit; ttl=59", range: "bytes 1400-1499/2000")
            try require(
                peer, try await peer.ask(get("/a")), body,
                "weir; fwd=partial; fwd-status=206; stored")
            try require(peer, try await peer.ask(get("/a")), body, "weir; hit; ttl=59")
        }
        #expect(world.problems(ofScripts: true) == [])
        #expect(seen.value.map { $0["Range"] } == [nil, "bytes=1000-1999", "bytes=1500-1999"])
    }

    @Test(arguments: [
        // A weak validator, or none.
        "ETag: W/\"v1\"\r\n", "",
        // The whole may not be stored.
        "ETag: \"v1\"\r\nCache-Control: no-store\r\n",
        "ETag: \"v1\"\r\nVary: *\r\n",
    ]) func `what could not be put together with certainty is not kept`(fields: String) throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe(0)
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                seen.update { $0 += 1 }
                try await peer.send(
                    "HTTP/1.1 206 Partial Content\r\n\(fields)Content-Range: bytes 0-4/26\r\nContent-Length: 5\r\n\r\nabcde"
                )
            }
        }
        world.client { peer in
            for _ in 0..<2 {
                let part = try await peer.ask(get("/a", "Range: bytes=0-4"))
                try peer.require(part.text == "abcde", describe(part))
                try peer.require(part["Content-Range"] == "bytes 0-4/26", describe(part))
                let status = part["Cache-Status"] ?? ""
                try peer.require(
                    status.hasPrefix("weir; fwd=uri-miss; fwd-status=206; detail="), status)
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value == 2)
    }

    @Test(arguments: ["bytes 0-4/*", "bytes 4-0/26", "bytes 0-5/26", "lines 0-4/26", "bytes */26"])
    func `a 206 that does not say what it is passes as it came`(range: String) throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send(
                    "HTTP/1.1 206 Partial Content\r\nETag: \"v1\"\r\nContent-Range: \(range)\r\nContent-Length: 5\r\n\r\nabcde"
                )
            }
        }
        world.client { peer in
            for _ in 0..<2 {
                let part = try await peer.ask(get("/a", "Range: bytes=0-4"))
                try peer.require(part.text == "abcde", describe(part))
                try peer.require(part["Content-Range"] == range, describe(part))
                try peer.require(
                    part["Cache-Status"] == "weir; fwd=uri-miss; fwd-status=206; detail=partial",
                    describe(part))
            }
        }
        #expect(world.problems() == [])
    }

    @Test func `an origin that answers a range with all of it fills the cache`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        let origin = RangeOrigin()
        let body = origin.content(1)
        world.origin { peer in
            try await origin.serve(
                peer, seen, version: { _ in 1 },
                manners: { _ in RangeOrigin.Manners(ignoresRanges: true) })
        }
        world.client { peer in
            // The client gets what it has asked for all the same.
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=100-199")),
                Array(body[100...199]), "weir; fwd=uri-miss; fwd-status=200; stored",
                range: "bytes 100-199/2000")
            try require(peer, try await peer.ask(get("/a")), body, "weir; hit; ttl=59")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `an answer about another version than was asked for is asked for again`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        let origin = RangeOrigin()
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                // If-Range means nothing to this one.
                var deaf = request
                deaf.fields.removeAll { $0.name.lowercased() == "if-range" }
                let (head, body) = origin.answer(deaf, seen.value.count)
                try await peer.send(head)
                try await peer.send(bytes: body)
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a", "Range: bytes=0-99"))
            try require(
                peer, try await peer.ask(get("/a")), origin.content(3),
                "weir; fwd=partial; fwd-status=200; stored")
        }
        #expect(world.problems() == [])
        #expect(seen.value.map { $0["Range"] } == ["bytes=0-99", "bytes=100-1999", nil])
    }

    @Test func `expired parts serve nobody, and are fresh again with the next one`() throws {
        let world = try ProxyWorld("cache: {ttl: 10s}")
        let seen = Probe<[SimulatedMessage]>([])
        var origin = RangeOrigin()
        origin.fields = ""
        let (served, body) = (origin, origin.content(1))
        world.origin { peer in try await served.serve(peer, seen, version: { _ in 1 }) }
        world.client { peer in
            _ = try await peer.ask(get("/a", "Range: bytes=0-99"))
            await peer.sleep(.seconds(11))
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=0-9")), Array(body[0...9]),
                "weir; fwd=stale; fwd-status=206; stored", range: "bytes 0-9/2000")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=90-99")), Array(body[90...99]),
                "weir; hit; ttl=9", range: "bytes 90-99/2000")
        }
        #expect(world.problems() == [])
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? {
        indices.contains(index) ? self[index] : nil
    }
}
