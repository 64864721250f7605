import Primitives
import Testing

@testable import Limits

struct LeakyBucketTests {
    /// A request that has a place, and leaves when its time comes unless its client leaves before.
    private struct Waiting {
        var charge: MeterScene.Charge
        var departure: UInt64
        /// How much later the next one may leave.
        var space: UInt64
        var isCancelled = false
    }

    @Test(
        arguments: [(7, 1_000_000), (1000, 1_000_003), (3, 1_000_000_000)] as [(UInt32, UInt64)],
        1...4)
    func `it agrees with a queue, and no two leave closer than the interval, though some cancel`(
        rate: (UInt32, UInt64), seed: UInt64
    ) {
        let interval = (rate.1 + UInt64(rate.0) - 1) / UInt64(rate.0)
        let maxDelay = interval * 9 / 2
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(
            .leakyBucket(LeakyBucket(count: rate.0, period: rate.1, maxDelay: maxDelay)))
        var queue: [Waiting] = []
        // The model: the end of the last place that is taken.
        var free: UInt64 = 0
        for _ in 0..<3000 {
            scene.advance(UInt64(random.below(Int(interval) * (random.below(10) == 0 ? 9 : 1))))
            if random.below(5) == 0 { scene.sweep() }
            let now = scene.now.monotonic
            // Somebody who still waits leaves for good: the last place is free again, others stay taken.
            if random.below(4) == 0,
                let index = queue.indices.suffix(5).randomElement(using: &random),
                queue[index].departure > now, !queue[index].isCancelled
            {
                queue[index].isCancelled = true
                scene.refund(queue[index].charge.units, of: queue[index].charge)
                if queue[index].departure + queue[index].space == free {
                    free = queue[index].departure
                }
            }
            let units = UInt32(1 + random.below(3))
            let departure = max(now, free)
            let fits = departure - now + UInt64(units - 1) * interval <= maxDelay
            #expect(scene.admits(units) == fits)
            guard let charge = scene.ask(units) else { continue }
            #expect(now + scene.level(units).delay == departure)
            #expect(scene.level(units).delay <= maxDelay)
            let space = UInt64(units) * interval
            free = departure + space
            queue.append(Waiting(charge: charge, departure: departure, space: space))
        }
        let left = queue.filter { !$0.isCancelled }
        for (one, next) in zip(left, left.dropFirst()) {
            #expect(next.departure >= one.departure + one.space)
        }
        #expect(left.count > 300)
        #expect(left.count < queue.count - 50)
    }

    @Test func `another rate keeps who waits already where he is`() {
        let slow = LimitMeter.leakyBucket(
            LeakyBucket(count: 1, period: 1_000_000, maxDelay: 5_000_000))
        let fast = LimitMeter.leakyBucket(
            LeakyBucket(count: 10, period: 1_000_000, maxDelay: 5_000_000))
        var scene = MeterScene(slow)
        var charges: [MeterScene.Charge] = []
        for _ in 0..<4 { charges.append(scene.charge(1)) }
        #expect(scene.level(1).delay == 3_000_000)
        scene.meter = fast
        // A place of the old rate is not given back at the new one.
        scene.refund(1, of: charges[3])
        let next = scene.ask(1)
        #expect(next != nil)
        #expect(scene.level(1).delay == 4_000_000)
        #expect(scene.level(1).resetAfter == 4_100_000)
    }

    @Test func `without a delay it lets one pass and then one in each interval`() {
        var scene = MeterScene(
            .leakyBucket(LeakyBucket(count: 10, period: 1_000_000, maxDelay: 0)))
        for _ in 0..<50 {
            let one = scene.ask(1)
            #expect(one != nil)
            #expect(scene.level(1).delay == 0)
            #expect(scene.level(2).nextAfter == LimitMeter.Level.neverPasses)
            scene.advance(99_999)
            #expect(!scene.admits(1))
            scene.advance(1)
        }
    }
}

struct ConcurrencyTests {
    @Test(arguments: [1, 2, 3])
    func `never more than the quota is in flight, never less than none, and time changes nothing`(
        seed: UInt64
    ) {
        var random = SeededRandom(seed: seed)
        var scene = MeterScene(.concurrency(Concurrency(quota: 9)))
        var flying: [MeterScene.Charge] = []
        for _ in 0..<3000 {
            scene.advance(UInt64(random.below(1 << 40)))
            scene.sweep()
            let count = flying.reduce(0) { $0 + $1.units }
            #expect(count <= 9)
            #expect(scene.entry.amount == count)
            #expect((scene.entry.until < scene.now.monotonic) == (count == 0) || count == 0)
            let units = UInt32(1 + random.below(3))
            let level = scene.level(units)
            #expect(level.remaining == 9 - count)
            #expect(level.resetAfter == 0 && level.resetAt == scene.now.wall)
            #expect((level.nextAfter == 0) == (count + units <= 9))
            #expect(scene.admits(units) == (count + units <= 9))
            if random.below(2) == 0 {
                if let charge = scene.ask(units) { flying.append(charge) }
            } else if !flying.isEmpty {
                let charge = flying.remove(at: random.below(flying.count))
                scene.refund(charge.units, of: charge)
            } else {
                // One that ends twice frees nobody else's place.
                scene.refund(5, of: MeterScene.Charge(time: 0, units: 5, mark: 0))
                #expect(scene.level().remaining == 9)
            }
        }
    }

    @Test func `a quota that falls below what is in flight waits until enough have ended`() {
        var scene = MeterScene(.concurrency(Concurrency(quota: 5)))
        let charges = (0..<5).map { _ in scene.charge(1) }
        scene.meter = .concurrency(Concurrency(quota: 2))
        #expect(scene.level().remaining == 0)
        for charge in charges[..<3] {
            scene.refund(1, of: charge)
            #expect(!scene.admits(1))
        }
        scene.refund(1, of: charges[3])
        #expect(scene.admits(1))
        #expect(scene.level(3).nextAfter == LimitMeter.Level.neverPasses)
        // More than there is cannot end.
        scene.refund(3, of: charges[4])
        #expect(scene.level().remaining == 2)
    }
}
