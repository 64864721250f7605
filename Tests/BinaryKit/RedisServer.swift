import Foundation

/// A real `redis-server` for one test: loopback only, nothing on disk but its log and its Unix socket.
///
/// It keeps its port over `stop` and `start`, so that a test can take it away and bring it back.
package final class RedisServer: @unchecked Sendable {
    /// Where Debian's package has it; `WEIR_REDIS` names another one.
    package static let path =
        ProcessInfo.processInfo.environment["WEIR_REDIS"] ?? "/usr/bin/redis-server"

    /// Its TCP port on 127.0.0.1.
    package let port: UInt16
    /// Its Unix socket.
    package let socketPath: String
    private let folder: String
    private let arguments: [String]
    private var program: Program

    /// `redis://127.0.0.1:port`.
    package var url: String { "redis://127.0.0.1:\(port)" }
    package var place: Place { .port(port) }

    /// Starts one in `folder`, and waits until it answers.
    ///
    /// - Parameters:
    ///   - folder: A folder of the test's own, which removes it.
    ///   - arguments: Further arguments, as `["--maxmemory", "8mb"]`.
    /// - Throws: What kept it from starting.
    package init(in folder: String, _ arguments: [String] = []) throws {
        self.folder = folder
        self.arguments = arguments
        for _ in 0..<16 {
            // The kernel names a free port; should somebody else take it meanwhile, another one is tried.
            let port = try RedisServer.freePort()
            let socketPath = "\(folder)/redis-\(port).sock"
            if let program = try RedisServer.start(folder, port, socketPath, arguments) {
                self.port = port
                self.socketPath = socketPath
                self.program = program
                return
            }
        }
        throw Failure("redis-server found no port in 16 attempts")
    }

    /// Runs one, in a folder of its own, while `body` runs.
    package static func run<Result>(
        _ arguments: [String] = [], _ body: (RedisServer) throws -> Result
    ) throws -> Result {
        try Weir.withFolder { folder in
            let server = try RedisServer(in: folder, arguments)
            defer { server.stop() }
            return try body(server)
        }
    }

    private static func freePort() throws -> UInt16 {
        let socket = try RawSocket.listen(on: .port(0))
        defer { socket.shutDown() }
        return socket.port
    }

    /// `nil` when it ended before it was ready.
    private static func start(
        _ folder: String, _ port: UInt16, _ socketPath: String, _ arguments: [String]
    ) throws -> Program? {
        let program = try Program(
            [
                path, "--port", "\(port)", "--bind", "127.0.0.1", "--unixsocket", socketPath,
                "--dir",
                folder, "--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "",
            ] + arguments)
        do {
            try program.awaitLine("redis-server is ready") { lines in
                lines.first {
                    $0.contains("Ready to accept connections") || $0.contains("+monitor")
                }
            }
            return program
        } catch {
            program.stop()
            return nil
        }
    }

    /// Ends it as SIGTERM does; `start` brings an empty one back at the same port.
    package func stop() {
        program.signal(SIGCONT)
        program.stop()
    }

    /// Ends it with SIGKILL.
    package func kill() throws {
        program.signal(SIGKILL)
        try program.awaitExit()
    }

    /// Starts it again, empty, at its port and socket.
    package func start() throws {
        guard
            let program = try RedisServer.start(folder, port, socketPath, arguments)
        else { throw Failure("redis-server did not come back at port \(port)") }
        self.program = program
    }

    /// Stops it from running without closing anything: connections stand, nothing is answered.
    package func freeze() { program.signal(SIGSTOP) }

    /// Lets it run on after `freeze`.
    package func thaw() { program.signal(SIGCONT) }

    /// Runs one command with `redis-cli` and returns what it prints.
    @discardableResult
    package func ask(_ command: String...) throws -> String {
        let end = try Program.run(
            ["/usr/bin/redis-cli", "-h", "127.0.0.1", "-p", "\(port)"] + command)
        guard end.status == 0 else { throw Failure("redis-cli \(command): \(end.errors)") }
        return end.output
    }

    /// How often `command` (lower case) was called, by INFO commandstats.
    package func calls(of command: String) throws -> Int {
        let lines = try ask("INFO", "commandstats").split(whereSeparator: \.isNewline)
        guard let line = lines.first(where: { $0.hasPrefix("cmdstat_\(command):calls=") }) else {
            return 0
        }
        return Int(line.drop { $0 != "=" }.dropFirst().prefix { $0.isNumber }) ?? 0
    }
}
