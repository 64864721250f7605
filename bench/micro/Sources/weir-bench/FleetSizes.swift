import Limits
import Primitives

/// What leases cost Redis, and what they leave unused, as a fleet grows: 10, 100 and 1,000 replicas of 100 requests a
/// second each, under a limit that is not reached and one that is.
func measureFleet() {
    for replicas in [10, 100, 1000] {
        let demand = Double(replicas) * 100
        for (load, share) in [
            ("70 % of the limit wanted", 0.7), ("150 % of the limit wanted", 1.5),
        ] {
            let count = UInt32(demand / share)
            for (name, algorithm) in leasable {
                // A sliding window that is long enough for sub-windows of half a second.
                let seconds: UInt64 = name == "sliding_window" ? 5 : 1
                let rate = LimitDefinition.Rate(
                    count: count * UInt32(seconds), period: .seconds(seconds))
                guard let terms = LeaseTerms(algorithm, rate) else {
                    Report.fail("\(name) cannot be leased")
                }
                var fleet = Fleet(terms, replicas: replicas, demand: demand)
                // Three times the window and a sub-window: so often it fills.
                let time: UInt64 = 16_500
                fleet.run(milliseconds: time)
                let kind = "fleet, \(name), \(replicas) replicas, \(load)"
                say(kind, fleet, rate, name, seconds: Double(time) / 1000, wanted: demand)
            }
        }
    }
}

private let leasable: [(String, LimitDefinition.Algorithm)] = [
    ("fixed_window", .fixedWindow(phase: .aligned)),
    ("sliding_window", .slidingWindow(subWindows: 10)), ("token_bucket", .tokenBucket(burst: nil)),
]

private func say(
    _ kind: String, _ fleet: Fleet, _ rate: LimitDefinition.Rate, _ name: String, seconds: Double,
    wanted: Double
) {
    let perSecond = Double(rate.count) / Double(rate.period.wholeSeconds)
    var usable = min(perSecond, wanted) * seconds
    if wanted > perSecond {
        // Whoever always pushes gets B of B + 1 parts of a sliding window, and a bucket's burst once.
        if name == "fixed_window" { usable = Double(rate.count) * seconds.rounded(.up) }
        if name == "sliding_window" { usable *= 10 / 11 }
        if name == "token_bucket" {
            usable += min(Double(rate.count), (wanted - perSecond) * seconds)
        }
    }
    let isReached = wanted > perSecond
    Report.say(
        "\(kind): orders", Double(fleet.orders) / seconds, unit: "/s")
    Report.say(
        "\(kind): orders per 1,000 decisions",
        1000 * Double(fleet.orders) / Double(fleet.requests), unit: "each",
        bound: isReached ? nil : 50)
    Report.say(
        "\(kind): used of what is usable", 100 * Double(fleet.spent.count) / usable, unit: "%",
        least: 95)
    Report.say(
        "\(kind): waited for Redis", 100 * Double(fleet.waited) / Double(fleet.requests), unit: "%")
    Report.say(
        "\(kind): admitted too many", excess(fleet.spent, rate, name), unit: "each", bound: 0)
}

/// Units above what the algorithm promises, at the worst moment.
private func excess(_ spent: [UInt64], _ rate: LimitDefinition.Rate, _ name: String) -> Double {
    let period = rate.period.count
    var worst = -Double.infinity
    var first = 0
    var (window, counted) = (UInt64.max, 0)
    var (total, least) = (0.0, Double.infinity)
    for (place, time) in spent.enumerated() {
        switch name {
        case "fixed_window":
            if time / period != window { (window, counted) = (time / period, 0) }
            counted += 1
            worst = max(worst, Double(counted) - Double(rate.count))
        case "sliding_window":
            while spent[first] + period <= time { first += 1 }
            worst = max(worst, Double(place - first + 1) - Double(rate.count))
        default:
            // What was spent up to now, less what came back, above the same at any earlier moment.
            let refilled = Double(time) / Double(period) * Double(rate.count)
            least = min(least, total - refilled)
            total += 1
            worst = max(worst, (total - refilled - least - Double(rate.count)).rounded())
        }
    }
    return max(worst, 0)
}
