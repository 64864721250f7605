import Primitives
import Testing

@testable import Limits

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

    @Test(arguments: [false, true], [1, 2, 3])
    func `with costs, refunds and late charges it agrees with a count per window of each key`(
        hasPhase: Bool, seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        let period: UInt64 = 1_000_000
        let digest = Digest128(high: random.next(), low: random.next())
        let phase = hasPhase ? digest.high.multipliedFullWidth(by: period).high : 0
        let meter = FixedWindow(quota: 20, period: period, isMonthly: false, hasPhase: hasPhase)
        var scene = MeterScene(.fixedWindow(meter), digest: digest)
        var counts: [UInt64: UInt32] = [:]
        var charges: [(charge: MeterScene.Charge, window: UInt64)] = []
        for _ in 0..<3000 {
            scene.advance(UInt64(random.below(random.below(9) == 0 ? 2_000_000 : 100_000)))
            if random.below(5) == 0 { scene.sweep() }
            let window = (scene.now.wall - phase) / period
            let units = UInt32(1 + random.below(5))
            let fits = counts[window, default: 0] + units <= 20
            #expect(scene.admits(units) == fits)
            if fits || random.below(20) == 0 {
                charges.append((scene.charge(units), window))
                counts[window, default: 0] += units
            }
            if random.below(3) == 0, !charges.isEmpty {
                let back = charges.count - 1 - random.below(min(charges.count, 5))
                let (charge, charged) = charges.remove(at: back)
                scene.refund(charge.units, of: charge)
                if charged == window { counts[window, default: 0] -= charge.units }
            }
            let level = scene.level()
            #expect(level.remaining == 20 - min(counts[window, default: 0], 20))
            #expect(level.resetAt == (window + 1) * period + phase)
        }
    }

    @Test func `phases differ by key, spread evenly, and stay`() {
        let period: UInt64 = 60_000_000_000
        let meter = LimitMeter.fixedWindow(
            FixedWindow(quota: 5, period: period, isMonthly: false, hasPhase: true))
        var random = SeededRandom(seed: 3)
        var tenths = [Int](repeating: 0, count: 10)
        for _ in 0..<1000 {
            let digest = Digest128(high: random.next(), low: random.next())
            var scene = MeterScene(meter, digest: digest)
            let phase = scene.level().resetAt % period
            tenths[Int(phase * 10 / period)] += 1
            for _ in 0..<5 {
                scene.charge(1)
                scene.advance(UInt64(random.below(200_000_000_000)))
                #expect(scene.level().resetAt % period == phase)
                #expect(
                    MeterScene(meter, digest: digest, at: scene.now).level().resetAt % period
                        == phase)
            }
        }
        #expect(tenths.allSatisfy { $0 > 60 && $0 < 140 })
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

    @Test func `a day begins at midnight in UTC`() {
        let day = FixedWindow(
            quota: 3, period: 86_400_000_000_000, isMonthly: false, hasPhase: false)
        var scene = MeterScene(.fixedWindow(day))
        scene.charge(3)
        scene.advance(86_399_999_999_999)
        #expect(!scene.admits(1))
        scene.advance(1)
        #expect(scene.admits(3))
    }
}

struct CalendarMonthTests {
    private let day: UInt64 = 86_400_000_000_000
    private let month = LimitMeter.fixedWindow(
        FixedWindow(quota: 3, period: 31 * 86_400_000_000_000, isMonthly: true, hasPhase: false))

    @Test func `months end where a calendar from 1970 to 2553 says`() {
        var start: UInt64 = 0
        for year in 1970..<2554 {
            let isLeap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
            for days in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
                let length = UInt64(days) * day
                #expect(CalendarMonth.left(at: start) == length)
                #expect(CalendarMonth.left(at: start + 13 * day + 5) == length - 13 * day - 5)
                #expect(CalendarMonth.left(at: start + length - 1) == 1)
                start += length
            }
        }
    }

    @Test func `a monthly quota begins again with the month, in February of leap years too`() {
        // 2028-02-01T00:00:00Z.
        var scene = MeterScene(
            month,
            at: LimitMeter.Now(
                monotonic: 5, wall: 1_832_976_000_000_000_000, offset: 1_832_975_999_999_999_995))
        scene.charge(3)
        #expect(scene.level().resetAfter == 29 * day)
        scene.advance(29 * day - 1)
        #expect(!scene.admits(1))
        #expect(scene.level().nextAfter == 1)
        scene.advance(1)
        #expect(scene.admits(3))
        #expect(scene.level().resetAfter == 31 * day)
        scene.charge(3)
        // From the first minute of March to its last.
        scene.advance(31 * day - 1)
        #expect(!scene.admits(1))
        scene.advance(1)
        #expect(scene.level().resetAfter == 30 * day)
        #expect(scene.admits(3))
    }

    @Test(arguments: [1, 2, 3])
    func `a monthly quota agrees with a count per month, with refunds, over years`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(month)
        var counts: [UInt64: UInt32] = [:]
        for _ in 0..<3000 {
            scene.advance(UInt64(random.below(Int(random.below(9) == 0 ? 40 * day : day * 2))))
            if random.below(4) == 0 { scene.sweep() }
            let date = CivilDate(day: scene.now.wall / day)
            let key = date.year * 12 + date.month
            let fits = counts[key, default: 0] < 3
            #expect(scene.admits(1) == fits)
            guard let charge = scene.ask(1) else { continue }
            if random.below(3) == 0 {
                scene.refund(1, of: charge)
            } else {
                counts[key, default: 0] += 1
            }
        }
        #expect(counts.values.max() == 3)
    }

    @Test func `a clock that is set back a month gives no second quota while the month lasts`() {
        var scene = MeterScene(month)
        scene.advance(10 * day)
        scene.charge(3)
        scene.now.wall -= 40 * day
        #expect(!scene.admits(1))
        #expect(scene.level().nextAfter == 21 * day)
        scene.advance(21 * day)
        #expect(scene.admits(1))
    }
}
