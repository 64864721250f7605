import Foundation
import Testing

extension Integration {
    /// What an operator reads: the access log, health, metrics.
    struct ObservationTests {
        @Test func `each request is one line of JSON with what was promised`() throws {
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=60"], body: "12345")
            })
            defer { origin.close() }
            let text = """
                identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}
                limits: {few: {rate: 2/hour, per: user}}
                routes:
                  - {path: "/items/{id}", name: item, limits: [few], cache: {}}
                  - {path: /**}
                """
            try Weir.run(configuration(origin, text)) { weir throws in
                let client = try weir.connect()
                let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
                let fields = [
                    "X-User-ID: \"ann\"", "X-Forwarded-For: 192.0.2.7",
                    "traceparent: 00-\(trace)-00f067aa0ba902b7-01",
                ]
                for _ in 0..<3 { _ = try client.ask(request("/items/1?secret=x", fields)) }
                _ = try weir.ask("GET  / HTTP/1.1\r\n\r\n")
                _ = try client.ask(request("/\u{1F30A}\\\"%0a", []))
                try weir.program.awaitLine("five lines") { lines in
                    lines.compactMap(JSON.init).filter { $0["event"] == nil }.count == 5 ? () : nil
                }
                #expect(weir.program.output.value.allSatisfy { JSON($0) != nil })
                let log = weir.accessLog
                let items = log.filter { $0["route"] == "item" }
                try #require(items.count == 3)
                for line in items {
                    #expect(line["service"] == "weir")
                    #expect(line["level"] == "info")
                    #expect(line["trace_id"] == trace)
                    #expect(line["user_id"] == "\"ann\"")
                    #expect(line["client"] == "192.0.2.7")
                    #expect(line["endpoint"] == "/items/{id}")
                    #expect(line["method"] == "GET")
                    #expect(line["limit_name"] == "few")
                    #expect(line.numbers.isSuperset(of: ["status", "latency_ms", "bytes"]))
                    let format = ISO8601DateFormatter()
                    format.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
                    let date = try #require(format.date(from: line["timestamp"] ?? ""))
                    #expect(abs(date.timeIntervalSinceNow) < 60)
                    #expect(line.fields.values.allSatisfy { !$0.contains("secret") })
                }
                #expect(items.map { $0["cache"] } == ["miss", "hit", "none"])
                #expect(items.map { $0["limit"] } == ["admitted", "admitted", "refused"])
                #expect(items.map { $0["status"] } == ["200", "200", "429"])
                #expect(items.map { $0["bytes"] }[0] == "5")
                #expect(items[0]["upstream_ms"] != nil)
                #expect(items[1]["upstream_ms"] == nil)
                #expect(log.contains { $0["status"] == "400" && $0["error"] != nil })
            }
        }

        @Test
        func `a reader of the log that stalls holds nothing up, and the lost lines are counted`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=600"], body: "ok")
            })
            defer { origin.close() }
            let text = """
                identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}
                cache: 5m
                """
            try Weir.run(configuration(origin, text)) { weir throws in
                weir.program.stopReadingOutput()
                // 4,800 lines of 2.3 KB are more than the pipe and the backlog of 8 MiB hold.
                let long = String(repeating: "a", count: 1000)
                let ten = String(repeating: request("/" + long, ["X-User-ID: " + long]), count: 10)
                let took = try time {
                    try concurrently(8) { _ in
                        let client = try weir.connect()
                        for _ in 0..<60 {
                            try client.send(ten)
                            for _ in 0..<10 { #expect(try client.readResponse().status == 200) }
                        }
                    }
                }.1
                #expect(took < .seconds(20))
                #expect(try weir.metric("weir_log_lines_dropped_total") > 0)
                #expect(try weir.ask(request("/after")).status == 200)

                // The reader comes back: later lines arrive whole, and every line is either there or counted.
                weir.program.readOutputAgain()
                try weir.program.awaitLine("what was kept") { $0.count > 1000 ? () : nil }
                _ = try weir.ask(request("/last"))
                try weir.program.awaitLine("the last") { lines in
                    lines.last { $0.contains("\"/last\"") }
                }
                #expect(weir.program.output.value.allSatisfy { JSON($0) != nil })
                let lost = try weir.metric("weir_log_lines_dropped_total")
                #expect(weir.accessLog.count + Int(lost) == 4802)
            }
        }

        @Test func `a reader of the log that has gone does not end the process`() throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try Weir.run(configuration(origin)) { weir throws in
                weir.program.closeOutput()
                let client = try weir.connect()
                for _ in 0..<20 { #expect(try client.ask(request("/")).status == 200) }
                #expect(try weir.askAdmin("/healthz").status == 200)
                weir.program.signal(SIGTERM)
                #expect(try weir.program.awaitExit() == 0)
            }
        }

        @Test func `log sample and level choose what is written`() throws {
            let origin = try RawOrigin(answering: { _ in response() })
            defer { origin.close() }
            try Weir.run(configuration(origin, "log: {sample: 0%}")) { weir throws in
                for _ in 0..<5 { _ = try weir.ask(request("/")) }
                weir.program.signal(SIGTERM)
                try weir.program.awaitExit()
                try weir.program.awaitEndOfOutput()
                #expect(weir.accessLog.isEmpty)
                #expect(weir.program.output.value.count == 3)
            }
        }

        @Test func `metrics are well-formed Prometheus text and count what happened`() throws {
            let origin = try RawOrigin(answering: {
                $0.target == "/bad" ? response("500 Oops") : response(body: "12345")
            })
            defer { origin.close() }
            let text = """
                limits: {few: {rate: 3/hour, per: ip, algorithm: sliding_window}}
                routes:
                  - {path: "/a\\"b/**", name: limited, limits: [few]}
                  - {path: /**, name: rest}
                """.replacingOccurrences(of: "/a\\\"b/**", with: "/a/**")
            try Weir.run(configuration(origin, text)) { weir throws in
                let client = try weir.connect()
                for _ in 0..<5 { _ = try client.ask(request("/a/x")) }
                for _ in 0..<2 { _ = try client.ask(request("/bad")) }
                let answer = try weir.askAdmin("/metrics")
                #expect(answer["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
                let samples = try PrometheusChecker.samples(of: answer.text)
                #expect(samples["weir_requests_total{route=\"limited\",status=\"200\"}"] == 3)
                #expect(samples["weir_requests_total{route=\"limited\",status=\"429\"}"] == 2)
                #expect(samples["weir_requests_total{route=\"rest\",status=\"500\"}"] == 2)
                #expect(
                    samples["weir_limit_decisions_total{limit=\"few\",outcome=\"refused\"}"] == 2)
                #expect(samples["weir_request_duration_seconds_count{route=\"limited\"}"] == 5)
                #expect(samples["weir_connections"] == 1)
            }
        }

        @Test func `the admin address asks for its token, but not for health`() throws {
            let origin = try RawOrigin(answering: { _ in response() })
            defer { origin.close() }
            let text = """
                listen: 127.0.0.1:0
                upstream: \(origin.place.url)
                admin: {address: 127.0.0.1:0, token: "${TOKEN}", health_on_main: true}

                """
            try Weir.run(text, environment: ["TOKEN": "open-sesame"]) { weir throws in
                for target in ["/health", "/healthz", "/readyz"] {
                    #expect(try weir.askAdmin(target).status == 200)
                    #expect(try weir.ask(request(target)).status == 200)
                }
                #expect(JSON(try weir.askAdmin("/health").text)?["status"] == "healthy")
                #expect(try weir.askAdmin("/metrics").status == 401)
                #expect(
                    try weir.askAdmin("/metrics", ["Authorization: Bearer open-sesamE"]).status
                        == 401)
                #expect(
                    try weir.askAdmin("/metrics", ["Authorization: Basic open-sesame"]).status
                        == 401)
                #expect(
                    try weir.askAdmin("/metrics", ["Authorization: Bearer open-sesame"]).status
                        == 200)
                #expect(
                    try weir.askAdmin("/metrics", ["Authorization: bearer open-sesame"]).status
                        == 200)
                #expect(origin.requests.isEmpty)
            }
        }

        @Test func `without an origin it is alive but not ready, and says so once`() throws {
            let away = Place.port(try freePort())
            let text = "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: \(away.url)\n"
            try Weir.run(text) { weir throws in
                try weir.program.awaitLine("the line") { lines in
                    lines.contains { JSON($0)?["event"] == "upstream unreachable" } ? () : nil
                }
                #expect(try weir.askAdmin("/healthz").status == 200)
                #expect(try weir.askAdmin("/readyz").status == 503)
                #expect(try weir.ask(request("/")).status == 502)
                let origin = try RawOrigin(at: away, answering: { _ in response() })
                defer { origin.close() }
                try weir.program.awaitLine("the line") { lines in
                    lines.contains { JSON($0)?["event"] == "upstream reachable" } ? () : nil
                }
                #expect(try weir.askAdmin("/readyz").status == 200)
                let events = weir.program.output.value.compactMap(JSON.init).compactMap {
                    $0["event"]
                }
                #expect(events.filter { $0 == "upstream unreachable" }.count == 1)
            }
        }
    }
}

/// A strict reader of the Prometheus text format.
private enum PrometheusChecker {
    static func samples(of text: String) throws -> [String: Double] {
        guard text.hasSuffix("\n") else { throw Failure("no line end at the end") }
        var (types, samples): ([String: String], [String: Double]) = ([:], [:])
        var family = ""
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(separator: " ")
            if line.hasPrefix("# HELP ") {
                family = String(words[2])
                guard types[family] == nil else { throw Failure("\(family) twice") }
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[2] == family,
                    ["counter", "gauge", "histogram"].contains(words[3])
                else { throw Failure("`\(line)`") }
                types[family] = String(words[3])
            } else {
                let sample =
                    /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\["\\n])*",?)*\})? (\S+)$/
                guard let match = try sample.wholeMatch(in: line), let value = Double(match.3)
                else {
                    throw Failure("`\(line)`")
                }
                let name = String(match.1)
                let isHistogram = types[family] == "histogram"
                let known =
                    isHistogram ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
                guard known.contains(name), types[family] != nil else {
                    throw Failure("`\(line)` is in \(family)")
                }
                let key = name + (match.2 ?? "")
                guard samples.updateValue(value, forKey: key) == nil else {
                    throw Failure("\(key) twice")
                }
                if types[family] == "counter", !name.hasSuffix("_total") {
                    throw Failure("\(name) is no _total")
                }
            }
        }
        return samples
    }
}
