import Primitives
import Testing

@testable import Limits

struct SlidingLogTests {
    @Test(arguments: [1, 3, 16, 100, 1024] as [UInt32], [1, 2, 3])
    func `it agrees with a list of all requests, and is exact in any window`(
        quota: UInt32, seed: UInt64
    ) {
        let period: UInt64 = 1_000_000
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(.slidingLog(SlidingLog(quota: quota, period: period)))
        // Every unit that was not given back.
        var units: [UInt64] = []
        var refused = 0
        for _ in 0..<1500 {
            scene.advance(UInt64(random.below(random.below(30) == 0 ? 2_000_000 : 60_000)))
            if random.below(5) == 0 { scene.sweep() }
            let now = scene.now.monotonic
            let live = units.suffix(Int(quota)).filter { $0 + period > now }
            #expect(Int(scene.level().remaining) == Int(quota) - live.count)
            #expect(scene.level().resetAfter == (live.last.map { $0 + period - now } ?? 0))
            let cost = UInt32(1 + random.below(max(Int(quota) / 4, 1)))
            guard let charge = scene.ask(cost) else {
                refused += 1
                #expect(live.count + Int(cost) > Int(quota))
                let leaving = live[live.count + Int(cost) - Int(quota) - 1]
                #expect(scene.level(cost).nextAfter == leaving + period - now)
                continue
            }
            #expect(live.count + Int(cost) <= Int(quota))
            units += [UInt64](repeating: now, count: Int(cost))
            if random.below(3) == 0 {
                let time = UInt64(random.below(60_000))
                scene.advance(time)
                if let other = scene.ask(1) { units.append(other.time) }
                let back = 1 + random.below(Int(cost))
                scene.refund(UInt32(back), of: charge)
                let first = units.firstIndex(of: now) ?? 0
                // At the same moment the other one is another unit like these.
                units.removeSubrange(first..<(first + back))
            }
        }
        for index in units.indices.dropFirst(Int(quota)) {
            #expect(units[index] - units[index - Int(quota)] >= period)
        }
        #expect(refused > 50)
    }

    @Test func `the ring grows as it fills, to what the quota needs and no further`() {
        var scene = MeterScene(.slidingLog(SlidingLog(quota: 20, period: 1_000_000)))
        var sizes: [Int] = []
        for count in 1...20 {
            scene.advance(1)
            let charge = scene.ask(1)
            #expect(charge != nil)
            #expect(Int(scene.level().remaining) == 20 - count)
            sizes.append(1 << CounterSlab.Block(scene.entry.detail).exponent)
        }
        #expect(
            sizes == [4, 4, 4, 4, 8, 8, 8, 8] + [Int](repeating: 16, count: 8) + [32, 32, 32, 32])
        for _ in 0..<50 {
            scene.advance(500_000)
            scene.charge(9)
        }
        #expect(CounterSlab.Block(scene.entry.detail).exponent == 5)
        // What it gave back serves another key.
        let block = scene.counters.allocate(words: 16)
        #expect(block != nil)
        #expect(scene.counters.memoryBytes <= 64 * 8 + 64)
    }

    @Test func `without room for a larger ring nothing passes and nothing is lost`() {
        var scene = MeterScene(.slidingLog(SlidingLog(quota: 20, period: 1_000_000)), words: 5)
        let four = scene.ask(4)
        #expect(four != nil)
        let none = scene.ask(1)
        #expect(none == nil)
        #expect(scene.level().remaining == 16)
        scene.advance(1_000_000)
        let again = scene.ask(3)
        #expect(again != nil)
        #expect(scene.level().remaining == 17)
    }

    @Test func `a charge beyond the quota is waited for, one period at most`() {
        var scene = MeterScene(.slidingLog(SlidingLog(quota: 5, period: 1_000_000)))
        scene.charge(3)
        scene.advance(1000)
        scene.charge(1_000_000)
        #expect(scene.level().remaining == 0)
        #expect(scene.level().nextAfter == 1_000_000)
        scene.advance(999_999)
        #expect(!scene.admits(1))
        scene.advance(1)
        #expect(scene.level().remaining == 5)
    }

    @Test func `an entry is kept no longer than its newest moment counts, whatever is given back`()
    {
        var scene = MeterScene(.slidingLog(SlidingLog(quota: 5, period: 1_000_000)))
        scene.charge(1)
        for _ in 0..<2000 {
            scene.advance(900)
            let charge = scene.charge(1)
            #expect(scene.entry.until == scene.now.monotonic + 999_999)
            scene.advance(500)
            if scene.entry.amount > 1 { scene.refund(1, of: charge) }
            #expect(scene.entry.until < scene.now.monotonic + 1_000_000)
        }
    }

    @Test func `another rate keeps the moments`() {
        let narrow = LimitMeter.slidingLog(SlidingLog(quota: 4, period: 1_000_000))
        let wide = LimitMeter.slidingLog(SlidingLog(quota: 40, period: 3_600_000_000))
        var scene = MeterScene(wide)
        scene.charge(20)
        scene.meter = narrow
        #expect(scene.level().remaining == 0)
        #expect(scene.level().nextAfter == 1_000_000)
        scene.advance(1_000_000)
        let more = scene.ask(4)
        #expect(more != nil)
        // The shorter period forgets nothing that the longer one counts.
        scene.advance(2_000_000)
        scene.sweep()
        scene.meter = wide
        #expect(scene.level().remaining == 16)
        scene.advance(3_600_000_000 - 3_000_000)
        #expect(scene.level().remaining == 36)
    }
}
