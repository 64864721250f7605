import Limits
import Primitives
import Testing

struct SlidingWindowTests {
    @Test(arguments: [(5, 1), (5, 3), (40, 10), (300, 7), (70_000, 4)] as [(UInt32, Int)], [1, 2])
    func `it agrees with a list of all requests, and no window of any position has too many`(
        shape: (UInt32, Int), seed: UInt64
    ) {
        let (quota, subWindows) = shape
        let period: UInt64 = 1_000_001
        var random = SeededRandom(seed: seed)
        var scene = LimitScene([
            limit(quota, per: Nanoseconds(period), .slidingWindow(subWindows: subWindows))
        ])
        let step = (period + UInt64(subWindows) - 1) / UInt64(subWindows)
        let pace = max(Int(period / UInt64(quota)), 1)
        var admitted: [UInt64] = []
        for _ in 0..<4000 {
            if random.below(10) == 0 {
                scene.advance(Nanoseconds(UInt64(random.below(Int(period)))))
            } else if random.below(3) == 0 {
                scene.advance(Nanoseconds(UInt64(random.below(pace))))
            }
            let now = scene.clock.monotonic.nanoseconds
            let oldest = now / step - UInt64(subWindows)
            let counted = admitted.suffix(Int(quota)).count { $0 / step >= oldest }
            let decision = scene.ask()
            #expect(decision.isAdmitted == (counted < Int(quota)))
            if decision.isAdmitted { admitted.append(now) }
            let left = Int(quota) - counted - (decision.isAdmitted ? 1 : 0)
            #expect(Int(decision[0].remaining) == left)
        }
        for index in admitted.indices.dropFirst(Int(quota)) {
            #expect(admitted[index] - admitted[index - Int(quota)] >= period)
        }
    }

    @Test func `whoever always pushes gets B in B + 1 of the quota`() {
        var scene = LimitScene([limit(60, .slidingWindow(subWindows: 10))])
        var passed = 0
        for _ in 0..<(600 * 11) {
            passed += scene.passing()
            scene.advance(.milliseconds(100))
        }
        #expect(passed >= 600 && passed <= 660)
    }

    @Test func `a tier with another period counts what still counts as if it came now`() {
        let hourly = LimitDefinition.Rate(count: 20, period: .seconds(3600))
        var scene = LimitScene([
            limit(5, .slidingWindow(subWindows: 6), tiers: ["pro": hourly])
        ])
        #expect(scene.passing() == 5)
        #expect(scene.passing(tier: "pro") == 15)
        // The twenty of the hour are too many for the minute.
        #expect(scene.passing() == 0)
        scene.advance(.seconds(3600) + .seconds(600))
        #expect(scene.passing() == 5)
        // Back in the minute's grid, half a minute later, five still count.
        scene.advance(.seconds(30))
        #expect(scene.ask(tier: "pro")[0].remaining == 14)
    }

    @Test func `a worker whose clock is late counts into the newest sub-window`() {
        var scene = LimitScene([limit(10, .slidingWindow(subWindows: 6))])
        #expect(scene.passing(4) == 4)
        let late = scene.clock
        scene.advance(.seconds(30))
        #expect(scene.passing(3) == 3)
        scene.clock = late
        #expect(scene.passing() == 3)
        scene.advance(.seconds(69))
        #expect(scene.passing() == 0)
        scene.advance(.seconds(1))
        #expect(scene.passing() == 4)
    }
}

struct FixedWindowTests {
    @Test(arguments: [1, 2, 3])
    func `it agrees with a count per aligned window`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var scene = LimitScene([limit(9, per: .seconds(10), .fixedWindow(phase: .aligned))])
        var counts: [UInt64: Int] = [:]
        for _ in 0..<3000 {
            scene.advance(.milliseconds(UInt64(random.below(2000))))
            let window = scene.clock.wall.nanoseconds / 10_000_000_000
            let decision = scene.ask()
            #expect(decision.isAdmitted == (counts[window, default: 0] < 9))
            if decision.isAdmitted { counts[window, default: 0] += 1 }
            #expect(
                decision[0].resetAfter.count
                    == (window + 1) * 10_000_000_000 - scene.clock.wall.nanoseconds)
        }
        #expect(counts.values.allSatisfy { $0 <= 9 })
    }

    @Test func `a clock that is set back gives no second quota while the window lasts`() {
        var scene = LimitScene([limit(5, .fixedWindow(phase: .aligned))])
        scene.advance(.seconds(30))
        #expect(scene.passing() == 5)
        scene.clock.wall = WallTime(nanoseconds: scene.clock.wall.nanoseconds - 3_600_000_000_000)
        let refused = scene.ask()
        #expect(!refused.isAdmitted)
        #expect(refused[0].retryAfter == .seconds(30))
        scene.advance(.seconds(30))
        #expect(scene.ask().isAdmitted)
    }

    @Test func `a clock that jumps a day ahead and back holds a key up for one window at most`() {
        var scene = LimitScene([limit(5, .fixedWindow(phase: .aligned))])
        let right = scene.clock
        scene.clock.wall = scene.clock.wall + .seconds(86_400)
        #expect(scene.passing() == 5)
        scene.clock = right
        #expect(scene.passing() == 0)
        scene.advance(.seconds(60))
        #expect(scene.passing() == 5)
    }

    @Test func `readings of the two clocks that are a little apart give no second quota`() {
        var scene = LimitScene([limit(5, .fixedWindow(phase: .aligned))])
        #expect(scene.passing() == 5)
        // By the monotonic clock the window is over, by the calendar a microsecond is missing.
        scene.advance(.seconds(60))
        scene.clock.wall = WallTime(nanoseconds: scene.clock.wall.nanoseconds - 1000)
        #expect(scene.passing() == 0)
        scene.advance(Nanoseconds(1000))
        #expect(scene.passing() == 5)
    }

    @Test func `a tier with a longer window counts on what the running short one counted`() {
        let hourly = LimitDefinition.Rate(count: 20, period: .seconds(3600))
        var scene = LimitScene([limit(5, .fixedWindow(phase: .aligned), tiers: ["pro": hourly])])
        #expect(scene.passing() == 5)
        #expect(scene.passing(tier: "pro") == 15)
        #expect(scene.passing() == 0)
        scene.advance(.seconds(3600))
        #expect(scene.passing() == 5)
    }
}
