public import Settings

/// Something about a Redis that an operator should know before it goes wrong.
public enum RedisRisk: Sendable, Equatable {
    /// With `policy`, keys of limits may be evicted when the memory is full: what they counted is forgotten, and
    /// the limit admits as much again.
    case evictsLimits(policy: String, sharesWithCache: Bool)
    /// Stored answers may fill the memory, and limits could then not be counted.
    case cacheFillsMemory
    /// It is a replica, which takes no writes.
    case isReplica
    /// It is a sentinel, which keeps no keys.
    case isSentinel
    /// It is a server of a cluster, and is used as if it had all keys.
    case isCluster
    /// It is no server of a cluster, and is used as one.
    case isNoCluster
    /// It is older than what Weir is tested with.
    case isOld(version: String)

    /// The words for it, and what to do.
    public var text: String {
        switch self {
        case .evictsLimits(let policy, let sharesWithCache):
            "maxmemory-policy \(policy) may evict keys of limits, which then admit more than they should; "
                + "set noeviction"
                + (sharesWithCache
                    ? ", and give the cache a Redis of its own (redis.cache_url)" : "")
        case .cacheFillsMemory:
            "stored answers may fill maxmemory, and with maxmemory-policy noeviction limits then go by "
                + "on_redis_failure; give the cache a Redis of its own (redis.cache_url) with allkeys-lfu"
        case .isReplica: "it is a replica and takes no writes; name its master"
        case .isSentinel: "it is a sentinel; write redis.sentinel"
        case .isCluster: "it belongs to a cluster; write redis.cluster"
        case .isNoCluster: "it belongs to no cluster; write redis.url"
        case .isOld(let version): "version \(version) is older than 5, which Weir needs"
        }
    }
}

extension RedisRisk {
    /// Whether nothing can be shared there.
    public var isFatal: Bool {
        switch self {
        case .isReplica, .isSentinel, .isCluster, .isNoCluster, .isOld: true
        case .evictsLimits, .cacheFillsMemory: false
        }
    }
}

extension RedisFacts {
    /// What may go wrong when the server is used for `use`, and reached as `settings` say.
    public func risks(for use: RedisUse, under settings: RedisSettings) -> [RedisRisk] {
        var risks: [RedisRisk] = []
        if let major = version.split(separator: ".").first.flatMap({ Int($0) }), major < 5 {
            risks.append(.isOld(version: version))
        }
        if mode == "sentinel" { return risks + [.isSentinel] }
        switch settings.topology {
        case .cluster: if mode == "standalone" { risks.append(.isNoCluster) }
        case .single, .sentinel:
            if mode == "cluster" { risks.append(.isCluster) }
            if role == "slave" { risks.append(.isReplica) }
        }
        guard memoryMax > 0, use.countsLimits else { return risks }
        if memoryPolicy != "noeviction" {
            risks.append(.evictsLimits(policy: memoryPolicy, sharesWithCache: use.storesAnswers))
        } else if use.storesAnswers {
            risks.append(.cacheFillsMemory)
        }
        return risks
    }
}
