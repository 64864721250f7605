import Primitives
import Testing

@testable import Limits

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

    @Test(
        arguments: [(5, 1), (40, 10), (700, 7), (200_000, 4), (3_000_000_000, 60)]
            as [(UInt32, Int)], [1, 2, 3])
    func `with costs, refunds and late charges it agrees with a list, through all widths`(
        shape: (UInt32, Int), seed: UInt64
    ) {
        let (quota, subWindows) = shape
        let period: UInt64 = 1_000_001
        let step = (period + UInt64(subWindows) - 1) / UInt64(subWindows)
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(
            .slidingWindow(SlidingWindow(quota: quota, period: period, subWindows: subWindows)))
        var charges: [MeterScene.Charge] = []
        var hasLate = false
        for _ in 0..<2000 {
            scene.advance(UInt64(random.below(random.below(20) == 0 ? 2_000_000 : 40_000)))
            if random.below(5) == 0 { scene.sweep() }
            let oldest = scene.now.monotonic / step - UInt64(subWindows)
            let live = charges.suffix(400).filter { $0.time / step >= oldest }
            let counted = live.reduce(0) { $0 + UInt64($1.units) }
            #expect(scene.level().remaining == quota - UInt32(min(counted, UInt64(quota))))
            let newest = live.last { $0.units > 0 }
            let end = newest.map { ($0.time / step + UInt64(subWindows) + 1) * step }
            #expect(
                scene.level().resetAfter == (end ?? scene.now.monotonic) - scene.now.monotonic)
            let units = UInt32(1 + random.below(max(Int(quota) / 3, 2)))
            let fits = counted + UInt64(units) <= UInt64(quota)
            #expect(scene.admits(units) == fits)
            if fits {
                if let charge = scene.ask(units) { charges.append(charge) }
            } else if counted + UInt64(units) <= UInt64(UInt32.max), random.below(20) == 0 {
                hasLate = true
                charges.append(scene.charge(units))
            }
            guard random.below(3) == 0, !charges.isEmpty else { continue }
            let index = charges.count - 1 - random.below(min(charges.count, 8))
            let back = UInt32(random.below(Int(charges[index].units) + 1))
            scene.refund(back, of: charges[index])
            charges[index].units -= back
        }
        if hasLate { return }
        for last in charges.indices {
            let window = charges[...last].suffix(400).filter {
                $0.time + period > charges[last].time
            }
            #expect(window.reduce(0) { $0 + UInt64($1.units) } <= UInt64(quota))
        }
    }

    @Test func `counters widen as they fill, keep what they hold, and give their old room back`() {
        let meter = LimitMeter.slidingWindow(
            SlidingWindow(quota: 1_000_000, period: 60_000, subWindows: 60))
        // Word 0, then rings of 8, 16 and 32 words; at most two of them at a time.
        var scene = MeterScene(meter, words: 1 + 8 + 16 + 32)
        scene.charge(200)
        scene.advance(1000)
        scene.charge(55)
        #expect(CounterSlab.Block(scene.entry.detail).width.max == 0xFF)
        // 201 in one sub-window and 55 in another: both fit into a byte.
        scene.advance(1000)
        scene.charge(201)
        #expect(CounterSlab.Block(scene.entry.detail).width.max == 0xFF)
        scene.charge(65_000)
        #expect(CounterSlab.Block(scene.entry.detail).width.max == 0xFFFF)
        #expect(scene.level().remaining == 1_000_000 - 65_456)
        let large = scene.ask(900_000)
        #expect(large != nil)
        #expect(CounterSlab.Block(scene.entry.detail).width.max == .max)
        #expect(scene.level().remaining == 1_000_000 - 965_456)
        // The older sub-windows leave one by one with what they held.
        scene.advance(59_000)
        #expect(scene.level().remaining == 1_000_000 - 965_256)
        scene.advance(1000)
        #expect(scene.level().remaining == 1_000_000 - 965_201)
        // The narrow rings are free again for others.
        let narrow = scene.counters.allocate(words: 16)
        #expect(narrow != nil)
        // An allocator gives more than it is asked for where the rest of a piece would be too small to keep.
        #expect(scene.counters.memoryBytes <= scene.counters.memoryBytesMax + 32)
    }

    @Test func `without room for wider counters nothing passes and nothing is lost`() {
        let meter = LimitMeter.slidingWindow(
            SlidingWindow(quota: 1000, period: 60_000, subWindows: 60))
        var scene = MeterScene(meter, words: 1 + 8)
        let first = scene.ask(250)
        #expect(first != nil)
        let none = scene.ask(6)
        #expect(none == nil)
        #expect(scene.level().remaining == 750)
        let some = scene.ask(5)
        #expect(some != nil)
        // What a request turned out to cost is counted as far as it fits, in the next step again.
        scene.charge(70_000)
        #expect(scene.level().remaining == 745)
        scene.advance(1000)
        scene.charge(70_000)
        #expect(scene.level().remaining == 490)
        scene.advance(61_000)
        #expect(scene.level().remaining == 1000)
    }

    @Test func `a rate that a reload raises keeps what was counted, whatever its counters' width`()
    {
        let small = LimitMeter.slidingWindow(
            SlidingWindow(quota: 10, period: 60_000, subWindows: 60))
        var scene = MeterScene(small)
        scene.charge(7)
        scene.meter = .slidingWindow(SlidingWindow(quota: 100_000, period: 60_000, subWindows: 60))
        #expect(scene.level().remaining == 99_993)
        let most = scene.ask(99_993)
        #expect(most != nil)
        scene.meter = small
        #expect(scene.level().remaining == 0)
        #expect(scene.level().nextAfter > 0)
    }

    @Test func `another period gathers all counts in one counter that is wide enough`() {
        let quick = LimitMeter.slidingWindow(
            SlidingWindow(quota: 1000, period: 60_000, subWindows: 60))
        let slow = LimitMeter.slidingWindow(
            SlidingWindow(quota: 1000, period: 600_000, subWindows: 60))
        for isAsked in [true, false] {
            var scene = MeterScene(quick)
            for _ in 0..<4 {
                scene.charge(200)
                scene.advance(1000)
            }
            #expect(CounterSlab.Block(scene.entry.detail).width == .byte)
            scene.meter = slow
            if isAsked { _ = scene.ask(1) } else { scene.charge(1) }
            #expect(scene.level().remaining == 199)
            scene.advance(600_000)
            #expect(scene.level().remaining == 199)
            scene.advance(10_000)
            #expect(scene.level().remaining == 1000)
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
