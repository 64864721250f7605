import Primitives
import Telemetry
import Testing

@Suite struct HeavyHittersTests {
    private let now = WallTime(nanoseconds: 1)

    /// A key whose digest is as good as random.
    private func key(_ number: Int) -> Digest128 {
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(1, 2))
        hasher.append(UInt64(number))
        return hasher.finish()
    }

    /// Hits of which a tenth go to a few keys and the rest to very many.
    private func skewedKey(_ random: inout SeededRandom, heavy: Int) -> Int {
        random.below(10) == 0 ? random.below(heavy) : 1000 + random.below(100_000)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `no count is too low, and none is too high by more than its error`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var sketch = HeavyHitters(slots: 64)
        var truth: [Digest128: UInt64] = [:]
        for step in 0..<20_000 {
            let key = key(skewedKey(&random, heavy: 5))
            _ = sketch.note(key, at: now)
            truth[key, default: 0] += 1
            // Forgetting one loses nothing for those that come later in its set.
            if step % 1000 == 999, let one = HeavyHitters.top(3, of: [sketch]).last {
                sketch.forget(one.entry.key)
                truth[one.entry.key] = 0
            }
        }
        let items = HeavyHitters.top(64, of: [sketch])
        #expect(items.count >= 63)
        for item in items {
            let count = truth[item.entry.key] ?? 0
            #expect(count <= item.entry.count)
            #expect(item.entry.count <= count + item.entry.error)
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `keys with more than their part of the hits are found, the most hit first`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var sketch = HeavyHitters()
        // Ten keys with one in a hundred each: more than twice what a slot of 256 is worth.
        for _ in 0..<100_000 {
            _ = sketch.note(key(skewedKey(&random, heavy: 10)), at: now)
        }
        let top = HeavyHitters.top(10, of: [sketch])
        #expect(Set(top.map(\.entry.key)) == Set((0..<10).map(key)))
        #expect(zip(top, top.dropFirst()).allSatisfy { $0.entry.count >= $1.entry.count })
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `the bounds hold for the sum of several sketches`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var sketches = Array(repeating: HeavyHitters(slots: 32), count: 4)
        var truth: [Digest128: UInt64] = [:]
        for _ in 0..<20_000 {
            let key = key(skewedKey(&random, heavy: 5))
            _ = sketches[random.below(4)].note(key, at: now)
            truth[key, default: 0] += 1
        }
        let items = HeavyHitters.top(1000, of: sketches)
        #expect(items.count <= 4 * 32)
        for item in items {
            let count = truth[item.entry.key] ?? 0
            #expect(count <= item.entry.count)
            #expect(item.entry.count <= count + item.entry.error)
        }
    }

    @Test func `few keys are counted exactly, with their last time and their words`() {
        var sketch = HeavyHitters()
        for round in 1...3 {
            for number in 0..<3 where number < round {
                let at = WallTime(nanoseconds: UInt64(round))
                let slot = sketch.note(key(number), at: at)
                // Words are written once, when the key is new.
                #expect((slot != nil) == (round == number + 1))
                let words = Array("user=\(number)".utf8)
                if let slot { sketch.setWords(words.span, of: slot) }
            }
        }
        let top = HeavyHitters.top(9, of: [sketch])
        #expect(top.map(\.entry.count) == [3, 2, 1])
        #expect(top.allSatisfy { $0.entry.error == 0 && $0.entry.last.nanoseconds == 3 })
        #expect(
            top.map { String(decoding: $0.words, as: UTF8.self) } == (0..<3).map { "user=\($0)" })
        sketch.forget(key(0))
        #expect(HeavyHitters.top(9, of: [sketch]).map(\.entry.key) == [key(1), key(2)])
        #expect(HeavyHitters.top(0, of: [sketch]) == [])
    }

    @Test func `a new key does not keep the words of the one it replaces`() {
        var sketch = HeavyHitters(slots: 4)
        for number in 0..<5 {
            let words = Array(String(repeating: "x", count: 200).utf8)
            let slot = sketch.note(key(number), at: now)
            if let slot, number < 4 { sketch.setWords(words.span, of: slot) }
        }
        let top = HeavyHitters.top(4, of: [sketch])
        #expect(top.map(\.entry.count) == [2, 1, 1, 1])
        #expect(top[0].entry.key == key(4))
        #expect(top[0].entry.error == 1)
        #expect(top.map(\.words.count) == [0, 160, 160, 160])
    }
}
