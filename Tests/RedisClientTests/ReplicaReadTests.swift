import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

extension RedisClient {
    /// What a replica has under `key`; `nil` when none can be asked or none answers.
    fileprivate func readReplica(
        _ key: String, within time: Nanoseconds = .seconds(5)
    ) async -> RedisReply? {
        var command = RedisCommand("GET")
        command.append(key: Array(key.utf8))
        return try? await callReplica(command, until: loop.now + time)
    }

    /// Waits until a replica can be asked.
    fileprivate func awaitReplica(_ key: String = "k") async -> Bool {
        let start = loop.now
        while await readReplica(key) == nil {
            guard loop.now - start < .seconds(20) else { return false }
            await loop.sleep(for: .milliseconds(10))
        }
        return true
    }
}

/// Reads go to replicas in turn, and to none that would cost more than it saves.
@Suite(.serialized) struct ReplicaReadTests {
    private let value = RedisReply.bulk(Array("v".utf8))

    private func client(_ loop: EventLoop, _ server: RedisServer) -> RedisClient {
        let client = RedisClient.make(loop, .host("127.0.0.1", port: server.port))
        client.followReplicas()
        return client
    }

    @Test func `the replicas of a master are found, and asked in turn`() throws {
        try RedisServer.run(replicas: 2) { master, replicas in
            try LiveLoop.run { loop async throws in
                let client = client(loop, master)
                defer { client.close() }
                _ = try await client.ask("SET", "k", "v")
                for replica in replicas { try replica.await("k") }
                #expect(await client.awaitReplica())
                // Both are connected by now, or a moment later.
                try await until(loop) { try replicas.allSatisfy { try $0.calls(of: "info") > 1 } }
                let before = try replicas.map { try $0.calls(of: "get") }
                for _ in 0..<40 { #expect(await client.readReplica("k") == value) }
                #expect(
                    try zip(replicas, before).map { try $0.calls(of: "get") - $1 } == [20, 20])
                #expect(try master.calls(of: "get") == 0)
                // One that leaves is not asked, and not missed.
                try replicas[0].ask("REPLICAOF", "NO", "ONE")
                try await until(loop) {
                    let before = try replicas[0].calls(of: "get")
                    for _ in 0..<10 { _ = await client.readReplica("k") }
                    return try replicas[0].calls(of: "get") == before
                }
                for _ in 0..<10 { #expect(await client.readReplica("k") == value) }
            }
        }
    }

    @Test func `a replica that stands still costs one deadline once, and opens no other breaker`()
        throws
    {
        try RedisServer.run(replicas: 2) { master, replicas in
            try LiveLoop.run { loop async throws in
                let client = client(loop, master)
                defer { client.close() }
                _ = try await client.ask("SET", "k", "v")
                for replica in replicas { try replica.await("k") }
                #expect(await client.awaitReplica())
                await loop.sleep(for: .milliseconds(1200))
                replicas[0].freeze()
                var failures = 0
                for _ in 0..<40 where await client.readReplica("k", within: .seconds(1)) != value {
                    failures += 1
                }
                #expect(failures <= 1)
                replicas[1].freeze()
                _ = await client.readReplica("k", within: .seconds(1))
                let before = loop.kernel.now().monotonic
                for _ in 0..<100 { #expect(await client.readReplica("k") == nil) }
                #expect(loop.kernel.now().monotonic - before < .seconds(1))
                #expect(!client.health.isDegraded)
                #expect(client.health.counts.timeouts.value == 0)
                for replica in replicas { replica.thaw() }
                #expect(await client.awaitReplica())
            }
        }
    }

    @Test func `a replica that falls behind is not asked until it has caught up`() throws {
        try RedisServer.run(replicas: 1) { master, replicas in
            try LiveLoop.run { loop async throws in
                let client = client(loop, master)
                defer { client.close() }
                _ = try await client.ask("SET", "k", "v")
                try replicas[0].await("k")
                #expect(await client.awaitReplica())
                try replicas[0].fallBehind()
                _ = try await client.ask("DEL", "k")
                // It answers all the same, and gives what is no more.
                #expect(try replicas[0].ask("GET", "k").hasPrefix("v"))
                try await until(loop) { await client.readReplica("k") == nil }
                await loop.sleep(for: .milliseconds(1500))
                #expect(await client.readReplica("k") == nil)
                try replicas[0].catchUp()
                #expect(await client.awaitReplica())
                #expect(await client.readReplica("k") == .null)
            }
        }
    }

    @Test func `a replica that dies and comes back is asked again`() throws {
        try RedisServer.run(replicas: 1) { master, replicas in
            try LiveLoop.run { loop async throws in
                let client = client(loop, master)
                defer { client.close() }
                _ = try await client.ask("SET", "k", "v")
                try replicas[0].await("k")
                #expect(await client.awaitReplica())
                try replicas[0].kill()
                try await until(loop) { await client.readReplica("k") == nil }
                #expect(await client.readReplica("k") == nil)
                #expect(!client.health.isDegraded)
                try replicas[0].start()
                #expect(await client.awaitReplica())
                #expect(await client.readReplica("k") == value)
            }
        }
    }

    @Test func `a server of another history is no replica`() throws {
        try RedisServer.run(replicas: 1) { master, replicas in
            try RedisServer.run(replicas: 1) { other, others in
                // It claims to be where the other master's replica is.
                try replicas[0].ask(
                    "CONFIG", "SET", "replica-announce-port", "\(others[0].port)")
                try replicas[0].ask("REPLICAOF", "NO", "ONE")
                try replicas[0].ask("REPLICAOF", "127.0.0.1", "\(master.port)")
                try waitFor("the master names another one") {
                    try master.ask("ROLE").contains("\(others[0].port)")
                }
                try LiveLoop.run { loop async throws in
                    let client = client(loop, master)
                    defer { client.close() }
                    try await until(loop) { try others[0].calls(of: "info") >= 3 }
                    #expect(await client.readReplica("k") == nil)
                    #expect(try others[0].calls(of: "get") == 0)
                }
            }
        }
    }

    @Test func `replicas of a cluster are asked for what is theirs, and masters for nothing`()
        throws
    {
        try RedisServerCluster.run(replica: true) { cluster in
            try LiveLoop.run { loop async throws in
                // A replica has a part of the timeout, and a loaded machine may stand still for longer.
                let client = RedisClient.make(
                    loop, cluster: [.host("127.0.0.1", port: cluster.servers[1].port)],
                    timeout: .seconds(20))
                defer { client.close() }
                client.followReplicas()
                // "b" is the first master's, which has a replica; "a" is the third one's.
                for key in ["a", "b"] { _ = await client.count(key) }
                #expect(await client.awaitReplica("b"))
                try await until(loop) {
                    await client.readReplica("b") == .bulk(Array("1".utf8))
                }
                let before = try cluster.servers[3].calls(of: "get")
                for _ in 0..<20 {
                    #expect(await client.readReplica("b") == .bulk(Array("1".utf8)))
                }
                #expect(try cluster.servers[3].calls(of: "get") == before + 20)
                #expect(try cluster.servers[0].calls(of: "get") == 0)
                #expect(await client.readReplica("a") == nil)
                #expect(await client.count("b") == 2)
                // When it becomes the master there is none to ask, and nothing is lost.
                try cluster.servers[3].ask("CLUSTER", "FAILOVER")
                try await until(loop) {
                    try cluster.servers[3].ask("ROLE").hasPrefix("master")
                }
                try await until(loop) { await client.count("b") ?? 0 > 2 }
                #expect(await client.awaitReplica("b"))
                try await until(loop) {
                    _ = await client.readReplica("b")
                    return try cluster.servers[0].calls(of: "get") > 0
                }
                #expect(!client.health.isDegraded)
            }
        }
    }

    private func until(_ loop: EventLoop, _ condition: () async throws -> Bool) async throws {
        let start = loop.now
        while try await !condition() {
            guard loop.now - start < .seconds(20) else { throw Failure("never") }
            await loop.sleep(for: .milliseconds(10))
        }
    }
}
