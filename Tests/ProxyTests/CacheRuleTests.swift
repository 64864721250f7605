import Primitives
import Proxy
import TestKit
import Testing

/// Cookies of answers, ways past the cache and lifetimes by the origin's own field, as clients see them.
@Suite struct CacheRuleTests {
    private func origin(_ world: ProxyWorld, _ fields: String...) -> Probe<Int> {
        let count = Probe(0)
        let lines = fields.map { "\($0)\r\n" }.joined()
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                count.update { $0 += 1 }
                await peer.sleep(.milliseconds(100))
                try await peer.send(
                    "HTTP/1.1 200 OK\r\n\(lines)Set-Cookie: n=\(count.value)\r\n"
                        + "Content-Length: 1\r\n\r\nx")
            }
        }
        return count
    }

    @Test func `a stripped cookie reaches the client that asked, and nobody after it`() throws {
        let world = try ProxyWorld("cache: {ttl: 10s, set_cookie: strip}")
        let count = origin(world)
        world.client { peer in
            let first = try await peer.ask(get("/a"))
            try peer.require(first["Set-Cookie"] == "n=1", first["Set-Cookie"] ?? "no cookie")
            let second = try await peer.ask(get("/a"))
            try peer.require(second["Set-Cookie"] == nil, "a cookie of another client")
            try peer.require(
                second["Cache-Status"]?.hasPrefix("weir; hit") == true,
                second["Cache-Status"] ?? "-")
        }
        // Comes while the first one is under way, and shares its fetch.
        world.client(from: ProxyWorld.client(2)) { peer in
            await peer.sleep(.milliseconds(50))
            let shared = try await peer.ask(get("/a"))
            try peer.require(shared["Set-Cookie"] == nil, "a cookie of another client")
            try peer.require(shared.text == "x", shared.text)
        }
        #expect(world.problems() == [])
        #expect(count.value == 1)
    }

    @Test func `a cookie that is stored goes to its user alone`() throws {
        let world = try ProxyWorld(
            "identity: {trusted_proxies: [10.4.0.1], user: header:X-User}\n"
                + "cache: {ttl: 10s, set_cookie: store, vary_by: [user]}")
        let count = origin(world)
        world.client(from: ProxyWorld.trusted) { peer in
            for (user, cookie) in [("ada", "n=1"), ("ada", "n=1"), ("bob", "n=2"), ("ada", "n=1")] {
                let answer = try await peer.ask(get("/a", "X-User: \(user)"))
                try peer.require(
                    answer["Set-Cookie"] == cookie, "\(user): \(answer["Set-Cookie"] ?? "-")")
            }
        }
        #expect(world.problems() == [])
        #expect(count.value == 2)
    }

    @Test func `what a rule names goes to the origin and leaves the store alone`() throws {
        let world = try ProxyWorld(
            "cache: {ttl: 10s, set_cookie: strip, bypass: {headers: [X-No-Cache], query: {nocache: '1'}}}"
        )
        let count = origin(world)
        world.client { peer in
            _ = try await peer.ask(get("/a"))
            for request in [get("/a", "X-No-Cache: yes"), get("/a?nocache=1")] {
                let answer = try await peer.ask(request)
                try peer.require(
                    answer["Cache-Status"] == "weir; fwd=bypass; fwd-status=200; detail=rule",
                    answer["Cache-Status"] ?? "-")
            }
            let hit = try await peer.ask(get("/a"))
            try peer.require(
                hit["Cache-Status"]?.hasPrefix("weir; hit") == true, hit["Cache-Status"] ?? "-")
        }
        #expect(world.problems() == [])
        #expect(count.value == 3)
        #expect(world.log.filter { $0.contains("\"cache_reason\":\"rule\"") }.count == 2)
    }

    @Test func `an origin names the lifetime in its own field, which no client sees`() throws {
        let world = try ProxyWorld(
            "cache: {set_cookie: strip, origin_ttl: X-Accel-Expires, bypass: {query: [now]}}")
        let count = origin(world, "X-Accel-Expires: 100", "Cache-Control: no-cache")
        world.client { peer in
            for target in ["/a", "/a", "/a?now"] {
                let answer = try await peer.ask(get(target))
                try peer.require(answer["X-Accel-Expires"] == nil, "the field in \(target)")
                try peer.require(answer["Cache-Control"] == "no-cache", "no Cache-Control")
            }
            await peer.sleep(.seconds(50))
            let hit = try await peer.ask(get("/a"))
            try peer.require(
                hit["Cache-Status"]?.hasPrefix("weir; hit") == true, hit["Cache-Status"] ?? "-")
        }
        #expect(world.problems() == [])
        #expect(count.value == 2)
    }
}
