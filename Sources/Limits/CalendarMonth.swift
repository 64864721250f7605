import Primitives

/// Calendar months in UTC.
enum CalendarMonth {
    /// Nanoseconds of a day.
    private static let day: UInt64 = 86_400_000_000_000
    /// No month is shorter, in nanoseconds.
    static let shortest = 28 * day

    /// The time that is left of the month, in nanoseconds, at least 1.
    static func left(at wall: UInt64) -> UInt64 {
        let (days, passed) = wall.quotientAndRemainder(dividingBy: day)
        let date = CivilDate(day: days)
        return (length(of: date) - date.day + 1) * day - passed
    }

    /// The days of the month of `date`.
    private static func length(of date: CivilDate) -> UInt64 {
        switch date.month {
        case 2:
            let isLeap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0)
            return isLeap ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }
}
