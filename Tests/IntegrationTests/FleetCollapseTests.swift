import Foundation
import Testing

extension Integration {
    /// One fetch for all replicas: `collapse: cluster`.
    struct FleetCollapseTests {
        private static let cache = "memory: 64MiB, collapse: cluster"

        private func fleet(
            _ count: Int, _ origin: RawOrigin, cache: String = cache,
            _ body: (RedisServer, [RunningWeir]) throws -> Void
        ) throws {
            try Integration.SharedCacheTests.fleet(count, origin, cache: cache, body)
        }

        @Test func `three processes and one key: one request at the origin`() throws {
            let release = Gate()
            let origin = try RawOrigin(answering: { _ in
                try release.pass()
                return response("200 OK", ["Cache-Control: max-age=60"], body: "one")
            })
            defer { origin.close() }
            try fleet(3, origin) { redis, fleet in
                let asked = Board(0)
                let go = Background {
                    try asked.reach(30)
                    try origin.awaitRequests(1)
                    release.open()
                }
                let answers = try concurrently(30) { index in
                    let client = try fleet[index % 3].connect()
                    try client.send(request("/one"))
                    asked.add()
                    return try client.readResponse()
                }
                try go.value()
                #expect(answers.allSatisfy { $0.status == 200 && $0.text == "one" })
                #expect(origin.requests.count == 1)
                #expect(try redis.keys() == ["weir:c:{GET:api.test:/one}"])
            }
        }

        @Test func `a popular key that expires each second: one request at the origin each time`()
            throws
        {
            let origin = try RawOrigin(answering: { _ in
                response("200 OK", ["Cache-Control: max-age=1"], body: "x")
            })
            defer { origin.close() }
            let cache = Self.cache + ", stale_while_revalidate: 5s, early_refresh: off"
            try fleet(3, origin, cache: cache) { _, fleet in
                let end = Date(timeIntervalSinceNow: 5)
                let counts = try concurrently(6) { index in
                    let client = try fleet[index % 3].connect()
                    var count = 0
                    while Date() < end {
                        try client.send(request("/hot"))
                        let answer = try client.readResponse()
                        #expect(answer.status == 200)
                        count += 1
                    }
                    return count
                }
                #expect(counts.reduce(0, +) > 500)
                #expect((4...6).contains(origin.requests.count), "\(origin.requests.count)")
            }
        }

        @Test func `an answer that cannot be shared releases all at once`() throws {
            let release = Gate()
            let origin = try RawOrigin(answering: { _ in
                try release.pass()
                return response("200 OK", ["Cache-Control: no-store"], body: "mine")
            })
            defer { origin.close() }
            try fleet(3, origin) { _, fleet in
                let go = Background {
                    try origin.awaitRequests(1)
                    Thread.sleep(forTimeInterval: 0.3)
                    release.open()
                }
                let began = Date()
                let answers = try concurrently(12) { try fleet[$0 % 3].ask(request("/x")) }
                try go.value()
                #expect(answers.allSatisfy { $0.status == 200 && $0.text == "mine" })
                #expect(origin.requests.count == 12)
                #expect(Date().timeIntervalSince(began) < 3)
            }
        }

        @Test func `an origin that fails is not asked by one process after the other`() throws {
            let release = Gate()
            let origin = try RawOrigin(answering: { _ in
                try release.pass()
                return response("503 Service Unavailable", [], body: "no")
            })
            defer { origin.close() }
            try fleet(3, origin) { _, fleet in
                let go = Background {
                    try origin.awaitRequests(1)
                    release.open()
                }
                let answers = try concurrently(3) { try fleet[$0].ask(request("/x")) }
                try go.value()
                #expect(answers.allSatisfy { $0.status == 503 })
            }
        }

        @Test func `a holder that is killed costs the others its lease at most`() throws {
            let calls = Board(0)
            let origin = try RawOrigin(answering: { _ in
                let call = calls.change { count -> Int in
                    count += 1
                    return count
                }
                if call == 1 { Thread.sleep(forTimeInterval: 20) }
                return response("200 OK", ["Cache-Control: max-age=60"], body: "second")
            })
            defer { origin.close() }
            try fleet(2, origin) { redis, fleet in
                let lost = Background { try? fleet[0].ask(request("/x")) }
                try origin.awaitRequests(1)
                let waiting = Background { try fleet[1].ask(request("/x")) }
                fleet[0].program.signal(SIGKILL)
                let began = Date()
                #expect(try waiting.value().text == "second")
                #expect(Date().timeIntervalSince(began) < 8)
                _ = try lost.value()
            }
        }
    }
}
