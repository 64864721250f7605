import Settings

/// Where a connection leads.
enum RedisTarget {
    /// To this server.
    case place(RedisSettings.Place)
    /// To the master of this name, as one of the sentinels knows it.
    case master(String, sentinels: [RedisSettings.Place])
    /// To any of these.
    case any([RedisSettings.Place])
    /// To the first of these sentinels that answers, for what it tells.
    case sentinels([RedisSettings.Place])

    /// Where a connection leads that is not about certain keys.
    init(_ topology: RedisSettings.Topology) {
        switch topology {
        case .single(let place): self = .place(place)
        case .cluster(let places): self = .any(places)
        case .sentinel(let master, let places): self = .master(master, sentinels: places)
        }
    }

    var isMaster: Bool { if case .master = self { true } else { false } }
    var isSentinel: Bool { if case .sentinels = self { true } else { false } }
}
