import BinaryKit
import Testing

extension Integration {
    /// Mending keys of limits that Redis counts, by the admin address of one process.
    struct SharedResetTests {
        @Test(arguments: [
            "algorithm: fixed_window", "algorithm: sliding_window", "algorithm: sliding_log",
            "algorithm: token_bucket",
        ])
        func `a key that is reset in one process passes again in all of them`(kind: String) throws {
            try scenario(2, "limits: {a: {rate: 5/day, per: ip, \(kind)}}") { weirs, redis in
                let first = try Self.statuses(7, weirs)
                #expect(first == [200, 200, 200, 200, 200, 429, 429])
                let reset = try Self.reset("limit=a&ip=127.0.0.1", weirs[1])
                #expect(reset == .done(wasCounted: true))
                let again = try Self.reset("limit=a&ip=127.0.0.1", weirs[0])
                #expect(again == .done(wasCounted: false))
                let second = try Self.statuses(7, weirs)
                #expect(second == first)
                // Another key is another one's.
                let other = try Self.reset("limit=a&ip=192.0.2.1", weirs[0])
                #expect(other == .done(wasCounted: false))
                let third = try Self.statuses(1, weirs)
                #expect(third == [429])
                redis.stop()
                let without = try Self.reset("limit=a&ip=127.0.0.1", weirs[1])
                #expect(without == .refused(503))
            }
        }

        @Test func `a leased key that is reset begins anew, and what is held passes besides`()
            throws
        {
            let limit =
                "{rate: 200/day, per: global, algorithm: fixed_window, consistency: leased}"
            try scenario(2, "limits: {a: \(limit)}") { weirs, _ in
                let first = try Self.drain(weirs)
                #expect(first == 200)
                // Nothing was held any more: exactly the limit passes again.
                let reset = try Self.reset("limit=a", weirs[0])
                #expect(reset == .done(wasCounted: true))
                let second = try Self.drain(weirs)
                #expect(second == 200)

                _ = try Self.reset("limit=a", weirs[0])
                _ = try Self.statuses(120, weirs)
                // Both hold some now: they pass besides the limit, and no more than those.
                let third = try Self.reset("limit=a", weirs[0])
                #expect(third == .done(wasCounted: true))
                let admitted = try Self.drain(weirs)
                #expect(admitted >= 200 && admitted <= 400, "\(admitted)")
            }
        }

        @Test func `a boost of a limit in Redis is refused with a way out`() throws {
            try scenario(1, "limits: {a: {rate: 5/day, per: ip}}") { weirs, _ in
                let answer = try RawConnection(to: try #require(weirs[0].admin)).ask(
                    request("/limits/boost?limit=a&ip=127.0.0.1&factor=2&for=1m", method: "POST"))
                #expect(answer.status == 409)
                #expect(answer.text.contains("overrides"))
            }
        }

        private enum Reset: Equatable {
            case done(wasCounted: Bool)
            case refused(Int)
        }

        private static func statuses(_ count: Int, _ weirs: [RunningWeir]) throws -> [Int] {
            try (0..<count).map { try weirs[$0 % weirs.count].ask(request("/x")).status }
        }

        /// How many pass until none has for two and a half times as long as a process refuses by itself.
        private static func drain(_ weirs: [RunningWeir]) throws -> Int {
            let clients = try weirs.map { try $0.connect() }
            var admitted = 0
            var end = ContinuousClock.now + .seconds(2.5)
            while ContinuousClock.now < end {
                for client in clients where try client.ask(request("/x")).status == 200 {
                    admitted += 1
                    end = ContinuousClock.now + .seconds(2.5)
                }
            }
            return admitted
        }

        private static func reset(_ query: String, _ weir: RunningWeir) throws -> Reset {
            let answer = try RawConnection(to: try #require(weir.admin)).ask(
                request("/limits/reset?\(query)", method: "POST"))
            guard answer.status == 200 else { return .refused(answer.status) }
            return .done(wasCounted: answer.text.contains("\"reset\":true"))
        }

        private func scenario(
            _ count: Int, _ limits: String, _ body: ([RunningWeir], RedisServer) throws -> Void
        ) throws {
            let origin = try RawOrigin(answering: { _ in response(body: "ok") })
            defer { origin.close() }
            try RedisServer.run { redis in
                try fleet(of: count, origin, "{url: \"\(redis.url)\", timeout: 500ms}", limits) {
                    try body($0, redis)
                }
            }
        }
    }
}
