import Primitives
import Testing

@testable import Limits

struct TokenBucketTests {
    @Test(
        arguments: [(3, 1_000_000_000, 5), (10_000, 1_000_000_000, 20), (7, 60_000_000_000, 1)]
            as [(UInt32, UInt64, UInt32)], [1, 2, 3])
    func `in any stretch of time at most the burst and what was refilled passes`(
        rate: (UInt32, UInt64, UInt32), seed: UInt64
    ) {
        let (count, period, burst) = rate
        var random = SeededRandom(seed: seed)
        var scene = LimitScene([
            limit(count, per: Nanoseconds(period), .tokenBucket(burst: burst))
        ])
        let interval = period / UInt64(count)
        var admitted: [UInt64] = []
        for _ in 0..<1000 {
            // Bursts, near misses of the interval and pauses.
            let steps = [0, 1, interval / 2, interval - 1, interval, interval + 1, interval * 8]
            scene.advance(Nanoseconds(steps[random.below(steps.count)]))
            if scene.ask().isAdmitted { admitted.append(scene.clock.monotonic.nanoseconds) }
        }
        var excess = 0
        for first in admitted.indices {
            for last in first..<min(first + 300, admitted.count) {
                let length = admitted[last] - admitted[first]
                let refilled = UInt128(length) * UInt128(count) / UInt128(period)
                if UInt128(last - first + 1) > UInt128(burst) + refilled { excess += 1 }
            }
        }
        #expect(excess == 0)
        #expect(admitted.count > Int(burst))
    }

    @Test(
        arguments: [(4, 1_000_000_000, 6), (10_000, 1_000_000_000, 3)] as [(UInt64, UInt64, UInt64)]
    )
    func `with a whole interval it agrees with counted tokens to the nanosecond`(
        rate: (UInt64, UInt64, UInt64)
    ) {
        let (count, period, burst) = rate
        let interval = period / count
        var random = SeededRandom(seed: 9)
        var scene = LimitScene([
            limit(
                UInt32(count), per: Nanoseconds(period), .tokenBucket(burst: UInt32(burst)))
        ])
        // The model: credit in nanoseconds, one token is `interval`.
        var credit = burst * interval
        for _ in 0..<5000 {
            let step = UInt64(random.below(Int(interval * 2)))
            scene.advance(Nanoseconds(step))
            credit = min(credit + step, burst * interval)
            let decision = scene.ask()
            #expect(decision.isAdmitted == (credit >= interval))
            if credit >= interval { credit -= interval }
            #expect(UInt64(decision[0].remaining) == credit / interval)
            #expect(decision[0].resetAfter.count == burst * interval - credit)
        }
    }

    @Test(arguments: [1, 2, 3, 4])
    func `with costs, refunds and late charges it agrees with counted tokens`(seed: UInt64) {
        let (interval, burst) = (UInt64(1000), UInt64(9))
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(
            .tokenBucket(TokenBucket(count: 1, period: interval, burst: UInt32(burst))))
        // The model: what is missing, in nanoseconds; and of each charge, when the bucket would be full.
        var missing: UInt64 = 0
        var charges: [(charge: MeterScene.Charge, full: UInt64)] = []
        for _ in 0..<4000 {
            let step = UInt64(random.below(Int(interval * 4)))
            scene.advance(step)
            missing -= min(step, missing)
            let units = UInt64(1 + random.below(5))
            let isLate = random.below(20) == 0
            let fits = missing + units * interval <= burst * interval
            #expect(scene.admits(UInt32(units)) == fits)
            if fits || isLate {
                missing += units * interval
                let charge = scene.charge(UInt32(units))
                charges.append((charge, scene.now.monotonic + missing))
            }
            if random.below(3) == 0, !charges.isEmpty {
                let (charge, full) = charges.remove(at: random.below(charges.count))
                let left = full - min(scene.now.monotonic, full)
                missing -= min(UInt64(charge.units) * interval, left, missing)
                scene.refund(charge.units, of: charge)
            }
            let level = scene.level()
            #expect(level.resetAfter == missing)
            let left = burst * interval - min(missing, burst * interval)
            #expect(UInt64(level.remaining) == left / interval)
        }
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func `in any stretch no more passes than burst, refill and what was given back in it`(
        seed: UInt64
    ) {
        // 3 per 1,000,000 ns: an interval with a fraction.
        let (count, period, burst) = (UInt64(3), UInt64(1_000_000), UInt64(5))
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(
            .tokenBucket(
                TokenBucket(count: UInt32(count), period: period, burst: UInt32(burst))))
        var events: [(time: UInt64, taken: Int)] = []
        var charges: [MeterScene.Charge] = []
        for _ in 0..<800 {
            scene.advance(UInt64(random.below(400_000)))
            if random.below(3) == 0, !charges.isEmpty {
                let charge = charges.remove(at: random.below(charges.count))
                scene.refund(charge.units, of: charge)
                events.append((scene.now.monotonic, -Int(charge.units)))
            }
            let units = UInt32(1 + random.below(3))
            if let charge = scene.ask(units) {
                charges.append(charge)
                events.append((scene.now.monotonic, Int(units)))
            }
        }
        var excess = 0
        for first in events.indices {
            var sum = 0
            for event in events[first...] {
                sum += event.taken
                let refilled = (event.time - events[first].time) * count / period
                if sum > Int(burst + refilled) { excess += 1 }
            }
        }
        #expect(excess == 0)
        #expect(charges.count > 50)
    }

    @Test func `debt is bounded, and is waited for`() {
        var scene = MeterScene(
            .tokenBucket(TokenBucket(count: 1, period: 1_000_000_000, burst: 10)))
        scene.charge(25)
        let level = scene.level()
        #expect(level.remaining == 0)
        #expect(level.resetAfter == 25_000_000_000)
        #expect(level.nextAfter == 16_000_000_000)
        #expect(scene.level(11).nextAfter == LimitMeter.Level.neverPasses)
        for _ in 0..<9 { scene.charge(.max) }
        #expect(scene.level().resetAfter == LimitBounds.timeMax)
        #expect(scene.entry.until <= 2 * LimitBounds.timeMax)
    }

    @Test func `three per second never drifts above three, and not noticeably below`() {
        var scene = LimitScene([limit(3, per: .seconds(1), .tokenBucket(burst: 1))])
        let start = scene.clock.monotonic
        var passed = 0
        while scene.clock.monotonic - start < .seconds(10_000) {
            let decision = scene.ask()
            if decision.isAdmitted { passed += 1 }
            scene.advance(max(decision[0].nextAfter, Nanoseconds(1)))
        }
        #expect(passed <= 30_001)
        // Each wait is in whole nanoseconds, so a client loses less than one per request.
        #expect(passed >= 29_999)
    }

    @Test func `a thousand per microsecond and one per year are kept as they are written`() {
        var fast = LimitScene([limit(1_000, per: Nanoseconds(1_000), .tokenBucket(burst: 10))])
        #expect(fast.passing() == 10)
        fast.advance(Nanoseconds(3))
        #expect(fast.passing() == 3)

        let year = Nanoseconds.seconds(31_536_000)
        var slow = LimitScene([limit(1, per: year, .tokenBucket(burst: 2))])
        #expect(slow.passing() == 2)
        #expect(slow.ask()[0].retryAfter == year)
        slow.advance(year - Nanoseconds(1))
        #expect(slow.passing() == 0)
        slow.advance(Nanoseconds(1))
        #expect(slow.passing() == 1)
    }

    @Test func `time that runs backwards refills nothing`() {
        var scene = LimitScene([limit(60, .tokenBucket(burst: 2))])
        #expect(scene.passing() == 2)
        let late = scene.clock
        scene.clock.monotonic = MonotonicTime(nanoseconds: 5)
        #expect(scene.passing() == 0)
        scene.clock = late
        #expect(scene.passing() == 0)
    }

    @Test func `a change of tier keeps the tokens, and refills them at the new rate`() {
        let fast = LimitDefinition.Rate(count: 600, period: .seconds(60))
        var scene = LimitScene([
            limit(6, .tokenBucket(burst: 10), tiers: ["pro": fast])
        ])
        #expect(scene.passing() == 10)
        let told = scene.ask(tier: "pro")
        #expect(!told.isAdmitted)
        #expect(told[0].retryAfter == .milliseconds(100))
        #expect(told[0].resetAfter == .seconds(1))
        scene.advance(.milliseconds(100) - Nanoseconds(1))
        #expect(!scene.ask(tier: "pro").isAdmitted)
        scene.advance(Nanoseconds(1))
        #expect(scene.ask(tier: "pro").isAdmitted)
        scene.advance(.milliseconds(300))
        #expect(scene.passing(tier: "pro") == 3)
        // And back: ten tokens are missing still, one of them comes in ten seconds.
        #expect(scene.ask()[0].retryAfter == .seconds(10))
    }

    @Test func `going to and fro between tiers gains no more than the burst and the faster rate`() {
        let fast = LimitDefinition.Rate(count: 600, period: .seconds(60))
        var scene = LimitScene([
            limit(6, .tokenBucket(burst: 10), tiers: ["pro": fast])
        ])
        var random = SeededRandom(seed: 3)
        var passed = 0
        for _ in 0..<20_000 {
            scene.advance(.milliseconds(1))
            if scene.ask(tier: random.below(2) == 0 ? "pro" : nil).isAdmitted { passed += 1 }
        }
        #expect(passed <= 10 + 200)
        #expect(passed > 50)
    }
}
