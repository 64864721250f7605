public import Caching
public import EventLoop
import HTTPModel
public import Primitives
import Routes
import Settings

extension ProxyServer {
    /// Purges what `order` names, from now on and for all workers, and warms what is to be warm after a purge.
    ///
    /// - Parameters:
    ///   - order: What is meant.
    ///   - loop: The calling loop: stored answers are swept on it.
    /// - Returns: What was purged, one record for each key.
    /// - Throws: Why nothing was.
    public func purge(
        _ order: PurgeOrder, on loop: EventLoop
    ) throws(PurgeOrder.Problem) -> [PurgeRecord] {
        // Not of the clocks: other replicas take a purge with the identifier of an earlier one for the same.
        var random = SeededRandom(seed: SystemRandomNumberGenerator.seed())
        let records = try order.records(by: blueprint, at: loop.clock, using: &random)
        for record in records { shared.purge(record, on: loop) }
        warmAfterPurge()
        return records
    }

    /// What is stored for `url`, and what the cache would do with an answer to a plain GET of it.
    public func cached(
        _ url: String, at now: ClockReading
    ) throws(PurgeOrder.Problem) -> CachedURLReport {
        let blueprint = blueprint
        guard blueprint.caches else { throw PurgeOrder.Problem("no route caches") }
        let url = try CachedURL(url, by: blueprint)
        var report = CachedURLReport()
        report.keys = url.bases.filter { base in
            let found = shared.cache.entries(base: base.span, atMost: CachedURLReport.entriesMax)
            report.entries += found
            let isPassed = shared.cache.isPassed(key: base.span, at: now.monotonic)
            report.isHitForMiss = report.isHitForMiss || isPassed
            return !found.isEmpty || isPassed
        }
        guard let index = blueprint.table.match(url.request) else { return report }
        report.route = blueprint.settings.routes[index].match.name
        if let rules = blueprint.routes[index].cache {
            let storing = Explanation.Storing(url.request, rules, at: now)
            report.storing = (storing.plain, storing.reason)
        }
        return report
    }
}

/// What the cache has for one URL.
public struct CachedURLReport {
    /// The most entries that are told.
    static let entriesMax = 1000

    /// The keys, without identities, under which something is stored or known.
    public internal(set) var keys: [[UInt8]] = []
    /// What is stored.
    public internal(set) var entries: [StoredResponse] = []
    /// Whether the last answer could not be shared, and requests therefore go to the origin each for itself.
    public internal(set) var isHitForMiss = false
    /// The route of a GET; `nil`: none.
    public internal(set) var route: String?
    /// Whether an answer that says nothing about caching would be stored, and why; `nil`: the route does not cache.
    public internal(set) var storing: (isStored: Bool, reason: String)?
}
