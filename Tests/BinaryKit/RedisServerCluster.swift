import Foundation

/// A real cluster of three masters, and a replica of the first where it is asked for.
package final class RedisServerCluster {
    package let servers: [RedisServer]
    private let identifiers: [String]

    private init(in folder: String, replica: Bool = false) throws {
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

    private func stop() { for server in servers { server.stop() } }

    /// Begins to move `slot` from the server `source` to `target`.
    package func begin(moving slot: Int, from source: Int, to target: Int) throws {
        try servers[target].ask("CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", identifiers[source])
        try servers[source].ask("CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", identifiers[target])
    }

    /// Ends it.
    package func end(moving slot: Int, to target: Int) throws {
        for n in [target, (target + 1) % 3, (target + 2) % 3] {
            try servers[n].ask("CLUSTER", "SETSLOT", "\(slot)", "NODE", identifiers[target])
        }
    }

    /// Runs one, in a folder of its own, while `body` runs.
    package static func run(
        replica: Bool = false, _ body: (RedisServerCluster) throws -> Void
    ) throws {
        try Weir.withFolder { folder in
            let cluster = try RedisServerCluster(in: folder, replica: replica)
            defer { cluster.stop() }
            try body(cluster)
        }
    }
}

extension String {
    fileprivate var trimmed: String { String(prefix { !$0.isWhitespace }) }
}

/// Looks again and again, for 20 s, until `condition` holds.
package func waitFor(_ what: String, _ condition: () throws -> Bool) throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(20)
    while try !condition() {
        guard clock.now < end else { throw Failure("never: \(what)") }
        usleep(20_000)
    }
}
