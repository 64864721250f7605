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

/// A day of the Gregorian calendar.
struct CivilDate: Equatable {
    var year: UInt64
    var month: UInt64
    var day: UInt64

    /// The date `day` days after 1970-01-01.
    ///
    /// Years are counted from 1 March, so that the leap day is the last of its year, in eras of 400 years
    /// or 146,097 days. Five months from March take 153 days.
    init(day: UInt64) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }
}
