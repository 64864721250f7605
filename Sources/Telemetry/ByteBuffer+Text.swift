public import Primitives

extension ByteBuffer {
    /// Appends the last `digits` (1…16) hexadecimal digits of `number`, in lower case.
    public func append(hex number: UInt64, digits: Int) {
        precondition(digits >= 1 && digits <= 16)
        var text = InlineArray<16, UInt8>(repeating: 0)
        var rest = number
        for i in stride(from: 15, through: 16 - digits, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            text[i] = digit < 10 ? 48 + digit : 87 + digit
            rest >>= 4
        }
        append(text.span.extracting((16 - digits)..<16))
    }

    /// Appends exactly `digits` (1…10) decimal digits of `number`, with leading zeros.
    func append(decimal number: UInt64, digits: Int) {
        precondition(digits >= 1 && digits <= 10)
        var text = InlineArray<10, UInt8>(repeating: 0)
        var rest = number
        for i in stride(from: 9, through: 10 - digits, by: -1) {
            text[i] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        append(text.span.extracting((10 - digits)..<10))
    }

    /// Appends milliseconds with three decimals, rounded down: `12.345`.
    public func append(milliseconds time: Nanoseconds) {
        let micros = time.count / 1_000
        append(decimal: micros / 1_000)
        append(UInt8(ascii: "."))
        append(decimal: micros % 1_000, digits: 3)
    }

    /// Appends seconds with as many decimals as there are, none for whole ones: `0.0025`, `10`.
    public func append(seconds time: Nanoseconds) {
        append(decimal: time.wholeSeconds)
        var rest = time.count % 1_000_000_000
        if rest == 0 { return }
        var digits = 9
        while rest % 10 == 0 {
            rest /= 10
            digits -= 1
        }
        append(UInt8(ascii: "."))
        append(decimal: rest, digits: digits)
    }

    /// Appends a UTC time with milliseconds, 24 bytes (RFC 3339 §5.6): `2026-10-17T08:05:09.042Z`.
    public func append(timestamp time: WallTime) {
        append(TimestampText(time).bytes.span)
    }
}

/// The text of a time, kept inline so that it is appended at once.
private struct TimestampText {
    var bytes = InlineArray<24, UInt8>(repeating: UInt8(ascii: "-"))

    init(_ time: WallTime) {
        let seconds = time.epochSeconds
        let date = CivilDate(day: seconds / 86_400)
        put(date.year, 0..<4)
        put(date.month, 5..<7)
        put(date.day, 8..<10)
        bytes[10] = UInt8(ascii: "T")
        put(seconds / 3_600 % 24, 11..<13)
        bytes[13] = UInt8(ascii: ":")
        put(seconds / 60 % 60, 14..<16)
        bytes[16] = UInt8(ascii: ":")
        put(seconds % 60, 17..<19)
        bytes[19] = UInt8(ascii: ".")
        put(time.nanoseconds / 1_000_000 % 1_000, 20..<23)
        bytes[23] = UInt8(ascii: "Z")
    }

    private mutating func put(_ number: UInt64, _ range: Range<Int>) {
        var rest = number
        for i in range.reversed() {
            bytes[i] = UInt8(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
    }
}
