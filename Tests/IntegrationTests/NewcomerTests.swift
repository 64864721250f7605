import Foundation
import Testing

extension Integration {
    /// What a newcomer sees: the demo origin, the sample proxy.yaml with other ports, and some requests.
    struct NewcomerTests {
        private static func sample(_ origin: Place) throws -> String {
            let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let text = try String(
                contentsOf: root.appendingPathComponent("proxy.yaml"), encoding: .utf8)
            return text.replacingOccurrences(of: "127.0.0.1:8080", with: "127.0.0.1:0")
                .replacingOccurrences(of: "127.0.0.1:9900", with: "127.0.0.1:0")
                .replacingOccurrences(of: "http://127.0.0.1:8000", with: origin.url)
        }

        private static let summary = request("/api/analytics/executive-summary", ["X-User-ID: 42"])

        @Test
        func `the first answer takes the origin's 800 ms and the second comes from the cache`()
            throws
        {
            try Weir.demo { origin in
                try Weir.run(try Self.sample(origin)) { weir throws in
                    let client = try weir.connect()
                    let (first, slow) = try time { try client.ask(Self.summary) }
                    #expect(first.status == 200)
                    #expect(slow >= .milliseconds(790))
                    #expect(first["cache-status"]?.hasPrefix("weir; fwd=uri-miss") == true)

                    let (second, fast) = try time { try client.ask(Self.summary) }
                    #expect(second.body == first.body)
                    #expect(second["cache-status"]?.hasPrefix("weir; hit; ttl=") == true)
                    #expect(second["age"] != nil)
                    #expect(fast < .milliseconds(50))

                    // Another user has answers of their own.
                    let other = try client.ask(
                        request("/api/analytics/executive-summary", ["X-User-ID: 43"]))
                    #expect(other.text.contains("\"user\":\"43\""))
                }
            }
        }

        @Test func `the 31st analytics request of a minute is refused, with both dialects`() throws
        {
            try Weir.demo { origin in
                try Weir.run(try Self.sample(origin)) { weir throws in
                    let client = try weir.connect()
                    for count in 1...30 {
                        let answer = try client.ask(Self.summary)
                        #expect(answer.status == 200)
                        #expect(answer["x-ratelimit-limit"] == "30")
                        #expect(answer["x-ratelimit-remaining"] == "\(30 - count)")
                        #expect(answer["ratelimit-policy"] == "\"analytics\";q=30;w=60")
                        #expect(
                            answer["ratelimit"]?.hasPrefix("\"analytics\";r=\(30 - count);t=")
                                == true)
                    }
                    let refused = try client.ask(Self.summary)
                    #expect(refused.status == 429)
                    let wait = try #require(refused["retry-after"].flatMap { Int($0) })
                    #expect((50...61).contains(wait))
                    #expect(
                        refused.text
                            == "{\"error\":\"Rate limit exceeded\",\"detail\":\"30 per 1 minute\","
                            + "\"limit\":\"analytics\",\"retry_after\":\(wait)}\n")
                    #expect(refused["x-ratelimit-remaining"] == "0")
                    let reset = try #require(refused["x-ratelimit-reset"].flatMap { Double($0) })
                    #expect(abs(reset - Date().timeIntervalSince1970 - Double(wait)) < 5)
                    #expect(refused["cache-control"] == "no-store")

                    let problem = try client.ask(
                        request(
                            "/api/analytics/executive-summary",
                            ["X-User-ID: 42", "Accept: application/problem+json"]))
                    #expect(problem["content-type"] == "application/problem+json")
                    #expect(JSON(problem.text)?["status"] == "429")

                    // It is this user's limit, not everybody's.
                    let other = try client.ask(request("/api/analytics/workload", ["X-User-ID: 8"]))
                    #expect(other.status == 200)
                }
            }
        }

        @Test func `the eleventh wrong password of a minute is refused before the origin sees it`()
            throws
        {
            try Weir.demo { origin in
                try Weir.run(try Self.sample(origin)) { weir throws in
                    let client = try weir.connect()
                    let wrong = post("/api/auth/login", "{\"password\":\"wrong\"}")
                    let right = post("/api/auth/login", "{\"password\":\"weir\"}")
                    for _ in 1...10 {
                        // Who knows the password is not counted.
                        #expect(try client.ask(right).status == 200)
                        #expect(try client.ask(wrong).status == 401)
                    }
                    let refused = try client.ask(right)
                    #expect(refused.status == 429)
                    #expect(JSON(refused.text)?["limit"] == "login")
                    #expect(refused["retry-after"] != nil)
                }
            }
        }
    }
}
