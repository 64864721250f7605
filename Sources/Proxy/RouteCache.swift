/// What the cache did for one route since the start.
public struct RouteCache: Sendable {
    /// The route's name.
    public let name: String
    /// Requests by the cache's part in them: the words of the log.
    public let outcomes: [(name: String, count: UInt64)]
    /// Bytes of bodies of stored answers that were sent.
    public let bodyBytes: UInt64

    /// The part of the requests that might use the cache for which it did: stored answers, also stale ones, and
    /// those that another request was fetching. `nil` before the first one.
    public var hitRatio: Double? {
        func count(_ names: String...) -> UInt64 {
            outcomes.reduce(0) { $0 + (names.contains($1.name) ? $1.count : 0) }
        }
        let hits = count("hit", "stale", "collapsed")
        let all = hits + count("miss", "revalidated")
        return all == 0 ? nil : Double(hits) / Double(all)
    }
}
