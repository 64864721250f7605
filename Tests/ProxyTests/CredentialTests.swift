import Identity
import Limits
import Primitives
import Proxy
import TestKit
import Testing

/// Who asks, as the proxy finds it out, tells the origin, and answers those who are nobody.
@Suite struct CredentialTests {
    /// A world with tokens and API keys, whose origin keeps what it was asked.
    private static func world(
        _ yaml: String = "", limits: [LimitDefinition]? = nil
    ) throws -> (ProxyWorld, Probe<[SimulatedMessage]>) {
        let world = try ProxyWorld(
            Credential.identity + yaml, limits: limits, keys: Credential.keys)
        let asked = Probe<[SimulatedMessage]>([])
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                asked.update { $0.append(request) }
                try await peer.send(ok("fine"))
            }
        }
        return (world, asked)
    }

    private static func identity(_ request: SimulatedMessage) -> [String] {
        ["X-Weir-User", "X-Weir-Company", "X-Weir-Tier"].map {
            request.all($0).joined(separator: "|")
        }
    }

    @Test
    func `the answer for an API key is nobody else's, though the cache does not vary by user`()
        throws
    {
        let (world, asked) = try Self.world("cache: 5m")
        world.client { peer in
            for fields in ["X-API-Key: \(Credential.apiKey)", "Accept: */*", "Accept: */*"] {
                let answer = try await peer.ask(get("/", fields))
                try peer.require(answer.status == 200, answer.startLine)
            }
        }
        #expect(world.problems() == [])
        // The key's own answer, then one for everybody, which the third request gets from the cache.
        #expect(asked.value.count == 2)
    }

    @Test
    func
        `who tries tokens on a route that asks for a user is counted by address, and then refused`()
        throws
    {
        let (world, asked) = try Self.world(
            """
            limits:
              guesses: {rate: 2/hour, per: ip, algorithm: sliding_window, count: [401]}
              members: {rate: 9/hour, per: user, anonymous: deny}
            routes: [{path: /**, auth: required, limits: [guesses, members]}]
            """)
        world.client { peer in
            for status in [200, 401, 401, 429] {
                let token = status == 200 ? Credential.alice : Credential.forged
                let answer = try await peer.ask(get("/", Credential.bearer(token)))
                try peer.require(answer.status == status, answer.startLine)
            }
        }
        #expect(world.problems() == [])
        #expect(asked.value.count == 1)
    }

    @Test
    func `without a proven user a route that asks for one answers 401, and says what was wrong`()
        throws
    {
        let (world, asked) = try Self.world("routes: [{path: /**, auth: required}]")
        let realm = "Bearer realm=\"weir\""
        func invalid(_ reason: String) -> String {
            "\(realm), error=\"invalid_token\", error_description=\"\(reason)\""
        }
        let cases: [([String], String)] = [
            ([], realm),
            ([Credential.bearer(Credential.old)], invalid("the token has expired")),
            ([Credential.bearer(Credential.forged)], invalid("the token's signature is wrong")),
            ([Credential.bearer("x.y")], invalid("the token is malformed")),
            (["Authorization: Basic dTpw"], realm),
            (["X-API-Key: guess"], realm),
            // Whoever sends a cookie chose it.
            (["Cookie: uid=alice"], realm),
            // Only a trusted proxy may say it.
            (["X-User: alice"], realm),
        ]
        world.client { peer in
            for (fields, challenge) in cases {
                let lines = fields.map { "\($0)\r\n" }.joined()
                let answer = try await peer.ask("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
                try peer.require(answer.status == 401, "\(fields): \(answer.startLine)")
                try peer.require(
                    answer.all("WWW-Authenticate") == [challenge], "\(fields): \(answer.fields)")
                try peer.require(answer["Cache-Control"] == "no-store", "\(answer.fields)")
            }
            for fields in [
                Credential.bearer(Credential.alice), "X-API-Key: \(Credential.apiKey)",
            ] {
                let answer = try await peer.ask(get("/", fields))
                try peer.require(answer.status == 200, answer.startLine)
                try peer.require(answer["WWW-Authenticate"] == nil, "\(answer.fields)")
            }
        }
        world.client(from: ProxyWorld.trusted) { peer in
            let answer = try await peer.ask(get("/", "X-User: alice"))
            try peer.require(answer.status == 200, answer.startLine)
        }
        #expect(world.problems() == [])
        #expect(asked.value.count == 3)
    }

    @Test func `elsewhere a bad credential is nobody's, counted and told in the log`() throws {
        let (world, asked) = try Self.world()
        world.client { peer in
            for fields in [
                Credential.bearer(Credential.old), "X-API-Key: guess",
                Credential.bearer(Credential.alice), Credential.bearer(Credential.alice),
                "X-API-Key: \(Credential.apiKey)",
            ] {
                let answer = try await peer.ask(get("/", fields))
                try peer.require(answer.status == 200, answer.startLine)
            }
        }
        #expect(world.problems() == [])
        #expect(
            asked.value.map(Self.identity) == [
                ["", "", "free"], ["", "", "free"], ["alice", "acme", "pro"],
                ["alice", "acme", "pro"], ["robot", "acme", "internal"],
            ])
        let log = world.log
        #expect(log[0].contains("\"credential\":\"the token has expired\""), "\(log[0])")
        #expect(!log[0].contains("\"user_id\""), "\(log[0])")
        #expect(log[1].contains("\"credential\":\"the API key is not known\""), "\(log[1])")
        #expect(log[2].contains("\"user_id\":\"alice\",\"company\":\"acme\",\"tier\":\"pro\""))
        #expect(!log[2].contains("credential"), "\(log[2])")
        for (kind, outcome, count) in [
            ("token", "invalid", 1.0), ("token", "verified", 1), ("token", "remembered", 1),
            ("api_key", "known", 1), ("api_key", "unknown", 1),
        ] {
            let name = "weir_credentials_total{kind=\"\(kind)\",outcome=\"\(outcome)\"}"
            #expect(world.metric(name) == count, "\(name)")
        }
    }

    @Test func `what clients send under our names never reaches the origin, however it is spelt`()
        throws
    {
        let forged = [
            "X-Weir-User: admin", "x-weir-USER: root", "X_Weir_User: root", "X-Weir_Company: evil",
            "X-WEIR-TIER: internal", "X-Weir-Users: kept",
        ]
        for source in [ProxyWorld.client(1), ProxyWorld.trusted] {
            for isCached in [false, true] {
                let (world, asked) = try Self.world(isCached ? "cache: {ttl: 1m}" : "")
                world.client(from: source) { peer in
                    let lines = forged.map { "\($0)\r\n" }.joined()
                    _ = try await peer.ask("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
                    _ = try await peer.ask(
                        "POST / HTTP/1.1\r\nHost: a\r\n\(lines)Transfer-Encoding: chunked\r\n\r\n"
                            + "1\r\nx\r\n0\r\nX-Sum: 1\r\nX-Weir-User: admin\r\n"
                            + "X_WEIR-User: admin\r\n\r\n")
                }
                #expect(world.problems() == [])
                #expect(asked.value.count == 2)
                for request in asked.value {
                    let names = request.fields.map { $0.name.lowercased() }
                    #expect(Self.identity(request) == ["", "", "free"])
                    #expect(!names.contains { $0.contains("_") }, "\(names)")
                    #expect(names.contains("x-weir-users"))
                }
                #expect(asked.value.last?.trailers.map(\.name) == ["X-Sum"])
            }
        }
    }

    @Test
    func
        `identity and the credential itself go to the origin, also when it is asked for the cache`()
        throws
    {
        for yaml in ["", "cache: {ttl: 1m, vary_by: [user]}"] {
            let (world, asked) = try Self.world(yaml)
            world.client { peer in
                _ = try await peer.ask(
                    get("/", Credential.bearer(Credential.alice), "X-Weir-User: bob"))
                _ = try await peer.ask(
                    get("/", "X-API-Key: \(Credential.apiKey)", "Cookie: uid=carol"))
                _ = try await peer.ask(get("/", "Cookie: uid=carol"))
            }
            #expect(world.problems() == [])
            #expect(
                asked.value.map(Self.identity) == [
                    ["alice", "acme", "pro"], ["robot", "acme", "internal"], ["carol", "", "free"],
                ])
            #expect(asked.value[0]["Authorization"] == "Bearer \(Credential.alice)")
            #expect(asked.value[1]["X-API-Key"] == Credential.apiKey)
        }
    }

    @Test func `no user's name can break out of its field`() throws {
        let (world, asked) = try Self.world()
        world.client { peer in _ = try await peer.ask(get("/", Credential.bearer(Credential.odd))) }
        #expect(world.problems() == [])
        let request = try #require(asked.value.first)
        #expect(request["X-Evil"] == nil)
        #expect(request["X-Weir-User"] == "a%20b,%201%25K%C3%B6ln\"")
    }

    @Test func `the names of the fields are the operator's choice`() throws {
        let world = try ProxyWorld(
            Credential.identity + "  forwarded: {user: X-Remote-User, company: off}\n",
            keys: Credential.keys)
        let arrived = Probe<SimulatedMessage?>(nil)
        world.origin { request in
            arrived.value = request
            return ok("fine")
        }
        world.client { peer in
            _ = try await peer.ask(
                get(
                    "/", Credential.bearer(Credential.alice), "X-Remote-User: root",
                    "X-Weir-User: 1"))
        }
        #expect(world.problems() == [])
        #expect(arrived.value?.all("X-Remote-User") == ["alice"])
        #expect(arrived.value?.all("X-Weir-User") == ["1"])
        #expect(arrived.value?["X-Weir-Company"] == nil)
        #expect(arrived.value?.all("X-Weir-Tier") == ["pro"])
    }

    @Test func `limits count by a field, all its lines together, and by a claim`() throws {
        let limits = [
            LimitSettlementTests.perHour(1, "tenant", per: [.header("x-tenant")]),
            LimitSettlementTests.perHour(2, "org", per: [.claim("org"), .header("accept")]),
        ]
        let (world, _) = try Self.world(limits: limits)
        world.client { peer in
            func status(_ fields: String...) async throws -> Int {
                let lines = fields.map { "\($0)\r\n" }.joined()
                return try await peer.ask("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n").status
            }
            let alice = Credential.bearer(Credential.alice)
            let bob = Credential.bearer(Credential.bob)
            var seen: [Int] = []
            seen.append(try await status("X-Tenant: a", alice, "Accept: x"))
            seen.append(try await status("X-Tenant: a", bob, "Accept: x"))
            seen.append(try await status("X-Tenant: b", "x-tenant: c", alice, "Accept: x"))
            // The same value in one line.
            seen.append(try await status("X-Tenant: b,c", bob, "Accept: x"))
            seen.append(try await status("X-Tenant: c", "x-tenant: b", bob, "Accept: x"))
            // The claim's own count is used up, for this value of the field.
            seen.append(try await status("X-Tenant: d", alice, "Accept: x"))
            seen.append(try await status("X-Tenant: d", alice, "Accept: y"))
            seen.append(try await status("X-Tenant: e", bob, "Accept: x"))
            try peer.require(seen == [200, 429, 200, 429, 200, 429, 200, 200], "\(seen)")
        }
        #expect(world.problems() == [])
    }
}
