/// Every bound of the module.
public enum LimitBounds {
    /// Limits of one route; more are not looked at.
    public static let limitsMax = 8
    /// Header fields and claims that the limits of one route count by.
    public static let dimensionsMax = 16
    /// Sub-windows of a sliding window; more are counted as this many.
    public static let subWindowsMax = 1000
    /// The most requests a sliding log may let pass in its period: it keeps the moment of each.
    public static let logMax: UInt32 = 1024
    /// Keys a table may be asked to hold.
    public static let keysMax = 100_000_000

    /// Limits that one call of the script of shared limits looks at: a few milliseconds of Redis, and keys fewer
    /// than the 8000 that Lua takes as arguments.
    public static let batchLevelsMax = 1024
    /// The last rates of a batch among which a rate is looked for.
    static let batchRatesSeen = 8
    /// Bytes of a part of a shared key; longer ones are written as a digest.
    static let keyPartMax = 64

    /// Shards of a table: a power of two.
    static let shardsMax = 256
    /// A table has one shard per so many keys, up to `shardsMax`.
    static let keysPerShard = 1024
    /// 64-bit words of ring counters a shard may use per key it may hold, on average.
    static let counterWordsPerKey = 16
    /// Words of ring counters every shard may use: eight of the largest rings.
    static let counterWordsMin = 8 * 1024
    /// Shared buckets of one limit in one shard, for keys that found no room.
    static let overflowBucketsPerLimit: UInt64 = 64
    /// Shared buckets of all limits in one shard; a limit that gets none refuses what finds no room.
    static let overflowKeysMax = 512
    /// Keys of one shard whose rate may be raised at once.
    static let boostsPerShard = 16
    /// Entries looked at for idleness whenever a key is added, and when there is no room left.
    static let sweepSteps = 4
    static let sweepStepsWhenFull = 32

    /// How far the calendar clock may drift from the monotonic one before the difference is measured anew.
    static let driftMax: UInt64 = 500_000_000
    /// What a request is told to wait that found no room at all, in nanoseconds.
    static let noRoomWait: UInt64 = 1_000_000_000

    /// The longest period, 2⁶⁰ ns, about 36 years. Longer ones count as this.
    static let periodMax: UInt64 = 1 << 60
    /// The latest monotonic reading, 2⁶² ns, about 146 years; also the longest time a bucket may take to
    /// fill. With both below 2⁶² their sum cannot overflow 64 bits.
    static let timeMax: UInt64 = 1 << 62
}

/// The bounds of leases.
enum LeaseBounds {
    /// What a process asks for is its own use in so many microseconds, at most.
    static let horizonMicros: Int64 = 500_000
    /// An order that is for fewer units asks for a longer time, but for no more than so many microseconds.
    static let unitsWorth = 32.0
    static let horizonMax: Int64 = 2_000_000
    /// A bucket that fills in fewer microseconds is not leased.
    static let fillMin: Int64 = 100_000
    /// How long a process refuses by itself after Redis had nothing: from, doubled each time, to; nanoseconds.
    static let denialMin: UInt64 = 2_000_000
    static let denialMax: UInt64 = 1_000_000_000
    /// A lease is spent for no longer than this, in nanoseconds, whatever its window says.
    static let lifeMax: UInt64 = 10_000_000_000
    /// Clocks may run apart by one part in so many.
    static let clockShare: UInt64 = 1000
    /// Units of one order or lease.
    static let unitsMax: UInt32 = 1 << 28
    /// Units left unused for so long are given back, in nanoseconds.
    static let idleMin: UInt64 = 100_000_000
    /// More is asked for when what is left is used up in so many nanoseconds.
    static let transit: UInt64 = 30_000_000
    /// How fast a process believes that its use has changed, in nanoseconds.
    static let rateMemory: UInt64 = 100_000_000
    /// Leases of one shard of the table.
    static let leasesPerShard = 4096
    /// Shards of the table of leases: a power of two.
    static let shards = 16
}
