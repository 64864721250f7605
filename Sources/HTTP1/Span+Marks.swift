import Primitives

extension Span where Element == UInt8 {
    /// The index of the first control byte (0…31 or 127) from `start` and before `end`, or `end`.
    @inline(__always)
    func firstControl(from start: Int, to end: Int) -> Int {
        firstMarked(from: start, to: end) { word in
            let below32 = word &- EveryByte.of(32)
            let delete = word ^ EveryByte.of(127)
            // Of 127 itself, and of nothing else, the complement has its top bit too.
            return (below32 | (delete &- EveryByte.of(1))) & ~word
        }
    }

    /// The index of the first `byte` from `start` and before `end`, or `end`.
    @inline(__always)
    func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int {
        firstMarked(from: start, to: end) { word in
            let difference = word ^ EveryByte.of(byte)
            return (difference &- EveryByte.of(1)) & ~difference
        }
    }
}

/// Words of eight equal bytes.
private enum EveryByte {
    @inline(__always)
    static func of(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }
}
