import Limits
import Primitives

/// One limit of the file and where it stands.
struct ParsedLimit {
    var definition: LimitDefinition
    var value: Value
    /// The rates that were read without a fault: its own, those of tiers and of overrides.
    var rates: [RatePlace] = []
    /// Where it says to be counted, and what then decides without Redis.
    var consistencyValue: Value?
    var failureValue: Value?
    /// What only stored answers cost: `hit` and `stale`.
    var storedCosts: [Value] = []
    /// Whether its scopes were read without a fault.
    var hasRightScopes = true
    /// Whether its algorithm was.
    var hasRightAlgorithm = true

    /// Whether it counts requests in flight.
    var isConcurrency: Bool { definition.algorithm == .concurrency }
}

/// A rate and where it stands.
struct RatePlace {
    var rate: LimitDefinition.Rate
    var value: Value
}

/// Reads `limits:`: a mapping of names to limits, or a list of short forms.
extension Report {
    func limits(_ value: Value) -> [ParsedLimit] {
        var limits: [ParsedLimit] = []
        if case .map(let entries) = value.content {
            if entries.count > Bounds.limits {
                error(keyOf: value, "at most \(Bounds.limits) limits, found \(entries.count)")
                return []
            }
            for entry in entries {
                if !Text.isName(entry.key) {
                    error(keyOf: entry.value, "a name has letters, digits, `_`, `.` and `-`")
                }
                limits.append(limit(entry.value, name: entry.key))
            }
            return limits
        }
        for item in items(value, "limits", atMost: Bounds.limits) {
            let parsed = limit(item, name: nil)
            let name = parsed.definition.name
            if let first = limits.first(where: { $0.definition.name == name }), !name.isEmpty {
                error(item, "the limit \"\(name)\" is already used at line \(first.value.line)")
            }
            limits.append(parsed)
        }
        return limits
    }

    /// A limit; `name` is its key, or `nil` in a list. After a fault it is a stand-in.
    private func limit(_ value: Value, name: String?) -> ParsedLimit {
        if let text = value.text { return shortLimit(value, text, name: name) }
        let standIn = LimitDefinition(
            name: name ?? "", rate: Self.anyRate, algorithm: .tokenBucket(burst: nil))
        var parsed = ParsedLimit(definition: standIn, value: value)
        guard
            var fields = Fields(
                value, self, expected: "a limit",
                help: "for example `100/minute per ip` or `{rate: 100/minute, per: ip}`")
        else {
            parsed.hasRightScopes = false
            return parsed
        }
        let ownName = name == nil ? fields.take("name").flatMap { self.name($0, "a name") } : nil
        if let per = fields.take("per") {
            let scopes = self.scopes(per)
            parsed.hasRightScopes = scopes != nil
            parsed.definition.per = scopes ?? Defaults.per
        }
        rateAndAlgorithm(&fields, &parsed)
        parsed.definition.name = name ?? ownName ?? madeName(parsed)
        if let tiers = fields.take("tiers") { self.tiers(tiers, &parsed) }
        if let overrides = fields.take("overrides") { self.overrides(overrides, &parsed) }
        costs(&fields, &parsed)
        if let value = fields.take("anonymous") {
            let choice = word(value, "choice", as: LimitDefinition.Anonymous.self)
            parsed.definition.anonymous = choice ?? Defaults.anonymous
            if parsed.hasRightScopes && !parsed.definition.countsIdentity {
                error(
                    keyOf: value,
                    "has no effect on a limit that is not per user, company, header or claim",
                    help: "remove it, or write `per: user`")
            }
        }
        mode(&fields, &parsed)
        parsed.consistencyValue = fields.take("consistency")
        parsed.failureValue = fields.take("on_redis_failure")
        fields.finish()
        checkRates(parsed)
        return parsed
    }

    /// `RATE`, or `RATE per SCOPE and SCOPE`.
    private func shortLimit(_ value: Value, _ text: String, name: String?) -> ParsedLimit {
        let words = text.split(separator: " ")
        let end = words.firstIndex(of: "per") ?? words.endIndex
        let rateText = words[..<end].joined(separator: " ")
        var rateValue = value
        rateValue.content = .scalar(rateText)
        let standIn = LimitDefinition(
            name: name ?? "", rate: Self.anyRate, algorithm: .tokenBucket(burst: nil))
        var parsed = ParsedLimit(definition: standIn, value: value)
        baseRate(rateValue, &parsed)
        if end < words.endIndex {
            var scopeValue = value
            scopeValue.content = .scalar(words[(end + 1)...].joined(separator: " "))
            let scopes = self.scopes(scopeValue)
            parsed.hasRightScopes = scopes != nil
            parsed.definition.per = scopes ?? Defaults.per
        }
        parsed.definition.name = name ?? madeName(parsed)
        checkRates(parsed)
        return parsed
    }

    private static let anyRate = LimitDefinition.Rate(count: 1, period: .seconds(1))

    /// The rate of a limit itself, which cannot be `unlimited`.
    func baseRate(_ value: Value, _ parsed: inout ParsedLimit) {
        switch rate(value, of: parsed) {
        case .rate(let rate):
            parsed.definition.rate = rate
            parsed.rates.append(RatePlace(rate: rate, value: value))
        case .unlimited:
            error(
                value, "a limit needs a rate; `unlimited` is for tiers and overrides",
                help: "remove the limit, or write `tiers: {name: unlimited}`")
        case nil: return
        }
    }

    /// The name of a limit that was given none: `ip-100-minute`, `user-endpoint-5-10s`.
    private func madeName(_ parsed: ParsedLimit) -> String {
        let rate = RateText.write(parsed.definition.rate)
        let text =
            parsed.definition.per.map(\.text) + [parsed.isConcurrency ? "at-once" : "", rate]
        let bytes = text.filter { !$0.isEmpty }.joined(separator: "-").utf8.map { byte in
            Text.isLetterOrDigit(byte) || "_.-".utf8.contains(byte) ? byte : UInt8(ascii: "-")
        }
        let name = String(decoding: bytes, as: UTF8.self)
        if !Text.isName(name) {
            error(
                parsed.value, "is too long to make a name of it",
                help: "write `limits` as a mapping of names to limits")
        }
        return name
    }
}

extension LimitDefinition {
    /// Whether its key has a part that a request may lack.
    var countsIdentity: Bool {
        per.contains { scope in
            switch scope {
            case .user, .company, .header, .claim: true
            case .global, .ip, .endpoint: false
            }
        }
    }
}
