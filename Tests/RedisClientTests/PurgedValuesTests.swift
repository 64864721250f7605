import BinaryKit
import Caching
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

/// Freeing what purges have made dead in Redis, in a real one.
@Suite(.serialized) struct PurgedValuesTests {
    private let history: PurgeHistory

    init() {
        history = PurgeHistory(seed: KeyedHasher.Seed(1, 2))
        history.begin(at: PurgePosition(generation: 5, sequence: 0))
    }

    /// The next purge, as every process hears of it.
    private func purge(_ kind: PurgeRecord.Kind, _ value: String, number: UInt64) {
        _ = history.add(
            PurgeRecord(
                id: number, kind: kind, value: Array(value.utf8), isSoft: false,
                time: WallTime(nanoseconds: 1)),
            at: PurgePosition(generation: 5, sequence: number), now: MonotonicTime(nanoseconds: 1))
    }

    /// The beginning of an answer that was asked for after the purge `sequence`.
    private static func value(after sequence: UInt64) -> [UInt8] {
        var bytes = Array("WEIR".utf8) + [1, 0, 0, 0] + [UInt8](repeating: 0, count: 152)
        let word = PurgePosition(generation: 5, sequence: sequence).word
        for i in 0..<8 { bytes[88 + i] = UInt8(truncatingIfNeeded: word >> UInt64(8 * i)) }
        return bytes
    }

    private static func name(_ n: Int) -> String { "weir:c:{GET:api.test:/\(n)}" }

    /// Puts `count` answers, every second of them younger than the purge 1, and their set into `server`.
    private static func fill(_ server: RedisServer, _ count: Int, set: String? = nil) throws {
        let talk = try RedisTalk(server)
        for n in 0..<count {
            let name = Array(name(n).utf8)
            try talk.ask([Array("SET".utf8), name, value(after: n % 2 == 0 ? 0 : 1)])
            guard let set else { continue }
            try talk.ask([Array("ZADD".utf8), Array(set.utf8), Array("9999999999999".utf8), name])
        }
    }

    private func values(
        _ client: RedisClient, isStopped: @escaping () -> Bool = { false },
        note: @escaping (PurgedValues.Progress) -> Void = { _ in }
    ) -> PurgedValues {
        PurgedValues(
            in: SecondLevel(client, random: SeededRandom(seed: 3)), by: history,
            isStopped: isStopped, note: note)
    }

    @Test func `by the set of a tag: what came before the purge leaves, with what is gone`() throws
    {
        purge(.tag, "t", number: 1)
        try RedisServer.run { server in
            try Self.fill(server, 600, set: "weir:t:{t}")
            // Its time was over, or Redis has evicted it.
            try server.ask("DEL", Self.name(0), Self.name(1))
            try server.ask("SET", "weir:c:{GET:api.test:/other}", "x")
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, .host("127.0.0.1", port: server.port))
                defer { client.close() }
                _ = try await client.ask("PING")
                var last = PurgedValues.Progress()
                var values = values(client, note: { last = $0 })
                #expect(await values.free(.tag(Array("t".utf8))) == .done)
                #expect(last.freed == 299 && last.seen >= 600)
                #expect(try server.ask("DBSIZE").hasPrefix("301"))
                #expect(try server.ask("ZCARD", "weir:t:{t}").hasPrefix("299"))
                #expect(try server.ask("EXISTS", Self.name(2), Self.name(3)).hasPrefix("1"))
                // Nothing is dead in another one's set, and an absent set is empty.
                #expect(await values.free(.tag(Array("u".utf8))) == .done)
                #expect(last.freed == 299)
            }
            #expect(try server.calls(of: "keys") == 0)
        }
    }

    @Test func `an error in the middle is waited for, and the walk goes on where it was`() throws {
        purge(.all, "", number: 1)
        try RedisServer.run { server in
            try Self.fill(server, 2000)
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, .host("127.0.0.1", port: server.port)) {
                    $0.timeout = .milliseconds(100)
                }
                defer { client.close() }
                var steps = 0
                var last = PurgedValues.Progress()
                var values = values(
                    client,
                    note: { progress in
                        last = progress
                        steps += 1
                        guard steps == 6 else { return }
                        server.freeze()
                        loop.start {
                            await loop.sleep(for: .milliseconds(700))
                            server.thaw()
                        }
                    })
                #expect(await values.free(.anywhere) == .done)
                #expect(steps > 6)
                #expect(last.walked == 1 && last.servers == 1)
                #expect(try server.ask("DBSIZE").hasPrefix("1000"))
                // What was looked at before the fault was not looked at again.
                #expect(last.seen <= 2200, "\(last.seen)")
            }
        }
    }

    @Test func `without Redis it fails in the end; told to stop, it stops`() throws {
        purge(.all, "", number: 1)
        try RedisServer.run { server in
            try Self.fill(server, 1000)
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, .host("127.0.0.1", port: server.port)) {
                    $0.timeout = .milliseconds(100)
                }
                defer { client.close() }
                _ = try await client.ask("PING")
                var isStopped = false
                var stopping = values(
                    client, isStopped: { isStopped },
                    note: { progress in if progress.seen > 200 { isStopped = true } })
                #expect(await stopping.free(.anywhere) == .stopped)
                let left = try server.ask("DBSIZE")
                #expect(!left.hasPrefix("500") && !left.hasPrefix("1000"), "\(left)")
                server.stop()
                var failing = values(client)
                let began = loop.now
                #expect(await failing.free(.anywhere) == .failed)
                #expect(loop.now - began < .seconds(15))
            }
        }
    }

    @Test func `every master of a cluster is walked over, also while a slot moves`() throws {
        purge(.prefix, "/", number: 1)
        try RedisServerCluster.run { cluster in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(
                    loop,
                    cluster: cluster.servers.map { .host("127.0.0.1", port: $0.port) })
                defer { client.close() }
                var last = PurgedValues.Progress()
                for n in 0..<300 {
                    let value = String(
                        decoding: Self.value(after: n % 2 == 0 ? 0 : 1), as: UTF8.self)
                    #expect(!value.contains("\u{FFFD}"))
                    _ = try await client.set(Self.name(n), value)
                }
                let moving = RedisSlot.of(Array(Self.name(0).utf8))
                let source = min(moving / 5461, 2)
                try cluster.begin(moving: moving, from: source, to: (source + 1) % 3)
                var values = values(client, note: { last = $0 })
                #expect(await values.free(.anywhere) == .done)
                #expect(last.freed == 150 && last.walked == 3 && last.servers == 3)
                var left = 0
                for server in cluster.servers {
                    left += Int(try server.ask("DBSIZE").prefix { $0.isNumber }) ?? 0
                    #expect(try server.calls(of: "scan") > 0)
                    #expect(try server.calls(of: "keys") == 0)
                }
                #expect(left == 150)
            }
        }
    }
}

extension RedisClient {
    fileprivate func set(_ key: String, _ value: String) async throws(RedisError) -> RedisReply {
        var command = RedisCommand("SET")
        command.append(key: Array(key.utf8))
        command.append(text: value)
        return try await call(command, until: deadline)
    }
}
