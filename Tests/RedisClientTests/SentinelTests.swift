import BinaryKit
import EventLoop
import Foundation
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

@Suite(.serialized) struct SentinelTests {
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
        try RedisSentinel.run { fleet in
            let (master, replica) = (fleet.master, fleet.replica)
            try LiveLoop.run { loop async throws in
                // Nobody listens at the first one.
                let client = Self.client(loop, [1, fleet.port])
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

    @Test func `a master that another one takes over from is left at once, though it answers`()
        throws
    {
        try RedisSentinel.run { fleet in
            try LiveLoop.run { loop async throws in
                let client = Self.client(loop, [fleet.port])
                defer { client.close() }
                #expect(await client.count("k") == 1)
                try fleet.failOver()
                try waitFor("the replica is promoted") {
                    // A sentinel cuts off the clients of the server that it promotes: this one, too.
                    (try? fleet.replica.ask("ROLE"))?.hasPrefix("master") ?? false
                }
                let start = loop.kernel.now().monotonic
                var port: String?
                while port != "\(fleet.replica.port)",
                    loop.kernel.now().monotonic - start < .seconds(10)
                {
                    port = try? await client.ask("CONFIG", "GET", "port").elements?[1].text
                    await loop.sleep(for: .milliseconds(1))
                }
                #expect(port == "\(fleet.replica.port)")
                // Without the sentinel's word it would be asked every 2.5 s at the earliest.
                #expect(loop.kernel.now().monotonic - start < .seconds(2))
            }
        }
    }

    @Test func `a master that the sentinels do not know is told`() throws {
        try RedisSentinel.run { fleet in
            try LiveLoop.run { loop async throws in
                var settings = RedisSettings(
                    topology: .sentinel(
                        master: "other", [.host("127.0.0.1", port: fleet.port)]))
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
