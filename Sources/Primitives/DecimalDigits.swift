/// The eight decimal digits of a number below 10⁸, worked out side by side in one word.
///
///     12345678 → | 5678 | 1234 |             halves, the upper digits in the lower bits
///              → | 78 | 56 | 34 | 12 |       each lane split as quotient and remainder
///              → | 8 | 7 | 6 | 5 | 4 | 3 | 2 | 1 |
///
/// A quotient by 100 or 10 is a product, shifted: exact for the numbers a lane can hold, and no lane's product
/// reaches the next one.
struct DecimalDigits {
    /// Numbers are below this.
    static let bound: UInt64 = 100_000_000

    /// The digits, a byte each, the first in the lowest.
    private let digits: UInt64

    /// Splits `number`, which is below `bound`.
    @inline(__always)
    init(_ number: UInt64) {
        let fours = Self.split(number, quotients: number / 10_000, divisor: 10_000, width: 32)
        let hundreds = (fours &* 10_486) >> 20 & 0x0000_007F_0000_007F
        let twos = Self.split(fours, quotients: hundreds, divisor: 100, width: 16)
        let tens = (twos &* 103) >> 10 & 0x000F_000F_000F_000F
        digits = Self.split(twos, quotients: tens, divisor: 10, width: 8)
    }

    /// The digits as ASCII, the first in the lowest byte.
    @inline(__always) var text: UInt64 { digits | 0x3030_3030_3030_3030 }

    /// The place of the first digit that is no leading zero, 0 to 7; the number 0 has one digit.
    @inline(__always) var first: Int { min(digits.trailingZeroBitCount, 56) / 8 }

    /// Puts the remainders of all lanes above their quotients: `width` bits each.
    @inline(__always)
    private static func split(
        _ lanes: UInt64, quotients: UInt64, divisor: UInt64, width: UInt64
    ) -> UInt64 {
        quotients &+ (lanes &- quotients &* divisor) << width
    }
}
