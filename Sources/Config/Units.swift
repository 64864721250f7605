import Limits
import Primitives

/// Durations as the file writes them: `250ms`, `30s`, `5m`, `1h30m`, `24h`, `7d`, and `0`.
enum DurationText {
    private static let units: [(name: String, nanoseconds: UInt64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000),
    ]

    /// The duration, or `nil`: units stand from large to small, each once, without fractions.
    static func parse(_ text: some StringProtocol) -> Nanoseconds? {
        if text == "0" { return .zero }
        var total: UInt64 = 0
        var rest = text.utf8[...]
        var allowed = units[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix(while: ASCII.isDigit)
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix(while: ASCII.isAlpha)
            rest = rest.dropFirst(letters.count)
            let name = String(decoding: letters, as: UTF8.self)
            guard let number = UInt64(String(decoding: digits, as: UTF8.self)),
                let unit = allowed.firstIndex(where: { $0.name == name })
            else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(
                by: units[unit].nanoseconds)
            let (sum, carry) = total.addingReportingOverflow(product)
            if overflow || carry { return nil }
            total = sum
            allowed = units[(unit + 1)...]
        }
        return Nanoseconds(total)
    }

    /// The shortest text; parts of a millisecond are cut off.
    static func write(_ duration: Nanoseconds) -> String {
        var rest = duration.count
        var text = ""
        for unit in units {
            // Up to two days, hours are easier to read: 24h, 36h.
            if unit.name == "d" && (rest < 2 * unit.nanoseconds || rest % unit.nanoseconds != 0) {
                continue
            }
            let number = rest / unit.nanoseconds
            rest %= unit.nanoseconds
            if number > 0 { text += "\(number)\(unit.name)" }
        }
        return text.isEmpty ? "0s" : text
    }
}

/// Sizes as the file writes them: `64KiB`, `256MiB`, `1GiB`, `512B`, or plain bytes.
enum SizeText {
    private static let units: [(name: String, shift: UInt64)] = [
        ("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0), ("", 0),
    ]

    /// The bytes, or `nil`.
    static func parse(_ text: String) -> UInt64? {
        let digits = text.utf8.prefix(while: ASCII.isDigit)
        let name = String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self)
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)),
            let unit = units.first(where: { $0.name == name })
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << unit.shift)
        return overflow ? nil : bytes
    }

    /// The text in the largest unit that needs no fraction.
    static func write(_ bytes: UInt64) -> String {
        for unit in units where bytes > 0 && unit.shift > 0 && bytes % (1 << unit.shift) == 0 {
            return "\(bytes >> unit.shift)\(unit.name)"
        }
        return "\(bytes)"
    }
}

/// Rates as the file writes them: `30/minute`, `10/hour`, `5/10s`, `1000/month`, `unlimited`.
enum RateText {
    /// A rate or none at all.
    enum Parsed: Equatable {
        case rate(LimitDefinition.Rate)
        case unlimited
    }

    private static let periods: [(names: [String], seconds: UInt64)] = [
        (["second", "s"], 1), (["minute", "m"], 60), (["hour", "h"], 3600), (["day", "d"], 86_400),
    ]

    private static let month = "month"

    /// The rate, or `nil` when the form is wrong or a number beyond its bounds.
    static func parse(_ text: String) -> Parsed? {
        if text == "unlimited" { return .unlimited }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Text.decimal(Text.trimmed(String(parts[0]))) else {
            return nil
        }
        let period = Text.trimmed(String(parts[1]))
        if period == month {
            return Bounds.rateCount.contains(count) ? .rate(.monthly(UInt32(count))) : nil
        }
        let named = periods.first { $0.names.contains(period) }.map {
            Nanoseconds.seconds($0.seconds)
        }
        guard let length = named ?? DurationText.parse(period), Bounds.rateCount.contains(count),
            Bounds.ratePeriod.contains(length)
        else { return nil }
        return .rate(LimitDefinition.Rate(count: UInt32(count), period: length))
    }

    /// The text of a rate; `nil` is `unlimited`. Requests in flight are a number.
    static func write(_ rate: LimitDefinition.Rate?) -> String {
        guard let rate else { return "unlimited" }
        if rate.period == .zero { return "\(rate.count)" }
        if rate.isMonthly { return "\(rate.count)/\(month)" }
        let named = periods.first { Nanoseconds.seconds($0.seconds) == rate.period }?.names[0]
        return "\(rate.count)/\(named ?? DurationText.write(rate.period))"
    }
}

/// Numbers with up to three digits after the point, counted in thousandths so that nothing is lost.
enum DecimalText {
    /// The thousandths that `12.5` has, or `nil`.
    static func parse(_ text: some StringProtocol) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = Text.decimal(first), whole < 1_000_000_000 else {
            return nil
        }
        if parts.count == 1 { return whole * 1000 }
        let digits = parts[1].utf8
        guard parts.count == 2, (1...3).contains(digits.count), digits.allSatisfy(ASCII.isDigit)
        else { return nil }
        let padded = String(parts[1]) + String(repeating: "0", count: 3 - digits.count)
        return Int(padded).map { whole * 1000 + $0 }
    }

    /// The shortest text.
    static func write(_ thousandths: Int) -> String {
        var digits = String(thousandths % 1000 + 1000).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return digits.isEmpty ? "\(thousandths / 1000)" : "\(thousandths / 1000).\(digits)"
    }
}
