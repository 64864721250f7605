import Limits
import Primitives

/// One limit of the file and where it stands.
struct ParsedLimit {
    var definition: LimitDefinition
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
                let definition = limit(entry.value, name: entry.key)
                limits.append(ParsedLimit(definition: definition, value: entry.value))
            }
            return limits
        }
        for item in items(value, "limits", atMost: Bounds.limits) {
            let parsed = ParsedLimit(definition: limit(item, name: nil), value: item)
            let name = parsed.definition.name
            if let first = limits.first(where: { $0.definition.name == name }), !name.isEmpty {
                error(item, "the limit \"\(name)\" is already used at line \(first.value.line)")
            }
            limits.append(parsed)
        }
        return limits
    }

    /// A limit; `name` is its key, or `nil` in a list. After a fault it is a stand-in.
    private func limit(_ value: Value, name: String?) -> LimitDefinition {
        if let text = value.text { return shortLimit(value, text, name: name) }
        let standIn = LimitDefinition(
            name: name ?? "", rate: Self.anyRate, algorithm: .fixedWindow(phase: .aligned))
        guard
            var fields = Fields(
                value, self, expected: "a limit",
                help: "for example `100/minute per ip` or `{rate: 100/minute, per: ip}`")
        else { return standIn }
        let ownName = name == nil ? fields.take("name").flatMap { self.name($0, "a name") } : nil
        var definition = standIn
        if let concurrent = fields.take("concurrent") {
            unavailable(concurrent, "a limit of requests in flight", shape: .scalar)
            _ = fields.take("rate")
        } else if let rate = fields.require("rate", help: "for example `rate: 100/minute`") {
            definition.rate = baseRate(rate)
        }
        let per = fields.take("per")
        let scopes = per.map { self.scopes($0) } ?? Defaults.per
        definition.per = scopes ?? Defaults.per
        definition.name = name ?? ownName ?? Self.madeName(definition.rate, definition.per)
        definition.algorithm = algorithm(&fields, definition.rate)
        if let tiers = fields.take("tiers") { definition.tiers = self.tiers(tiers) }
        if let value = fields.take("anonymous") {
            let choice = word(value, "choice", as: LimitDefinition.Anonymous.self)
            definition.anonymous = choice ?? Defaults.anonymous
            if scopes != nil && !definition.countsIdentity {
                error(
                    keyOf: value, "has no effect on a limit that is not per user or company",
                    help: "remove it, or write `per: user`")
            }
        }
        definition.mode = mode(&fields)
        refuseShared(&fields)
        fields.finish()
        return definition
    }

    /// `RATE`, or `RATE per SCOPE and SCOPE`.
    private func shortLimit(_ value: Value, _ text: String, name: String?) -> LimitDefinition {
        let words = text.split(separator: " ")
        let end = words.firstIndex(of: "per") ?? words.endIndex
        let rateText = words[..<end].joined(separator: " ")
        var rateValue = value
        rateValue.content = .scalar(rateText)
        let rate = baseRate(rateValue)
        var per = Defaults.per
        if end < words.endIndex {
            var scopeValue = value
            scopeValue.content = .scalar(words[(end + 1)...].joined(separator: " "))
            per = scopes(scopeValue) ?? per
        }
        return LimitDefinition(
            name: name ?? Self.madeName(rate, per), rate: rate, per: per,
            algorithm: .tokenBucket(burst: Defaults.burst(for: rate)))
    }

    private static let anyRate = LimitDefinition.Rate(count: 1, period: .seconds(1))

    /// The rate of a limit itself, which cannot be `unlimited`.
    private func baseRate(_ value: Value) -> LimitDefinition.Rate {
        switch rate(value) {
        case .rate(let rate): return rate
        case nil: return Self.anyRate
        case .unlimited:
            error(
                value, "a limit needs a rate; `unlimited` is for tiers",
                help: "remove the limit, or write `tiers: {name: unlimited}`")
            return Self.anyRate
        }
    }

    /// The name of a limit that was given none: `ip-100-minute`, `user-endpoint-5-10s`.
    private static func madeName(
        _ rate: LimitDefinition.Rate, _ per: [LimitDefinition.Scope]
    ) -> String {
        let rate = RateText.write(rate).split(separator: "/").joined(separator: "-")
        return per.map(\.text).joined(separator: "-") + "-" + rate
    }

    /// `per:` a scope, `user and endpoint`, or a list of scopes; `nil` after a fault.
    private func scopes(_ value: Value) -> [LimitDefinition.Scope]? {
        var places: [(Value, String)] = []
        if let text = value.text {
            let words = text.split { $0 == " " || $0 == "," }.filter { $0 != "and" }
            places = words.map { (value, String($0)) }
        } else {
            for item in items(value, "scopes", atMost: LimitDefinition.Scope.words.count) {
                guard let text = item.text else {
                    expected("a scope", item, help: "for example `ip` or `user`")
                    continue
                }
                places.append((item, text))
            }
        }
        if places.isEmpty, value.text != nil || value.isEmptyList {
            expected("a scope", value, help: "for example `per: ip` or `per: [user, endpoint]`")
        }
        var scopes: [LimitDefinition.Scope] = []
        for (place, text) in places {
            guard let scope = scope(place, text) else { continue }
            if scopes.contains(scope) { error(place, "`\(text)` stands twice") }
            scopes.append(scope)
        }
        if scopes.count > 1, scopes.contains(.global) {
            error(value, "`global` counts everybody together and stands alone")
        }
        return scopes.isEmpty || scopes.count < places.count ? nil : scopes
    }

    private func scope(_ value: Value, _ text: String) -> LimitDefinition.Scope? {
        if let scope = LimitDefinition.Scope.words.first(where: { $0.text == text }) {
            return scope
        }
        for prefix in ["header:", "claim:"] where text.hasPrefix(prefix) {
            error(value, "the scope `\(prefix)` is not available in this version")
            return nil
        }
        unknownWord(
            value, text, kind: "scope", known: LimitDefinition.Scope.words.map(\.text))
        return nil
    }

    private func tiers(_ value: Value) -> [String: LimitDefinition.Rate?] {
        guard case .map(let entries) = value.content, entries.count <= Bounds.tiers else {
            expected(
                "a mapping of at most \(Bounds.tiers) tiers to rates", value,
                help: "for example `{free: 10/minute, internal: unlimited}`")
            return [:]
        }
        var tiers: [String: LimitDefinition.Rate?] = [:]
        for entry in entries {
            if !Self.isTier(entry.key) {
                error(keyOf: entry.value, "a tier has 1 to \(Bounds.tierBytes) visible characters")
            }
            switch rate(entry.value) {
            case .rate(let rate): tiers[entry.key] = .some(rate)
            case .unlimited: tiers[entry.key] = .some(nil)
            case nil: continue
            }
        }
        return tiers
    }
}

extension LimitDefinition {
    /// Whether its key has a user or company.
    var countsIdentity: Bool { per.contains(.user) || per.contains(.company) }
}
