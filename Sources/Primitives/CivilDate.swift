/// A day of the Gregorian calendar, from 1970 on.
public struct CivilDate: Equatable, Sendable, BitwiseCopyable {
    /// The year.
    public let year: UInt64
    /// The month, 1…12.
    public let month: UInt64
    /// The day of the month, 1…31.
    public let day: UInt64

    /// The date `day` days after 1970-01-01.
    ///
    /// Years are counted from 1 March, so that the leap day is the last of its year, in eras of 400 years
    /// or 146,097 days. Five months from March take 153 days.
    public init(day: UInt64) {
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
