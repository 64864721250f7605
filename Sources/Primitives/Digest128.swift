/// A 128-bit keyed digest of some bytes, used as an identity in tables.
///
/// Two different inputs share a digest with a chance of 2⁻¹²⁸ to somebody who does not know the seed.
public struct Digest128: Hashable, Sendable, BitwiseCopyable {
    /// The upper 64 bits.
    public var high: UInt64
    /// The lower 64 bits.
    public var low: UInt64

    /// Creates a digest from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// What tables of the standard library go by. A digest is hashed already, under a secret: to hash it again would
    /// take longer than all the rest of a look-up.
    public func _rawHashValue(seed: Int) -> Int { Int(truncatingIfNeeded: low) ^ seed }

    /// Both digests' bits added modulo 2: of unrelated digests again one that looks random.
    public static func ^ (a: Digest128, b: Digest128) -> Digest128 {
        Digest128(high: a.high ^ b.high, low: a.low ^ b.low)
    }
}

/// SipHash-1-3 with 128 bits of output (Aumasson, Bernstein 2012): a keyed hash that clients cannot flood.
///
/// Feed bytes and words in any mix, then call `finish`. About 1.5 ns per 8 bytes, no allocation.
public struct KeyedHasher: Sendable {
    /// The secret of one process: digests of different seeds are unrelated.
    public struct Seed: Sendable, BitwiseCopyable {
        @usableFromInline var k0: UInt64
        @usableFromInline var k1: UInt64

        /// Creates a seed from two words of randomness.
        public init(_ k0: UInt64, _ k1: UInt64) {
            self.k0 = k0
            self.k1 = k1
        }

        /// A fresh seed from the system's generator.
        public static func random() -> Seed {
            var system = SystemRandomNumberGenerator()
            return Seed(system.next(), system.next())
        }
    }

    @usableFromInline var v0: UInt64
    @usableFromInline var v1: UInt64
    @usableFromInline var v2: UInt64
    @usableFromInline var v3: UInt64
    @usableFromInline var tail: UInt64 = 0
    @usableFromInline var length: UInt64 = 0

    /// Creates an empty hash under `seed`.
    @inlinable
    public init(seed: Seed) {
        v0 = seed.k0 ^ 0x736f_6d65_7073_6575
        v1 = seed.k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee
        v2 = seed.k0 ^ 0x6c79_6765_6e65_7261
        v3 = seed.k1 ^ 0x7465_6462_7974_6573
    }

    // Called a few times per word: as functions of their own they cost more than they do.
    @inlinable
    @inline(__always)
    mutating func round() {
        v0 = v0 &+ v1
        v1 = ((v1 << 13) | (v1 >> 51)) ^ v0
        v0 = (v0 << 32) | (v0 >> 32)
        v2 = v2 &+ v3
        v3 = ((v3 << 16) | (v3 >> 48)) ^ v2
        v0 = v0 &+ v3
        v3 = ((v3 << 21) | (v3 >> 43)) ^ v0
        v2 = v2 &+ v1
        v1 = ((v1 << 17) | (v1 >> 47)) ^ v2
        v2 = (v2 << 32) | (v2 >> 32)
    }

    @inlinable
    @inline(__always)
    mutating func compress(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    /// Adds one byte.
    public mutating func append(_ byte: UInt8) {
        tail |= UInt64(byte) << ((length & 7) * 8)
        length &+= 1
        if length & 7 == 0 {
            compress(tail)
            tail = 0
        }
    }

    /// Adds the eight bytes of `word`, least significant first.
    @inlinable
    @inline(__always)
    public mutating func append(_ word: UInt64) {
        let shift = (length & 7) * 8
        length &+= 8
        if shift == 0 {
            compress(word)
        } else {
            compress(tail | (word << shift))
            tail = word >> (64 - shift)
        }
    }

    /// Adds all bytes of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) {
        var i = 0
        let end = bytes.count
        while end - i >= 8 {
            append(bytes.littleEndianWord(at: i))
            i += 8
        }
        if i == end { return }
        // The rest as one word: of seven bytes, at most one completes a word.
        let rest = bytes.littleEndianRest(from: i)
        let held = length & 7
        let count = UInt64(end - i)
        length &+= count
        tail |= rest &<< (held * 8)
        if held + count >= 8 {
            compress(tail)
            // With nothing held seven bytes complete no word: the shift is below 64.
            tail = rest &>> ((8 - held) * 8)
        }
    }

    /// Ends the hash and returns its digest.
    @inlinable
    @inline(__always)
    public consuming func finish() -> Digest128 {
        compress(tail | (length << 56))
        v2 ^= 0xee
        round()
        round()
        round()
        let low = v0 ^ v1 ^ v2 ^ v3
        v1 ^= 0xdd
        round()
        round()
        round()
        return Digest128(high: v0 ^ v1 ^ v2 ^ v3, low: low)
    }
}
