extension Span where Element == UInt8 {
    /// Whether the bytes are those of `text`.
    public func equals(_ text: StaticString) -> Bool { equals(text.bytes) }

    /// Whether the bytes are those of `text`, letters compared without case; `text` is in lower case.
    public func equalsIgnoringCase(_ text: StaticString) -> Bool {
        let literal = text.bytes
        return count == literal.count && matches(literal) { ASCII.lower($0) == $1 }
    }

    /// Whether both spans hold the same bytes.
    public func equals(_ other: Span<UInt8>) -> Bool {
        count == other.count && matches(other, by: ==)
    }

    /// Whether both spans hold the same bytes, letters compared without case.
    public func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        count == other.count && matches(other) { ASCII.lower($0) == ASCII.lower($1) }
    }

    /// Whether the bytes begin with `text`.
    public func starts(with text: StaticString) -> Bool {
        let bytes = text.bytes
        return count >= bytes.count && extracting(0..<bytes.count).equals(bytes)
    }

    /// Whether `text` stands anywhere in the bytes, letters compared without case.
    public func containsIgnoringCase(_ text: StaticString) -> Bool {
        let length = text.bytes.count
        guard count >= length else { return false }
        for start in 0...(count - length)
        where extracting(start..<(start + length)).equalsIgnoringCase(text) {
            return true
        }
        return false
    }

    /// The index of the first `byte` at or after `start`, or `nil`.
    public func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        var i = start
        while i < count {
            if self[i] == byte { return i }
            i += 1
        }
        return nil
    }

    /// The number written in decimal digits and nothing else; `nil` when empty, odd or beyond 64 bits.
    public var decimalValue: UInt64? {
        guard count > 8 else { return count == 0 ? nil : shortDecimalValue }
        var value: UInt64 = 0
        // Nineteen digits always fit.
        let safe = Swift.min(count, 19)
        for i in 0..<safe {
            let digit = self[i] &- 48
            guard digit < 10 else { return nil }
            value = value &* 10 &+ UInt64(digit)
        }
        for i in safe..<count {
            guard ASCII.isDigit(self[i]) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(self[i] &- 48))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }

    /// The same of one to eight digits, all of them at once.
    @inline(__always)
    private var shortDecimalValue: UInt64? {
        let text = count == 8 ? littleEndianWord(at: 0) : littleEndianRest(from: 0)
        // The digits with zeros before them, the first one least significant.
        var digits = (text ^ 0x3030_3030_3030_3030) &<< UInt64(64 - 8 * count)
        // A carry into the next byte comes only from one that is too large itself.
        guard ((digits &+ 0x0606_0606_0606_0606) | digits) & 0xF0F0_F0F0_F0F0_F0F0 == 0 else {
            return nil
        }
        // Pairs, then fours, then all: each first half times 10, 100, 10,000.
        digits = (digits &* (10 << 8 + 1)) &>> 8 & 0x00FF_00FF_00FF_00FF
        digits = (digits &* (100 << 16 + 1)) &>> 16 & 0x0000_FFFF_0000_FFFF
        return (digits &* (10_000 << 32 + 1)) &>> 32
    }

    /// The bytes without spaces and tabs at both ends (OWS, RFC 9110 §5.6.3).
    public var trimmed: Span<UInt8> {
        @_lifetime(copy self) get {
            var low = 0
            var high = count
            while low < high, self[low] == ASCII.space || self[low] == ASCII.tab { low += 1 }
            while high > low, self[high - 1] == ASCII.space || self[high - 1] == ASCII.tab {
                high -= 1
            }
            return extracting(low..<high)
        }
    }
}
