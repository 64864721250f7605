import Caching
import Primitives

/// Reads the values of a cache policy.
extension Report {
    /// A lifetime, where `off` is a word of its own.
    func lifetime(_ value: Value) -> Nanoseconds? {
        guard let text = value.text, DurationText.parse(text) == nil else {
            return duration(value, Bounds.ttl)
        }
        expected("`off` or a duration, for example `5m`", value)
        return nil
    }

    /// A lifetime; `off` takes back what the top-level part says.
    func optionalLifetime(_ value: Value) -> Nanoseconds? {
        value.text == "off" ? nil : lifetime(value)
    }

    func maxObject(_ value: Value, memory: Int) -> Int {
        guard let bytes = size(value, Bounds.maxObject) else { return memory }
        if bytes > memory {
            error(value, "larger than the whole store, which has \(SizeText.write(UInt64(memory)))")
        }
        return Int(bytes)
    }

    /// Names of query parameters, or prefixes with a final `*`.
    func queryNames(_ value: Value) -> [String] {
        items(value, "query parameters", atMost: Bounds.queryNames).compactMap { item in
            guard let text = item.text, !text.isEmpty, text.utf8.count <= Bounds.nameBytes,
                !text.dropLast().contains("*"),
                text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && !"&=#".utf8.contains($0) })
            else {
                expected(
                    "the name of a query parameter, or a prefix with a final `*`", item,
                    help: "for example `utm_*`")
                return nil
            }
            return text
        }
    }

    func negative(_ value: Value) -> [UInt16: Nanoseconds] {
        guard case .map(let entries) = value.content, entries.count <= Bounds.negative else {
            expected(
                "a mapping of error statuses to durations", value, help: "for example `{404: 30s}`")
            return [:]
        }
        var lifetimes: [UInt16: Nanoseconds] = [:]
        for entry in entries {
            let length = duration(entry.value, Bounds.ttl)
            guard let status = Text.decimal(entry.key), Bounds.errorStatus.contains(status) else {
                let (low, high) = (Bounds.errorStatus.lowerBound, Bounds.errorStatus.upperBound)
                error(keyOf: entry.value, "expected a status from \(low) to \(high) as key")
                continue
            }
            lifetimes[UInt16(status)] = length
        }
        return lifetimes
    }

    /// `off`, `{beta: 1.0}` or `{last: 20%, chance: 10%}`.
    func earlyRefresh(_ value: Value) -> CachePolicy.EarlyRefresh {
        if value.text == "off" { return .off }
        let standIn = Defaults.cachePolicy.earlyRefresh
        let help = "for example `{beta: 1.0}` or `{last: 20%, chance: 10%}`"
        guard
            var fields = Fields(value, self, expected: "`off` or a mapping", help: help)
        else { return standIn }
        let beta = fields.take("beta")
        let last = fields.take("last")
        let chance = fields.take("chance")
        fields.finish()
        let share = last.flatMap { percent($0) }
        let odds = chance.flatMap { percent($0) }
        switch (beta, last, chance) {
        case (let beta?, nil, nil):
            return self.beta(beta).map { .xfetch(beta: $0) } ?? standIn
        case (nil, _?, _?):
            return .chance(last: share ?? 0, chance: odds ?? 0)
        default:
            error(keyOf: value, "expected `beta`, or `last` and `chance` together", help: help)
            return standIn
        }
    }

    private func beta(_ value: Value) -> Double? {
        guard let text = value.text, let thousandths = DecimalText.parse(text),
            Bounds.beta.contains(thousandths)
        else {
            let (low, high) = (Bounds.beta.lowerBound, Bounds.beta.upperBound)
            expected("a number from \(DecimalText.write(low)) to \(DecimalText.write(high))", value)
            return nil
        }
        return Double(thousandths) / 1000
    }
}
