import Limits
import Primitives

/// The algorithms that are measured, with the names of the configuration.
let algorithms: [(name: String, algorithm: LimitDefinition.Algorithm)] = [
    ("token_bucket", .tokenBucket(burst: nil)),
    ("sliding_window", .slidingWindow(subWindows: 60)),
    ("sliding_log", .slidingLog),
    ("fixed_window", .fixedWindow(phase: .aligned)),
    ("leaky_bucket", .leakyBucket(maxDelay: .seconds(1))),
    ("concurrency", .concurrency),
]

/// A policy of `count` limits of one algorithm, each of another key.
func policy(
    _ algorithm: LimitDefinition.Algorithm, _ rate: LimitDefinition.Rate, limits count: Int,
    changed: (inout LimitDefinition) -> Void = { _ in }
) -> LimitPolicy {
    let keys: [[LimitDefinition.Scope]] = [[.ip], [.user], [.user, .endpoint], [.company]]
    return LimitPolicy(
        limits: keys.prefix(count).enumerated().map { index, key in
            var definition = LimitDefinition(
                name: "limit\(index)", rate: rate, per: key, algorithm: algorithm)
            changed(&definition)
            return definition
        }, endpoint: "/api/analytics/**")
}

/// A rate that traffic of a microsecond per request from 1,024 clients never reaches, or one that is
/// exhausted by one request of each.
func rate(_ algorithm: LimitDefinition.Algorithm, refused: Bool) -> LimitDefinition.Rate {
    if case .concurrency = algorithm { return .inFlight(1) }
    return refused
        ? .init(count: 1, period: .seconds(86_400)) : .init(count: 1000, period: .seconds(1))
}
