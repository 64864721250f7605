import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

@Suite struct LiveServerTests {
    private static func place(_ server: RedisServer) -> RedisSettings.Place {
        .host("127.0.0.1", port: server.port)
    }

    @Test func `calls of one turn are answered in order, over TCP and a Unix socket`() throws {
        try RedisServer.run { server in
            for place in [
                Self.place(server), .unix(server.socketPath), .host("localhost", port: server.port),
            ] {
                try LiveLoop.run { loop async throws in
                    let client = RedisClient.make(loop, place)
                    defer { client.close() }
                    var answers: [Int64] = []
                    let all = Waiter(loop)
                    #expect(try await client.ask("DEL", "n").integer != nil)
                    for _ in 0..<1000 {
                        client.begin(RedisCommand("INCR", "n"), until: client.deadline) { result in
                            if case .success(.integer(let n)) = result { answers.append(n) }
                            if answers.count == 1000 { all.wake() }
                        }
                    }
                    #expect(await all.wait(until: loop.now + .seconds(10)) == .ready)
                    #expect(answers == Array(1...1000))
                    #expect(client.health.counts.connects.value == 1)
                }
            }
        }
    }

    @Test func `a script that the server does not know is sent once`() throws {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server))
                defer { client.close() }
                let script = RedisScript("return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1])}")
                for n in 1...3 as ClosedRange<Int64> {
                    let reply = try await client.run(
                        script, keys: [Array("k".utf8)], arguments: [Array("a".utf8)],
                        until: client.deadline)
                    #expect(reply == .array([.bulk([107]), .bulk([97]), .integer(n)]))
                }
            }
            #expect(try server.calls(of: "evalsha") == 3)
            #expect(try server.calls(of: "eval") == 1)
        }
    }

    @Test func `user, password and database are used`() throws {
        try RedisServer.run([
            "--user", "weir", "on", ">pass%", "~*", "&*", "+@all", "--requirepass", "other",
        ]) {
            server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server)) {
                    $0.username = "weir"
                    $0.password = "pass%"
                    $0.database = 3
                }
                defer { client.close() }
                #expect(try await client.ask("SET", "k", "v").isStatus("OK"))
                #expect(try await client.ask("ACL", "WHOAMI").text == "weir")
                let old = RedisClient.make(loop, Self.place(server)) { $0.password = "other" }
                defer { old.close() }
                #expect(try await old.ask("GET", "k") == .null)
                #expect(try await old.ask("SELECT", "3").isStatus("OK"))
                #expect(try await old.ask("GET", "k").text == "v")
            }
        }
    }

    @Test(arguments: [nil, "wrong"])
    func `without the right password there is no connection, and the reason is told`(
        password: String?
    ) throws {
        try RedisServer.run(["--requirepass", "secret"]) { server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server)) { $0.password = password }
                defer { client.close() }
                let error = await client.failure("GET", "k")
                guard case .connect(.server(let refusal)) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(refusal.kind == (password == nil ? .noAuthentication : .wrongPassword))
                #expect(client.health.isDegraded)
                #expect(await client.failure("GET", "k") == .unavailable)
            }
        }
    }

    @Test func `a server that stands still costs one deadline, and is used again within a second`()
        throws
    {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server)) {
                    $0.timeout = .milliseconds(100)
                    $0.connectTimeout = .seconds(1)
                }
                defer { client.close() }
                #expect(try await client.ask("SET", "k", "v").isStatus("OK"))
                server.freeze()
                defer { server.thaw() }
                let start = loop.now
                #expect(await client.failure("GET", "k") == .timedOut)
                #expect(loop.now - start >= .milliseconds(99))
                for _ in 0..<100 {
                    let began = loop.now
                    #expect(await client.failure("GET", "k") == .unavailable)
                    #expect(loop.now == began)
                }
                // Long enough for the connection to be given up and for others to be tried.
                await loop.sleep(for: .milliseconds(1500))
                #expect(client.health.isDegraded)
                server.thaw()
                let took = await client.awaitBreaker(open: false, within: .seconds(10))
                #expect(try #require(took) < .seconds(1))
                #expect(try await client.ask("GET", "k").text == "v")
                #expect(client.health.takeChanges().map(\.isDegraded) == [true, false])
            }
        }
    }

    @Test func `a server that goes and comes back is used again within a second`() throws {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server))
                defer { client.close() }
                let script = RedisScript("return redis.call('INCR', KEYS[1])")
                func count() async throws -> Int64? {
                    try await client.run(
                        script, keys: [[107]], arguments: [], until: client.deadline
                    ).integer
                }
                #expect(try await count() == 1)
                server.stop()
                #expect(await client.awaitBreaker(open: true, within: .seconds(10)) != nil)
                #expect(await client.failure("GET", "k") == .unavailable)
                try server.start()
                let took = await client.awaitBreaker(open: false, within: .seconds(10))
                #expect(try #require(took) < .seconds(1))
                // Empty, without the script.
                #expect(try await count() == 1)
            }
        }
    }

    @Test func `a full server is no server for calls, until it has room again`() throws {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server))
                let other = RedisClient.make(loop, Self.place(server))
                defer {
                    client.close()
                    other.close()
                }
                let script = RedisScript("return redis.call('INCR', KEYS[1])")
                #expect(try await other.ask("CONFIG", "SET", "maxmemory", "1").isStatus("OK"))
                // Nobody waits for it: the cache may be full.
                #expect(try await client.ask("PING").isStatus("PONG"))
                #expect(client.send(RedisCommand("SET", "k", "v")))
                #expect(try await client.ask("PING").isStatus("PONG"))
                #expect(!client.health.isDegraded)
                let error = await client.failure(of: script)
                guard case .server(let refusal) = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(refusal.kind == .outOfMemory)
                await loop.sleep(for: .milliseconds(300))
                #expect(client.health.isDegraded)
                #expect(try await other.ask("CONFIG", "SET", "maxmemory", "0").isStatus("OK"))
                let took = await client.awaitBreaker(open: false, within: .seconds(10))
                #expect(try #require(took) < .seconds(1))
            }
        }
    }

    @Test func `a server that has become a replica is no server until it is a master again`() throws
    {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, Self.place(server))
                let other = RedisClient.make(loop, Self.place(server))
                defer {
                    client.close()
                    other.close()
                }
                // Nobody listens there.
                #expect(try await other.ask("REPLICAOF", "127.0.0.1", "1").isStatus("OK"))
                #expect(await client.failure("SET", "k", "v") != nil)
                #expect(client.health.isDegraded)
                await loop.sleep(for: .milliseconds(500))
                #expect(client.health.isDegraded)
                #expect(try await other.ask("REPLICAOF", "NO", "ONE").isStatus("OK"))
                let took = await client.awaitBreaker(open: false, within: .seconds(10))
                #expect(try #require(took) < .seconds(1))
                #expect(try await client.ask("SET", "k", "v").isStatus("OK"))
            }
        }
    }
}
