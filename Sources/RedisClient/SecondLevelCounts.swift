/// What a second level has done.
public struct SecondLevelCounts: Sendable, Equatable {
    /// Answers that were served.
    public var hits: UInt64 = 0
    /// Stale answers, good for asking the origin about.
    public var stale: UInt64 = 0
    /// Nothing that was of use.
    public var misses: UInt64 = 0
    /// Questions without an answer: Redis was away or too slow, or purges may have been missed.
    public var unavailable: UInt64 = 0
    /// Values that are damaged, of another version or of other processes' meaning; among the misses, too.
    public var unusable: UInt64 = 0
    /// Answers that were sent to Redis.
    public var written: UInt64 = 0
    /// Answers that were not: too large, of no use to others, or too much was on the way.
    public var notWritten: UInt64 = 0
    /// Answers that purges had made dead, and whose memory was given back.
    public var freed: UInt64 = 0

    /// Answers of replicas that were served; among the hits, too.
    public var replicaHits: UInt64 = 0
    /// Questions to replicas that had nothing of use.
    public var replicaMisses: UInt64 = 0
    /// Questions that no replica could be asked, or none answered.
    public var replicaFailures: UInt64 = 0
    /// Leases that were taken.
    public var leases: UInt64 = 0
    /// Fetches that waited for another process's answer.
    public var waits: UInt64 = 0

    /// Nothing yet.
    public init() {}

    /// Adds another worker's.
    public mutating func merge(_ other: SecondLevelCounts) {
        hits &+= other.hits
        stale &+= other.stale
        misses &+= other.misses
        unavailable &+= other.unavailable
        unusable &+= other.unusable
        written &+= other.written
        notWritten &+= other.notWritten
        freed &+= other.freed
        replicaHits &+= other.replicaHits
        replicaMisses &+= other.replicaMisses
        replicaFailures &+= other.replicaFailures
        leases &+= other.leases
        waits &+= other.waits
    }
}
