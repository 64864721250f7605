extension RedisServer {
    /// Starts a replica of `master` in `folder`, and waits until it follows.
    package convenience init(
        in folder: String, following master: RedisServer, _ arguments: [String] = []
    ) throws {
        try self.init(in: folder, ["--replicaof", "127.0.0.1", "\(master.port)"] + arguments)
        try waitFor("the replica follows") {
            try ask("INFO", "replication").contains("master_link_status:up")
                && master.ask("INFO", "replication").contains("port=\(port),state=online")
        }
    }

    /// Runs a master and `count` replicas of it, in a folder of their own, while `body` runs.
    package static func run(
        replicas count: Int, _ arguments: [String] = [],
        _ body: (_ master: RedisServer, _ replicas: [RedisServer]) throws -> Void
    ) throws {
        try Weir.withFolder { folder in
            let master = try RedisServer(
                in: folder, ["--repl-diskless-sync-delay", "0"] + arguments)
            defer { master.stop() }
            var replicas: [RedisServer] = []
            defer { for replica in replicas { replica.stop() } }
            for _ in 0..<count {
                replicas.append(try RedisServer(in: folder, following: master, arguments))
            }
            try body(master, replicas)
        }
    }

    /// Makes a replica fall behind: it answers and hears from its master, and takes nothing.
    package func fallBehind() throws { try ask("CLIENT", "PAUSE", "600000", "WRITE") }

    /// Lets it follow again.
    package func catchUp() throws { try ask("CLIENT", "UNPAUSE") }

    /// Waits until it has the key `name`.
    package func await(_ name: String) throws {
        try waitFor("\(name) is there") { try ask("EXISTS", name).hasPrefix("1") }
    }
}
