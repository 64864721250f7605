/// What a store has done since its start, and what it holds.
public struct StoreCounts: Sendable, BitwiseCopyable, Equatable {
    /// Lookups answered from the store.
    public var hits: UInt64 = 0
    /// Lookups that were not, bypasses included.
    public var misses: UInt64 = 0
    /// Requests that joined another one's fetch.
    public var followers: UInt64 = 0
    /// Entries put in.
    public var insertions: UInt64 = 0
    /// Entries that left for any reason but a replacement.
    public var removals: UInt64 = 0
    /// Entries that left for want of room.
    public var evictions: UInt64 = 0
    /// Entries that left because they were purged.
    public var purged: UInt64 = 0
    /// Entries that a soft purge made stale.
    public var softened: UInt64 = 0
    /// Answers too large for the store.
    public var tooLarge: UInt64 = 0
    /// The entries' cost in bytes.
    public var bytes = 0
    /// Entries now.
    public var entries = 0
    /// Fetches now.
    public var fills = 0
    /// Purges that are not yet applied to all entries.
    public var purgeRecords = 0

    /// Counts of nothing.
    public init() {}

    mutating func add(_ other: StoreCounts) {
        hits += other.hits
        misses += other.misses
        followers += other.followers
        insertions += other.insertions
        removals += other.removals
        evictions += other.evictions
        purged += other.purged
        softened += other.softened
        tooLarge += other.tooLarge
        bytes += other.bytes
        entries += other.entries
        fills += other.fills
        // Each shard has its copy of each record.
        purgeRecords = max(purgeRecords, other.purgeRecords)
    }
}
