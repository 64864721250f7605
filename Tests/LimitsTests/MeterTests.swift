import Primitives
import Testing

@testable import Limits

/// What every algorithm promises about costs, refunds and what it tells, over random traffic: requests of
/// several units, units given back sooner or later, charges beyond the limit, and idle entries forgotten.
struct MeterTests {
    /// Some random traffic, and a look at the scene after each step.
    private func run(
        _ meter: LimitMeter, seed: UInt64, steps: Int = 400,
        _ look: (inout MeterScene, inout SeededRandom) -> Void
    ) {
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(meter)
        var charges: [MeterScene.Charge] = []
        for _ in 0..<steps {
            scene.advance(UInt64(random.below(random.below(8) == 0 ? 1_200_000 : 120_000)))
            if random.below(4) == 0 { scene.sweep() }
            let units = UInt32(1 + random.below(4))
            if random.below(12) == 0 {
                charges.append(scene.charge(units * 3))
            } else if let charge = scene.ask(units) {
                charges.append(charge)
            }
            if random.below(3) == 0, !charges.isEmpty {
                let charge = charges.remove(
                    at: charges.count - 1 - random.below(min(charges.count, 5)))
                scene.refund(UInt32(1 + random.below(Int(charge.units))), of: charge)
            }
            look(&scene, &random)
        }
    }

    @Test(arguments: meters, [1, 2, 3])
    func `n units pass when n remain; else after the time told, and not a nanosecond sooner`(
        meter: LimitMeter, seed: UInt64
    ) {
        var waits = 0
        run(meter, seed: seed) { scene, random in
            let units = UInt32(1 + random.below(14))
            let level = scene.level(units)
            var other = scene
            #expect(other.admits(units) == (units <= level.remaining))
            #expect((level.nextAfter == 0) == (units <= level.remaining))
            #expect((level.nextAfter == LimitMeter.Level.neverPasses) == (units > 12))
            guard level.nextAfter > 0, units <= 12 else { return }
            waits += 1
            other = scene
            other.advance(level.nextAfter - 1)
            #expect(!other.admits(units))
            other.advance(1)
            #expect(other.admits(units))
        }
        #expect(waits > 50)
    }

    @Test(arguments: meters, [1, 2, 3])
    func `exactly the remaining units pass, one by one or together`(
        meter: LimitMeter, seed: UInt64
    ) {
        run(meter, seed: seed) { scene, _ in
            let remaining = scene.level().remaining
            var passed: UInt32 = 0
            var other = scene
            while other.ask(1) != nil { passed += 1 }
            #expect(passed == remaining)
            other = scene
            let together = other.ask(max(remaining, 1))
            #expect((together != nil) == (remaining > 0))
            #expect(!other.admits(1))
            #expect(other.level().remaining == 0)
        }
    }

    @Test(arguments: meters, [1, 2, 3])
    func `after the reset nothing is counted, and until then its moment stands still`(
        meter: LimitMeter, seed: UInt64
    ) {
        run(meter, seed: seed) { scene, random in
            let level = scene.level()
            #expect(level.resetAt == scene.now.wall + level.resetAfter)
            guard level.remaining < 12, level.resetAfter > 1 else { return }
            var other = scene
            other.advance(level.resetAfter - 1)
            #expect(other.level().resetAfter == 1)
            #expect(other.level().remaining < 12)
            other.advance(1)
            #expect(other.level().remaining == 12)
            other = scene
            other.advance(UInt64(random.below(Int(level.resetAfter))))
            #expect(other.level().resetAt == level.resetAt)
        }
    }

    @Test(arguments: meters, [1, 2, 3])
    func `what is given back at once leaves no trace`(meter: LimitMeter, seed: UInt64) {
        run(meter, seed: seed) { scene, random in
            // Also of a charge that is larger than all there is.
            let units = UInt32(1 + random.below(30))
            let before = scene.level()
            // A log that is full forgets its oldest moments for it.
            if case .slidingLog = meter, units > before.remaining { return }
            let charge = scene.charge(units)
            scene.refund(units, of: charge)
            #expect(scene.level() == before)
            #expect(scene.level(5).nextAfter == before.nextAfter || before.remaining < 5)
        }
    }

    @Test(arguments: meters, [1, 2, 3])
    func `a refund, however late, gives no more back than it says`(
        meter: LimitMeter, seed: UInt64
    ) {
        var given = 0
        run(meter, seed: seed) { scene, random in
            var other = scene
            guard let charge = other.ask(3) else { return }
            for _ in 0..<random.below(4) {
                other.advance(UInt64(random.below(400_000)))
                _ = other.ask(1)
            }
            let before = other.level()
            other.refund(2, of: charge)
            let after = other.level()
            #expect(after.remaining >= before.remaining)
            #expect(after.remaining <= min(before.remaining + 2, 12))
            #expect(after.resetAfter <= before.resetAfter)
            if after.remaining > before.remaining { given += 1 }
            // Long after, and for a moment that never was, nothing comes back.
            other.advance(3_000_000)
            _ = other.ask(4)
            let late = other.level()
            other.refund(1, of: charge)
            other.refund(1, of: MeterScene.Charge(time: 0, units: 1, mark: 0))
            other.refund(1, of: MeterScene.Charge(time: 0, units: 1, mark: 77))
            #expect(other.level() == late)
        }
        #expect(given > 20)
    }

    @Test(arguments: meters, [1, 2])
    func `an idle entry says the same as none`(meter: LimitMeter, seed: UInt64) {
        var idle = 0
        run(meter, seed: seed) { scene, random in
            var kept = scene
            kept.advance(UInt64(random.below(3_000_000)) * (random.below(2) == 0 ? 1 : 1000))
            guard kept.entry.until < kept.now.monotonic else { return }
            idle += 1
            var swept = kept
            swept.sweep()
            #expect(swept.level() == kept.level())
            let marks = (swept.charge(5).mark, kept.charge(5).mark)
            #expect(marks.0 == marks.1)
            #expect(swept.level() == kept.level())
        }
        #expect(idle > 20)
    }

    @Test(
        arguments: [0, 1, 3, 1_000_000_000, .max] as [UInt32],
        [0, 1, 1_000_000, 31_622_400_000_000_000, .max] as [UInt64])
    func `extreme numbers of everything neither trap nor open the gate`(
        count: UInt32, period: UInt64
    ) {
        var extremes: [LimitMeter] = [
            .tokenBucket(TokenBucket(count: count, period: period, burst: .max)),
            .tokenBucket(TokenBucket(count: count, period: period, burst: 0)),
            .slidingLog(SlidingLog(quota: count, period: period)),
            .concurrency(Concurrency(quota: max(count, 1))),
        ]
        for bound in [0, 1, 60, .max] {
            let delay = UInt64(min(bound, 1_000_000_000))
            extremes += [
                .slidingWindow(SlidingWindow(quota: count, period: period, subWindows: bound)),
                .leakyBucket(LeakyBucket(count: count, period: period, maxDelay: delay)),
                .fixedWindow(
                    FixedWindow(
                        quota: count, period: period, isMonthly: bound == 60, hasPhase: bound == 1)),
            ]
        }
        for meter in extremes {
            for time in [0, 1, LimitBounds.timeMax] {
                for wall in [0, 1, .max] as [UInt64] {
                    var scene = MeterScene(
                        meter, digest: Digest128(high: .max, low: .max),
                        at: LimitMeter.Now(monotonic: time, wall: wall, offset: wall &- time))
                    let first = scene.ask(1)
                    #expect(first != nil)
                    for units in [1, 300, 70_000, .max, .max] as [UInt32] {
                        let charge = scene.charge(units)
                        _ = scene.level(units)
                        scene.refund(units / 2, of: charge)
                    }
                    // Two times more than any limit holds.
                    scene.charge(.max)
                    scene.charge(.max)
                    #expect(scene.level().remaining == 0)
                    #expect(!scene.admits(1))
                    #expect(!scene.admits(.max))
                    _ = scene.level(.max)
                }
            }
        }
    }

    /// Two rates of one algorithm: a tier's and another's.
    private static let changing: [[LimitMeter]] = [
        [
            .tokenBucket(TokenBucket(count: 7, period: 1_000_000, burst: 12)),
            .tokenBucket(TokenBucket(count: 3000, period: 7_000_000, burst: 90)),
        ],
        [
            .slidingWindow(SlidingWindow(quota: 12, period: 1_000_003, subWindows: 9)),
            .slidingWindow(SlidingWindow(quota: 900, period: 7_000_000, subWindows: 9)),
        ],
        [
            .slidingLog(SlidingLog(quota: 12, period: 1_000_003)),
            .slidingLog(SlidingLog(quota: 90, period: 7_000_000)),
        ],
        [
            .fixedWindow(
                FixedWindow(quota: 12, period: 1_000_003, isMonthly: false, hasPhase: false)),
            .fixedWindow(
                FixedWindow(quota: 90, period: 7_000_000, isMonthly: false, hasPhase: true)),
            .fixedWindow(FixedWindow(quota: 90, period: 1, isMonthly: true, hasPhase: false)),
        ],
        [
            .leakyBucket(LeakyBucket(count: 12, period: 1_000_003, maxDelay: 1_100_000)),
            .leakyBucket(LeakyBucket(count: 90, period: 7_000_000, maxDelay: 9_000_000)),
        ],
    ]

    @Test(arguments: changing, [1, 2, 3])
    func `through changes of the rate and steps of the calendar clock it tells the truth`(
        rates: [LimitMeter], seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(rates[0])
        var charges: [MeterScene.Charge] = []
        var waits = 0
        for _ in 0..<1500 {
            scene.advance(UInt64(random.below(200_000)))
            if random.below(6) == 0 { scene.meter = rates[random.below(rates.count)] }
            if random.below(10) == 0 {
                scene.now.wall &+= UInt64(random.below(20_000_000)) &- 10_000_000
            }
            if random.below(6) == 0 { scene.sweep() }
            if random.below(3) == 0, !charges.isEmpty {
                let charge = charges.remove(at: random.below(charges.count))
                let before = scene.level().remaining
                scene.refund(charge.units, of: charge)
                #expect(scene.level().remaining >= before)
                #expect(scene.level().remaining - before <= charge.units)
            }
            let units = UInt32(1 + random.below(12))
            let level = scene.level(units)
            #expect(scene.admits(units) == (units <= level.remaining))
            #expect((level.nextAfter == 0) == (units <= level.remaining))
            if level.nextAfter > 0, level.nextAfter != LimitMeter.Level.neverPasses {
                waits += 1
                var other = scene
                other.advance(level.nextAfter - 1)
                // A bucket that the old rate fills sooner than the new one is full then.
                if case .tokenBucket = scene.meter {} else { #expect(!other.admits(units)) }
                other.advance(1)
                #expect(other.admits(units))
            }
            if let charge = scene.ask(units) { charges.append(charge) }
        }
        #expect(waits > 50)
    }

    @Test(arguments: meters, [1, 2, 3])
    func `taking says and does the same as looking, charging and looking again`(
        meter: LimitMeter, seed: UInt64
    ) {
        var refused = 0
        run(meter, seed: seed) { scene, random in
            let units = UInt32(random.below(5))
            let mayCharge = random.below(3) > 0
            var other = scene
            var admits = false
            var mark: UInt64 = 0
            let level = scene.take(units, mayCharge: mayCharge, admits: &admits, mark: &mark)

            let passes = other.meter.admits(
                &other.entry, counters: &other.counters, units: units, at: other.now)
            #expect(admits == passes)
            if passes && mayCharge && units > 0 { #expect(mark == other.charge(units).mark) }
            #expect(level == other.level(units))
            #expect(scene.level() == other.level())
            #expect(scene.entry.until == other.entry.until)
            #expect(scene.entry.position == other.entry.position)
            #expect(scene.entry.amount == other.entry.amount)
            if !passes { refused += 1 }
        }
        #expect(refused > 0)
    }

    @Test func `a request that costs nothing always passes`() {
        for meter in meters + [.concurrency(Concurrency(quota: 12))] {
            var scene = MeterScene(meter)
            scene.charge(100)
            #expect(scene.admits(0))
            #expect(!scene.admits(1))
        }
    }
}

struct DivisorTests {
    @Test func `it divides as division does, up to 2 to the power of 63`() {
        var random = SeededRandom(seed: 1)
        var wrong = 0
        for _ in 0..<20_000 {
            let value = max(random.next() >> UInt64(random.below(64)), 1)
            let divisor = Divisor(value)
            let dividend = random.next() >> UInt64(1 + random.below(63))
            // Around a multiple too.
            let multiple = dividend / value * value
            let dividends: [UInt64] = [
                dividend, multiple, max(multiple, 1) - 1, 0, 1 << 62, (1 << 63) - 1,
            ]
            for dividend in dividends {
                if divisor.quotient(dividend) != dividend / value { wrong += 1 }
                if divisor.remainder(dividend) != dividend % value { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }
}
