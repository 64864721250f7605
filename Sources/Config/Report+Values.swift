import Limits
import Primitives

/// Reading single values. Each returns `nil` after reporting what is wrong; callers go on with a
/// default, since nothing starts once a problem was reported.
extension Report {
    /// Any text but the empty one.
    func text(_ value: Value, _ what: String, help: String? = nil) -> String? {
        guard let text = value.text, !text.isEmpty else {
            expected(what, value, help: help)
            return nil
        }
        return text
    }

    /// A name of ours: letters, digits, `_`, `.`, `-`.
    func name(_ value: Value, _ what: String) -> String? {
        guard let text = value.text, Text.isName(text) else {
            expected("\(what) of letters, digits, `_`, `.` and `-`", value)
            return nil
        }
        return text
    }

    /// A whole number in `range`.
    func integer(_ value: Value, _ range: ClosedRange<Int>, help: String? = nil) -> Int? {
        guard let text = value.text, let number = Text.decimal(text), range.contains(number) else {
            let bounds = "from \(range.lowerBound) to \(range.upperBound)"
            expected("a whole number \(bounds)", value, help: help)
            return nil
        }
        return number
    }

    /// `true` or `false`.
    func boolean(_ value: Value) -> Bool? {
        switch value.text {
        case "true": return true
        case "false": return false
        default:
            expected("`true` or `false`", value)
            return nil
        }
    }

    /// A duration in `range`.
    func duration(_ value: Value, _ range: ClosedRange<Nanoseconds>) -> Nanoseconds? {
        guard let text = value.text, let length = DurationText.parse(text), range.contains(length)
        else {
            let low = DurationText.write(range.lowerBound)
            let high = DurationText.write(range.upperBound)
            var help = "write numbers with units, for example `250ms`, `30s`, `5m` or `1h30m`"
            if let text = value.text, Text.decimal(text) != nil {
                help = "write the unit too, for example `\(text)s`"
            }
            expected("a duration from \(low) to \(high)", value, help: help)
            return nil
        }
        return length
    }

    /// A size in bytes in `range`.
    func size(_ value: Value, _ range: ClosedRange<UInt64>) -> UInt64? {
        guard let text = value.text, let bytes = SizeText.parse(text), range.contains(bytes) else {
            let low = SizeText.write(range.lowerBound)
            let high = SizeText.write(range.upperBound)
            expected(
                "a size from \(low) to \(high)", value,
                help: "write bytes, or a number with `KiB`, `MiB` or `GiB`, for example `64KiB`")
            return nil
        }
        return bytes
    }

    /// A share from 0% to 100%, as 0…1.
    func percent(_ value: Value) -> Double? {
        guard let text = value.text, text.hasSuffix("%"),
            let thousandths = DecimalText.parse(text.dropLast()), thousandths <= 100_000
        else {
            expected("a percentage from 0% to 100%", value, help: "for example `12.5%`")
            return nil
        }
        return Double(thousandths) / 100_000
    }

    /// A rate or `unlimited`.
    func rate(_ value: Value) -> RateText.Parsed? {
        guard let text = value.text, let rate = RateText.parse(text) else {
            expected(
                "a rate", value,
                help:
                    "write requests and a time, for example `30/minute`, `5/10s` or `1000/month`; "
                    + "at most \(Bounds.rateCount.upperBound) requests in 1ms to 366d")
            return nil
        }
        return rate
    }

    /// One of `words`; those in `later` are refused as not available.
    func word(
        _ value: Value, _ kind: String, _ words: [String], later: [String] = []
    ) -> String? {
        guard let text = value.text else {
            expected("one of \(words.map { "`\($0)`" }.joined(separator: ", "))", value)
            return nil
        }
        if words.contains(text) { return text }
        if later.contains(text) {
            error(value, "\(kind) `\(text)` is not available in this version")
        } else {
            unknownWord(value, text, kind: kind, known: words)
        }
        return nil
    }

    /// A case of an enum whose raw values are the words of the file.
    func word<E: RawRepresentable & CaseIterable>(
        _ value: Value, _ kind: String, as type: E.Type
    ) -> E? where E.RawValue == String {
        word(value, kind, E.allCases.map(\.rawValue)).flatMap(E.init(rawValue:))
    }

    /// The items of a list; a single value that is no list counts as a list of one.
    func items(_ value: Value, _ what: String, atMost: Int) -> [Value] {
        switch value.content {
        case .list(let items):
            if items.count > atMost {
                error(keyOf: value, "at most \(atMost) \(what), found \(items.count)")
                return []
            }
            return items
        case .null:
            expected("a list of \(what)", value)
            return []
        case .unusable:
            return []
        case .scalar, .map:
            return [value]
        }
    }
}
