public import Primitives

/// Every bound of the cache in one place. Beyond a bound something is refused or forgotten, never grown.
public enum CacheBounds {
    /// The largest delta-seconds value that is told apart from a larger one (RFC 9111 §1.2.2).
    public static let deltaSecondsMax: UInt32 = 1 << 31
    /// The longest lifetime that is guessed from Last-Modified (RFC 9111 §4.2.2).
    public static let heuristicMax = Nanoseconds.seconds(24 * 3600)
    /// Fields that a Vary may name; an answer that names more is not stored.
    public static let varyNamesMax = 16
    /// Query parameters that are sorted; more of them stand in the key as they came.
    public static let sortedParameters = 64
    /// Bytes of a client's Idempotency-Key.
    public static let idempotencyKeyBytes = 255
    /// What must be left of the budget for another Idempotency-Key, so that its answer has a place.
    static let idempotencyRoom = 64 << 10
    /// Variants kept for one key; the oldest one leaves first.
    public static let variantsPerKey = 32
    /// Bytes of entity tags of other variants in one validation; further ones are not named.
    static let validatorBytes = 4096
    /// Bytes by which the slowest reader may lag in a fill that is too large to be kept.
    public static let windowBytes = 1 << 20
    /// Interim answers (1xx) that one fetch passes on.
    static let interimsPerFill = 8
    /// Readers of one fill; later requests go upstream themselves.
    public static let readersPerFill = 16384
    /// How long a key is remembered as one whose answers cannot be shared.
    public static let hitForMiss = Nanoseconds.seconds(5)
    /// How long the stale answer is served at once after the origin failed.
    public static let errorHold = Nanoseconds.seconds(1)
    /// Keys remembered as not shareable, per shard; when full all are forgotten.
    static let passesPerShard = 1024
    /// Bytes that leave a shard under one lock when the store shrinks.
    static let resizeStep = 1 << 20
    /// The least budget of a shard in bytes: fewer shards before smaller ones.
    static let shardBytesMin = 32 << 20
    /// Shards at most.
    static let shardsMax = 64
    /// Bytes of bodies in running fills, as a part of the store's budget (1/n). Beyond it a fill keeps
    /// only a window.
    static let fillShare = 4
    /// Tags of one answer, and bytes of one tag; an answer with more is not stored. RFC 9875 §2 asks for 32 of 32.
    public static let tagsPerEntry = 256
    /// Bytes of one tag.
    public static let tagBytes = 1024
    /// Bytes of a template of tags, templates of one route, and values of a repeated parameter that it is made for.
    public static let templateBytes = 512
    /// Templates of one route.
    public static let templates = 32
    static let templateOccurrences = 16
    /// Bytes of what a purge names.
    public static let purgeBytes = 4096
    /// Wildcards of a glob.
    public static let globWildcards = 32
    /// Steps of one comparison with a glob; one that takes more counts as a match.
    static let globSteps = 1 << 16
    /// Purges that are not yet applied to all answers of a shard. Beyond it the shard is swept at once.
    static let purgeRecords = 4096
    /// Purges of all processes that answers in Redis are compared with, and that Redis keeps. Answers that are older than
    /// the first of them are dead.
    public static let purgeHistory = 1 << 16
    /// Those of them that are prefixes, globs or `all`: each is compared with each answer from Redis.
    static let purgeHistoryPatterns = 1024
    /// Own purges that wait for Redis; beyond it they become one purge of everything. As many are kept that were sent.
    public static let purgeQueue = 4096
    /// How long after a purge was sent it is sent again when Redis has lost it. Who has followed Redis until then, and
    /// not longer ago, misses nothing.
    public static let purgeKept = Nanoseconds.seconds(300)
    /// Identifiers of purges that are known when they arrive again.
    static let purgeIdentifiers = 1 << 14
    /// Entries that a sweep looks at under one lock.
    static let sweepStep = 256
    /// Entries that a listing looks at under one lock.
    static let listingStep = 4096
    /// A factor of lifetimes, in thousandths.
    public static let lifetimeFactor: ClosedRange<UInt32> = 100...100_000
    /// Segments of a finished body are joined up to this size.
    static let segmentBytesJoined = 256 << 10
    /// Ranges of one request; a request for more gets the whole answer (RFC 9110 §14.2). `BodySlices` holds as many.
    static let rangesPerRequest = 16
    /// Ranges with fewer bytes than this between them are sent as one: a part of its own costs more.
    static let rangeGap = 80
    /// Separate parts kept of one answer; beyond it the newest alone stays.
    static let partsPerAnswer = 64
    /// How often a part is combined anew because another one was quicker.
    static let combineAttempts = 4
    /// By how much the calendar clocks of processes that share answers may differ: an answer that was received later
    /// than that from now is not used.
    static let clockSkew = Nanoseconds.seconds(5)
    /// The longest time that an answer stays in Redis, and the longest beyond its use for clients, for which its
    /// validator is kept there.
    static let sharedLifetimeMax = Nanoseconds.seconds(30 * 24 * 3600)
    static let sharedValidatorMax = Nanoseconds.seconds(3600)
    /// The shortest time that the record of what a key's answers vary by stays in Redis.
    public static let sharedNamesMin = Nanoseconds.seconds(3600)
    /// The largest body that goes to Redis, in bytes: a larger one could not come back within the time an answer of
    /// Redis may take.
    public static let sharedBytes = 1 << 20
    /// Tags and groups of an answer by whose sets it can be found in Redis. Purges mean all it has; what is beyond lies
    /// there until it is read or its time is over.
    public static let sharedTags = 32
    /// How much older than the answer a Last-Modified must be to tell versions apart (RFC 9110 §8.8.2.2).
    static let strongDateSeconds: Int64 = 60
}
