import Limits
import Primitives

/// Reads how a limit counts, and refuses what only a shared limit could do.
extension Report {
    /// `algorithm:` with the keys that belong to it.
    func algorithm(
        _ fields: inout Fields, _ rate: LimitDefinition.Rate
    ) -> LimitDefinition.Algorithm {
        let choice = fields.take("algorithm")
        let burst = fields.take("burst")
        let subWindows = fields.take("sub_windows")
        fields.refuse("max_delay", "delaying requests", shape: .scalar)
        fields.refuse("phase", "a phase for each key", shape: .scalar)
        var name: String? = "token_bucket"
        if let choice {
            name = word(
                choice, "algorithm", ["token_bucket", "sliding_window", "fixed_window"],
                later: ["sliding_log", "leaky_bucket", "concurrency"])
        }
        var algorithm = LimitDefinition.Algorithm.tokenBucket(burst: Defaults.burst(for: rate))
        switch name {
        case "token_bucket":
            let help =
                "write the number of requests a client may send at once, for example `burst: 10`"
            if let number = burst.flatMap({ integer($0, Bounds.burst, help: help) }) {
                algorithm = .tokenBucket(burst: UInt32(number))
            }
        case "sliding_window":
            let number = subWindows.flatMap { integer($0, Bounds.subWindows) }
            algorithm = .slidingWindow(subWindows: number ?? Defaults.subWindows)
        case "fixed_window":
            algorithm = .fixedWindow(phase: .aligned)
        default:
            return algorithm
        }
        if let burst, name != "token_bucket" {
            error(keyOf: burst, "belongs to `algorithm: token_bucket`")
        }
        if let subWindows, name != "sliding_window" {
            error(keyOf: subWindows, "belongs to `algorithm: sliding_window`")
        }
        return algorithm
    }

    /// `mode:` and the share that may stand in its place.
    func mode(_ fields: inout Fields) -> LimitDefinition.Mode {
        fields.refuse("enforce", "enforcing for a share of the requests", shape: .scalar)
        guard let value = fields.take("mode") else { return Defaults.mode }
        if case .map = value.content {
            unavailable(
                value, "enforcing for a share of the requests", shape: .map(["enforce": .scalar]))
            return Defaults.mode
        }
        if let text = value.text, text.hasPrefix("enforce:") {
            error(value, "enforcing for a share of the requests is not available in this version")
            return Defaults.mode
        }
        return word(value, "mode", ["enforce", "shadow"]) == "shadow" ? .shadow : .enforce
    }

    /// Keys of limits whose features are not there yet.
    func refuseShared(_ fields: inout Fields) {
        fields.refuse("overrides", "a rate for single keys", shape: .named(.scalar))
        fields.refuse(
            "cost", "a cost of requests", shape: .scalarOr(.map(["hit": .scalar, "miss": .scalar])))
        fields.refuse("count", "counting some answers only", shape: .list(.scalar))
        fields.refuse("on_redis_failure", "a limit in Redis", shape: .scalar)
        fields.refuse("consistency", "a limit in Redis", shape: .scalar)
    }
}
