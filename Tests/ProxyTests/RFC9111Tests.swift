import Primitives
import Proxy
import TestKit
import Testing

/// Rules of RFC 9111 and its neighbours that need a client, a proxy and an origin.
@Suite struct RFC9111Tests {
    private func status(_ peer: SimulatedPeer, _ answer: SimulatedMessage, _ line: String) throws {
        try peer.require(answer["Cache-Status"] == line, answer["Cache-Status"] ?? "-")
    }

    @Test func `9111-4.4: Location and Content-Location of the same origin are invalidated`() throws
    {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let serial = Probe(0)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                serial.update { $0 += 1 }
                let fields =
                    request.method == "POST"
                    ? "Location: new\r\nContent-Location: http://evil.example/a/other" : "X: y"
                try await peer.send(ok("\(serial.value)", fields))
            }
        }
        world.client { peer in
            for path in ["/a/new", "/a/other", "/a/form"] { _ = try await peer.ask(get(path)) }
            _ = try await peer.ask(post("/a/form", "x"))
            for (path, body) in [("/a/new", "5"), ("/a/other", "2"), ("/a/form", "6")] {
                let answer = try await peer.ask(get(path))
                try peer.require(answer.text == body, "\(path): \(answer.text)")
            }
        }
        #expect(world.problems() == [])
    }

    @Test func `9111-4.3.5: a HEAD that goes to the origin renews or removes what is stored`()
        throws
    {
        let world = try ProxyWorld("cache: {early_refresh: off}")
        let tag = Probe("a")
        let seen = Probe<[String]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request.method) }
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=10\r\nETag: \"\(tag.value)\"\r\n\r\n"
                try await peer.send(request.method == "HEAD" ? head : head + "body")
            }
        }
        world.client { peer in
            try status(
                peer, try await peer.ask(get("/a", method: "HEAD")),
                "weir; fwd=miss; fwd-status=200")
            _ = try await peer.ask(get("/a"))
            await peer.sleep(.seconds(15))
            try status(
                peer, try await peer.ask(get("/a", method: "HEAD")),
                "weir; fwd=stale; fwd-status=200")
            let hit = try await peer.ask(get("/a"))
            try status(peer, hit, "weir; hit; ttl=9")
            try peer.require(hit.text == "body", hit.text)
            await peer.sleep(.seconds(15))
            tag.update { $0 = "b" }
            _ = try await peer.ask(get("/a", method: "HEAD"))
            try status(
                peer, try await peer.ask(get("/a")), "weir; fwd=uri-miss; fwd-status=200; stored")
        }
        #expect(world.problems() == [])
        #expect(seen.value == ["HEAD", "GET", "HEAD", "HEAD", "GET"])
    }

    @Test func `9111-5.2.2.2: what must be validated is 504 when the origin cannot be reached`()
        throws
    {
        for (control, code, reason) in [
            ("max-age=10, must-revalidate", 504, "stored answer could not be validated"),
            ("max-age=10", 502, "upstream closed before answering"),
        ] {
            let world = try ProxyWorld("cache: {early_refresh: off}")
            world.origin { peer in
                _ = try await peer.readRequest()
                guard peer.now.nanoseconds < 3_610_000_000_000 else { return }
                try await peer.send(
                    ok("body", "Connection: close\r\nETag: \"a\"\r\nCache-Control: \(control)"))
            }
            world.client { peer in
                _ = try await peer.ask(get("/a"))
                await peer.sleep(.seconds(20))
                let answer = try await peer.ask(get("/a"))
                try peer.require(answer.status == code, answer.startLine)
                try peer.require(answer.text.contains(reason), answer.text)
            }
            #expect(world.problems() == [])
        }
    }

    @Test func `5861-4-request: a client may ask for a stale answer, for itself alone`() throws {
        let world = try ProxyWorld("cache: {client_no_cache: respect, early_refresh: off}")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                await peer.sleep(.seconds(1))
                let isLate = peer.now.nanoseconds > 3_610_000_000_000
                try await peer.send(
                    isLate
                        ? "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
                        : ok("body", "ETag: \"a\"\r\nCache-Control: max-age=5"))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            await peer.sleep(.seconds(20))
            let stale = try await peer.ask(get("/a", "Cache-Control: stale-if-error=60"))
            try peer.require(stale.text == "body", stale.startLine)
            try peer.require(stale["Cache-Status"]?.hasSuffix("detail=sie") ?? false, "not sie")
        }
        world.client { peer in
            // It follows the fetch of the other one.
            await peer.sleep(.milliseconds(21_500))
            let failed = try await peer.ask(get("/a"))
            try peer.require(failed.status == 503, failed.startLine)
        }
        #expect(world.problems() == [])
    }

    @Test func `9110-15.2: an interim answer goes to the client that caused the fetch`() throws {
        let world = try ProxyWorld("cache: 1h")
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
                await peer.sleep(.seconds(2))
                try await peer.send(ok("body"))
            }
        }
        world.client { peer in
            try await peer.send(get("/a"))
            let hints = try await peer.readHead()
            try peer.require(hints.status == 103, hints.startLine)
            try peer.require(hints["Link"] == "</x>", "no Link")
            let answer = try await peer.readResponse()
            try peer.require(answer.text == "body", answer.startLine)
            try peer.require(try await peer.ask(get("/a")).text == "body", "hit")
        }
        world.client { peer in
            await peer.sleep(.seconds(1))
            let answer = try await peer.ask(get("/a"))
            try peer.require(answer.status == 200, answer.startLine)
        }
        #expect(world.problems() == [])
    }

    @Test func `9111-4.1-vary-omitted: what replaces an answer under another Vary is used`() throws
    {
        let world = try ProxyWorld("cache: {early_refresh: off}")
        let seen = Probe(0)
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                seen.update { $0 += 1 }
                let vary = seen.value == 1 ? "\r\nVary: X-A" : ""
                try await peer.send(ok("\(seen.value)", "Cache-Control: max-age=10\(vary)"))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a", "X-A: 1"))
            await peer.sleep(.seconds(15))
            _ = try await peer.ask(get("/a", "X-A: 1"))
            let hit = try await peer.ask(get("/a", "X-A: 1"))
            try peer.require(hit.text == "2", hit.text)
            try status(peer, hit, "weir; hit; ttl=9")
        }
        #expect(world.problems() == [])
        #expect(seen.value == 2)
    }

    @Test func `9211-2.2: a follower tells why its fetch was made`() throws {
        let world = try ProxyWorld("cache: {early_refresh: off}")
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                await peer.sleep(.seconds(1))
                let fields = "ETag: \"a\"\r\nCache-Control: max-age=10"
                try await peer.send(
                    request["If-None-Match"] != nil
                        ? "HTTP/1.1 304 Not Modified\r\n\(fields)\r\n\r\n" : ok("body", fields))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            await peer.sleep(.seconds(15))
            try status(
                peer, try await peer.ask(get("/a")),
                "weir; fwd=stale; fwd-status=304; stored; ttl=8")
        }
        world.client { peer in
            await peer.sleep(.milliseconds(16_500))
            try status(
                peer, try await peer.ask(get("/a")),
                "weir; fwd=stale; fwd-status=304; stored; collapsed; ttl=8")
        }
        #expect(world.problems() == [])
    }
}
