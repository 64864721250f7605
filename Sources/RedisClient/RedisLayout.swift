public import Settings

/// Who has which keys of a cluster, for people.
public struct RedisLayout: Sendable, Equatable {
    /// One master.
    public struct Master: Sendable, Equatable {
        /// Where it is.
        public let place: RedisSettings.Place
        /// The slots it has, those in a row together.
        public let slots: [ClosedRange<Int>]
        /// Its replicas.
        public let replicas: [RedisSettings.Place]
    }
    /// Those that have slots, in the order of their first one.
    public let masters: [Master]
    /// Slots that nobody has.
    public let missing: [ClosedRange<Int>]
    /// Whether the cluster counts itself as working.
    public let isWell: Bool

    init(_ topology: RedisTopology, isWell: Bool) {
        let parts = topology.parts.sorted { $0.slots.lowerBound < $1.slots.lowerBound }
        var places: [RedisSettings.Place] = []
        for part in parts where !places.contains(part.master) { places.append(part.master) }
        masters = places.map { place in
            let own = parts.filter { $0.master == place }
            return Master(
                place: place, slots: own.map(\.slots), replicas: own.first?.replicas ?? [])
        }
        missing = topology.missing
        self.isWell = isWell
    }
}

/// What a sentinel says about the master of one name.
public struct RedisSentinelFacts: Sendable, Equatable {
    /// Where it is; `nil` when the sentinel knows none of that name.
    public var master: RedisSettings.Place?
    /// The names that it knows instead.
    public var otherNames: [String] = []
    /// Whether it counts the master as away: `s_down` (by itself), `o_down` (by all).
    public var isDown = false
    /// Sentinels that watch this master, itself among them.
    public var sentinels = 1
    /// How many of them must agree before another server becomes the master.
    public var quorum = 0
    /// Replicas that it knows.
    public var replicas = 0
}
