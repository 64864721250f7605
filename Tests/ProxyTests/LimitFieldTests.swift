import Limits
import Primitives
import Proxy
import TestKit
import Testing

/// The origin's fields about its own limits, beside ours.
@Suite struct LimitFieldTests {
    /// What a client reads of `fields`, an origin's, after `before` other requests of a limit of 10 an hour.
    private func fields(
        _ fields: [String], _ dialects: String = "x-ratelimit", before: Int = 4, cache: String = "",
        limit: Bool = true, status: String = "200 OK"
    ) throws -> SimulatedMessage {
        let limits = limit ? [LimitSettlementTests.perHour(10)] : []
        let world = try ProxyWorld("headers: [\(dialects)]\n\(cache)", limits: limits)
        let returned = Probe<SimulatedMessage?>(nil)
        world.origin { request in
            let lines = request.target == "/last" ? fields.map { "\($0)\r\n" }.joined() : ""
            return "HTTP/1.1 \(status)\r\n\(lines)Content-Length: 1\r\n\r\nx"
        }
        world.client { peer in
            for n in 0..<before { _ = try await peer.ask(get("/\(n)")) }
            returned.value = try await peer.ask(get("/last"))
        }
        #expect(world.problems() == [])
        return try #require(returned.value)
    }

    private func three(
        _ limit: String, _ remaining: String, _ reset: String, prefix: String = "X-RateLimit"
    ) -> [String] {
        [
            "\(prefix)-Limit: \(limit)", "\(prefix)-Remaining: \(remaining)",
            "\(prefix)-Reset: \(reset)",
        ]
    }

    private func numbers(_ answer: SimulatedMessage, prefix: String = "X-RateLimit") -> String {
        ["Limit", "Remaining"].map { answer.all("\(prefix)-\($0)").joined(separator: "|") }
            .joined(separator: " ")
    }

    @Test func `the tighter of two limits is told, and never more than either lets pass`() throws {
        // Ours: 5 of 10 left.
        for (theirs, told) in [
            (three("100", "49", "60"), "100 49"), (three("100", "51", "60"), "10 5"),
            (three("4", "1", "60"), "4 1"), (three("100", "0", "60"), "100 0"),
            (three("0", "0", "60"), "0 0"),
            // As much left, for longer or shorter.
            (three("2", "1", "5000"), "2 1"), (three("2", "1", "60"), "10 5"),
            (three("2", "1", "4102444800"), "2 1"), (three("2", "1", "1700000000"), "10 5"),
            // Policies may follow the limit.
            (three("8, 8;w=60", "1", "60"), "8, 8;w=60 1"),
            // What cannot be read is replaced.
            (three("many", "1", "60"), "10 5"), (three("100", "-1", "60"), "10 5"),
            (Array(three("100", "1", "60").dropLast()), "10 5"),
            (three("100", "1", "60") + ["X-RateLimit-Remaining: 1"], "10 5"),
            (three("99999999999999999999", "1", "60"), "10 5"),
            (three("18446744073709551615", "1", "60"), "18446744073709551615 1"),
        ] {
            for cache in ["", "cache: {ttl: 1m}"] {
                // With the cache: an answer that is not stored is passed on.
                let more = cache.isEmpty ? [] : ["Cache-Control: no-store"]
                let answer = try fields(theirs + more, cache: cache)
                #expect(numbers(answer) == told, "\(theirs) \(cache)")
                #expect(answer.all("X-RateLimit-Reset").count == 1, "\(theirs) \(cache)")
            }
        }
    }

    @Test func `the three fields of draft 03 are told in the same way`() throws {
        let dialects = "ietf-draft-03"
        let tight = three("100", "1", "60", prefix: "RateLimit")
        let wide = three("100", "99", "60", prefix: "RateLimit")
        for cache in ["", "cache: {ttl: 1m}"] {
            let more = cache.isEmpty ? [] : ["Cache-Control: no-store"]
            #expect(
                numbers(try fields(tight + more, dialects, cache: cache), prefix: "RateLimit")
                    == "100 1")
            let ours = try fields(wide + more, dialects, cache: cache)
            #expect(ours.all("RateLimit-Remaining") == ["5"])
            #expect(ours.all("RateLimit-Limit").count == 1)
            #expect(ours.all("RateLimit-Reset").count == 1)
        }
    }

    @Test func `what this proxy does not say itself passes as it is`() throws {
        let theirs = three("100", "99", "60") + three("50", "49", "60", prefix: "RateLimit")
        for answer in [
            try fields(theirs, "ietf-draft-11"), try fields(theirs, limit: false),
        ] {
            #expect(numbers(answer) == "100 99")
            #expect(numbers(answer, prefix: "RateLimit") == "50 49")
        }
    }

    @Test func `the origin's lists stay beside ours, and so does its own wait`() throws {
        let answer = try fields(
            [
                "RateLimit: \"theirs\";r=1;t=5", "RateLimit-Policy: \"theirs\";q=2;w=5",
                "Retry-After: 7",
            ],
            "ietf-draft-11", status: "429 Too Many Requests")
        #expect(answer.all("RateLimit").count == 2)
        #expect(answer.all("RateLimit").first == "\"theirs\";r=1;t=5")
        #expect(answer.all("RateLimit-Policy").last?.contains("\"x\";q=10") == true)
        #expect(answer.all("Retry-After") == ["7"])
    }

    @Test func `no field about an origin's limits is ever served from the cache`() throws {
        let world = try ProxyWorld("cache: {ttl: 1m}")
        world.origin { _ in
            ok(
                "x", "X-RateLimit-Limit: 1", "X-RateLimit-Remaining: 1", "X-RateLimit-Reset: 1",
                "X-RateLimit-Used: 1", "RateLimit: \"a\";r=1", "RateLimit-Policy: \"a\";q=1",
                "RateLimit-Limit: 1", "RateLimit-Remaining: 1", "RateLimit-Reset: 1",
                "X-Ratelimit-Resource: x")
        }
        world.client { peer in
            _ = try await peer.ask(get("/"))
            let hit = try await peer.ask(get("/"))
            try peer.require(hit["Cache-Status"]?.contains("hit") == true, "no hit")
            for field in hit.fields {
                let isAboutLimits = field.name.lowercased().contains("ratelimit")
                try peer.require(!isAboutLimits, field.name)
            }
        }
        #expect(world.problems() == [])
    }
}
