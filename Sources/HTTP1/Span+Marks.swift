import Primitives

extension Span where Element == UInt8 {
    /// The index of the first control byte (0…31 or 127) from `start` and before `end`, or `end`.
    @inline(__always)
    func firstControl(from start: Int, to end: Int) -> Int {
        firstMarked(from: start, to: end) { ($0 .< every(32)) .| ($0 .== every(127)) }
    }

    /// The index of the first `byte` from `start` and before `end`, or `end`.
    @inline(__always)
    func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int {
        firstMarked(from: start, to: end) { $0 .== every(byte) }
    }

    /// The index of the first byte from `start` and before `end` that is neither a letter nor `-`, or `end`.
    @inline(__always)
    func firstUnlikeName(from start: Int, to end: Int) -> Int {
        firstMarked(from: start, to: end) {
            (($0 | 0x20) &- 97 .>= every(26)) .& ($0 .!= every(0x2D))
        }
    }

    /// The index of the first byte from `start` and before `end` that is no letter, digit, `-` or `.`, or `end`.
    @inline(__always)
    func firstUnlikeHost(from start: Int, to end: Int) -> Int {
        firstMarked(from: start, to: end) {
            // `-`, `.`, `/` and the digits follow each other.
            (($0 | 0x20) &- 97 .>= every(26))
                .& (($0 &- 0x2D .>= every(13)) .| ($0 .== every(0x2F)))
        }
    }
}

/// A vector of equal bytes. Comparisons with a plain number would be made byte by byte.
@inline(__always)
private func every(_ byte: UInt8) -> SIMD16<UInt8> { SIMD16(repeating: byte) }
