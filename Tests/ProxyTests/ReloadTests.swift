import EventLoop
import Limits
import Primitives
import Proxy
import Settings
import TestKit
import Testing
import Upstreams

/// Another configuration, while connections stay and requests run.
@Suite struct ReloadTests {
    private static let other = SocketAddress.tcp(IPAddress(v4: 0x0A02_0002), port: 8000)
    private static let two = """
        upstreams: {one: http://10.2.0.1:8000, two: http://10.2.0.2:8000}

        """

    /// An origin that says `name` and the target, after `delay` on targets that begin with `/slow`.
    @discardableResult
    private func origin(
        _ world: ProxyWorld, at address: SocketAddress = ProxyWorld.origin, _ name: String,
        _ fields: String = ""
    ) -> Probe<[SimulatedMessage]> {
        let seen = Probe<[SimulatedMessage]>([])
        world.origin(at: address) { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                if request.target.hasPrefix("/slow") { await peer.sleep(.seconds(5)) }
                let body = "\(name) \(request.target)"
                try await peer.send(
                    "HTTP/1.1 200 OK\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
            }
        }
        return seen
    }

    private func expect(_ peer: SimulatedPeer, _ target: String, _ body: String) async throws {
        let answer = try await peer.ask(get(target))
        try peer.require(answer.text == body, "\(answer.startLine) \(answer.text), not \(body)")
    }

    // MARK: Requests and connections

    @Test func `a connection lives through a reload, and its next request follows the new routes`()
        throws
    {
        let world = try ProxyWorld(Self.two + "routes: [{path: /**, upstream: one}]")
        origin(world, "one")
        origin(world, at: Self.other, "two")
        world.client { peer in
            try await expect(peer, "/a", "one /a")
            await peer.sleep(.seconds(2))
            try await expect(peer, "/a", "two /a")
            let gone = try await peer.ask(get("/gone"))
            try peer.require(gone.status == 404, gone.startLine)
        }
        world.world.run(for: .seconds(1))
        weak let former = world.server.blueprint
        try world.reload(Self.two + "routes: [{path: /a, upstream: two}]")
        // The connection is idle: it keeps nothing of the old one.
        #expect(former == nil)
        #expect(world.problems() == [])
        #expect(world.metrics().contains("weir_connections_accepted_total 1\n"))
    }

    @Test func `a request in flight ends by what it began with, to its metrics and its log line`()
        throws
    {
        let before = """
            upstreams: {one: http://10.2.0.1:8000}
            routes: [{path: /slow, name: first}, {path: /**, name: rest}]
            limits: {few: {rate: 5/hour, algorithm: fixed_window}}
            """
        let world = try ProxyWorld(
            before.replacingOccurrences("name: first", "name: first, limits: [few]"))
        origin(world, "one")
        origin(world, at: Self.other, "two")
        world.client { peer in
            let answer = try await peer.ask(get("/slow"))
            try peer.require(answer.text == "one /slow", answer.text)
            try peer.require(answer["X-RateLimit-Limit"] == "5", "its own limit's fields")
            let next = try await peer.ask(get("/slow"))
            try peer.require(next.text == "two /slow", next.text)
            try peer.require(next["X-RateLimit-Limit"] == nil, "a limit that is gone")
        }
        world.world.run(for: .seconds(1))
        // The order of routes is another one, and so are upstream and limits.
        try world.reload(
            """
            upstreams: {zero: http://10.2.0.9:8000, two: http://10.2.0.2:8000}
            routes: [{path: /other, name: other, upstream: zero}, {path: /**, name: first, upstream: two}]
            """)
        #expect(world.problems() == [])
        let metrics = world.metrics()
        #expect(metrics.contains("weir_requests_total{route=\"first\",status=\"200\"} 2\n"))
        #expect(!metrics.contains("weir_requests_total{route=\"other\""))
        #expect(world.log.filter { $0.contains("\"route\":\"first\"") }.count == 2)
    }

    @Test func `a head that began to arrive is judged by what held then`() throws {
        let world = try ProxyWorld(
            Self.two + "routes: [{path: /a, name: a, upstream: one}, {path: /**, upstream: one}]")
        origin(world, "one")
        origin(world, at: Self.other, "two")
        world.client { peer in
            try await peer.send("GET /a HTTP/1.1\r\nHost: a")
            await peer.sleep(.seconds(2))
            try await peer.send("\r\n\r\n")
            let answer = try await peer.readResponse()
            try peer.require(answer.text == "one /a", answer.text)
            try await expect(peer, "/a", "two /a")
        }
        world.world.run(for: .seconds(1))
        try world.reload(
            Self.two + "routes: [{path: /b, name: b, upstream: two}, {path: /**, upstream: two}]")
        #expect(world.problems() == [])
        // Its route is gone: it is counted for nobody, least of all for what stands in its place.
        let metrics = world.metrics()
        #expect(!metrics.contains("route=\"a\"") && !metrics.contains("route=\"b\""))
        #expect(metrics.contains("weir_requests_total{route=\"/**\",status=\"200\"} 1\n"))
    }

    @Test func `bounds of heads and times hold for the next request of a connection`() throws {
        let world = try ProxyWorld("http: {fields: 10}")
        origin(world, "one")
        world.client { peer in
            let many = (0..<20).map { "X-\($0): 1\r\n" }.joined()
            try await expect(peer, "/", "one /")
            await peer.sleep(.seconds(2))
            let answer = try await peer.ask("GET / HTTP/1.1\r\nHost: a\r\n\(many)\r\n")
            try peer.require(answer.status == 200, answer.startLine)
        }
        world.world.run(for: .seconds(1))
        try world.reload("http: {fields: 30}")
        #expect(world.problems() == [])
    }

    // MARK: Upstreams

    @Test func `an upstream that stays as it was keeps its connections`() throws {
        let world = try ProxyWorld(Self.two + "routes: [{path: /**, upstream: one}]")
        let seen = world.origin(answering: { _ in ok("one") })
        world.client { peer in
            _ = try await peer.ask(get("/"))
            await peer.sleep(.seconds(2))
            _ = try await peer.ask(get("/"))
        }
        world.world.run(for: .seconds(1))
        try world.reload(
            """
            upstreams: {new: http://10.2.0.3:8000, one: http://10.2.0.1:8000}
            routes: [{path: /**, upstream: one}]
            """)
        #expect(world.problems() == [])
        #expect(seen.accepted == 1)
        let metrics = world.metrics()
        #expect(metrics.contains("weir_upstream_reuses_total{upstream=\"one\"} 1\n"))
        #expect(metrics.contains("weir_upstream_reuses_total{upstream=\"new\"} 0\n"))
        #expect(!metrics.contains("upstream=\"two\""))
    }

    @Test func `the answer of an upstream that is gone arrives whole, then its connections close`()
        throws
    {
        let world = try ProxyWorld(Self.two + "routes: [{path: /**, upstream: one}]")
        let closed = Probe(0)
        world.origin { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
                try await peer.sendPattern(200_000)
                await peer.sleep(.seconds(5))
                try await peer.sendPattern(200_000, from: 200_000)
            }
            closed.update { $0 += 1 }
        }
        origin(world, at: Self.other, "two")
        for _ in 0..<3 {
            world.client { peer in
                try await peer.send(get("/big"))
                _ = try await peer.read(until: "\r\n\r\n")
                try await peer.readPattern(400_000)
                try await expect(peer, "/a", "two /a")
            }
        }
        world.world.run(for: .seconds(2))
        try world.reload(
            "upstreams: {two: http://10.2.0.2:8000}\nroutes: [{path: /**, upstream: two}]")
        world.world.run(for: .seconds(1))
        #expect(closed.value == 0)
        world.run()
        world.world.run(for: .milliseconds(100))
        #expect(closed.value == 3)
        #expect(world.problems() == [])
    }

    @Test func `idle connections to an upstream that is gone or changed close at once`() throws {
        let world = try ProxyWorld("upstreams: {default: http://10.2.0.1:8000}")
        let closed = Probe<MonotonicTime?>(nil)
        world.origin { peer in
            while try await peer.nextRequest() != nil { try await peer.send(ok("x")) }
            closed.value = peer.now
        }
        world.client { peer in
            _ = try await peer.ask(get("/"))
            await peer.sleep(.seconds(5))
            _ = try await peer.ask(get("/"))
        }
        world.world.run(for: .seconds(1))
        #expect(closed.value == nil)
        try world.reload(
            "upstreams: {default: {servers: ['http://10.2.0.1:8000'], pool: {size: 3}}}")
        world.world.run(for: .milliseconds(100))
        #expect(closed.value != nil)
        #expect(world.problems() == [])
        // Counters go on under the name.
        #expect(
            world.metrics().contains(
                "weir_upstream_connects_total{upstream=\"default\",outcome=\"connected\"} 2\n"))
    }

    @Test func `what is known of servers stays where they are the same`() throws {
        let world = try ProxyWorld(Self.two + "routes: [{path: /**, upstream: one}]")
        let before = world.server.shared.upstreams
        before[0].note(server: 0, isReachable: false)
        try world.reload(
            """
            upstreams:
              three: http://10.2.0.3:8000
              one: {servers: ['http://10.2.0.1:8000'], pool: {size: 3}}
            routes: [{path: /**, upstream: one}]
            """)
        let after = world.server.shared.upstreams
        #expect(after.map(\.name) == ["three", "one"])
        #expect(after.map(\.mayServe) == [true, false])
        #expect(after[1] === before[0])
        #expect(world.server.shared.configurationState.generation == 2)
    }

    // MARK: Limits

    @Test(arguments: ["token_bucket", "sliding_window", "sliding_log", "fixed_window"])
    func `what was counted stays, and a changed rate applies to it`(algorithm: String) throws {
        func limit(_ count: Int) -> String {
            "limits: {all: {rate: \(count)/hour, per: ip, algorithm: \(algorithm)}}"
        }
        let world = try ProxyWorld(limit(10))
        origin(world, "one")
        let statuses = Probe<[Int]>([])
        world.client { peer in
            for _ in 0..<3 {
                for _ in 0..<12 {
                    let answer = try await peer.ask(get("/"))
                    statuses.update { $0.append(answer.status) }
                }
                await peer.sleep(.seconds(2))
            }
        }
        func passed(_ round: Int) -> Int {
            statuses.value.dropFirst(12 * round).prefix(12).count { $0 == 200 }
        }
        world.world.run(for: .seconds(1))
        // The same limit at another place in the file, and then twice the rate.
        try world.reload(
            limit(10).replacingOccurrences("{all", "{new: 1000/s per ip, all"))
        world.world.run(for: .seconds(2))
        try world.reload(limit(20))
        #expect(world.problems() == [])
        #expect(passed(0) == 10)
        #expect(passed(1) == 0)
        #expect(passed(2) == 10)
        let metrics = world.metrics()
        #expect(
            metrics.contains(
                "weir_limit_decisions_total{limit=\"all\",outcome=\"admitted\"} 20\n"))
        #expect(
            metrics.contains("weir_limit_decisions_total{limit=\"all\",outcome=\"refused\"} 16\n"))
        #expect(!metrics.contains("limit=\"new\""))
    }

    // MARK: The cache

    @Test func `stored answers outlive a reload, with the lifetime they got`() throws {
        let world = try ProxyWorld("cache: {ttl: 1h}")
        let seen = origin(world, "one")
        world.client { peer in
            try await expect(peer, "/a", "one /a")
            await peer.sleep(.seconds(2))
            let hit = try await peer.ask(get("/a"))
            try peer.require(
                hit["Cache-Status"] == "weir; hit; ttl=3597", hit["Cache-Status"] ?? "-")
        }
        world.world.run(for: .seconds(1))
        try world.reload("cache: {ttl: 1m}\nlimits: [1000/s per ip]")
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
    }

    private func ask(_ peer: SimulatedPeer, _ user: String, _ status: String) async throws {
        let answer = try await peer.ask(get("/a", "X-User: \(user)"))
        let found = answer["Cache-Status"] ?? "-"
        try peer.require(found.hasPrefix(status), "\(user): \(found), not \(status)")
    }

    @Test func `an answer stored for everybody is not served once answers are each user's own`()
        throws
    {
        let identity = "identity: {trusted_proxies: [10.3.0.0/16], user: header:X-User}\n"
        let world = try ProxyWorld(identity + "cache: {ttl: 1h}")
        let seen = origin(world, "one")
        world.client { peer in
            try await ask(peer, "ann", "weir; fwd=uri-miss")
            try await ask(peer, "bob", "weir; hit")
            await peer.sleep(.seconds(2))
            try await ask(peer, "ann", "weir; fwd=uri-miss")
            try await ask(peer, "bob", "weir; fwd=uri-miss")
            try await ask(peer, "ann", "weir; hit")
            await peer.sleep(.seconds(2))
            // The user of one field is not the user of another, whatever they are called.
            try await ask(peer, "ann\r\nX-Other: ann", "weir; fwd=uri-miss")
            await peer.sleep(.seconds(2))
            try await ask(peer, "ann", "weir; hit")
        }
        world.world.run(for: .seconds(1))
        try world.reload(identity + "cache: {ttl: 1h, vary_by: [user]}")
        world.world.run(for: .seconds(2))
        try world.reload(
            "identity: {trusted_proxies: [10.3.0.0/16], user: header:X-Other}\n"
                + "cache: {ttl: 1h, vary_by: [user]}")
        world.world.run(for: .seconds(2))
        try world.reload(identity + "cache: {ttl: 1h, vary_by: [user]}")
        #expect(world.problems() == [])
        #expect(seen.value.count == 4)
    }

    @Test func `a key never comes to mean another upstream, prefix or set of parameters`() throws {
        let rest = "cache: {memory: 1MiB}\nroutes: [{path: /**, upstream: UP, cache: {ttl: 1h}}]"
        func file(_ upstream: String, _ address: String, _ cache: String = "ttl: 1h") -> String {
            "upstreams: {\(upstream): http://\(address):8000}\n"
                + rest.replacingOccurrences("UP", upstream).replacingOccurrences("ttl: 1h", cache)
        }
        let world = try ProxyWorld(file("one", "10.2.0.1"))
        origin(world, "one")
        origin(world, at: Self.other, "two")
        let steps: [(String, String, String)] = [
            (file("two", "10.2.0.2"), "/v1/a", "two /v1/a"),
            (file("one", "10.2.0.1"), "/v1/a", "one /v1/a"),
            (
                "upstreams: {one: http://10.2.0.1:8000}\n"
                    + "routes: [{path: /v1/**, strip_prefix: /v1, cache: {ttl: 1h}}]",
                "/v1/a", "one /a"
            ),
            (
                file("one", "10.2.0.1", "ttl: 1h, ignore_query: [page]"), "/b?page=7",
                "one /b?page=7"
            ),
            (
                file("one", "10.2.0.1", "ttl: 1h, ignore_query: [page]"), "/b?page=8",
                "one /b?page=7"
            ),
            (file("one", "10.2.0.1"), "/b", "one /b"),
            (file("one", "10.2.0.1", "ttl: 1h, only_query: [x]"), "/c?x=1&y=1", "one /c?x=1&y=1"),
            (file("one", "10.2.0.1", "ttl: 1h, only_query: [x]"), "/c?x=1&y=2", "one /c?x=1&y=1"),
            (file("one", "10.2.0.1"), "/c?x=1", "one /c?x=1"),
            (file("one", "10.2.0.1", "ttl: 1h, sort_query: true"), "/d?b=1&a=1", "one /d?b=1&a=1"),
            (file("one", "10.2.0.1", "ttl: 1h, sort_query: true"), "/d?a=1&b=1", "one /d?b=1&a=1"),
            (file("one", "10.2.0.1"), "/d?a=1&b=1", "one /d?a=1&b=1"),
        ]
        world.client { peer in
            try await expect(peer, "/v1/a", "one /v1/a")
            for step in steps {
                await peer.sleep(.seconds(2))
                try await expect(peer, step.1, step.2)
            }
        }
        world.world.run(for: .seconds(1))
        for step in steps {
            try world.reload(step.0)
            world.world.run(for: .seconds(2))
        }
        #expect(world.problems() == [])
    }

    @Test func `a reload may bring the first route that caches, and change the store's size`()
        throws
    {
        let world = try ProxyWorld("")
        let seen = origin(world, "one")
        world.client { peer in
            try await expect(peer, "/a", "one /a")
            await peer.sleep(.seconds(2))
            try await expect(peer, "/a", "one /a")
            try await expect(peer, "/a", "one /a")
            await peer.sleep(.seconds(2))
            try await expect(peer, "/a", "one /a")
        }
        world.world.run(for: .seconds(1))
        try world.reload("cache: {ttl: 1h, memory: 64MiB}")
        world.world.run(for: .seconds(2))
        try world.reload("cache: {ttl: 1h, memory: 1MiB}")
        #expect(world.problems() == [])
        #expect(seen.value.count == 2)
    }

    // MARK: Many

    @Test func `of a hundred reloads under load no request learns, and nothing is left of them`()
        throws
    {
        for seed in [1, 2, 3] as [UInt64] {
            let world = try ProxyWorld(variant(0), seed: seed)
            for last: UInt32 in 1...2 {
                let address = SocketAddress.tcp(IPAddress(v4: 0x0A02_0000 + last), port: 8000)
                world.origin(at: address) { peer in
                    while let request = try await peer.nextRequest() {
                        await peer.sleep(.milliseconds(20))
                        try await peer.send(ok("\(request.target)"))
                    }
                }
            }
            let stops = Probe(false)
            let answers = Probe(0)
            for number in 0..<8 {
                world.client(from: ProxyWorld.client(number)) { peer in
                    var count = 0
                    while !stops.value {
                        count += 1
                        let target = "/\(count % 2 == 0 ? "a" : "c")/\(number)/\(count % 5)"
                        let answer = try await peer.ask(
                            count % 7 == 0 ? post(target, "body") : get(target))
                        try peer.require(answer.status == 200, answer.startLine)
                        try peer.require(answer.text == target, answer.text)
                        answers.update { $0 += 1 }
                        if count % 3 == 0 { await peer.sleep(.milliseconds(15)) }
                    }
                }
            }
            for round in 1...100 {
                world.world.run(for: .milliseconds(31))
                try world.reload(variant(round))
            }
            let pools = world.pools()
            #expect(pools.reduce(0) { $0 + $1.open } <= 16)
            stops.value = true
            #expect(world.problems() == [])
            #expect(answers.value > 500)
            let counted = world.metrics().split(separator: "\n").filter {
                $0.hasPrefix("weir_requests_total{route=\"stays\",status=\"200\"}")
            }.compactMap { Int($0.split(separator: " ")[1]) }
            #expect(counted == [answers.value])
            #expect(world.server.shared.configurationState.generation == 101)
        }
    }

    /// One of many configurations that all answer every request: `stays` is the route of each.
    private func variant(_ round: Int) -> String {
        let size = 1 + round % 3
        let cache = round % 4 == 0 ? "" : ", cache: {ttl: \(round % 9 + 1)s}"
        let others = (0..<round % 5).map { "{path: /x\($0), name: x\($0), upstream: a}, " }.joined()
        let (used, address) = round % 2 == 0 ? ("a", "10.2.0.1") : ("b", "10.2.0.2")
        return """
            upstreams:
              a: {servers: ['http://10.2.0.1:8000'], pool: {size: \(size)}}
              b: http://10.2.0.2:8000
              c\(round % 6): http://\(address):8000
            limits: {l\(round % 3): 1000/s per ip, all: 100000/s per ip}
            routes: [\(others){path: /**, name: stays, upstream: \(used), limits: [all, l\(round % 3)]\(cache)}]
            """
    }
}

extension String {
    /// The text with `new` for each `old`.
    fileprivate func replacingOccurrences(_ old: String, _ new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
