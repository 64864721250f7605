/// What the configuration can say about Redis and this version cannot do yet.
///
/// A feature that works is struck off `missing` in the commit that makes it work; that alone makes the
/// configuration accept it. `redis:` itself is accepted as soon as one thing uses it.
package enum Feature: Hashable, Sendable, CaseIterable {
    /// `consistency: strict`, the default of limits under `redis:`, with `on_redis_failure`.
    case strictLimits
    /// `consistency: leased`.
    case leasedLimits
    /// `cache: {redis: true}`.
    case sharedCache
    /// `collapse: cluster`.
    case fleetCollapse
    /// Purges reach the other replicas: a `redis:` beside a cache is of use without more.
    case sharedPurges
    /// `redis: {cluster: …}`.
    case redisCluster
    /// `redis: {sentinel: …}`.
    case redisSentinel
    /// `rediss://` and `redis: {tls: true}`.
    case redisTLS
    /// `redis: {read_replicas: true}`.
    case replicaReads

    /// Those that this version does not have.
    package static let missing: Set<Feature> = [.replicaReads]

    /// What uses Redis.
    static let users: Set<Feature> = [.strictLimits, .leasedLimits, .sharedCache, .sharedPurges]

    /// Its name in messages.
    var words: String {
        switch self {
        case .strictLimits: "a limit in Redis"
        case .leasedLimits: "consistency `leased`"
        case .sharedCache: "the cache in Redis"
        case .fleetCollapse: "choice `cluster`"
        case .sharedPurges: "Redis"
        case .redisCluster: "a cluster of Redis"
        case .redisSentinel: "Redis behind sentinels"
        case .redisTLS: "TLS to Redis"
        case .replicaReads: "reading from replicas"
        }
    }
}

extension Report {
    /// Whether this version has `feature`; if not, that is reported at `value`.
    func has(_ feature: Feature, at value: Value) -> Bool {
        guard missing.contains(feature) else { return true }
        error(keyOf: value, "\(feature.words) is not available in this version")
        return false
    }
}
