import Foundation

/// The built `weir`, which lies beside the test bundle: a target that uses this depends on the product.
package enum Weir {
    /// Its path; `WEIR_BINARY` names another one.
    package static let path: String = {
        if let named = ProcessInfo.processInfo.environment["WEIR_BINARY"] { return named }
        let bundles = CommandLine.arguments.filter { $0.contains(".xctest") }
        let running =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = (bundles + [running]).map { text -> String in
            let bundle = text.range(of: ".xctest").map { String(text[..<$0.upperBound]) } ?? text
            return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent(
                "weir"
            ).path
        }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? "weir"
    }()

    /// Runs the proxy with `configuration` while `body` runs, and always ends it.
    package static func run<Result>(
        _ configuration: String, environment: [String: String] = [:],
        _ body: (RunningWeir) throws -> Result
    ) throws -> Result {
        try withFolder { folder in
            let file = folder + "/proxy.yaml"
            try Data(configuration.utf8).write(to: URL(fileURLWithPath: file))
            let program = try Program([path, "run", file], environment: environment)
            defer { program.stop() }
            return try body(try RunningWeir(program, folder))
        }
    }

    /// Runs `weir` with `arguments` to its end; `file` becomes the text of a file whose path replaces `FILE`.
    package static func ends(
        _ arguments: [String], file: String = "", environment: [String: String] = [:]
    ) throws -> (status: Int32, output: String, errors: String) {
        try withFolder { folder in
            let path = folder + "/proxy.yaml"
            try Data(file.utf8).write(to: URL(fileURLWithPath: path))
            let real = arguments.map { $0 == "FILE" ? path : $0 }
            let end = try Program.run([Weir.path] + real, environment: environment)
            return (
                end.status, end.output.replacingOccurrences(of: path, with: "FILE"),
                end.errors.replacingOccurrences(of: path, with: "FILE")
            )
        }
    }

    /// Runs the demo origin while `body` runs.
    package static func demo<Result>(_ body: (Place) throws -> Result) throws -> Result {
        let program = try Program([path, "demo", "--listen", "127.0.0.1:0"])
        defer { program.stop() }
        let line = try program.awaitLine("the demo's line") { $0.first }
        guard let url = line.range(of: "http://") else { throw Failure("`\(line)` has no address") }
        return try body(try Place(String(line[url.lowerBound...])))
    }

    /// A folder of its own for `body`, short enough for a socket's path.
    package static func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
        let folder = "/tmp/weir-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try body(folder)
    }
}

/// A proxy that has started.
package final class RunningWeir: Sendable {
    package let program: Program
    /// A folder for the scenario's files and sockets.
    package let folder: String
    /// The listeners in the order of the configuration.
    package let places: [Place]
    /// The admin address.
    package let admin: Place?

    fileprivate init(_ program: Program, _ folder: String) throws {
        self.program = program
        self.folder = folder
        let started = try program.awaitLine("the line `started`") {
            lines in
            lines.lazy.compactMap(JSON.init).first { $0["event"] == "started" }
        }
        places = try (started["listen"] ?? "").split(separator: " ").map { try Place(String($0)) }
        admin = try started["admin"].map { try Place($0) }
        guard !places.isEmpty else { throw Failure("it listens nowhere") }
    }

    /// The first listener.
    package var place: Place { places[0] }

    /// A new connection of a client.
    package func connect(receiveBuffer: Int32? = nil) throws -> RawConnection {
        try RawConnection(to: place, receiveBuffer: receiveBuffer)
    }

    /// Sends `text` on a connection of its own and reads the answer.
    package func ask(_ text: String) throws -> RawConnection.Message { try connect().ask(text) }

    /// Asks the admin address.
    package func askAdmin(_ target: String, _ fields: [String] = []) throws -> RawConnection.Message
    {
        guard let admin else { throw Failure("no admin address") }
        return try RawConnection(to: admin).ask(request(target, fields))
    }

    /// The value of a metric, its labels as they stand in the text.
    package func metric(_ sample: String) throws -> Double {
        let lines = try askAdmin("/metrics").text.split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(sample + " ") }),
            let value = Double(line.dropFirst(sample.count + 1))
        else { throw Failure("no metric \(sample)") }
        return value
    }

    /// The access log's lines so far.
    package var accessLog: [JSON] {
        program.output.value.compactMap(JSON.init).filter { $0["event"] == nil }
    }

    /// Waits for the access log line that `body` looks for.
    package func awaitLog(_ what: String, _ body: (JSON) -> Bool) throws -> JSON {
        try program.awaitLine("a log line: \(what)") { lines in
            lines.lazy.compactMap(JSON.init).first { $0["event"] == nil && body($0) }
        }
    }

    /// Resident memory in bytes.
    package func residentBytes() throws -> Int { try memory("VmRSS:") }

    /// Whether a sanitizer's shadow memory is in the process: then its memory says nothing.
    package var isSanitized: Bool { ((try? memory("VmSize:")) ?? 0) > 1 << 40 }

    private func memory(_ name: String) throws -> Int {
        let status = try String(
            contentsOfFile: "/proc/\(program.identifier)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let kibibytes = Int(line.filter(\.isNumber))
        else { throw Failure("no \(name)") }
        return kibibytes << 10
    }
}

/// A JSON object, its values as text.
package struct JSON: Sendable {
    package let fields: [String: String]
    /// The names of the fields that are numbers.
    package let numbers: Set<String>

    /// Reads one line; `nil` when it is not a JSON object.
    package init?(_ line: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)),
            let values = object as? [String: Any]
        else { return nil }
        fields = values.mapValues { "\($0)" }
        numbers = Set(values.filter { $0.value is NSNumber }.keys)
    }

    package subscript(name: String) -> String? { fields[name] }
}

/// How long `body` takes.
package func time<Result>(_ body: () throws -> Result) rethrows -> (Result, Duration) {
    let clock = ContinuousClock()
    let start = clock.now
    let result = try body()
    return (result, clock.now - start)
}
