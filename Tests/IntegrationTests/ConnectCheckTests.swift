import BinaryKit
import Testing

extension Integration {
    /// `weir check --connect`.
    struct ConnectCheckTests {
        @Test func `upstreams that accept connections are well, others are not`() throws {
            try Weir.demo { place in
                let good = "listen: 127.0.0.1:0\nupstream: http://\(place)\n"
                let well = try Weir.ends(["check", "FILE", "--connect"], file: good)
                #expect(well.status == 0)
                #expect(well.output.contains("upstream default: \(place): ok, connected in "))

                let gone = try freePort()
                let bad =
                    "listen: 127.0.0.1:0\nupstreams: {a: http://\(place), b: {servers: "
                    + "[http://127.0.0.1:\(gone), http://nowhere.invalid]}}\nroutes: [{path: /**, upstream: a}]\n"
                let ill = try Weir.ends(["check", "FILE", "--connect"], file: bad)
                #expect(ill.status == 69)
                #expect(ill.output.contains("upstream a: \(place): ok"))
                #expect(
                    ill.output.contains("upstream b: 127.0.0.1:\(gone): failed: Connection refused")
                )
                #expect(
                    ill.output.contains(
                        "upstream b: nowhere.invalid: failed: the name is not known"))
            }
        }

        @Test func `what check prints can still be loaded when it has tried the upstreams`() throws
        {
            let gone = try freePort()
            let file = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:\(gone)\n"
            let both = try Weir.ends(["check", "FILE", "--print", "--connect"], file: file)
            #expect(both.status == 69)
            #expect(both.output.contains("\n# upstream default: 127.0.0.1:\(gone): failed: "))
            #expect(try Weir.ends(["check", "FILE"], file: both.output).status == 0)
        }

        // MARK: Redis

        private func check(_ redis: String, _ upstream: Place) throws -> (
            status: Int32, output: String, errors: String
        ) {
            try Weir.ends(
                ["check", "FILE", "--connect"],
                file: "listen: 127.0.0.1:0\nupstream: http://\(upstream)\n"
                    + "cache: {ttl: 1m, redis: true}\nlimits: {a: 1/s}\n"
                    + "redis: {\(redis), timeout: 5s, connect_timeout: 5s}\n")
        }

        private func lines(_ end: (status: Int32, output: String, errors: String)) -> [String] {
            end.output.split(separator: "\n").map(String.init)
        }

        @Test func `a cluster shows who has which slots, and which slots nobody has`() throws {
            try Weir.demo { upstream in
                try RedisServerCluster.run(replica: true) { cluster in
                    let places = cluster.servers.map { "127.0.0.1:\($0.port)" }
                    // A replica without an offset is not named.
                    try cluster.servers[0].ask("SET", "b", "1")
                    for server in cluster.servers[1...2] {
                        try waitFor("all know how far the replica is") {
                            try server.ask("CLUSTER", "SLOTS")
                                .contains("\(cluster.servers[3].port)")
                        }
                    }
                    let redis = "cluster: ['\(places[1])'], read_replicas: true"
                    let well = try check(redis, upstream)
                    #expect(well.status == 0, "\(well.output)")
                    for line in [
                        "redis: cluster: ok, 3 masters, 1 replica, all slots are covered",
                        "redis: \(places[0]): slots 0-5460, 1 replica",
                        "redis: \(places[0]): ok, writes and scripts work",
                        "redis: replica \(places[3]): ok, follows \(places[0])",
                        "redis: \(places[1]): slots 5461-10921, 0 replicas",
                        "redis: \(places[1]): warning: it has no replica; answers are read from it alone",
                        "redis: \(places[2]): slots 10922-16383, 0 replicas",
                        "redis: \(places[2]): ok, writes and scripts work",
                    ] { #expect(lines(well).contains(line), "\(line)\n\(well.output)") }

                    try cluster.servers[2].ask("CLUSTER", "DELSLOTS", "16383")
                    try cluster.servers[2].ask("CLUSTER", "DELSLOTS", "12000", "12001")
                    let torn = try check("cluster: ['\(places[2])']", upstream)
                    #expect(torn.status == 69)
                    #expect(
                        torn.output.contains(
                            "redis: cluster: failed: 3 masters, 1 replica; nobody has the slots "
                                + "12000-12001, 16383, and limits and answers there go without Redis"
                        ),
                        "\(torn.output)")
                }
                try RedisServer.run { server in
                    let alone = try check("cluster: ['127.0.0.1:\(server.port)']", upstream)
                    #expect(alone.status == 69)
                    #expect(
                        alone.output.contains(
                            "redis: 127.0.0.1:\(server.port): failed: it belongs to no cluster; write redis.url"
                        ), "\(alone.output)")
                }
            }
        }

        @Test func `sentinels say whom they know, and the master is tried`() throws {
            try Weir.demo { upstream in
                try RedisSentinel.run { fleet in
                    let sentinel = "127.0.0.1:\(fleet.port)"
                    let master = "127.0.0.1:\(fleet.master.port)"
                    let well = try check(
                        "sentinel: {master: main, nodes: ['\(sentinel)']}, read_replicas: true",
                        upstream)
                    #expect(well.status == 0, "\(well.output)")
                    for line in [
                        "redis: sentinel \(sentinel): ok, the master of main is \(master), 1 sentinel, "
                            + "quorum 1, 1 replica",
                        "redis: \(master): ok, writes and scripts work",
                        "redis: replica 127.0.0.1:\(fleet.replica.port): ok, follows \(master)",
                    ] { #expect(lines(well).contains(line), "\(line)\n\(well.output)") }

                    let gone = try freePort()
                    let ill = try check(
                        "sentinel: {master: other, nodes: ['127.0.0.1:\(gone)', '\(sentinel)']}",
                        upstream)
                    #expect(ill.status == 69)
                    #expect(
                        ill.output.contains(
                            "redis: sentinel 127.0.0.1:\(gone): failed: Connection refused"),
                        "\(ill.output)")
                    #expect(
                        ill.output.contains(
                            "redis: sentinel \(sentinel): failed: it knows no master named other; "
                                + "it watches main"), "\(ill.output)")
                }
            }
        }

        @Test func `a replica that cannot be reached is a fault only where it is read from`() throws
        {
            try Weir.demo { upstream in
                try RedisServer.run(replicas: 1) { master, replicas in
                    let gone = try freePort()
                    try replicas[0].ask("CONFIG", "SET", "replica-announce-port", "\(gone)")
                    try replicas[0].ask("REPLICAOF", "NO", "ONE")
                    try replicas[0].ask("REPLICAOF", "127.0.0.1", "\(master.port)")
                    try waitFor("the master names it so") {
                        try master.ask("INFO", "replication").contains("port=\(gone),state=online")
                    }
                    #expect(try check("url: '\(master.url)'", upstream).status == 0)
                    let ill = try check("url: '\(master.url)', read_replicas: true", upstream)
                    #expect(ill.status == 69)
                    #expect(
                        ill.output.contains(
                            "redis: replica 127.0.0.1:\(gone): failed: Connection refused; its master "
                                + "names it, and read_replicas would read from it"),
                        "\(ill.output)")
                }
            }
        }
    }
}
