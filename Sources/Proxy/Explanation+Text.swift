import HTTPModel
import Primitives

extension Explanation {
    /// The explanation for people: one thing a line, what matters first on it.
    public var text: String {
        var lines = Lines()
        lines.add("request", "\(request) from \(peer)")
        appendRoutes(to: &lines)
        if let identity { append(identity, to: &lines) }
        for limit in limits { append(limit, to: &lines) }
        if decision != .notReached { lines.add("together", decision.words) }
        if let cache { append(cache, to: &lines) }
        let status = outcome.status.map { " \($0.code)" } ?? ""
        lines.add("outcome", "\(outcome.action.rawValue)\(status), \(outcome.detail)")
        return lines.text
    }

    private func appendRoutes(to lines: inout Lines) {
        if let route {
            lines.add("route", "routes[\(route.index)] \(route.name), \(route.pattern)")
        } else if !routes.isEmpty {
            lines.add("route", "none matches")
        }
        for trial in routes {
            guard let mismatch = trial.mismatch else { continue }
            lines.add("", "not routes[\(trial.index)] \(trial.name): \(mismatch.words)")
        }
    }

    private func append(_ identity: Identity, to lines: inout Lines) {
        let counted = identity.counted.map { ", counted as \($0)" } ?? ""
        lines.add(
            "identity",
            "address \(identity.address.value ?? "")\(counted), from \(identity.address.source)")
        let proven = identity.user.value == nil || identity.userIsProven ? "" : ", not proven"
        for (name, part, more) in [
            ("user", identity.user, proven), ("company", identity.company, ""),
            ("tier", identity.tier, ""),
        ] {
            if let value = part.value {
                lines.add("", "\(name) \(value), from \(part.source)\(more)")
            } else {
                lines.add("", "\(name) none (\(part.source))")
            }
        }
        lines.add("", "credential \(identity.credential)")
    }

    private func append(_ limit: LimitView, to lines: inout Lines) {
        let shadow = limit.isShadow ? ", shadow" : ""
        lines.add("limit", "\(limit.name): \(limit.verdictWords)\(shadow)")
        if let key = limit.key { lines.add("", "  key    \(key)") }
        let rateSource = limit.rateSource.map { ", from \($0)" } ?? ""
        lines.add("", "  rate   \(limit.rate)\(rateSource), \(limit.algorithm)")
        guard let level = limit.level else { return }
        let settlement = limit.settlement.map { "; \($0)" } ?? ""
        lines.add("", "  cost   \(limit.cost)\(settlement)")
        let boost = level.isBoosted ? " boosted to \(level.quota)" : ""
        let source = limit.isAssumed ? "; Redis counts it, and was not asked" : ""
        lines.add("", "  level  \(level.remaining) left\(boost), \(level.resetWords)\(source)")
    }

    private func append(_ cache: Cache, to lines: inout Lines) {
        lines.add("cache", "\(cache.state), \(cache.detail)")
        if let key = cache.key { lines.add("", "  key    \(key)") }
        if let coding = cache.coding { lines.add("", "  coding \(coding)") }
        guard let store = cache.store else { return }
        lines.add(
            "",
            "  store  \(store.plain ? "yes, a 200 without Cache-Control" : "not as such:") \(store.reason)"
        )
    }
}

extension Explanation.Mismatch {
    /// As a clause.
    var words: String {
        switch self {
        case .path: "the path does not match"
        case .method(let methods): "the method is not \(methods.joined(separator: " or "))"
        case .host(let host): "the host is not \(host)"
        case .header(let header): "there is no header `\(header)`"
        }
    }

    /// As a word for programs.
    var condition: String {
        switch self {
        case .path: "path"
        case .method: "method"
        case .host: "host"
        case .header: "header"
        }
    }
}

extension Explanation.Decision {
    /// As a clause.
    var words: String {
        switch self {
        case .notReached: "not asked"
        case .notLimited: "no limit applies"
        case .admitted: "admitted by all"
        case .refused(let limit, let retry?): "refused by \(limit), retry after \(retry) s"
        case .refused(let limit, nil): "refused by \(limit), for ever"
        case .denied(let limit): "refused by \(limit), which needs an identity"
        case .uncounted(let limit): "refused by \(limit), which Redis cannot count at the moment"
        }
    }

    /// As a word for programs.
    var word: String {
        switch self {
        case .notReached: "not_reached"
        case .notLimited: "not_limited"
        case .admitted: "admitted"
        case .refused: "refused"
        case .denied: "denied_anonymous"
        case .uncounted: "uncounted"
        }
    }
}

extension LimitView {
    /// What it says, as a clause.
    public var verdictWords: String {
        let lacking = missing.joined(separator: ", ")
        switch verdict {
        case .pass:
            let delay = level?.delay ?? .zero
            let wait = delay == .zero ? "" : " after \(PlainText.duration(delay))"
            return missing.isEmpty
                ? "pass\(wait)" : "pass\(wait), counted by address for lack of \(lacking)"
        case .refuse(let wait?): return "refuse, retry after \(max(wait.secondsRoundedUp, 1)) s"
        case .refuse(nil): return "refuse for ever, the cost is above what it can hold"
        case .shadowRefuse: return "would refuse, and only records"
        case .unlimited: return "not counted, unlimited by \(rateSource ?? "its rate")"
        case .skipped: return "not counted for lack of \(lacking)"
        case .denied: return "refuse for lack of \(lacking)"
        case .uncounted: return "not asked: counted in Redis"
        }
    }

    /// What it says, as a word for programs.
    var verdictWord: String {
        switch verdict {
        case .pass: "pass"
        case .refuse: "refuse"
        case .shadowRefuse: "shadow_refuse"
        case .unlimited: "unlimited"
        case .skipped: "skipped"
        case .denied: "denied"
        case .uncounted: "uncounted"
        }
    }
}

extension LimitView.Level {
    /// When nothing is counted any more, as a clause.
    var resetWords: String {
        resetAfter == .zero
            ? "nothing counted" : "nothing counted any more in \(PlainText.duration(resetAfter))"
    }
}

/// Lines with a label before the first of each group.
private struct Lines {
    private(set) var text = ""

    mutating func add(_ label: String, _ words: String) {
        text += label + String(repeating: " ", count: max(0, 10 - label.utf8.count))
        // What came from a client steers no terminal.
        for scalar in words.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
        }
        text += "\n"
    }
}
