import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

extension RedisServerCluster {
    fileprivate var places: [RedisSettings.Place] {
        servers.map { .host("127.0.0.1", port: $0.port) }
    }
}

extension RedisClient {
    static func make(
        _ loop: EventLoop, cluster places: [RedisSettings.Place],
        timeout: Nanoseconds = .seconds(2)
    ) -> RedisClient {
        var settings = RedisSettings(topology: .cluster(places))
        settings.timeout = timeout
        settings.connectTimeout = .seconds(2)
        return RedisClient(
            settings, loop: loop, health: RedisHealth(name: "redis"),
            random: SeededRandom(seed: 1))
    }

    /// INCR of `key` by a script; `nil` when it fails.
    func count(_ key: String) async -> Int64? {
        let script = RedisScript("return redis.call('INCR', KEYS[1])")
        return try? await run(
            script, keys: [Array(key.utf8)], arguments: [], until: deadline
        ).integer
    }
}

@Suite(.serialized) struct ClusterTests {
    @Test func `each key is asked for where it is, also while its slot moves`() throws {
        try RedisServerCluster.run { cluster in
            try LiveLoop.run { loop async throws in
                // One server is known, the others are found.
                let client = RedisClient.make(loop, cluster: [cluster.places[1]])
                defer { client.close() }
                #expect(client.isCluster)
                for n in 0..<60 { #expect(await client.count("k\(n)") == 1) }
                for n in 0..<60 { #expect(await client.count("k\(n)") == 2) }
                #expect(client.health.counts.connects.value >= 3)
                for server in cluster.servers { #expect(try server.calls(of: "evalsha") > 5) }

                let key = "moving"
                let slot = RedisSlot.of(Array(key.utf8))
                let source = slot / 5461 < 3 ? slot / 5461 : 2
                let target = (source + 1) % 3
                try cluster.begin(moving: slot, from: source, to: target)
                // There is no such key yet: the source says ASK.
                for n in 1...3 as ClosedRange<Int64> { #expect(await client.count(key) == n) }
                #expect(try cluster.servers[target].calls(of: "asking") >= 3)
                try cluster.end(moving: slot, to: target)
                // MOVED.
                for n in 4...6 as ClosedRange<Int64> { #expect(await client.count(key) == n) }
                #expect(try cluster.servers[target].ask("GET", key).hasPrefix("6"))
                #expect(!client.health.isDegraded)
                #expect(client.health.takeChanges() == [])
            }
        }
    }

    @Test func `a server that dies takes its slots along, until its replica has them`() throws {
        try RedisServerCluster.run(replica: true) { cluster in
            try LiveLoop.run { loop async throws in
                let client = RedisClient.make(loop, cluster: cluster.places)
                defer { client.close() }
                // "b" is in slot 3300, the first server's; "a" in 15495, the third one's.
                #expect(RedisSlot.of(Array("b".utf8)) == 3300)
                #expect(await client.count("b") == 1)
                #expect(await client.count("a") == 1)
                // The replica has it.
                try waitFor("the replica has the key") {
                    try cluster.servers[3].ask("INFO", "keyspace").contains("keys=1")
                }
                try cluster.servers[0].kill()
                let start = loop.now
                var last: Int64?
                while last == nil, loop.now - start < .seconds(20) {
                    last = await client.count("b")
                    await loop.sleep(for: .milliseconds(20))
                }
                #expect(last == 2)
                #expect(await client.count("a") ?? 0 >= 2)
                #expect(!client.health.isDegraded)
            }
        }
    }
}
