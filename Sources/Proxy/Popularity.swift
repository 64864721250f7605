import Primitives
import Settings

/// The requests that are asked for most: a bounded table of scores that fade.
///
///     score ← 0.99 · score + hits          once an interval
///
/// With an interval of a minute half of a score is left after 69 of them. Beyond the bound those with the
/// least scores are forgotten.
struct Popularity: Sendable {
    /// What is left of a score after one interval.
    static let fading = 0.99
    /// A score below this is forgotten.
    static let least = 0.05

    private(set) var scores: [WarmRequest: Double] = [:]
    private let max: Int

    init(max: Int = Bounds.seenKeys) { self.max = max }

    /// Takes what was kept of an earlier process; what is known already stays.
    mutating func restore(_ kept: [(request: WarmRequest, score: Double)]) {
        for (request, score) in kept where scores[request] == nil { scores[request] = score }
        trim()
    }

    /// Ends an interval in which there were so many hits.
    mutating func add(_ hits: [(request: WarmRequest, count: UInt64)]) {
        scores = scores.mapValues { $0 * Popularity.fading }
        for (request, count) in hits { scores[request, default: 0] += Double(count) }
        scores = scores.filter { $0.value >= Popularity.least }
        trim()
    }

    /// The `share` (0…1) of all that have the highest scores, the highest first; at most `Bounds.popularKeys`.
    func top(_ share: Double) -> [(request: WarmRequest, score: Double)] {
        let count = min(Int((share * Double(scores.count)).rounded(.up)), Bounds.popularKeys)
        return Array(sorted.prefix(count))
    }

    private var sorted: [(request: WarmRequest, score: Double)] {
        scores.map { ($0.key, $0.value) }.sorted { a, b in
            if a.score != b.score { return a.score > b.score }
            return (a.request.host, a.request.target) < (b.request.host, b.request.target)
        }
    }

    private mutating func trim() {
        guard scores.count > max else { return }
        for (request, _) in sorted[max...] { scores[request] = nil }
    }
}
