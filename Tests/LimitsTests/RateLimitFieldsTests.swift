import HTTPModel
import Limits
import Primitives
import Testing

struct RateLimitFieldsTests {
    private func fields(
        _ scene: LimitScene, _ decision: LimitDecision, _ fields: RateLimitFields = .init()
    ) -> String {
        let buffer = ByteBuffer(capacity: 1024)
        fields.append(for: decision, of: scene.policy, at: scene.clock, to: buffer)
        return buffer.readable.text
    }

    private func body(_ scene: LimitScene, _ decision: LimitDecision, problem: Bool) -> String {
        let buffer = ByteBuffer(capacity: 1024)
        scene.policy.appendRefusalBody(for: decision, problemJSON: problem, to: buffer)
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
                == #"{"type":"https://iana.org/assignments/http-problem-types#quota-exceeded","title":"Request cannot be satisfied as assigned quota has been exceeded","status":429,"detail":"30 per 1 minute","retry_after":2,"violated-policies":["burst"]}"#
        )
    }

    @Test func `dialects are sent as chosen`() {
        var scene = LimitScene([limit(5, .fixedWindow(phase: .aligned))])
        scene.advance(.milliseconds(59_500))
        let decision = scene.ask()
        #expect(
            fields(scene, decision, .init(ietfDraft11: false, resetIsDelta: true)) == """
                X-RateLimit-Limit: 5\r\nX-RateLimit-Remaining: 4\r\nX-RateLimit-Reset: 1\r\n
                """)
        #expect(
            fields(scene, decision, .init(xRateLimit: false)) == """
                RateLimit-Policy: "a";q=5;w=60\r\nRateLimit: "a";r=4;t=1\r\n
                """)
        #expect(fields(scene, decision, .init(xRateLimit: false, ietfDraft11: false)) == "")
        _ = scene.passing()
        #expect(
            fields(scene, scene.ask(), .init(xRateLimit: false, ietfDraft11: false))
                == "Retry-After: 1\r\n")
    }

    @Test func `names are escaped for structured fields and for JSON`() {
        let scene = LimitScene([limit(1, .fixedWindow(phase: .aligned), named: "a\"b\\c\u{1}é")])
        #expect(scene.ask().isAdmitted)
        let decision = scene.ask()
        let only = RateLimitFields(xRateLimit: false)
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
            fields(scene, scene.ask(), .init(xRateLimit: false)) == """
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
}
