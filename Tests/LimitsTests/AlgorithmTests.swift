import Limits
import Primitives
import Testing

/// What every algorithm promises about its own answers, over random traffic.
struct AlgorithmTests {
    @Test(arguments: algorithms, [1, 2, 3])
    func `waiting exactly as long as told lets a request pass, a nanosecond less does not`(
        algorithm: LimitDefinition.Algorithm, seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        var scene = LimitScene([limit(7, per: Nanoseconds(1_000_003), algorithm)])
        var refusals = 0
        while refusals < 200 {
            scene.advance(Nanoseconds(UInt64(random.below(100_000))))
            let decision = scene.ask()
            guard !decision.isAdmitted else { continue }
            refusals += 1
            let wait = decision[0].retryAfter.count
            #expect(wait > 0)
            scene.advance(Nanoseconds(wait - 1))
            #expect(!scene.ask().isAdmitted)
            scene.advance(Nanoseconds(1))
            #expect(scene.ask().isAdmitted)
        }
    }

    @Test(arguments: algorithms, [1, 2, 3])
    func `exactly as many requests pass now as remain`(
        algorithm: LimitDefinition.Algorithm, seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        var scene = LimitScene([limit(7, per: .milliseconds(100), algorithm)])
        for _ in 0..<200 {
            scene.advance(Nanoseconds(UInt64(random.below(50_000_000))))
            let decision = scene.ask()
            let remaining = Int(decision[0].remaining)
            #expect(decision.isAdmitted || remaining == 0)
            #expect((decision[0].nextAfter == .zero) == (remaining > 0))
            #expect(scene.passing() == remaining)
        }
    }

    @Test(arguments: algorithms, [4, 5])
    func `after the reset time nothing is counted any more, and not before`(
        algorithm: LimitDefinition.Algorithm, seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        var scene = LimitScene([limit(7, per: .milliseconds(100), algorithm)])
        for _ in 0..<200 {
            scene.advance(Nanoseconds(UInt64(random.below(50_000_000))))
            let reset = scene.ask()[0].resetAfter.count
            #expect(reset > 0 && reset <= 120_000_000)
            // A nanosecond before the reset something still counts, so one less than all passes.
            scene.advance(Nanoseconds(reset - 1))
            let before = scene.ask()
            #expect(before[0].remaining < 6 || !before.isAdmitted)
            scene.advance(before[0].resetAfter)
            #expect(scene.passing() == 7)
            scene.advance(.seconds(1))
        }
    }

    @Test(arguments: algorithms + [.concurrency])
    func `a refusal charges nothing, however often it comes`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var scene = LimitScene([limit(7, per: .seconds(7), algorithm)])
        #expect(scene.passing() == 7)
        let first = scene.ask()[0]
        for _ in 0..<1000 { _ = scene.ask() }
        #expect(scene.ask()[0] == first)
        scene.advance(first.retryAfter)
        // Time alone frees nobody who waits for requests in flight.
        #expect(scene.ask().isAdmitted == (algorithm != .concurrency))
    }

    @Test(
        arguments: [
            .tokenBucket(burst: .max), .tokenBucket(burst: 1), .slidingWindow(subWindows: 1),
            .slidingWindow(subWindows: 60), .slidingWindow(subWindows: .max),
            .slidingWindow(subWindows: .min), .slidingLog, .fixedWindow(phase: .aligned),
            .fixedWindow(phase: .key), .leakyBucket(maxDelay: .zero), .concurrency,
        ] as [LimitDefinition.Algorithm],
        [1, 1_000_000, 31_622_400_000_000_000, UInt64.max] as [UInt64])
    func `extreme rates, periods and clocks neither trap nor fail open`(
        algorithm: LimitDefinition.Algorithm, period: UInt64
    ) {
        for count in [1, 3, 1_000_000_000, UInt32.max] as [UInt32] {
            for time in [0, 1, 1 << 62, UInt64.max] as [UInt64] {
                var scene = LimitScene([limit(count, per: Nanoseconds(period), algorithm)])
                scene.clock.monotonic = MonotonicTime(nanoseconds: time)
                scene.clock.wall = WallTime(nanoseconds: time)
                let first = scene.ask()
                #expect(first.isAdmitted)
                if count == 1, algorithm != .tokenBucket(burst: .max) {
                    let second = scene.ask()
                    #expect(!second.isAdmitted)
                    #expect(second.retryAfterSeconds ?? 0 >= 1)
                }
            }
        }
    }

    @Test(arguments: algorithms + [.concurrency])
    func `exactly N of 20 N parallel requests pass`(
        algorithm: LimitDefinition.Algorithm
    ) async {
        let policy = LimitPolicy(limits: [limit(500, algorithm)], endpoint: "/")
        let table = LimitTable(keys: 100_000, seed: .random())
        let clock = LimitScene([]).clock
        let passed = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<2500).reduce(0) { sum, _ in
                        sum + (decide(policy, in: table, at: clock).isAdmitted ? 1 : 0)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(passed == (algorithm == .tokenBucket(burst: 7) ? 7 : 500))
    }
}
