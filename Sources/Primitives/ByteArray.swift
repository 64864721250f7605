extension Array where Element == UInt8 {
    /// Lends the bytes of `range`.
    @_lifetime(borrow self)
    @inline(__always)
    public borrowing func span(_ range: ByteRange) -> Span<UInt8> {
        span.extracting(range.indices)
    }

    /// Appends `number` in decimal digits.
    public mutating func append(decimal number: UInt64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var i = 20
        var rest = number
        repeat {
            i -= 1
            digits[i] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        } while rest > 0
        while i < 20 {
            append(digits[i])
            i += 1
        }
    }
}
