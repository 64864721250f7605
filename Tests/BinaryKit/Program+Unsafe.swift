package import Foundation

/// A child process, its standard output and error gathered line by line.
package final class Program: @unchecked Sendable {
    /// What it wrote to standard output and error so far, line by line.
    package let output = Board<[String]>([])
    package let errors = Board<[String]>([])
    package let identifier: pid_t
    private let exit = Board<Int32?>(nil)
    private let endedStreams = Board(0)
    private let outputEnd: Int32
    private let isReadingOutput: Board<Bool>
    private static let spawning = NSLock()

    /// Starts `arguments[0]`. While `isReadingOutput` is false nothing takes what it writes to standard output.
    package init(_ arguments: [String], environment: [String: String] = [:]) throws {
        // One at a time: no child inherits the pipe of another.
        Program.spawning.lock()
        defer { Program.spawning.unlock() }
        var (out, err): ([Int32], [Int32]) = ([0, 0], [0, 0])
        guard unsafe pipe(&out) == 0, unsafe pipe(&err) == 0 else { throw Failure("no pipe") }
        for descriptor in out + err { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, out[1], 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, err[1], 2)
        // The threads of a test run may block signals; the child must not inherit that.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var merged = ProcessInfo.processInfo.environment
        merged.merge(environment) { $1 }
        let argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        let envp = unsafe merged.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { unsafe (argv + envp).forEach { unsafe free($0) } }
        var child: pid_t = 0
        let result = unsafe posix_spawn(&child, arguments[0], &actions, &attributes, argv, envp)
        _ = Foundation.close(out[1])
        _ = Foundation.close(err[1])
        outputEnd = out[0]
        identifier = child
        isReadingOutput = Board(true)
        guard result == 0 else {
            _ = Foundation.close(err[0])
            throw Failure("cannot start \(arguments): \(result)")
        }
        follow(out[0], output, isReadingOutput)
        follow(err[0], errors, Board(true))
        Thread.detachNewThread { [identifier, exit, output] in
            var status: Int32 = 0
            while unsafe waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
            let code = status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
            exit.change { $0 = code }
            // Whoever waits for a line that will not come looks again.
            output.change { _ in }
        }
    }

    /// Gathers lines from `descriptor` while `gate` is open.
    private func follow(_ descriptor: Int32, _ lines: Board<[String]>, _ gate: Board<Bool>) {
        Thread.detachNewThread { [endedStreams] in
            var line: [UInt8] = []
            var part = [UInt8](repeating: 0, count: 64 << 10)
            while (try? gate.wait(for: "reading", within: .seconds(600)) { $0 ? () : nil }) != nil {
                let n = unsafe part.withUnsafeMutableBytes {
                    unsafe read(descriptor, $0.baseAddress, $0.count)
                }
                if n < 0 && errno == EINTR { continue }
                if n <= 0 { break }
                line += part[0..<n]
                let pieces = line.split(separator: 10, omittingEmptySubsequences: false)
                line = Array(pieces.last ?? [])
                let whole = pieces.dropLast().map { String(decoding: $0, as: UTF8.self) }
                if !whole.isEmpty { lines.change { $0 += whole } }
            }
            if !line.isEmpty { lines.change { $0.append(String(decoding: line, as: UTF8.self)) } }
            _ = Foundation.close(descriptor)
            endedStreams.add()
        }
    }

    /// Waits for what `body` finds in the lines of its standard output; the process must not end before.
    @discardableResult
    package func awaitLine<Found>(_ what: String, _ body: ([String]) -> Found?) throws -> Found {
        let found: Found?? = try output.wait(for: what) { lines in
            if let found = body(lines) { return .some(found) }
            return exit.value == nil ? nil : .some(nil)
        }
        guard let found = found ?? nil else {
            try awaitEndOfOutput()
            if let late = body(output.value) { return late }
            throw Failure(
                "\(what): it ended with \(exit.value ?? 0): \(errors.value.joined(separator: "\n"))"
            )
        }
        return found
    }

    /// Waits until all it wrote has been gathered.
    package func awaitEndOfOutput() throws { try endedStreams.reach(2, "the output ends") }

    /// Stops to take what it writes to standard output; a batch may still be taken.
    package func stopReadingOutput() { isReadingOutput.change { $0 = false } }
    package func readOutputAgain() { isReadingOutput.change { $0 = true } }

    /// Closes the reading end of its standard output: what it writes from now on meets nobody.
    package func closeOutput() {
        isReadingOutput.change { $0 = false }
        // The thread that reads may be inside its read: something else must stand in the descriptor's place.
        let nowhere = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        _ = dup2(nowhere, outputEnd)
        _ = fcntl(outputEnd, F_SETFD, FD_CLOEXEC)
        _ = Foundation.close(nowhere)
    }

    package var isRunning: Bool { exit.value == nil }

    package func signal(_ number: Int32) { if isRunning { _ = kill(identifier, number) } }

    /// Waits for its end; the exit status, or the negated signal that ended it.
    @discardableResult
    package func awaitExit(within bound: Duration = patience) throws -> Int32 {
        try exit.wait(for: "process \(identifier) ends", within: bound) { $0 }
    }

    /// SIGTERM, and SIGKILL when that is not enough; always leaves nothing behind.
    package func stop() {
        readOutputAgain()
        signal(SIGTERM)
        if (try? awaitExit(within: .seconds(10))) != nil { return }
        signal(SIGKILL)
        _ = try? awaitExit()
    }

    /// Runs `arguments` to their end: status, output and errors.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        let program = try Program(arguments, environment: environment)
        defer { program.stop() }
        let status = try program.awaitExit()
        try program.awaitEndOfOutput()
        return (
            status, program.output.value.joined(separator: "\n"),
            program.errors.value.joined(separator: "\n")
        )
    }
}
