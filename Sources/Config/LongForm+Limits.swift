import Limits
import Primitives
import Settings

extension Configuration {
    static func limit(_ limit: LimitDefinition, in settings: ProxySettings) -> YAMLOutput {
        let isConcurrency = limit.algorithm == .concurrency
        var entries: [(String, YAMLOutput)] = [
            (isConcurrency ? "concurrent" : "rate", .text(RateText.write(limit.rate))),
            ("per", .list(limit.per.map { .text($0.text) })),
        ]
        entries += algorithm(limit.algorithm)
        if !limit.tiers.isEmpty {
            let tiers = limit.tiers.sorted { $0.key < $1.key }
            entries.append(
                ("tiers", .flow(tiers.map { ($0.key, .text(RateText.write($0.value))) })))
        }
        if !limit.overrides.isEmpty {
            let overrides = limit.overrides.map { override in
                (
                    "\(override.scope.text):\(override.value)",
                    YAMLOutput.text(RateText.write(override.rate))
                )
            }
            entries.append(("overrides", .block(overrides)))
        }
        if !isConcurrency { entries.append(("cost", costs(limit.costs))) }
        if !limit.countedStatuses.isEmpty {
            let statuses = limit.countedStatuses.map { YAMLOutput.text(StatusText.write($0)) }
            entries.append(("count", .list(statuses)))
        }
        if limit.countsIdentity { entries.append(("anonymous", .text(limit.anonymous.rawValue))) }
        entries.append(("mode", mode(limit.mode)))
        if settings.redis != nil && !isConcurrency {
            entries.append(("consistency", .text(limit.consistency.rawValue)))
            if limit.consistency != .process {
                entries.append(("on_redis_failure", .text(limit.onRedisFailure.rawValue)))
            }
        }
        return .block(entries)
    }

    private static func algorithm(
        _ algorithm: LimitDefinition.Algorithm
    ) -> [(String, YAMLOutput)] {
        switch algorithm {
        case .tokenBucket(let burst):
            [("algorithm", .text("token_bucket"))]
                + (burst.map { [("burst", .number($0))] } ?? [])
        case .slidingWindow(let subWindows):
            [("algorithm", .text("sliding_window")), ("sub_windows", .number(subWindows))]
        case .slidingLog:
            [("algorithm", .text("sliding_log"))]
        case .fixedWindow(let phase):
            [("algorithm", .text("fixed_window")), ("phase", .text(phase.rawValue))]
        case .leakyBucket(let maxDelay):
            [("algorithm", .text("leaky_bucket")), ("max_delay", .duration(maxDelay))]
        case .concurrency:
            [("algorithm", .text("concurrency"))]
        }
    }

    /// The shortest form: what routes without a cache may not say is left out where it can be.
    private static func costs(_ costs: LimitDefinition.Costs) -> YAMLOutput {
        func text(_ cost: LimitDefinition.Costs.Cost) -> YAMLOutput {
            switch cost {
            case .units(let units): .number(units)
            case .header: .text("header:\(costs.header ?? "")")
            }
        }
        let isEven = costs.hit == costs.stale && costs.stale == costs.miss
        if isEven && (costs.header == nil || costs.reserve == Defaults.reserve) {
            return text(costs.hit)
        }
        var entries: [(String, YAMLOutput)] = []
        if costs.hit != .units(1) { entries.append(("hit", text(costs.hit))) }
        if costs.stale != costs.hit { entries.append(("stale", text(costs.stale))) }
        entries.append(("miss", text(costs.miss)))
        if costs.header != nil { entries.append(("reserve", .number(costs.reserve))) }
        return .flow(entries)
    }

    private static func mode(_ mode: LimitDefinition.Mode) -> YAMLOutput {
        switch mode {
        case .enforce: .text("enforce")
        case .shadow: .text("shadow")
        case .share(let share): .flow([("enforce", .percent(share))])
        }
    }
}
