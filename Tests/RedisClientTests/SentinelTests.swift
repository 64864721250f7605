import BinaryKit
import EventLoop
import Foundation
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

@Suite(.serialized) struct SentinelTests {
    /// A master, a replica and one sentinel that watches them.
    private static func run(
        _ body: (_ master: RedisServer, _ replica: RedisServer, _ sentinel: UInt16) throws -> Void
    ) throws {
        try Weir.withFolder { folder in
            let master = try RedisServer(in: folder, ["--repl-diskless-sync-delay", "0"])
            defer { master.stop() }
            let replica = try RedisServer(
                in: folder, ["--replicaof", "127.0.0.1", "\(master.port)"])
            defer { replica.stop() }
            try waitFor("the replica follows") {
                try replica.ask("INFO", "replication").contains("master_link_status:up")
            }
            let socket = try RawSocket.listen(on: .port(0))
            let port = socket.port
            socket.shutDown()
            let file = "\(folder)/sentinel.conf"
            let text = """
                port \(port)
                bind 127.0.0.1
                dir \(folder)
                sentinel monitor main 127.0.0.1 \(master.port) 1
                sentinel down-after-milliseconds main 500
                sentinel failover-timeout main 3000

                """
            try Host.replaceFile(file, Array(text.utf8))
            let sentinel = try Program([RedisServer.path, file, "--sentinel"])
            defer { sentinel.stop() }
            try sentinel.awaitLine("the sentinel knows the replica") { lines in
                lines.first { $0.contains("+slave") }
            }
            try body(master, replica, port)
        }
    }

    private static func client(_ loop: EventLoop, _ sentinels: [UInt16]) -> RedisClient {
        var settings = RedisSettings(
            topology: .sentinel(
                master: "main", sentinels.map { .host("127.0.0.1", port: $0) }))
        settings.timeout = .milliseconds(500)
        settings.connectTimeout = .seconds(2)
        return RedisClient(
            settings, loop: loop, health: RedisHealth(name: "redis"),
            random: SeededRandom(seed: 1))
    }

    @Test func `the master is found, and found again when another server has become it`() throws {
        try Self.run { master, replica, sentinel in
            try LiveLoop.run { loop async throws in
                // Nobody listens at the first one.
                let client = Self.client(loop, [1, sentinel])
                defer { client.close() }
                #expect(await client.count("k") == 1)
                #expect(try master.ask("GET", "k").hasPrefix("1"))
                try waitFor("the replica has the key") {
                    try replica.ask("GET", "k").hasPrefix("1")
                }
                try master.kill()
                #expect(await client.awaitBreaker(open: true, within: .seconds(5)) != nil)
                #expect(await client.awaitBreaker(open: false, within: .seconds(20)) != nil)
                #expect(await client.count("k") == 2)
                #expect(try replica.ask("GET", "k").hasPrefix("2"))
                #expect(try replica.ask("ROLE").hasPrefix("master"))
            }
        }
    }

    @Test func `a master that the sentinels do not know is told`() throws {
        try Self.run { _, _, sentinel in
            try LiveLoop.run { loop async throws in
                var settings = RedisSettings(
                    topology: .sentinel(
                        master: "other", [.host("127.0.0.1", port: sentinel)]))
                settings.timeout = .seconds(2)
                let client = RedisClient(
                    settings, loop: loop, health: RedisHealth(name: "redis"),
                    random: SeededRandom(seed: 1))
                defer { client.close() }
                #expect(await client.failure("GET", "k") == .connect(.unknownMaster))
            }
        }
    }
}
