public import Primitives

/// Dates of HTTP (RFC 9110 §5.6.7): three forms are read, one is written. No time zones but GMT.
///
///     Sun, 06 Nov 1994 08:49:37 GMT      IMF-fixdate, the only one that is written
///     Sunday, 06-Nov-94 08:49:37 GMT     RFC 850
///     Sun Nov  6 08:49:37 1994           asctime
public enum HTTPDate {
    /// The seconds since 1970 that `text` names, below zero for earlier dates; `nil` when malformed.
    ///
    /// Names are compared without case, as RFC 9111 §4.2 asks of caches; a wrong weekday is not
    /// noticed. A two-digit year more than 50 years after `now` is one of the century before.
    ///
    /// - Parameters:
    ///   - text: The field's value without surrounding white space.
    ///   - now: The present in seconds since 1970, for two-digit years only.
    /// - Returns: Seconds since 1970, or `nil`.
    public static func parse(_ text: Span<UInt8>, now: UInt64) -> Int64? {
        guard text.count >= 24, weekdayIndex(text) != nil else { return nil }
        if text[3] == UInt8(ascii: ",") { return parseFixdate(text) }
        if text[3] == ASCII.space { return parseASCTime(text) }
        return parseRFC850(text, now: now)
    }

    /// Appends the moment as IMF-fixdate, always 29 bytes.
    ///
    /// - Parameters:
    ///   - epochSeconds: Seconds since 1970; beyond the year 9999 it is written as that year's end.
    ///   - buffer: Where the date goes.
    public static func append(_ epochSeconds: UInt64, to buffer: ByteBuffer) {
        let date = fixdate(epochSeconds)
        for i in date.indices { buffer.append(date[i]) }
    }

    /// Appends the moment as IMF-fixdate to `bytes`, always 29 bytes.
    public static func append(_ epochSeconds: UInt64, to bytes: inout [UInt8]) {
        let date = fixdate(epochSeconds)
        for i in date.indices { bytes.append(date[i]) }
    }
}

// MARK: Reading

extension HTTPDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`
    private static func parseFixdate(_ text: Span<UInt8>) -> Int64? {
        guard text.count == 29, text[4] == ASCII.space, text[7] == ASCII.space,
            text[11] == ASCII.space, text[16] == ASCII.space, isGMT(text, at: 25),
            let day = digits(text, 5..<7), let month = monthNumber(text, at: 8),
            let year = digits(text, 12..<16), let time = timeOfDay(text, at: 17)
        else { return nil }
        return seconds(year: year, month: month, day: day, time: time)
    }

    /// `Sunday, 06-Nov-94 08:49:37 GMT`
    private static func parseRFC850(_ text: Span<UInt8>, now: UInt64) -> Int64? {
        guard let comma = text.firstIndex(of: UInt8(ascii: ",")), text.count == comma + 24,
            isLongWeekday(text.extracting(0..<comma)), text[comma + 1] == ASCII.space,
            text[comma + 4] == UInt8(ascii: "-"), text[comma + 8] == UInt8(ascii: "-"),
            text[comma + 11] == ASCII.space, isGMT(text, at: comma + 20),
            let day = digits(text, comma + 2..<comma + 4),
            let month = monthNumber(text, at: comma + 5),
            let short = digits(text, comma + 9..<comma + 11),
            let time = timeOfDay(text, at: comma + 12)
        else { return nil }
        let present = Int64(CivilDate(day: min(now, 253_402_300_799) / 86400).year)
        var year = present / 100 * 100 + short
        if year > present + 50 { year -= 100 }
        return seconds(year: year, month: month, day: day, time: time)
    }

    /// `Sun Nov  6 08:49:37 1994`
    private static func parseASCTime(_ text: Span<UInt8>) -> Int64? {
        guard text.count == 24, text[7] == ASCII.space, text[10] == ASCII.space,
            text[19] == ASCII.space, let month = monthNumber(text, at: 4),
            let day = text[8] == ASCII.space ? digits(text, 9..<10) : digits(text, 8..<10),
            let time = timeOfDay(text, at: 11), let year = digits(text, 20..<24)
        else { return nil }
        return seconds(year: year, month: month, day: day, time: time)
    }

    private static func digits(_ text: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard let value = text.extracting(range).decimalValue else { return nil }
        return Int64(value)
    }

    /// `08:49:37`; a leap second is the last second of its minute.
    private static func timeOfDay(_ text: Span<UInt8>, at i: Int) -> Int64? {
        guard text[i + 2] == UInt8(ascii: ":"), text[i + 5] == UInt8(ascii: ":"),
            let hour = digits(text, i..<i + 2), let minute = digits(text, i + 3..<i + 5),
            let second = digits(text, i + 6..<i + 8), hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + min(second, 59)
    }

    private static func isGMT(_ text: Span<UInt8>, at i: Int) -> Bool {
        text[i] == ASCII.space && text.extracting(i + 1..<i + 4).equalsIgnoringCase("gmt")
    }

    private static func letters(_ text: Span<UInt8>, at i: Int) -> UInt32 {
        UInt32(ASCII.lower(text[i])) << 16 | UInt32(ASCII.lower(text[i + 1])) << 8
            | UInt32(ASCII.lower(text[i + 2]))
    }

    private static func weekdayIndex(_ text: Span<UInt8>) -> Int? {
        let name = letters(text, at: 0)
        for i in 0..<7 where letters(weekdays.span, at: i * 3) == name { return i }
        return nil
    }

    private static func isLongWeekday(_ text: Span<UInt8>) -> Bool {
        text.equalsIgnoringCase("sunday") || text.equalsIgnoringCase("monday")
            || text.equalsIgnoringCase("tuesday") || text.equalsIgnoringCase("wednesday")
            || text.equalsIgnoringCase("thursday") || text.equalsIgnoringCase("friday")
            || text.equalsIgnoringCase("saturday")
    }

    private static func monthNumber(_ text: Span<UInt8>, at index: Int) -> Int64? {
        let name = letters(text, at: index)
        for i in 0..<12 where letters(months.span, at: i * 3) == name { return Int64(i) + 1 }
        return nil
    }
}

// MARK: The calendar

extension HTTPDate {
    private static let weekdays = Array("SunMonTueWedThuFriSat".utf8)
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)

    private static func seconds(year: Int64, month: Int64, day: Int64, time: Int64) -> Int64? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let longest: Int64 =
            switch month {
            case 2: isLeap ? 29 : 28
            case 4, 6, 9, 11: 30
            default: 31
            }
        guard day >= 1, day <= longest else { return nil }
        return dayNumber(year: year, month: month, day: day) * 86400 + time
    }

    /// Days since 1970-01-01 in the Gregorian calendar. Years begin in March, so that the leap day is last.
    private static func dayNumber(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        // `year` has at most four digits, so 400 years are added to keep the division whole.
        let y = shifted + 400
        return y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 719_468 - 146_097
    }

    private static func fixdate(_ epochSeconds: UInt64) -> InlineArray<29, UInt8> {
        let moment = min(epochSeconds, 253_402_300_799)
        let date = CivilDate(day: moment / 86400)
        let time = moment % 86400
        var out = InlineArray<29, UInt8>(repeating: ASCII.space)
        func put(_ value: UInt64, _ width: Int, at start: Int) {
            var rest = value
            for i in (start..<start + width).reversed() {
                out[i] = UInt8(truncatingIfNeeded: 48 + rest % 10)
                rest /= 10
            }
        }
        let weekday = Int((moment / 86400 + 4) % 7)
        for i in 0..<3 {
            out[i] = weekdays[weekday * 3 + i]
            out[8 + i] = months[Int(date.month - 1) * 3 + i]
        }
        out[3] = UInt8(ascii: ",")
        put(date.day, 2, at: 5)
        put(date.year, 4, at: 12)
        put(time / 3600, 2, at: 17)
        put(time / 60 % 60, 2, at: 20)
        put(time % 60, 2, at: 23)
        out[19] = UInt8(ascii: ":")
        out[22] = UInt8(ascii: ":")
        out[26] = UInt8(ascii: "G")
        out[27] = UInt8(ascii: "M")
        out[28] = UInt8(ascii: "T")
        return out
    }
}
