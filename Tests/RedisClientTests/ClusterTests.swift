import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

/// A real cluster of three masters, and a replica of the first where it is asked for.
private final class Cluster {
    let servers: [RedisServer]
    private let identifiers: [String]

    var places: [RedisSettings.Place] { servers.map { .host("127.0.0.1", port: $0.port) } }

    init(in folder: String, replica: Bool = false) throws {
        var servers: [RedisServer] = []
        var buses: [UInt16] = []
        for n in 0..<(replica ? 4 : 3) {
            let socket = try RawSocket.listen(on: .port(0))
            buses.append(socket.port)
            socket.shutDown()
            servers.append(
                try RedisServer(
                    in: folder,
                    [
                        "--cluster-enabled", "yes", "--cluster-config-file", "nodes-\(n).conf",
                        "--cluster-port", "\(buses[n])", "--cluster-node-timeout", "1000",
                        "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0",
                    ]))
        }
        self.servers = servers
        identifiers = try servers.map { try $0.ask("CLUSTER", "MYID").trimmed }
        for n in 0..<3 {
            try servers[n].ask(
                "CLUSTER", "ADDSLOTSRANGE", "\(n * 5461)", "\(n == 2 ? 16383 : n * 5461 + 5460)")
            try servers[n].ask("CLUSTER", "SET-CONFIG-EPOCH", "\(n + 1)")
        }
        for n in 1..<servers.count {
            try servers[n].ask(
                "CLUSTER", "MEET", "127.0.0.1", "\(servers[0].port)", "\(buses[0])")
        }
        for server in servers {
            try waitFor("the cluster is complete") {
                try server.ask("CLUSTER", "INFO").contains("cluster_state:ok")
                    && server.ask("CLUSTER", "INFO").contains(
                        "cluster_known_nodes:\(servers.count)")
            }
        }
        if replica {
            try servers[3].ask("CLUSTER", "REPLICATE", identifiers[0])
            try waitFor("the replica follows") {
                try servers[3].ask("INFO", "replication").contains("master_link_status:up")
            }
            for server in servers.prefix(3) {
                try waitFor("all know the replica") {
                    try server.ask("CLUSTER", "NODES").contains("slave \(identifiers[0])")
                }
            }
        }
    }

    func stop() { for server in servers { server.stop() } }

    /// Begins to move `slot` from the server `source` to `target`.
    func begin(moving slot: Int, from source: Int, to target: Int) throws {
        try servers[target].ask("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", identifiers[source])
        try servers[source].ask("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", identifiers[target])
    }

    /// Ends it.
    func end(moving slot: Int, to target: Int) throws {
        for n in [target, (target + 1) % 3, (target + 2) % 3] {
            try servers[n].ask("CLUSTER", "SETSLOT", "\(slot)", "NODE", identifiers[target])
        }
    }

    static func run(replica: Bool = false, _ body: (Cluster) throws -> Void) throws {
        try Weir.withFolder { folder in
            let cluster = try Cluster(in: folder, replica: replica)
            defer { cluster.stop() }
            try body(cluster)
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { !$0.isWhitespace }) }
}

/// Looks again and again, for 20 s, until `condition` holds.
func waitFor(_ what: String, _ condition: () throws -> Bool) throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(20)
    while try !condition() {
        guard clock.now < end else { throw Failure("never: \(what)") }
        pause()
    }
}

extension RedisClient {
    static func make(
        _ loop: EventLoop, cluster places: [RedisSettings.Place]
    ) -> RedisClient {
        var settings = RedisSettings(topology: .cluster(places))
        settings.timeout = .seconds(2)
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
        try Cluster.run { cluster in
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
        try Cluster.run(replica: true) { cluster in
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
