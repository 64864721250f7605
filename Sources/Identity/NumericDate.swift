import Primitives

/// Seconds since 1970 as a token writes them (RFC 7519 §2): a JSON number, with a fraction or an exponent perhaps.
enum NumericDate {
    /// The moment a JSON number names, in nanoseconds, rounded down; before 1970 is 1970, after 2554 the
    /// end of time. `number` must be well-formed.
    static func nanoseconds(_ number: Span<UInt8>) -> UInt64 {
        var digits: UInt64 = 0
        // What the digits must be multiplied by, as a power of ten: a nanosecond is 10⁻⁹ s.
        var power = 9
        var isFraction = false
        var i = 0
        if number.count > 0 && number[0] == UInt8(ascii: "-") { return 0 }
        while i < number.count {
            let byte = number[i]
            i += 1
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if ASCII.isDigit(byte) {
                if digits < .max / 10 - 1 {
                    digits = digits * 10 + UInt64(byte - UInt8(ascii: "0"))
                    if isFraction { power -= 1 }
                } else if !isFraction {
                    // Beyond 18 digits only the size counts.
                    power += 1
                }
            } else {
                power += exponent(number.extracting(i..<number.count))
                break
            }
        }
        return scaled(digits, by: power)
    }

    /// The number after `e`, cut to ±100000: no token is long enough for digits that would outweigh it.
    private static func exponent(_ text: Span<UInt8>) -> Int {
        var value = 0
        for i in text.indices where ASCII.isDigit(text[i]) {
            value = min(value * 10 + Int(text[i] - UInt8(ascii: "0")), 100_000)
        }
        return text.count > 0 && text[0] == UInt8(ascii: "-") ? -value : value
    }

    private static func scaled(_ digits: UInt64, by power: Int) -> UInt64 {
        var value = digits
        var left = power
        while left > 0 && value > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return .max }
            value = product
            left -= 1
        }
        while left < 0 && value > 0 {
            value /= 10
            left += 1
        }
        return value
    }
}
