import Primitives
import Testing

@testable import Limits

struct CounterSlabTests {
    @Test(arguments: [0xFF, 0xFFFF, 0xFFFF_FFFF] as [UInt64], [1, 2])
    func `sums over parts of a ring agree with an array`(largest: UInt64, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let width = CounterSlab.CounterWidth(holding: largest)
        #expect(UInt64(width.max) == largest)
        var slab = CounterSlab(wordsMax: 1000)
        let slots = 61
        // Neighbours that must not be touched.
        let before = slab.allocate(words: 8, width: width)
        let found = slab.allocate(words: width.words(for: UInt64(slots)), width: width)
        let after = slab.allocate(words: 8, width: width)
        guard let before, let block = found, let after else {
            Issue.record("the slab has no room")
            return
        }
        for neighbour in [before, after] {
            for slot in 0..<16 as Range<UInt64> { slab.add(1, neighbour, slot) }
        }
        var model = [UInt32](repeating: 0, count: slots)
        for _ in 0..<4000 {
            let slot = random.below(slots)
            // All together stay below 2³², as the owners of rings see to.
            let room = min(width.max - model[slot], .max / 64 - min(model[slot], .max / 64))
            let more = UInt32(random.below(Int(room) + 1))
            slab.add(more, block, UInt64(slot))
            model[slot] += more
            let part = random.below(slots)..<slots
            let range = part.lowerBound..<(part.lowerBound + random.below(part.count + 1))
            let counters = UInt64(range.lowerBound)..<UInt64(range.upperBound)
            let sum = model[range].reduce(0, +)
            #expect(slab.sum(block, counters) == sum)
            // The least number of counters that holds so much.
            var need = UInt32(1 + random.below(Int(sum) + 3))
            var rest = need
            var count: UInt64 = 0
            for value in model[range] where rest > 0 {
                rest -= min(value, rest)
                count += 1
            }
            #expect(slab.reach(&need, block, counters) == count)
            #expect(need == rest)
            if random.below(4) == 0 {
                let taken = slab.take(block, counters)
                #expect(taken == sum)
                for index in range { model[index] = 0 }
            } else if random.below(4) == 0 {
                let less = model[slot] / 2
                slab.subtract(less, block, UInt64(slot))
                model[slot] -= less
            }
            #expect(slab.value(block, UInt64(slot)) == model[slot])
        }
        for neighbour in [before, after] { #expect(slab.sum(neighbour, 0..<16) == 16) }
    }
}
