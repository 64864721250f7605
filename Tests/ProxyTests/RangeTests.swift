import Primitives
import Proxy
import TestKit
import Testing

/// Ranges of answers in the cache, as clients and origins see them.
@Suite struct RangeTests {
    private static let letters = "abcdefghijklmnopqrstuvwxyz"

    private func describe(_ answer: SimulatedMessage) -> String {
        "\(answer.startLine) \(answer.text.prefix(300)) \(answer["Content-Range"] ?? "-") \(answer["Cache-Status"] ?? "-")"
    }

    private func require(
        _ peer: SimulatedPeer, _ answer: SimulatedMessage, _ status: Int, _ text: String,
        range: String? = nil
    ) throws {
        try peer.require(answer.status == status, describe(answer))
        try peer.require(answer.text == text, describe(answer))
        try peer.require(answer["Content-Range"] == range, describe(answer))
        try peer.require(answer["Content-Length"] == "\(text.utf8.count)", describe(answer))
    }

    @Test func `parts of a stored answer come from the cache`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                try await peer.send(ok(Self.letters, "ETag: \"v1\"\r\nContent-Type: text/plain"))
            }
        }
        world.client { peer in
            let whole = try await peer.ask(get("/a"))
            try require(peer, whole, 200, Self.letters)
            try peer.require(whole["Accept-Ranges"] == "bytes", describe(whole))
            let first = try await peer.ask(get("/a", "Range: bytes=0-4"))
            try require(peer, first, 206, "abcde", range: "bytes 0-4/26")
            try peer.require(first["Cache-Status"] == "weir; hit; ttl=3599", describe(first))
            try peer.require(first["Age"] != nil, "no Age")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=-5")), 206, "vwxyz",
                range: "bytes 21-25/26")
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=26-")), 416, "",
                range: "bytes */26")
            try require(
                peer, try await peer.ask(get("/a", "Range: lines=1-2")), 200, Self.letters)
            try require(
                peer,
                try await peer.ask(get("/a", "Range: bytes=1-1\r\nIf-Range: \"v1\"")), 206, "b",
                range: "bytes 1-1/26")
            try require(
                peer,
                try await peer.ask(get("/a", "Range: bytes=1-1\r\nIf-Range: \"v0\"")), 200,
                Self.letters)
            let same = try await peer.ask(
                get("/a", "Range: bytes=1-1\r\nIf-None-Match: \"v1\""))
            try peer.require(same.status == 304, describe(same))
            let head = try await peer.ask(get("/a", "Range: bytes=1-1", method: "HEAD"))
            try peer.require(head.status == 200, describe(head))
            try peer.require(head["Content-Length"] == "26", describe(head))
            try peer.require(head["Content-Range"] == nil, describe(head))
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `a range of what is not stored is the origin's work`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                try await peer.send(
                    "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/26\r\nContent-Length: 5\r\n\r\nabcde"
                )
            }
        }
        world.client { peer in
            let part = try await peer.ask(get("/a", "Range: bytes=0-4\r\nIf-Range: \"v1\""))
            try require(peer, part, 206, "abcde", range: "bytes 0-4/26")
            try peer.require(
                part["Cache-Status"] == "weir; fwd=uri-miss; fwd-status=206; detail=partial",
                describe(part))
            let several = try await peer.ask(get("/a", "Range: bytes=0-0,1000-1001"))
            try peer.require(
                several["Cache-Status"] == "weir; fwd=bypass; fwd-status=206; detail=range",
                describe(several))
        }
        #expect(world.problems() == [])
        #expect(seen.value.first?["Range"] == "bytes=0-4")
        #expect(seen.value.first?["If-Range"] == "\"v1\"")
    }

    @Test func `a range is taken from the fetch that runs, as soon as its bytes are there`() throws
    {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            guard let request = try await peer.nextRequest() else { return }
            seen.update { $0.append(request) }
            try await peer.send(
                "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 26\r\n\r\nabcdefghij")
            await peer.sleep(.seconds(5))
            try await peer.send("klmnopqrstuvwxyz")
        }
        world.client { peer in
            try require(peer, try await peer.ask(get("/a")), 200, Self.letters)
        }
        for (range, text, content, seconds) in [
            ("bytes=2-4", "cde", "bytes 2-4/26", 2), ("bytes=8-11", "ijkl", "bytes 8-11/26", 6),
            ("bytes=-2", "yz", "bytes 24-25/26", 6), ("bytes=30-", "", "bytes */26", 2),
        ] as [(String, String, String, UInt64)] {
            world.client { peer in
                let began = peer.now
                await peer.sleep(.seconds(1))
                let part = try await peer.ask(get("/a", "Range: \(range)"))
                try require(peer, part, text.isEmpty ? 416 : 206, text, range: content)
                try peer.require(peer.now - began < .seconds(seconds), "\(range) waited")
                try peer.require(
                    part["Cache-Status"]
                        == "weir; fwd=uri-miss; fwd-status=200; stored; collapsed",
                    describe(part))
            }
        }
        world.client { peer in
            // Ranges so near to each other are one.
            await peer.sleep(.seconds(1))
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=9-9,0-0")), 206, "abcdefghij",
                range: "bytes 0-9/26")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `an expired answer is validated whole, and then its part is served`() throws {
        let world = try ProxyWorld("cache: {ttl: 10s, early_refresh: off}")
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                let text = seen.value.count < 3 ? Self.letters : Self.letters.uppercased()
                let etag = seen.value.count < 3 ? "\"v1\"" : "\"v2\""
                try await peer.send(
                    request["If-None-Match"] == etag
                        ? "HTTP/1.1 304 Not Modified\r\nETag: \(etag)\r\n\r\n"
                        : ok(text, "ETag: \(etag)"))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            await peer.sleep(.seconds(11))
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=0-4")), 206, "abcde",
                range: "bytes 0-4/26")
            await peer.sleep(.seconds(11))
            try require(
                peer, try await peer.ask(get("/a", "Range: bytes=0-4")), 206, "ABCDE",
                range: "bytes 0-4/26")
            await peer.sleep(.seconds(11))
            // The version that the client has a part of is gone.
            try require(
                peer,
                try await peer.ask(get("/a", "Range: bytes=5-\r\nIf-Range: \"v1\"")), 200,
                Self.letters.uppercased())
        }
        #expect(world.problems() == [])
        #expect(seen.value.allSatisfy { $0["Range"] == nil && $0["If-Range"] == nil })
        #expect(seen.value.count == 4)
    }
}
