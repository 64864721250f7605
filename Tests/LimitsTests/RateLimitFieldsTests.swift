import HTTPModel
import Limits
import Primitives
import Testing

struct RateLimitFieldsTests {
    private func fields(
        _ scene: LimitScene, _ decision: LimitDecision, _ fields: RateLimitFields = .init(),
        jitter: UInt64 = 0, omitting: RateLimitFields.Dialects = []
    ) -> String {
        let buffer = ByteBuffer(capacity: 1024)
        fields.append(
            for: decision, of: scene.policy, at: scene.clock, jitter: jitter, omitting: omitting,
            to: buffer)
        return buffer.readable.text
    }

    private func body(
        _ scene: LimitScene, _ decision: LimitDecision, problem: Bool, retryAfter: UInt64? = nil
    ) -> String {
        let buffer = ByteBuffer(capacity: 1024)
        scene.policy.appendRefusalBody(
            for: decision, problemJSON: problem, retryAfter: retryAfter, to: buffer)
        return buffer.readable.text
    }

    @Test func `an admitted request is told all limits, and the tightest in the X fields`() {
        var scene = LimitScene([
            limit(30, .fixedWindow(phase: .aligned), named: "analytics"),
            limit(
                10_000, per: .seconds(1), of: [.global], .fixedWindow(phase: .aligned),
                named: "everything"),
        ])
        scene.advance(.milliseconds(400))
        #expect(
            fields(scene, scene.ask()) == """
                X-RateLimit-Limit: 30\r
                X-RateLimit-Remaining: 29\r
                X-RateLimit-Reset: 1790812860\r
                RateLimit-Policy: "analytics";q=30;w=60, "everything";q=10000;w=1\r
                RateLimit: "analytics";r=29;t=60, "everything";r=9999;t=1\r\n
                """)
    }

    @Test func `a refused request is told when to come again, not before the window of RateLimit`()
    {
        var scene = LimitScene([
            limit(30, .tokenBucket(burst: 2), named: "burst"),
            limit(100, per: .seconds(86_400), .fixedWindow(phase: .aligned), named: "daily"),
        ])
        _ = scene.ask()
        #expect(scene.ask().isAdmitted)
        scene.advance(.milliseconds(100))
        let decision = scene.ask()
        #expect(
            fields(scene, decision) == """
                X-RateLimit-Limit: 30\r
                X-RateLimit-Remaining: 0\r
                X-RateLimit-Reset: 1790812804\r
                RateLimit-Policy: "burst";q=30;w=60, "daily";q=100;w=86400\r
                RateLimit: "burst";r=0;t=2, "daily";r=98;t=86400\r
                Retry-After: 2\r\n
                """)
        #expect(
            body(scene, decision, problem: false)
                == #"{"error":"Rate limit exceeded","detail":"30 per 1 minute","limit":"burst","retry_after":2}"#
        )
        #expect(
            body(scene, decision, problem: true)
                == #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"detail":"30 per 1 minute","limit":"burst","retry_after":2,"violated-policies":["burst"]}"#
        )
    }

    @Test func `dialects are sent as chosen`() {
        var scene = LimitScene([limit(5, .fixedWindow(phase: .aligned))])
        scene.advance(.milliseconds(59_500))
        let decision = scene.ask()
        #expect(
            fields(scene, decision, .init(.xRateLimit, resetIsDelta: true)) == """
                X-RateLimit-Limit: 5\r\nX-RateLimit-Remaining: 4\r\nX-RateLimit-Reset: 1\r\n
                """)
        #expect(
            fields(scene, decision, .init(.ietfDraft11)) == """
                RateLimit-Policy: "a";q=5;w=60\r\nRateLimit: "a";r=4;t=1\r\n
                """)
        #expect(fields(scene, decision, .init([])) == "")
        _ = scene.passing()
        #expect(
            fields(scene, scene.ask(), .init([]))
                == "Retry-After: 1\r\n")
    }

    @Test func `names are escaped for structured fields and for JSON`() {
        let scene = LimitScene([limit(1, .fixedWindow(phase: .aligned), named: "a\"b\\c\u{1}é")])
        #expect(scene.ask().isAdmitted)
        let decision = scene.ask()
        let only = RateLimitFields(.ietfDraft11)
        #expect(
            fields(scene, decision, only) == #"""
                RateLimit-Policy: "a\"b\\c%01%c3%a9";q=1;w=60\#r
                RateLimit: "a\"b\\c%01%c3%a9";r=0;t=60\#r
                Retry-After: 60\#r\#n
                """#)
        #expect(
            body(scene, decision, problem: false)
                == #"{"error":"Rate limit exceeded","detail":"1 per 1 minute","limit":"a\"b\\c\u0001é","retry_after":60}"#
        )
        #expect(
            body(scene, decision, problem: true).hasSuffix(
                #""violated-policies":["a\"b\\c\u0001é"]}"#))
    }

    @Test func `periods are said in the largest unit, and no window where it is not whole seconds`()
    {
        let texts: [(UInt64, String, String)] = [
            (1_000_000, "1 millisecond", ""), (250_000_000, "250 milliseconds", ""),
            (1_500_000_000, "1500 milliseconds", ""), (1_000_000_000, "1 second", ";w=1"),
            (10_000_000_000, "10 seconds", ";w=10"), (90_000_000_000, "90 seconds", ";w=90"),
            (3_600_000_000_000, "1 hour", ";w=3600"), (7_200_000_000_000, "2 hours", ";w=7200"),
            (86_400_000_000_000, "1 day", ";w=86400"), (1_000_001, "1000001 nanoseconds", ""),
        ]
        for (period, text, window) in texts {
            let scene = LimitScene([
                limit(1, per: Nanoseconds(period), .slidingWindow(subWindows: 2))
            ])
            _ = scene.ask()
            let decision = scene.ask()
            #expect(body(scene, decision, problem: false).contains("\"detail\":\"1 per \(text)\""))
            #expect(fields(scene, decision).contains("RateLimit-Policy: \"a\";q=1\(window)\r\n"))
        }
    }

    @Test func `the rate of the tier is told`() {
        let scene = LimitScene([
            limit(
                1, .fixedWindow(phase: .aligned),
                tiers: ["pro": .init(count: 2, period: .seconds(3600))])
        ])
        _ = scene.ask(tier: "pro")
        _ = scene.ask(tier: "pro")
        let decision = scene.ask(tier: "pro")
        #expect(body(scene, decision, problem: false).contains("\"detail\":\"2 per 1 hour\""))
        #expect(fields(scene, decision).contains("RateLimit-Policy: \"a\";q=2;w=3600\r\n"))
    }

    @Test func `shadow limits are not told`() {
        let scene = LimitScene([
            limit(1, .fixedWindow(phase: .aligned), mode: .shadow, named: "secret"),
            limit(5, .fixedWindow(phase: .aligned), named: "shown"),
        ])
        _ = scene.ask()
        #expect(
            fields(scene, scene.ask(), .init(.ietfDraft11)) == """
                RateLimit-Policy: "shown";q=5;w=60\r\nRateLimit: "shown";r=3;t=60\r\n
                """)
        let only = LimitScene([limit(1, .fixedWindow(phase: .aligned), mode: .shadow)])
        _ = only.ask()
        #expect(only.ask().isAdmitted)
        #expect(fields(only, only.ask()) == "")
    }

    @Test func `a burst above the rate is never shown as more than the quota`() {
        let scene = LimitScene([limit(10, .tokenBucket(burst: 100))])
        let decision = scene.ask()
        #expect(decision[0].remaining == 99)
        #expect(fields(scene, decision).contains("X-RateLimit-Remaining: 10\r\n"))
        #expect(fields(scene, decision).contains(";r=10;"))
    }

    @Test func `who is denied for lack of a user is told so, without numbers of that limit`() {
        let scene = LimitScene([
            limit(5, of: [.user], .fixedWindow(phase: .aligned), anonymous: .deny, named: "members")
        ])
        let decision = scene.ask()
        #expect(fields(scene, decision) == "")
        #expect(
            body(scene, decision, problem: false)
                == #"{"error":"Identity required","detail":"This limit serves identified clients only","limit":"members"}"#
        )
        #expect(
            body(scene, decision, problem: true)
                == #"{"type":"about:blank","title":"Identity required","status":403,"detail":"This limit serves identified clients only","limit":"members"}"#
        )
    }

    @Test func `what passes has no body`() {
        let scene = LimitScene([limit(1, .fixedWindow(phase: .aligned))])
        #expect(body(scene, scene.ask(), problem: false) == "")
        #expect(body(LimitScene([]), LimitScene([]).ask(), problem: true) == "")
    }

    @Test func `Retry-After is obeyed: who waits that long passes`() {
        var random = SeededRandom(seed: 21)
        var scene = LimitScene([
            limit(3, per: .milliseconds(2700), .tokenBucket(burst: 2), named: "bucket"),
            limit(5, per: .milliseconds(4100), .slidingWindow(subWindows: 5), named: "sliding"),
            limit(7, per: .seconds(7), .fixedWindow(phase: .aligned), named: "fixed"),
        ])
        var refusals = 0
        while refusals < 300 {
            scene.advance(.milliseconds(UInt64(random.below(700))))
            let decision = scene.ask()
            guard let seconds = decision.retryAfterSeconds else { continue }
            refusals += 1
            scene.advance(.seconds(seconds))
            #expect(scene.ask().isAdmitted)
        }
    }

    @Test func `draft 03 tells the tightest limit and the policies that have a window`() {
        var scene = LimitScene([
            limit(30, .fixedWindow(phase: .aligned), named: "analytics"),
            limit(
                10_000, per: .seconds(1), of: [.global], .slidingWindow(subWindows: 4), named: "b"),
            limit(9, per: .milliseconds(1500), .fixedWindow(phase: .aligned), named: "fraction"),
        ])
        scene.advance(.milliseconds(400))
        #expect(
            fields(scene, scene.ask(), .init(.ietfDraft03)) == """
                RateLimit-Limit: 9, 30;w=60, 10000;w=1\r
                RateLimit-Remaining: 8\r
                RateLimit-Reset: 2\r\n
                """)
        while scene.ask().isAdmitted {}
        let refused = scene.ask()
        #expect(
            fields(scene, refused, .init(.ietfDraft03)) == """
                RateLimit-Limit: 9, 30;w=60, 10000;w=1\r
                RateLimit-Remaining: 0\r
                RateLimit-Reset: 2\r
                Retry-After: 2\r\n
                """)
    }

    @Test func `a dialect in which the origin is tighter is left out, Retry-After never`() {
        let scene = LimitScene([limit(1, .fixedWindow(phase: .aligned))])
        let all = RateLimitFields([.xRateLimit, .ietfDraft11, .ietfDraft03])
        let passing = scene.ask()
        #expect(fields(scene, passing, all, omitting: all.dialects) == "")
        #expect(
            fields(scene, passing, all, omitting: [.xRateLimit, .ietfDraft03]) == """
                RateLimit-Policy: "a";q=1;w=60\r\nRateLimit: "a";r=0;t=60\r\n
                """)
        #expect(
            fields(scene, passing, all, omitting: .ietfDraft11)
                == fields(scene, passing, .init([.xRateLimit, .ietfDraft03])))
        // One that is not sent can be left out too.
        #expect(fields(scene, passing, .init(.xRateLimit), omitting: .ietfDraft03) != "")
        #expect(fields(scene, scene.ask(), all, omitting: all.dialects) == "Retry-After: 60\r\n")
    }

    @Test func `Retry-After is spread over the share, never before the wait nor the window told`() {
        var random = SeededRandom(seed: 8)
        var scene = LimitScene([limit(7, per: .seconds(401), .tokenBucket(burst: 3))])
        #expect(scene.passing() == 3)
        for _ in 0..<400 {
            scene.advance(Nanoseconds(random.next() % 60_000_000_000))
            _ = scene.passing()
            let decision = scene.ask()
            let wait = decision[0].retryAfter
            let least = wait.secondsRoundedUp
            let share = random.unit()
            let spread = RateLimitFields(retryAfterJitter: share)
            #expect(spread.retryAfterSeconds(of: decision, jitter: 0) == least)
            let seconds = spread.retryAfterSeconds(of: decision, jitter: random.next()) ?? 0
            #expect(seconds >= least)
            #expect(Double(seconds) < Double(wait.count) / 1e9 * (1 + share) + 1)
            let text = fields(scene, decision, .init(.ietfDraft11))
            #expect(text.contains(";r=0;t=\(least)\r\n"))
        }
        let decision = scene.ask()
        let wait = decision[0].retryAfter
        let most = RateLimitFields(retryAfterJitter: 1)
        #expect(
            most.retryAfterSeconds(of: decision, jitter: .max)
                == Nanoseconds(wait.count * 2).secondsRoundedUp)
        var seen: Set<UInt64> = []
        for _ in 0..<500 {
            seen.insert(most.retryAfterSeconds(of: decision, jitter: random.next()) ?? 0)
        }
        // Every second from the wait to twice the wait comes up.
        #expect(UInt64(seen.count) >= wait.wholeSeconds)
        #expect(
            fields(scene, decision, most, jitter: .max).hasSuffix(
                "Retry-After: \(Nanoseconds(wait.count * 2).secondsRoundedUp)\r\n"))
        #expect(
            body(scene, decision, problem: false, retryAfter: 77).hasSuffix("\"retry_after\":77}"))
    }

    @Test func `a share of jitter that makes no sense is clamped`() {
        #expect(RateLimitFields(retryAfterJitter: -1).retryAfterJitter == 0)
        #expect(RateLimitFields(retryAfterJitter: .nan).retryAfterJitter == 0)
        #expect(RateLimitFields(retryAfterJitter: .infinity).retryAfterJitter == 1)
        let scene = LimitScene([limit(1, per: .seconds(60), .tokenBucket(burst: nil))])
        let fields = RateLimitFields(retryAfterJitter: 1)
        #expect(fields.retryAfterSeconds(of: scene.ask(), jitter: .max) == nil)
        #expect(fields.retryAfterSeconds(of: scene.ask(), jitter: .max) == 120)
    }

    @Test(arguments: algorithms)
    func `the reset stands still while nothing is charged, whenever the clocks are read`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var random = SeededRandom(seed: 12)
        for _ in 0..<40 {
            var scene = LimitScene([limit(7, per: .milliseconds(60_123), algorithm)])
            // The time of day is any nanosecond, and 20 s are left of the aligned window.
            let start = random.next() % 20_000_000_000
            scene.clock.wall = WallTime(nanoseconds: 60_123_000_000 * 29_000_000 + start)
            for _ in 0...random.below(7) {
                _ = scene.ask()
                scene.advance(Nanoseconds(random.next() % 2_000_000_000))
            }
            let first = reset(scene, scene.ask(ip: 1))
            _ = scene.passing()
            let full = reset(scene, scene.ask())
            #expect(full >= first)
            let end = scene.clock.wall + .seconds(1)
            while scene.clock.wall < end {
                scene.advance(Nanoseconds(random.next() % 50_000_000))
                // One clock is read before the other.
                var read = scene
                let gap = Nanoseconds(random.next() % 300_000)
                read.clock.wall = WallTime(
                    nanoseconds: scene.clock.wall.nanoseconds + gap.count - 150_000)
                let decision = read.ask()
                guard !decision.isAdmitted else { break }
                #expect(reset(read, decision) == full)
                let seconds = Nanoseconds(
                    full * 1_000_000_000 - read.clock.wall.nanoseconds
                ).secondsRoundedUp
                let delta = fields(read, decision, .init(.xRateLimit, resetIsDelta: true))
                #expect(
                    delta.contains("Reset: \(seconds)\r\n")
                        || delta.contains("Reset: \(seconds - 1)\r\n"))
            }
        }
    }

    /// X-RateLimit-Reset in Unix seconds.
    private func reset(_ scene: LimitScene, _ decision: LimitDecision) -> UInt64 {
        let lines = fields(scene, decision, .init(.xRateLimit)).split(separator: "\r\n")
        let prefix = "X-RateLimit-Reset: "
        let line = lines.first { $0.hasPrefix(prefix) }
        return line.flatMap { UInt64($0.dropFirst(prefix.count)) } ?? 0
    }

    @Test func `a request that can never pass is told so, and not to come again`() {
        var costly = limit(30, .tokenBucket(burst: 10), named: "reports")
        costly.costs = .init(20)
        let scene = LimitScene([costly, limit(100, .fixedWindow(phase: .aligned), named: "all")])
        let decision = scene.ask()
        #expect(decision.neverPasses && decision[0].cost == 20 && decision[1].cost == 1)
        #expect(
            fields(scene, decision) == """
                X-RateLimit-Limit: 30\r
                X-RateLimit-Remaining: 10\r
                X-RateLimit-Reset: 1790812800\r
                RateLimit-Policy: "reports";q=30;w=60, "all";q=100;w=60\r
                RateLimit: "reports";r=10;t=0, "all";r=100;t=60\r\n
                """)
        #expect(
            body(scene, decision, problem: false, retryAfter: 5)
                == #"{"error":"Rate limit exceeded","detail":"this request costs 20, more than the limit can ever hold: 30 per 1 minute","limit":"reports","cost":20}"#
        )
        #expect(
            body(scene, decision, problem: true)
                == #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"detail":"this request costs 20, more than the limit can ever hold: 30 per 1 minute","limit":"reports","cost":20,"violated-policies":["reports"]}"#
        )
    }

    @Test
    func `of several that refused all are named, and the one with the longest wait first of all`() {
        let scene = LimitScene([
            limit(1, per: .seconds(10), .tokenBucket(burst: nil), named: "short"),
            limit(1, .fixedWindow(phase: .aligned), mode: .shadow, named: "shadow"),
            limit(1, per: .seconds(60), .tokenBucket(burst: nil), named: "long"),
            limit(9, .fixedWindow(phase: .aligned), named: "free"),
        ])
        _ = scene.ask()
        let decision = scene.ask()
        #expect(
            body(scene, decision, problem: false)
                == #"{"error":"Rate limit exceeded","detail":"1 per 1 minute","limit":"long","retry_after":60,"limits":["short","long"]}"#
        )
        #expect(
            body(scene, decision, problem: true).hasSuffix(
                #""limit":"long","retry_after":60,"violated-policies":["short","long"]}"#))
    }

    @Test func `of several with the same wait the first of the configuration is named`() {
        for number in 0..<64 {
            // Where the keys lie in the table differs from address to address.
            let scene = LimitScene(
                ["x", "y", "z"].map { limit(1, .fixedWindow(phase: .aligned), named: $0) },
                keys: 100_000)
            _ = scene.ask(ip: UInt32(number))
            let decision = scene.ask(ip: UInt32(number))
            #expect(decision.outcome == .refused(limit: 0))
            #expect(body(scene, decision, problem: false).contains("\"limit\":\"x\","))
        }
    }

    @Test func `a raised rate is told as it is`() {
        let scene = LimitScene([limit(30, .fixedWindow(phase: .aligned), named: "a\"1;q=2")])
        let boosted = scene.policy.boost(
            scene.ask()[0], by: 4, for: .seconds(600), in: scene.table, at: scene.clock)
        #expect(boosted == 120)
        let all = RateLimitFields([.xRateLimit, .ietfDraft11, .ietfDraft03])
        #expect(
            fields(scene, scene.ask(), all) == #"""
                X-RateLimit-Limit: 120\#r
                X-RateLimit-Remaining: 118\#r
                X-RateLimit-Reset: 1790812860\#r
                RateLimit-Policy: "a\"1;q=2";q=120;w=60\#r
                RateLimit: "a\"1;q=2";r=118;t=60\#r
                RateLimit-Limit: 120, 120;w=60\#r
                RateLimit-Remaining: 118\#r
                RateLimit-Reset: 60\#r\#n
                """#)
        _ = scene.passing()
        #expect(
            body(scene, scene.ask(), problem: false).contains("\"detail\":\"120 per 1 minute\""))
    }

    @Test func `a calendar month has no window in whole seconds`() {
        let month = LimitDefinition(
            name: "a", rate: .monthly(5), algorithm: .fixedWindow(phase: .aligned))
        let scene = LimitScene([month])
        let text = fields(scene, scene.ask(), .init([.ietfDraft11, .ietfDraft03]))
        #expect(text.contains("RateLimit-Policy: \"a\";q=5\r\n"))
        #expect(text.contains("RateLimit-Limit: 5\r\n"))
        _ = scene.passing()
        #expect(
            body(scene, scene.ask(), problem: false).contains(
                "\"detail\":\"5 per calendar month\""))
    }
}
