import Foundation
import Testing

extension Integration {
    /// SIGHUP: the file is read again, and no connection notices.
    struct ReloadTests {
        /// Writes the configuration anew and waits for the log's line about it.
        private static func reload(
            _ weir: RunningWeir, _ text: String, _ event: String
        ) throws -> JSON {
            let file = weir.folder + "/proxy.yaml"
            try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic)
            let before = events(weir).count
            weir.program.signal(SIGHUP)
            let line = try weir.program.awaitLine("the line `\(event)`") { lines in
                lines.compactMap(JSON.init).filter(isAboutReload).dropFirst(before).first
            }
            #expect(line["event"] == event)
            return line
        }

        private static func events(_ weir: RunningWeir) -> [JSON] {
            weir.program.output.value.compactMap(JSON.init).filter(isAboutReload)
        }

        private static func isAboutReload(_ line: JSON) -> Bool {
            line["event"]?.hasPrefix("reload") ?? false
        }

        @Test func `a new file is followed by open connections, and what was counted stays`() throws
        {
            let origin = try RawOrigin(answering: { _ in response(body: "first") })
            let second = try RawOrigin(answering: { _ in response(body: "second") })
            defer {
                origin.close()
                second.close()
            }
            let limits = "workers: 2\nlimits: {all: {rate: 10/hour, algorithm: fixed_window}}\n"
            try Weir.run(configuration(origin, limits)) { weir throws in
                let client = try weir.connect()
                for _ in 0..<10 { #expect(try client.ask(request("/")).text == "first") }
                #expect(try client.ask(request("/")).status == 429)

                let line = try Self.reload(
                    weir,
                    configuration(second, limits.replacingOccurrences(of: "10/", with: "20/"))
                        + "\nhttp: {fields: 50}\n", "reloaded")
                #expect(line["level"] == "info")
                #expect(line["config_generation"] == "2")
                #expect(line["limits"] == "0 added, 1 changed, 0 removed")
                #expect(line["upstreams"] == "0 added, 1 changed, 0 removed")
                #expect(line["routes"] == "0 added, 0 changed, 0 removed")
                #expect(line["changed"] == "http")

                let other = try weir.connect()
                let answers = try (0..<12).map { index in
                    try (index % 2 == 0 ? client : other).ask(request("/"))
                }
                #expect(answers.filter { $0.text == "second" }.count == 10)
                #expect(answers.filter { $0.status == 429 }.count == 2)
                #expect(try weir.metric("weir_config_reloads_total{outcome=\"ok\"}") == 1)
                #expect(try weir.metric("weir_connections_accepted_total") == 2)
                #expect(
                    try weir.metric(
                        "weir_limit_decisions_total{limit=\"all\",outcome=\"admitted\"}") == 20)
                let health = JSON(try weir.askAdmin("/health").text)
                #expect(health?["config_generation"] == "2")
                let loaded = try weir.metric("weir_config_loaded_timestamp_seconds")
                #expect(abs(loaded - Date().timeIntervalSince1970) < 60)
            }
        }

        @Test func `a file that is wrong, gone or asks for a restart changes nothing`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            let good = configuration(origin, "workers: 2")
            try Weir.run(good) { weir throws in
                let client = try weir.connect()
                #expect(try client.ask(request("/")).text == "ok")

                let wrong =
                    good + "\nlimits: {a: 1/fortnight, b: nothing}\nroutes: []\nhttp: {field: 3}\n"
                let line = try Self.reload(weir, wrong, "reload failed")
                #expect(line["level"] == "warning")
                #expect((Int(line["problems"] ?? "") ?? 0) >= 3)
                let problem = try #require(line["problem"])
                #expect(problem.contains("proxy.yaml:") && problem.contains("limits.a"))
                #expect(!problem.contains("http.field"))

                let fixed = try Self.reload(
                    weir,
                    good.replacingOccurrences(of: "workers: 2", with: "workers: 3")
                        + "\nlimit_keys: 5000\nlimits: [1/hour]\n", "reload needs restart")
                #expect(fixed["level"] == "warning")
                #expect(fixed["keys"] == "workers limit_keys")

                try FileManager.default.removeItem(atPath: weir.folder + "/proxy.yaml")
                weir.program.signal(SIGHUP)
                try weir.program.awaitLine("the third refusal") { lines in
                    lines.compactMap(JSON.init).contains {
                        $0["problem"]?.contains("cannot read") ?? false
                    } ? () : nil
                }
                for _ in 0..<5 { #expect(try client.ask(request("/")).text == "ok") }
                #expect(try weir.metric("weir_config_reloads_total{outcome=\"failed\"}") == 3)
                #expect(try weir.metric("weir_config_reloads_total{outcome=\"ok\"}") == 0)
                #expect(JSON(try weir.askAdmin("/health").text)?["config_generation"] == "1")
            }
        }

        @Test func `a storm of signals under load fails no request`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            func text(_ round: Int) -> String {
                configuration(
                    origin,
                    """
                    workers: 2
                    limits: {l\(round % 3): 1000000/s per ip}
                    log: {sample: 0%}
                    cache: {ttl: \(round + 1)s, memory: \(1 + round % 4)MiB}
                    """)
            }
            try Weir.run(text(0)) { weir throws in
                let stops = Board(false)
                let load = Background {
                    try concurrently(8) { number in
                        let client = try weir.connect()
                        var count = 0
                        while !stops.value {
                            let answer = try client.ask(
                                count % 5 == 0
                                    ? post("/p", "x") : request("/\(number)/\(count % 7)"))
                            guard answer.status == 200, answer.text == "ok" else {
                                throw Failure("\(answer)")
                            }
                            count += 1
                        }
                        return count
                    }
                }
                for round in 1...30 {
                    _ = try Self.reload(weir, text(round), "reloaded")
                    weir.program.signal(SIGHUP)
                }
                stops.open()
                let counts = try load.value()
                #expect(counts.allSatisfy { $0 > 10 })
                #expect(try weir.metric("weir_config_reloads_total{outcome=\"failed\"}") == 0)
                #expect(try weir.metric("weir_connections") <= 9)
                weir.program.signal(SIGTERM)
                #expect(try weir.program.awaitExit() == 0)
            }
        }
    }
}
