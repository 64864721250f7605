import Foundation
import Testing

extension Integration {
    /// What `scripts/run` starts and prints.
    struct DocumentedCommandsTests {
        @Test func `weir explain says of the sample what the README shows`() throws {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            func read(_ file: String) throws -> String {
                try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
            }
            let block = try read("README.md").components(separatedBy: "```\n")
                .first { $0.hasPrefix("$ weir explain ") }
            let lines = try #require(block).split(separator: "\n").map(String.init)
            let command = lines[0]
                .replacingOccurrences(of: "$ weir", with: "'\(Weir.path)'")
                .replacingOccurrences(of: "proxy.yaml", with: "'\(root.path)/proxy.yaml'")
            let end = try Program.run(["/bin/bash", "-c", command])
            #expect(end.status == 0, "\(end.errors)")
            #expect(end.output.split(separator: "\n").map(String.init) == Array(lines.dropFirst()))
        }

        @Test func `the four commands that scripts run prints do what it says`() throws {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let (origin, proxy, admin) = (
                "127.0.0.1:\(try freePort())", "127.0.0.1:\(try freePort())",
                "127.0.0.1:\(try freePort())"
            )
            try Weir.withFolder { folder in
                let sample = try String(
                    contentsOf: root.appendingPathComponent("proxy.yaml"), encoding: .utf8
                )
                .replacingOccurrences(of: "127.0.0.1:8080", with: proxy)
                .replacingOccurrences(of: "127.0.0.1:9900", with: admin)
                .replacingOccurrences(of: "127.0.0.1:8000", with: origin)
                try Data(sample.utf8).write(to: URL(fileURLWithPath: folder + "/proxy.yaml"))
                let script = try Program(
                    ["/bin/bash", root.path + "/scripts/run", Weir.path, folder + "/proxy.yaml"],
                    environment: ["ORIGIN": origin, "PROXY": proxy, "ADMIN": admin])
                defer { script.stop() }
                let commands = try script.awaitLine("four commands") { lines in
                    lines.contains { $0.contains("Ctrl-C") }
                        ? lines.filter { $0.hasPrefix("   ") }.map {
                            $0.trimmingCharacters(in: .whitespaces)
                        } : nil
                }
                try #require(commands.count == 4)
                func type(_ command: String) throws -> String {
                    let end = try Program.run(["/bin/bash", "-c", command])
                    #expect(end.status == 0, "\(command): \(end.errors)")
                    return end.output
                }
                let (first, second) = (try type(commands[0]), try type(commands[0]))
                #expect(first.hasPrefix("200 in 0.8"), "\(first)")
                #expect(second.hasPrefix("200 in 0.0"), "\(second)")
                let login = try type(commands[1])
                #expect(login.hasPrefix("HTTP/1.1 401"))
                #expect(login.contains("X-RateLimit-Remaining: 9"))
                let many = try type(commands[2])
                let statuses = many.prefix { !$0.isNewline }.split(separator: " ").map(String.init)
                #expect(
                    statuses == Array(repeating: "200", count: 30)
                        + Array(repeating: "429", count: 5))
                #expect(many.contains("{\"error\":\"Rate limit exceeded\""))
                let health = try type(commands[3])
                #expect(health.contains("\"status\":\"healthy\""))
                #expect(health.contains("weir_requests_total{"))

                script.signal(SIGTERM)
                try script.awaitExit()
                // Both have ended with it.
                for place in [origin, proxy, admin] {
                    #expect(throws: RawSocket.Refused.self) { try RawSocket(to: try Place(place)) }
                }
            }
        }
    }
}
