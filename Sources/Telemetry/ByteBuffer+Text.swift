public import Primitives

extension ByteBuffer {
    /// Appends the last `digits` (1…16) hexadecimal digits of `number`, in lower case.
    public func append(hex number: UInt64, digits: Int) {
        precondition(digits >= 1 && digits <= 16)
        for i in stride(from: digits - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: (number >> UInt64(4 * i)) & 15)
            append(digit < 10 ? 48 + digit : 87 + digit)
        }
    }

    /// Appends exactly `digits` decimal digits of `number`, with leading zeros.
    func append(decimal number: UInt64, digits: Int) {
        var scale: UInt64 = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            append(UInt8(truncatingIfNeeded: 48 + number / scale % 10))
            scale /= 10
        }
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
        let seconds = time.epochSeconds
        let date = CivilDate(day: seconds / 86_400)
        append(decimal: date.year, digits: 4)
        append(UInt8(ascii: "-"))
        append(decimal: date.month, digits: 2)
        append(UInt8(ascii: "-"))
        append(decimal: date.day, digits: 2)
        append(UInt8(ascii: "T"))
        append(decimal: seconds / 3_600 % 24, digits: 2)
        append(UInt8(ascii: ":"))
        append(decimal: seconds / 60 % 60, digits: 2)
        append(UInt8(ascii: ":"))
        append(decimal: seconds % 60, digits: 2)
        append(UInt8(ascii: "."))
        append(decimal: time.nanoseconds / 1_000_000 % 1_000, digits: 3)
        append(UInt8(ascii: "Z"))
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
