import Primitives
import Proxy
import TestKit
import Testing

/// The cache as clients and origins see it.
@Suite struct CachedAnswerTests {
    // Seconds are told in whole ones, rounded down: what a request takes on its way costs one.

    /// An origin that counts its answers and says the count in each: `1 /path`, `2 /path` …
    private func countingOrigin(
        _ world: ProxyWorld, _ fields: String = "", delay: Nanoseconds = .zero
    ) -> Probe<[SimulatedMessage]> {
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                let body = "\(seen.value.count) \(request.target)"
                await peer.sleep(delay)
                try await peer.send(
                    "HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
        return seen
    }

    private func require(
        _ peer: SimulatedPeer, _ answer: SimulatedMessage, _ text: String, _ status: String
    ) throws {
        let what = "\(answer.startLine) \(answer.text) \(answer["Cache-Status"] ?? "-")"
        try peer.require(answer.text == text, what)
        try peer.require(answer["Cache-Status"] == status, what)
    }

    @Test func `the second answer is a hit with its age, until the lifetime ends`() throws {
        let world = try ProxyWorld("cache: {ttl: 10s, early_refresh: off}")
        let seen = countingOrigin(world)
        world.client { peer in
            try require(
                peer, try await peer.ask(get("/a")), "1 /a",
                "weir; fwd=uri-miss; fwd-status=200; stored")
            await peer.sleep(.seconds(4))
            let hit = try await peer.ask(get("/a"))
            try require(peer, hit, "1 /a", "weir; hit; ttl=5")
            try peer.require(hit["Age"] == "4", hit["Age"] ?? "no Age")
            try require(
                peer, try await peer.ask(get("/b")), "2 /b",
                "weir; fwd=uri-miss; fwd-status=200; stored")
            await peer.sleep(.seconds(7))
            try require(
                peer, try await peer.ask(get("/a")), "3 /a",
                "weir; fwd=stale; fwd-status=200; stored")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 3)
    }

    @Test func `a HEAD is answered from a stored GET, a POST throws it away`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = countingOrigin(world)
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            let head = try await peer.ask(get("/a", method: "HEAD"))
            try require(peer, head, "", "weir; hit; ttl=3599")
            try peer.require(head["Content-Length"] == "4", "length")
            let other = try await peer.ask(post("/b", "x"))
            try peer.require(other.text == "2 /b", other.text)
            try peer.require(try await peer.ask(get("/a")).text == "1 /a", "another target's POST")
            _ = try await peer.ask(post("/a", "x"))
            let fresh = try await peer.ask(get("/a"))
            try peer.require(fresh.text == "4 /a", fresh.text)
        }
        #expect(world.problems() == [])
        #expect(seen.value.map(\.method) == ["GET", "POST", "POST", "GET"])
    }

    @Test func `a client that has it already is told so, from the cache`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = countingOrigin(world, "ETag: \"v1\"\r\n")
        world.client { peer in
            // Also while it is being fetched: the origin is asked without the condition.
            let first = try await peer.ask(get("/a", "If-None-Match: \"v1\""))
            try peer.require(first.status == 304, first.startLine)
            let second = try await peer.ask(get("/a", "If-None-Match: W/\"v1\", \"v0\""))
            try peer.require(second.status == 304, second.startLine)
            try peer.require(second["ETag"] == "\"v1\"", "no ETag")
            let third = try await peer.ask(get("/a", "If-None-Match: \"v0\""))
            try peer.require(third.text == "1 /a", third.startLine)
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
        #expect(seen.value[0]["If-None-Match"] == nil)
    }

    @Test func `an expired answer is validated, and a 304 makes it fresh again`() throws {
        let world = try ProxyWorld("cache: {ttl: 10s, early_refresh: off}")
        let conditions = Probe<[String?]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                conditions.update { $0.append(request["If-None-Match"]) }
                let isSame = request["If-None-Match"] == "\"v1\""
                try await peer.send(
                    isSame
                        ? "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"
                        : ok("body", "ETag: \"v1\""))
            }
        }
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            await peer.sleep(.seconds(11))
            let same = try await peer.ask(get("/a"))
            try peer.require(same.text == "body", same.startLine)
            try peer.require(
                same["Cache-Status"] == "weir; fwd=stale; fwd-status=304; stored; ttl=10",
                same["Cache-Status"] ?? "-")
            await peer.sleep(.seconds(5))
            try require(peer, try await peer.ask(get("/a")), "body", "weir; hit; ttl=4")
        }
        #expect(world.problems() == [])
        #expect(conditions.value == [nil, "\"v1\""])
    }

    @Test func `a stale answer is served while one request fetches it again`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 10s, stale_while_revalidate: 20s, early_refresh: off}")
        let seen = countingOrigin(world, delay: .seconds(1))
        world.client { peer in _ = try await peer.ask(get("/a")) }
        for _ in 0..<5 {
            world.client { peer in
                await peer.sleep(.seconds(15))
                let began = peer.now
                let stale = try await peer.ask(get("/a"))
                try peer.require(stale.text == "1 /a", stale.text)
                try peer.require(peer.now - began < .milliseconds(1), "it waited")
                let status = stale["Cache-Status"] ?? ""
                try peer.require(status.hasSuffix("detail=swr"), status)
                await peer.sleep(.seconds(2))
                try require(peer, try await peer.ask(get("/a")), "2 /a", "weir; hit; ttl=9")
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 2)
    }

    @Test func `a stale answer is served when the origin fails`() throws {
        for failure in ["HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", ""] {
            let world = try ProxyWorld("cache: {ttl: 10s, stale_if_error: 1h, early_refresh: off}")
            let origin = world.origin { peer in
                _ = try await peer.readRequest()
                if peer.now.nanoseconds < 3_610_000_000_000 {
                    try await peer.send(ok("good", "Connection: close"))
                } else if !failure.isEmpty {
                    try await peer.send(failure)
                }
            }
            world.client { peer in
                _ = try await peer.ask(get("/a"))
                await peer.sleep(.seconds(20))
                for _ in 0..<3 {
                    let stale = try await peer.ask(get("/a"))
                    try peer.require(stale.text == "good", "\(stale.startLine) \(stale.text)")
                    let status = stale["Cache-Status"] ?? ""
                    try peer.require(status.hasSuffix("detail=sie"), status)
                }
            }
            #expect(world.problems() == [])
            // For a second the origin is not asked again.
            #expect(origin.accepted == 2)
        }
    }

    @Test func `an answer about to expire is fetched again in the background, once`() throws {
        let world = try ProxyWorld("cache: {ttl: 100s, early_refresh: {last: 50%, chance: 100%}}")
        let seen = countingOrigin(world, delay: .seconds(1))
        world.client { peer in _ = try await peer.ask(get("/a")) }
        for _ in 0..<10 {
            world.client { peer in
                await peer.sleep(.seconds(55))
                let hit = try await peer.ask(get("/a"))
                try require(peer, hit, "1 /a", "weir; hit; ttl=46")
                await peer.sleep(.seconds(5))
                try peer.require(try await peer.ask(get("/a")).text == "2 /a", "not refreshed")
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 2)
    }

    @Test func `many requests for one thing are one fetch, and all get it as it arrives`() throws {
        for workers in 1...2 {
            let world = try ProxyWorld("workers: \(workers)\ncache: 1h")
            let size = 100_000
            let origin = world.origin { peer in
                _ = try await peer.readRequest()
                await peer.sleep(.seconds(1))
                try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
                try await peer.sendPattern(1000)
                await peer.sleep(.seconds(10))
                try await peer.sendPattern(size - 1000, from: 1000)
            }
            let statuses = Probe<[String]>([])
            for _ in 0..<20 {
                world.client { peer in
                    try await peer.send(get("/a"))
                    let head = try await peer.readHead()
                    statuses.update { $0.append(head["Cache-Status"] ?? "-") }
                    let began = peer.now
                    try await peer.readPattern(1000)
                    try peer.require(peer.now - began < .seconds(1), "not as it arrives")
                    try await peer.readPattern(size - 1000, from: 1000)
                }
            }
            #expect(world.problems() == [])
            #expect(origin.accepted == 1)
            #expect(statuses.value.filter { $0.contains("collapsed") }.count == 19)
        }
    }

    @Test func `a leader whose client leaves completes the fetch`() throws {
        let world = try ProxyWorld("cache: 1h")
        let seen = countingOrigin(world, delay: .seconds(5))
        world.client { peer in
            try await peer.send(get("/a"))
            await peer.sleep(.seconds(1))
            peer.reset()
        }
        world.client { peer in
            await peer.sleep(.seconds(2))
            let answer = try await peer.ask(get("/a"))
            try peer.require(answer.text == "1 /a", answer.text)
        }
        world.client { peer in
            await peer.sleep(.seconds(10))
            try require(peer, try await peer.ask(get("/a")), "1 /a", "weir; hit; ttl=3595")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `hits bear the limit fields of their own request`() throws {
        let world = try ProxyWorld(
            "limits: [{rate: 3/hour, per: ip, algorithm: fixed_window}]\ncache: 1h")
        let seen = countingOrigin(world, "X-RateLimit-Remaining: 999\r\n")
        world.client { peer in
            for left in ["2", "1", "0"] {
                let answer = try await peer.ask(get("/a"))
                try peer.require(answer.text == "1 /a", answer.startLine)
                try peer.require(answer.all("X-RateLimit-Remaining") == [left], "\(answer.fields)")
                try peer.require(answer["RateLimit-Policy"] != nil, "no RateLimit-Policy")
            }
            let refused = try await peer.ask(get("/a"))
            try peer.require(refused.status == 429, refused.startLine)
            try peer.require(refused["Retry-After"] == "3600", refused["Retry-After"] ?? "-")
            try peer.require(refused["Cache-Status"] == nil, "Cache-Status of another request")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    @Test func `each user has answers of their own, and nobody is a user by saying so`() throws {
        let world = try ProxyWorld(
            """
            identity: {trusted_proxies: [10.4.0.0/16], user: header:X-User}
            cache: {ttl: 1h, vary_by: [user]}
            """)
        let seen = Probe(0)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0 += 1 }
                try await peer.send(ok("for \(request["X-User"] ?? "nobody")"))
            }
        }
        world.client(from: ProxyWorld.trusted) { peer in
            for user in ["ann", "bob", "ann", "bob"] {
                let answer = try await peer.ask(get("/a", "X-User: \(user)"))
                try peer.require(answer.text == "for \(user)", answer.text)
            }
        }
        world.run()
        world.client { peer in
            let answer = try await peer.ask(get("/a", "X-User: ann"))
            try peer.require(answer.text == "for nobody", answer.text)
        }
        #expect(world.problems() == [])
        #expect(seen.value == 3)
    }

    @Test func `parts of the request keep answers apart, and the order of parameters does not`()
        throws
    {
        let world = try ProxyWorld(
            """
            cache: {ttl: 1h, vary_by: [ip, "header:X-Tenant", "cookie:theme"], sort_query: true}
            """)
        let seen = Probe(0)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0 += 1 }
                let parts = [request.target, request["X-Tenant"] ?? "-", request["Cookie"] ?? "-"]
                try await peer.send(ok(parts.joined(separator: " ")))
            }
        }
        for client in 1...2 {
            world.client(from: ProxyWorld.client(client)) { peer in
                for (target, fields, text) in [
                    ("/a?y=1&x=2", [], "/a?y=1&x=2 - -"), ("/a?x=2&y=1", [], "/a?y=1&x=2 - -"),
                    ("/a?x=2&y=1", ["X-Tenant: a"], "/a?x=2&y=1 a -"),
                    ("/a?x=2&y=1", ["X-Tenant: "], "/a?x=2&y=1  -"),
                    ("/a?y=1&x=2", ["X-Tenant: a"], "/a?x=2&y=1 a -"),
                    ("/a?x=2&y=1", ["Cookie: theme=dark"], "/a?x=2&y=1 - theme=dark"),
                    ("/a?y=1&x=2", ["Cookie: theme=dark"], "/a?x=2&y=1 - theme=dark"),
                ] {
                    let lines = fields.map { "\($0)\r\n" }.joined()
                    let answer = try await peer.ask(
                        "GET \(target) HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
                    try peer.require(answer.text == text, answer.text)
                }
                // A cookie beside those that are named: nobody else gets this answer.
                for count in 1...2 {
                    let answer = try await peer.ask(get("/b", "Cookie: theme=dark; sid=\(count)"))
                    try peer.require(answer.text.hasSuffix("sid=\(count)"), answer.text)
                }
            }
        }
        #expect(world.problems() == [])
        #expect(seen.value == 2 * (4 + 2))
    }

    @Test func `a body far beyond what is stored passes a slow reader in bounded memory`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h, memory: 1MiB, max_object: 64KiB}")
        let size = 16 << 20
        let sent = Probe(0)
        world.origin { peer in
            _ = try await peer.readRequest()
            try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            while sent.value < size {
                try await peer.sendPattern(16 << 10, from: sent.value)
                sent.update { $0 += 16 << 10 }
            }
        }
        world.client { peer in
            try await peer.send(get("/a"))
            _ = try await peer.readHead()
            var read = 0
            while read < size {
                // A window of 1 MiB in the fetch, and what sockets and buffers hold.
                try peer.require(
                    sent.value - read < (1 << 20) + (512 << 10), "\(sent.value - read)")
                try await peer.readPattern(256 << 10, from: read)
                read += 256 << 10
                await peer.sleep(.seconds(1))
            }
        }
        #expect(world.problems() == [])
    }
}
