import Primitives
import Proxy
import TestKit
import Testing

/// Requests with an Idempotency-Key, as clients and the origin see them.
@Suite struct IdempotencyTests {
    private static let yaml = """
        limits: {few: {rate: 3/hour, burst: 3}}
        cache: {memory: 8MiB}
        routes:
          - {path: /pay, idempotency: 1h}
          - {path: /strict, idempotency: {ttl: 1h, required: true, header: X-Once}}
          - {path: /small, idempotency: {ttl: 1h, max_body: 100, max_answer: 100}}
          - {path: /limited, limits: [few], idempotency: 1h}
          - {path: /ask, cache: {ttl: 1h, methods: [GET, POST], vary_by: [body], set_cookie: strip}, idempotency: 1h}
          - {path: /**}
        """

    /// An origin that counts what it does: `1 body`, `2 body` …
    private func origin(
        _ world: ProxyWorld, delay: Nanoseconds = .zero, size: Int = 0
    ) -> Probe<[SimulatedMessage]> {
        let seen = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                seen.update { $0.append(request) }
                let body =
                    "\(seen.value.count) \(request.text)" + String(repeating: "x", count: size)
                await peer.sleep(delay)
                let status = request["X-Status"] ?? "201 Created"
                try await peer.send(
                    ok(body, "Set-Cookie: a=\(seen.value.count)", "Location: /1", status: status))
            }
        }
        return seen
    }

    private func pay(
        _ body: String, _ key: String?, _ fields: String..., target: String = "/pay",
        method: String = "POST"
    ) -> String {
        let lines = (fields + (key.map { ["Idempotency-Key: \($0)"] } ?? []))
            .map { "\($0)\r\n" }.joined()
        return "\(method) \(target) HTTP/1.1\r\nHost: api.example.com\r\n\(lines)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func expect(
        _ peer: SimulatedPeer, _ request: String, _ status: Int, _ text: String = "",
        replayed: Bool = false
    ) async throws {
        let answer = try await peer.ask(request)
        let isReplay = answer["Idempotency-Replayed"] == "true"
        try peer.require(
            answer.status == status && (text.isEmpty || answer.text == text)
                && isReplay == replayed,
            "\(answer.startLine) \(answer.text) \(isReplay)")
    }

    @Test func `a retry gets the first answer, as it was`() throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world)
        world.client { peer in
            let first = try await peer.ask(pay("ten", "\"k1\""))
            try peer.require(first.text == "1 ten" && first.status == 201, first.startLine)
            let again = try await peer.ask(pay("ten", "k1"))
            try peer.require(again.text == "1 ten" && again.status == 201, again.startLine)
            try peer.require(again["Idempotency-Replayed"] == "true", "no mark")
            try peer.require(again["Set-Cookie"] == "a=1" && again["Location"] == "/1", "fields")
            try peer.require(again["Date"] == first["Date"], "another date")
            try await expect(peer, pay("eleven", "k1"), 422)
            try await expect(peer, pay("ten", "k1", target: "/pay?x"), 422)
            try await expect(peer, pay("ten", "k1", method: "PUT"), 422)
            try await expect(peer, pay("ten", "k2"), 201, "2 ten")
            // An error of the origin is an answer, too.
            try await expect(peer, pay("bad", "k3", "X-Status: 500 Oops"), 500, "3 bad")
            try await expect(
                peer, pay("bad", "k3", "X-Status: 500 Oops"), 500, "3 bad", replayed: true)
            // It asks to come again.
            try await expect(peer, pay("no", "k4", "X-Status: 503 Busy"), 503, "4 no")
            try await expect(peer, pay("no", "k4"), 201, "5 no")
            // Without a key, and where a key means nothing.
            for count in 6...7 { try await expect(peer, pay("x", nil), 201, "\(count) x") }
            for count in 8...9 {
                try await expect(peer, get("/pay", "Idempotency-Key: g"), 201, "\(count) ")
            }
            for count in 10...11 {
                try await expect(peer, pay("x", "k1", target: "/other"), 201, "\(count) x")
            }
        }
        world.run()
        world.world.run(for: .seconds(3700))
        world.client { peer in
            try await expect(peer, pay("ten", "k1"), 201, "12 ten")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 12)
        #expect(seen.value[0]["Idempotency-Key"] == "\"k1\"")
        let log = world.log.joined(separator: "\n")
        #expect(log.contains("\"idempotency\":\"first\""))
        #expect(log.contains("\"idempotency\":\"replayed\""))
        #expect(world.metric("weir_idempotency_requests_total{outcome=\"replayed\"}") == 2)
    }

    @Test func `keys are the caller's own, and the route's`() throws {
        let world = try ProxyWorld(
            """
            identity: {trusted_proxies: [10.4.0.0/16], user: header:X-User}
            routes: [{path: /pay, idempotency: 1h}, {path: /buy, idempotency: 1h}]
            """)
        let seen = origin(world)
        world.client { peer in
            try await expect(peer, pay("x", "k"), 201, "1 x")
            try await expect(peer, pay("x", "k", target: "/buy"), 201, "2 x")
            try await expect(peer, pay("x", "k", "Authorization: one"), 201, "3 x")
            try await expect(peer, pay("x", "k", "Authorization: two"), 201, "4 x")
            try await expect(peer, pay("x", "k", "Authorization: one"), 201, "3 x", replayed: true)
            try await expect(peer, pay("x", "k"), 201, "1 x", replayed: true)
        }
        world.run()
        world.client(from: ProxyWorld.client(2)) { peer in
            try await expect(peer, pay("x", "k"), 201, "5 x")
        }
        world.run()
        world.client(from: ProxyWorld.trusted) { peer in
            try await expect(peer, pay("x", "k", "X-User: ann"), 201, "6 x")
            try await expect(peer, pay("x", "k", "X-User: bob"), 201, "7 x")
            // The user counts, whatever token is used.
            try await expect(
                peer, pay("x", "k", "X-User: ann", "Authorization: new"), 201, "6 x",
                replayed: true)
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 7)
    }

    @Test func `of many at once one runs, and the client that sent it may leave`() throws {
        for seed in Seeds.upTo(20) {
            let world = try ProxyWorld(Self.yaml, seed: seed)
            let seen = origin(world, delay: .seconds(2))
            let conflicts = Probe(0)
            world.client { peer in
                try await peer.send(pay("once", "k"))
                await peer.sleep(.seconds(1))
                peer.reset()
            }
            for _ in 0..<5 {
                world.client { peer in
                    await peer.sleep(.milliseconds(500))
                    let early = try await peer.ask(pay("once", "k"))
                    try peer.require(early.status == 409, early.startLine)
                    try peer.require(early["Retry-After"] == "1", "no Retry-After")
                    conflicts.update { $0 += 1 }
                    await peer.sleep(.seconds(3))
                    try await expect(peer, pay("once", "k"), 201, "1 once", replayed: true)
                }
            }
            #expect(world.problems() == [])
            #expect(seen.value.count == 1 && conflicts.value == 5)
            #expect(world.server.shared.heldBodies == 0)
        }
    }

    @Test func `a key is asked for where it is required, and must be one`() throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world)
        world.client { peer in
            try await expect(peer, pay("x", "k", target: "/strict"), 400)
            try await expect(peer, pay("x", nil, "X-Once: a,b", target: "/strict"), 400)
            try await expect(
                peer, pay("x", nil, "X-Once: a", "X-Once: a", target: "/strict"), 400)
            try await expect(peer, pay("x", "\"broken"), 400)
            try await expect(peer, get("/strict"), 201, "1 ")
            try await expect(peer, pay("x", nil, "X-Once: a", target: "/strict"), 201, "2 x")
            try await expect(
                peer, pay("x", nil, "X-Once: a", target: "/strict"), 201, "2 x", replayed: true)
            let answer = try await peer.ask(pay("x", nil, target: "/strict"))
            try peer.require(
                answer.text
                    == "{\"error\":\"Bad Request\",\"detail\":\"the route requires an Idempotency-Key\"}\n",
                answer.text)
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 2)
    }

    @Test func `what the origin never answered, or a limit refused, is not remembered`() throws {
        let world = try ProxyWorld(Self.yaml)
        let count = Probe(0)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                count.update { $0 += 1 }
                if count.value == 1 { return peer.reset() }
                if count.value == 2 {
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                    await peer.sleep(.seconds(1))
                    return peer.close()
                }
                try await peer.send(ok("\(count.value) \(request.text)"))
            }
        }
        world.client { peer in
            try await expect(peer, pay("x", "k", target: "/limited"), 502)
            try await peer.send(pay("x", "k", target: "/limited"))
            _ = try await peer.read(until: "half")
            try await peer.expectEnd()
        }
        world.run()
        world.client { peer in
            try await expect(peer, pay("x", "k", target: "/limited"), 200, "3 x")
            // Retries are counted as all requests are: by the limits, before anything is looked up.
            try await expect(peer, pay("x", "k", target: "/limited"), 429)
        }
        #expect(world.problems() == [])
        #expect(count.value == 3)
    }

    @Test func `what is too large is refused, or told as not kept`() throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world, size: 200)
        world.client { peer in
            try await expect(peer, pay("x", "k", target: "/small"), 201)
            try await expect(peer, pay("x", "k", target: "/small"), 409)
            try await expect(
                peer, pay(String(repeating: "y", count: 101), "k2", target: "/small"), 413)
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 1)
        #expect(world.metric("weir_idempotency_answers_not_kept_total") == 1)
    }

    @Test func `beside a cache of the same route the key comes first`() throws {
        let world = try ProxyWorld(Self.yaml)
        let seen = origin(world)
        world.client { peer in
            try await expect(peer, pay("q", nil, target: "/ask"), 201, "1 q")
            let keyed = try await peer.ask(pay("q", "k", target: "/ask"))
            try peer.require(
                keyed.text == "2 q"
                    && keyed["Cache-Status"]
                        == "weir; fwd=bypass; fwd-status=201; detail=idempotency-key",
                "\(keyed.text) \(keyed["Cache-Status"] ?? "-")")
            try await expect(peer, pay("q", "k", target: "/ask"), 201, "2 q", replayed: true)
            // A PUT that is run once invalidates as any other.
            try await expect(peer, get("/ask", "X-Status: 200 OK"), 200, "3 ")
            try await expect(peer, get("/ask", "X-Status: 200 OK"), 200, "3 ")
            try await expect(peer, pay("new", "p", target: "/ask", method: "PUT"), 201, "4 new")
            try await expect(peer, get("/ask", "X-Status: 200 OK"), 200, "5 ")
        }
        #expect(world.problems() == [])
        #expect(seen.value.count == 5)
    }
}
