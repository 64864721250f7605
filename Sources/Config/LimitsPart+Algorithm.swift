import Limits
import Primitives

/// Reads how a limit counts.
extension Report {
    /// `rate:` or `concurrent:`, and `algorithm:` with the keys that belong to it.
    func rateAndAlgorithm(_ fields: inout Fields, _ parsed: inout ParsedLimit) {
        let concurrent = fields.take("concurrent")
        let rate = fields.take("rate")
        let choice = fields.take("algorithm")
        guard let name = algorithmName(choice, hasConcurrent: concurrent != nil) else {
            parsed.hasRightAlgorithm = false
            parsed.definition.algorithm = algorithm("", &fields)
            if concurrent != nil { parsed.definition.algorithm = .concurrency }
            if let rate = concurrent ?? rate { baseRate(rate, &parsed) }
            return
        }
        parsed.definition.algorithm = algorithm(name, &fields)
        if let concurrent {
            baseRate(concurrent, &parsed)
            if let rate {
                error(
                    keyOf: rate, "`concurrent` at line \(concurrent.line) stands in its place",
                    help: "for both, write two limits")
            }
        } else if name == "concurrency" {
            if let rate, let choice {
                // Its tiers are rates as well: they are not looked at as numbers.
                parsed.hasRightAlgorithm = false
                parsed.definition.algorithm = .tokenBucket(burst: nil)
                error(
                    choice, "requests in flight have no rate",
                    help: "write how many there may be, `concurrent: 5`, in place of `rate`")
                baseRate(rate, &parsed)
            } else {
                fields.lack("concurrent", help: "for example `concurrent: 5`")
            }
        } else if let rate {
            baseRate(rate, &parsed)
        } else {
            fields.lack("rate", help: "for example `rate: 100/minute`")
        }
    }

    /// The name of the algorithm; `nil` after a fault.
    private func algorithmName(_ choice: Value?, hasConcurrent: Bool) -> String? {
        guard let choice else { return hasConcurrent ? "concurrency" : "token_bucket" }
        let names = [
            "token_bucket", "sliding_window", "sliding_log", "fixed_window", "leaky_bucket",
            "concurrency",
        ]
        guard let name = word(choice, "algorithm", names) else { return nil }
        if hasConcurrent && name != "concurrency" {
            error(
                choice, "belongs to a limit with `rate`; `concurrent` counts requests in flight",
                help: "remove it")
            return nil
        }
        return name
    }

    /// The algorithm with its parameters; those of other algorithms are reported. An empty name
    /// takes them all.
    private func algorithm(
        _ name: String, _ fields: inout Fields
    ) -> LimitDefinition.Algorithm {
        let burst = fields.take("burst")
        let subWindows = fields.take("sub_windows")
        let maxDelay = fields.take("max_delay")
        let phase = fields.take("phase")
        let owners = [
            (burst, "token_bucket"), (subWindows, "sliding_window"), (maxDelay, "leaky_bucket"),
            (phase, "fixed_window"),
        ]
        for case (let value?, let owner) in owners where owner != name && !name.isEmpty {
            error(keyOf: value, "belongs to `algorithm: \(owner)`")
        }
        switch name {
        case "sliding_window":
            let number = subWindows.flatMap { integer($0, Bounds.subWindows) }
            return .slidingWindow(subWindows: number ?? Defaults.subWindows)
        case "sliding_log":
            return .slidingLog
        case "fixed_window":
            let choice = phase.flatMap { word($0, "phase", as: LimitDefinition.Phase.self) }
            return .fixedWindow(phase: choice ?? .aligned)
        case "leaky_bucket":
            let delay = maxDelay.flatMap { duration($0, Bounds.maxDelay) }
            return .leakyBucket(maxDelay: delay ?? Defaults.maxDelay)
        case "concurrency":
            return .concurrency
        default:
            let help =
                "write the number of requests a client may send at once, for example `burst: 10`"
            let number =
                name.isEmpty ? nil : burst.flatMap { integer($0, Bounds.burst, help: help) }
            return .tokenBucket(burst: number.map { UInt32($0) })
        }
    }

    /// `mode:` a word, or `{enforce: 10%}`, which may stand as the text `enforce: 10%` too.
    func mode(_ fields: inout Fields, _ parsed: inout ParsedLimit) {
        if let value = fields.take("enforce") {
            error(keyOf: value, "is a part of `mode`", help: "write `mode: {enforce: 10%}`")
        }
        guard let value = fields.take("mode") else { return }
        var share = value
        if case .map = value.content {
            guard var inner = Fields(value, self, expected: "a mapping") else { return }
            let found = inner.require("enforce", help: "for example `{enforce: 10%}`")
            inner.finish()
            guard let found else { return }
            share = found
        } else if let text = value.text, text.hasPrefix("enforce:") {
            share.content = .scalar(Text.trimmed(String(text.dropFirst(8))))
        } else {
            let isShadow = word(value, "mode", ["enforce", "shadow"]) == "shadow"
            parsed.definition.mode = isShadow ? .shadow : .enforce
            return
        }
        guard let part = percent(share) else { return }
        if part == 0 {
            error(share, "enforces nothing", help: "write `mode: shadow`")
            return
        }
        if parsed.hasRightScopes && parsed.definition.per == [.global] {
            error(
                share, "a limit per global has one key, which cannot be enforced in part",
                help: "write `mode: enforce` or `mode: shadow`")
        }
        parsed.definition.mode = .share(part)
    }
}
