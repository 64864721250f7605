/// A divisor that stays: quotients by a multiplication and at most one correction.
///
/// Dividends are below 2⁶³. With the inverse ⌊(2⁶⁴ − 1)/d⌋, which is short of 2⁶⁴/d by less than 2, the
/// estimate ⌊n · inverse / 2⁶⁴⌋ is short of n/d by less than 1, so it is the quotient or one less.
struct Divisor: Sendable, BitwiseCopyable {
    /// The divisor, 1 or more.
    let value: UInt64
    private let inverse: UInt64

    /// Creates a divisor of 1 or more.
    init(_ value: UInt64) {
        precondition(value > 0)
        self.value = value
        inverse = UInt64.max / value
    }

    /// `dividend / value`, rounded down.
    func quotient(_ dividend: UInt64) -> UInt64 {
        let estimate = dividend.multipliedFullWidth(by: inverse).high
        return dividend &- estimate &* value >= value ? estimate &+ 1 : estimate
    }

    /// `dividend % value`.
    func remainder(_ dividend: UInt64) -> UInt64 {
        let estimate = dividend.multipliedFullWidth(by: inverse).high
        let rest = dividend &- estimate &* value
        return rest >= value ? rest &- value : rest
    }
}
