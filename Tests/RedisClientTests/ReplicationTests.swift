import RedisWire
import Settings
import Testing

@testable import RedisClient

/// What servers say about who follows whom.
@Suite struct ReplicationTests {
    private func read(_ text: String) -> RedisReplication? {
        RedisReplication(.bulk(Array(text.utf8)))
    }

    @Test func `a master names the replicas that follow it`() {
        let found = read(
            "# Replication\r\nrole:master\r\nconnected_slaves:3\r\n"
                + "slave0:ip=10.0.0.2,port=6379,state=online,offset=50,lag=0\r\n"
                + "slave1:ip=10.0.0.3,port=6379,state=wait_bgsave,offset=0,lag=0\r\n"
                + "slave2:ip=fd00::4,port=6380,state=online,offset=40,lag=1\r\n"
                + "slave3:ip=10.0.0.5,port=99999,state=online,offset=40,lag=1\r\n"
                + "master_failover_state:no-failover\r\nmaster_replid:abc\r\nmaster_repl_offset:64\r\n"
        )
        #expect(
            found?.part
                == .master(replicas: [
                    .host("10.0.0.2", port: 6379), .host("fd00::4", port: 6380),
                ]))
        #expect(found?.history == "abc" && found?.offset == 64)
    }

    @Test func `a replica says whether it hears from its master, and how far it is`() {
        let text =
            "role:slave\r\nmaster_host:a\r\nmaster_link_status:up\r\nslave_read_repl_offset:70\r\n"
            + "slave_repl_offset:64\r\nslave_priority:100\r\nconnected_slaves:0\r\nmaster_replid:abc\r\n"
            + "master_repl_offset:64\r\n"
        #expect(read(text)?.part == .replica(isConnected: true))
        #expect(read(text)?.offset == 64)
        #expect(
            read(text.replacing("status:up", with: "status:down"))?.part
                == .replica(isConnected: false))
    }

    @Test func `what is no such answer is none`() {
        #expect(read("") == nil)
        #expect(read("role:sentinel\r\n") == nil)
        #expect(RedisReplication(.null) == nil)
        #expect(RedisReplication(.error(RedisServerError(line: Array("NOPERM".utf8)))) == nil)
    }

    @Test func `a cluster names the replicas of its masters`() throws {
        func server(_ host: String, _ port: Int64) -> RedisReply {
            .array([.bulk(Array(host.utf8)), .integer(port), .bulk(Array("id".utf8)), .array([])])
        }
        let reply = RedisReply.array([
            .array([
                .integer(0), .integer(8191), server("10.0.0.1", 1), server("", 2),
                server("10.0.0.3", 3),
            ]),
            .array([.integer(8192), .integer(16383), server("10.0.0.4", 4)]),
        ])
        let topology = try #require(RedisTopology(reply, from: .host("10.0.0.9", port: 9)))
        #expect(topology.parts.map(\.slots) == [0...8191, 8192...16383])
        #expect(
            topology.parts.map(\.master) == [
                .host("10.0.0.1", port: 1), .host("10.0.0.4", port: 4),
            ])
        #expect(
            topology.parts.map(\.replicas) == [
                [.host("10.0.0.9", port: 2), .host("10.0.0.3", port: 3)], [],
            ])
    }
}
