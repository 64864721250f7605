import Foundation
import Testing

extension Integration {
    /// `cache.warm`: URLs at the start, popular keys over a restart.
    struct WarmingTests {
        private static func text(_ origin: RawOrigin, _ file: String) -> String {
            configuration(
                origin,
                "cache: {ttl: 1h, warm: {host: api.test, urls: [/list], top: 100%, file: '\(file)'}}"
            )
        }

        private static func event(_ weir: RunningWeir, _ name: String) throws -> JSON {
            try weir.program.awaitLine("the line `\(name)`") { lines in
                lines.lazy.compactMap(JSON.init).first { $0["event"] == name }
            }
        }

        /// Runs a process with the file, whose origin knows a new answer each time.
        private static func run(
            _ file: String, _ body: (RunningWeir, RawOrigin) throws -> Void
        ) throws {
            let origin = try RawOrigin(answering: { request in response(body: request.target) })
            defer { origin.close() }
            try Weir.run(text(origin, file)) { weir throws in
                try body(weir, origin)
                weir.program.signal(SIGTERM)
                #expect(try weir.program.awaitExit() == 0)
            }
        }

        @Test func `what was popular is fetched again after a restart, a damaged file is not used`()
            throws
        {
            try Weir.withFolder { folder in
                let file = folder + "/popular"
                try Self.run(file) { weir, origin in
                    try origin.awaitRequests(1)
                    #expect(origin.requests[0].target == "/list")
                    let client = try weir.connect()
                    for target in ["/hot?a=b", "/hot?a=b", "/cold", "/hot?a=b"] {
                        #expect(try client.ask(request(target)).text == target)
                    }
                }
                let kept = try String(contentsOfFile: file, encoding: .utf8)
                #expect(kept.hasPrefix("weir-popular 1\n2\tapi.test\t/hot?a=b\nend 1 "))
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
                #expect(mode as? Int == 0o600)
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["popular"])

                try Self.run(file) { weir, origin in
                    #expect(try Self.event(weir, "popular keys loaded")["keys"] == "1")
                    try origin.awaitRequests(2)
                    #expect(Set(origin.requests.map(\.target)) == ["/list", "/hot?a=b"])
                    for target in ["/list", "/hot?a=b"] {
                        let answer = try weir.ask(request(target))
                        #expect(answer.text == target)
                    }
                    #expect(origin.requests.count == 2)
                    let jobs = try weir.askAdmin("/jobs")
                    #expect(jobs.status == 200 && jobs.text.contains("\"dead\":[]"))
                    #expect(try weir.askAdmin("/readyz").text.contains("\"warming\":{"))
                }

                let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
                try bytes.dropLast(5).write(to: URL(fileURLWithPath: file))
                try Self.run(file) { weir, origin in
                    let line = try Self.event(weir, "popular keys ignored")
                    #expect(line["reason"] == "damaged" && line["file"] == file)
                    try origin.awaitRequests(1)
                    #expect(try weir.ask(request("/list")).text == "/list")
                    #expect(origin.requests.map(\.target) == ["/list"])
                    let lines = weir.program.output.value.filter { $0.contains("popular keys") }
                    #expect(lines.count == 1)
                }
            }
        }
    }
}
