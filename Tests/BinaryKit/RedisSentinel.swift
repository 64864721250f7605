import Foundation

/// A real master, a replica of it, and a sentinel that watches them under the name `main`.
package struct RedisSentinel {
    package let master: RedisServer
    package let replica: RedisServer
    /// The sentinel's port on 127.0.0.1.
    package let port: UInt16

    /// Runs them, in a folder of their own, while `body` runs.
    package static func run(_ body: (RedisSentinel) throws -> Void) throws {
        try Weir.withFolder { folder in
            let master = try RedisServer(in: folder, ["--repl-diskless-sync-delay", "0"])
            defer { master.stop() }
            let replica = try RedisServer(in: folder, following: master)
            defer { replica.stop() }
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
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let sentinel = try Program([RedisServer.path, file, "--sentinel"])
            defer { sentinel.stop() }
            try sentinel.awaitLine("the sentinel knows the replica") { lines in
                lines.first { $0.contains("+slave") }
            }
            try body(RedisSentinel(master: master, replica: replica, port: port))
        }
    }

    /// Makes the replica the master; the former master runs on.
    package func failOver() throws {
        let order = ["SENTINEL", "FAILOVER", "main"]
        // It must have heard from the replica first.
        try waitFor("the sentinel begins a failover") {
            try Program.run(["/usr/bin/redis-cli", "-h", "127.0.0.1", "-p", "\(port)"] + order)
                .output.hasPrefix("OK")
        }
    }
}
