import Limits
import Primitives

/// Reads the rates of a limit: of tiers and single keys.
extension Report {
    /// A rate or `unlimited`; of a limit of requests in flight a number or `unlimited`.
    func rate(_ value: Value, of parsed: ParsedLimit) -> RateText.Parsed? {
        guard parsed.isConcurrency else { return rate(value) }
        if value.text == "unlimited" { return .unlimited }
        let help = "write how many requests may be in flight, for example `5`"
        return integer(value, Bounds.concurrent, help: help).map { .rate(.inFlight(UInt32($0))) }
    }

    func tiers(_ value: Value, _ parsed: inout ParsedLimit) {
        guard case .map(let entries) = value.content, entries.count <= Bounds.tiers else {
            let example = parsed.isConcurrency ? "10" : "10/minute"
            expected(
                "a mapping of at most \(Bounds.tiers) tiers to rates", value,
                help: "for example `{free: \(example), internal: unlimited}`")
            return
        }
        for entry in entries {
            if !Self.isTier(entry.key) {
                error(keyOf: entry.value, "a tier has 1 to \(Bounds.tierBytes) visible characters")
            }
            switch rate(entry.value, of: parsed) {
            case .rate(let rate):
                parsed.definition.tiers[entry.key] = .some(rate)
                parsed.rates.append(RatePlace(rate: rate, value: entry.value))
            case .unlimited: parsed.definition.tiers[entry.key] = .some(nil)
            case nil: continue
            }
        }
    }

    /// `overrides:` a mapping of single keys, `user:42` or `ip:10.0.0.0/8`, to rates.
    func overrides(_ value: Value, _ parsed: inout ParsedLimit) {
        guard case .map(let entries) = value.content, entries.count <= Bounds.overrides else {
            expected(
                "a mapping of at most \(Bounds.overrides) keys to rates", value,
                help: "for example `{\"user:42\": 500/minute, \"ip:10.0.0.0/8\": unlimited}`")
            return
        }
        var lines: [String: Int] = [:]
        var networks: [(IPNetwork, Int)] = []
        for entry in entries {
            let rate = rate(entry.value, of: parsed)
            if case .rate(let rate) = rate {
                parsed.rates.append(RatePlace(rate: rate, value: entry.value))
            }
            guard let (scope, text) = overriddenPart(entry, parsed) else { continue }
            var override = LimitDefinition.Override(scope: scope, value: text, rate: nil)
            if scope == .ip {
                var place = entry.value
                place.range = place.keyRange ?? place.range
                place.content = .scalar(text)
                guard let network = network(place) else { continue }
                if let (_, line) = networks.first(where: { $0.0.covers(network) }) {
                    error(
                        keyOf: entry.value, "never matches: line \(line) has all its addresses",
                        help: "the first that matches counts; put this one before it")
                }
                networks.append((network, entry.value.line))
                override.network = network
                override.value = network.description
            } else if let line = lines["\(scope.text):\(text)"] {
                error(keyOf: entry.value, "the same key is already used at line \(line)")
            }
            lines["\(scope.text):\(text)"] = entry.value.line
            switch rate {
            case .rate(let rate): override.rate = rate
            case .unlimited: override.rate = nil
            case nil: continue
            }
            parsed.definition.overrides.append(override)
        }
    }

    /// The part of the limit's key that an override names, and its value; `nil` after a fault.
    private func overriddenPart(
        _ entry: Value.Entry, _ parsed: ParsedLimit
    ) -> (LimitDefinition.Scope, String)? {
        let help = "for example `\"user:42\": 500/minute`"
        let key = entry.key
        guard let colon = key.firstIndex(of: ":"),
            ["ip", "user", "company", "header", "claim"].contains(key[..<colon])
        else {
            error(
                keyOf: entry.value,
                "expected `ip:`, `user:`, `company:`, `header:NAME:` or "
                    + "`claim:NAME:` and a value as key", help: help)
            return nil
        }
        guard parsed.hasRightScopes else { return nil }
        // Names of claims may have colons, so it is `per` that says where the name ends.
        let matching = parsed.definition.per.filter { scope in
            let prefix = "\(scope.text):"
            let start = String(decoding: key.utf8.prefix(prefix.utf8.count), as: UTF8.self)
            if case .header = scope { return Text.lowered(start) == prefix }
            return start == prefix
        }
        guard let scope = matching.max(by: { $0.text.utf8.count < $1.text.utf8.count }) else {
            let per = parsed.definition.per.map { "`\($0.text)`" }.joined(separator: " and ")
            error(
                keyOf: entry.value, "can never match: the limit counts per \(per)",
                help: "an override names a part of the limit's `per`")
            return nil
        }
        let value = String(decoding: key.utf8.dropFirst(scope.text.utf8.count + 1), as: UTF8.self)
        guard !value.isEmpty, key.utf8.count <= Bounds.overrideBytes, Text.isFieldValue(value)
        else {
            error(
                keyOf: entry.value,
                "expected a value without spaces at its ends after `\(scope.text):`, and at most "
                    + "\(Bounds.overrideBytes) bytes", help: help)
            return nil
        }
        return (scope, value)
    }

    /// What rates of some algorithms cannot be, and costs that no rate can ever pay.
    func checkRates(_ parsed: ParsedLimit) {
        guard parsed.hasRightAlgorithm else { return }
        let algorithm = parsed.definition.algorithm
        for place in parsed.rates {
            if place.rate.isMonthly && algorithm != .fixedWindow(phase: .aligned) {
                let hasPhase = algorithm == .fixedWindow(phase: .key)
                error(
                    place.value,
                    hasPhase
                        ? "a calendar month begins at the same time for all keys"
                        : "a calendar month is counted by `algorithm: fixed_window` only",
                    help: hasPhase
                        ? "write `phase: aligned`, or another time, for example `30d`"
                        : "write `{rate: \(RateText.write(place.rate)), algorithm: fixed_window}`, "
                            + "or another time, for example `30d`")
            }
            if algorithm == .slidingLog && !Bounds.slidingLog.contains(Int(place.rate.count)) {
                error(
                    place.value,
                    "`sliding_log` keeps the moment of each request, of "
                        + "\(Bounds.slidingLog.upperBound) at most, found \(place.rate.count)",
                    help: "write `algorithm: sliding_window`")
            }
        }
    }
}

extension IPNetwork {
    /// Whether all addresses of `other` are in it.
    func covers(_ other: IPNetwork) -> Bool {
        prefixLength <= other.prefixLength && contains(other.base)
    }
}
