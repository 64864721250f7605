import Primitives
import Testing

struct SeededRandomTests {
    @Test func `a seed gives the sequence of xoshiro256** spread by SplitMix64`() {
        // The definitions again, over an array and with the halves of the scrambler written out.
        for seed in [0, 1, 42, UInt64.max] as [UInt64] {
            var counter = seed
            var state: [UInt64] = (0..<4).map { _ in
                counter &+= 0x9E37_79B9_7F4A_7C15
                var z = counter
                z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
                z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
                return z ^ z >> 31
            }
            func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }
            var random = SeededRandom(seed: seed)
            for _ in 0..<200 {
                #expect(random.next() == rotate(state[1] &* 5, 7) &* 9)
                let t = state[1] << 17
                state[2] ^= state[0]
                state[3] ^= state[1]
                state[1] ^= state[2]
                state[0] ^= state[3]
                state[2] ^= t
                state[3] = rotate(state[3], 45)
            }
        }
    }

    @Test func `SplitMix64 of seed 0 begins as published`() {
        // The first state words are e220a8397b1dcdaf, 6e789e6aa1b965f4 …; the first output uses the second.
        var random = SeededRandom(seed: 0)
        let product = 0x6e78_9e6a_a1b9_65f4 as UInt64 &* 5
        #expect(random.next() == (product << 7 | product >> 57) &* 9)
    }

    @Test func `a unit number is above 0 and at most 1, and its mean is a half`() {
        var random = SeededRandom(seed: 7)
        var sum = 0.0
        var inRange = true
        for _ in 0..<100_000 {
            let unit = random.unit()
            inRange = inRange && unit > 0 && unit <= 1
            sum += unit
        }
        #expect(inRange)
        #expect(abs(sum / 100_000 - 0.5) < 0.01)
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `numbers below a bound are below it, and evenly spread`(bound: Int) {
        var random = SeededRandom(seed: 8)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<(bound * 1000) { counts[random.below(bound)] += 1 }
        #expect(counts.allSatisfy { $0 > 800 && $0 < 1200 })
    }
}
