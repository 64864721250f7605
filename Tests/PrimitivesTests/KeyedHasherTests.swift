import Primitives
import Testing

struct KeyedHasherTests {
    /// SipHash-c-d with 128 bits of output, written from the paper and its 128-bit extension: whole message
    /// first, then words, no state kept between calls.
    private func slowSipHash(_ message: [UInt8], k0: UInt64, k1: UInt64, c: Int, d: Int)
        -> Digest128
    {
        var v: [UInt64] = [
            k0 ^ 0x736f_6d65_7073_6575, k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261, k1 ^ 0x7465_6462_7974_6573,
        ]
        v[1] ^= 0xee
        func rotate(_ x: UInt64, _ n: UInt64) -> UInt64 { x << n | x >> (64 - n) }
        func rounds(_ n: Int) {
            for _ in 0..<n {
                v[0] &+= v[1]
                v[2] &+= v[3]
                v[1] = rotate(v[1], 13) ^ v[0]
                v[3] = rotate(v[3], 16) ^ v[2]
                v[0] = rotate(v[0], 32)
                v[2] &+= v[1]
                v[0] &+= v[3]
                v[1] = rotate(v[1], 17) ^ v[2]
                v[3] = rotate(v[3], 21) ^ v[0]
                v[2] = rotate(v[2], 32)
            }
        }
        var padded = message
        while padded.count % 8 != 7 { padded.append(0) }
        padded.append(UInt8(truncatingIfNeeded: message.count))
        for start in stride(from: 0, to: padded.count, by: 8) {
            let word = (0..<8).reduce(UInt64(0)) {
                $0 | UInt64(padded[start + $1]) << UInt64(8 * $1)
            }
            v[3] ^= word
            rounds(c)
            v[0] ^= word
        }
        v[2] ^= 0xee
        rounds(d)
        let low = v[0] ^ v[1] ^ v[2] ^ v[3]
        v[1] ^= 0xdd
        rounds(d)
        return Digest128(high: v[0] ^ v[1] ^ v[2] ^ v[3], low: low)
    }

    private let k0: UInt64 = 0x0706_0504_0302_0100
    private let k1: UInt64 = 0x0f0e_0d0c_0b0a_0908

    @Test func `the slow model gives the published vectors of SipHash-2-4-128`() {
        // Of an empty message and of one zero byte, key 00 01 … 0f; bytes as published, low half first.
        let empty = slowSipHash([], k0: k0, k1: k1, c: 2, d: 4)
        #expect(empty.low == (0xa381_7f04_ba25_a8e6 as UInt64).byteSwapped)
        #expect(empty.high == (0x6df6_7214_c755_0293 as UInt64).byteSwapped)
        let zero = slowSipHash([0], k0: k0, k1: k1, c: 2, d: 4)
        #expect(zero.low == (0xda87_c1d8_6b99_af44 as UInt64).byteSwapped)
        #expect(zero.high == (0x3476_5911_9b22_fc45 as UInt64).byteSwapped)
    }

    @Test func `one zero byte has the digest that OpenSSL gives for SipHash-1-3-128`() {
        var hasher = KeyedHasher(seed: .init(k0, k1))
        hasher.append(0 as UInt8)
        let digest = hasher.finish()
        #expect(digest.low == (0xfc6f_3704_60d3_eda8 as UInt64).byteSwapped)
        #expect(digest.high == (0x5e05_73cc_2b2f_f063 as UInt64).byteSwapped)
    }

    @Test func `the hash is SipHash-1-3-128 for every length up to 100`() {
        let message = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for length in 0...100 {
            var hasher = KeyedHasher(seed: .init(k0, k1))
            hasher.append(message.span.extracting(0..<length))
            let model = slowSipHash(Array(message[..<length]), k0: k0, k1: k1, c: 1, d: 3)
            #expect(hasher.finish() == model)
        }
    }

    @Test func `it does not matter in which pieces the bytes come`() {
        var random = SeededRandom(seed: 4)
        for _ in 0..<300 {
            var whole: [UInt8] = []
            var hasher = KeyedHasher(seed: .init(k0, k1))
            for _ in 0..<random.below(12) {
                switch random.below(3) {
                case 0:
                    let byte = UInt8(random.below(256))
                    whole.append(byte)
                    hasher.append(byte)
                case 1:
                    let word = random.next()
                    for i in 0..<8 { whole.append(UInt8(truncatingIfNeeded: word >> (8 * i))) }
                    hasher.append(word)
                default:
                    let piece = (0..<random.below(30)).map { _ in UInt8(random.below(256)) }
                    whole += piece
                    hasher.append(piece.span)
                }
            }
            #expect(hasher.finish() == slowSipHash(whole, k0: k0, k1: k1, c: 1, d: 3))
        }
    }

    @Test func `another seed, length or byte gives an unrelated digest`() {
        func digest(_ bytes: [UInt8], _ k0: UInt64, _ k1: UInt64) -> Digest128 {
            var hasher = KeyedHasher(seed: .init(k0, k1))
            hasher.append(bytes.span)
            return hasher.finish()
        }
        let all: Set<Digest128> = [
            digest([], 1, 2), digest([], 2, 1), digest([0], 1, 2), digest([0, 0], 1, 2),
            digest([1], 1, 2), digest([UInt8](repeating: 0, count: 8), 1, 2),
            digest([UInt8](repeating: 0, count: 256), 1, 2),
        ]
        #expect(all.count == 7)
    }
}
