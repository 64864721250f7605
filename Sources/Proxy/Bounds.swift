import Primitives

/// The bounds of the proxy; those towards clients are in `http:` of the configuration.
enum Bounds {
    /// Exchanges a worker keeps for the next requests.
    static let pooledExchanges = 256
    /// How often those are freed that nobody has needed since, and how many stay in any case.
    static let shrinkInterval = Nanoseconds.seconds(10)
    static let keptExchanges = 8
    /// Tasks a worker keeps for the next connections, and how old one may be that gets another.
    static let spareTasks = 64
    static let spareTaskAge = Nanoseconds.seconds(10)
    /// Memory a pooled buffer may keep.
    static let pooledBuffer = 32 << 10
    /// A part of a body up to this size is copied behind the head and sent with it; larger ones are written from where they are.
    static let copiedBody = 8 << 10
    /// A body of which at least as much is still to come goes through a pipe instead of a buffer.
    static let splicedBody: UInt64 = 64 << 10
    /// Pipes a worker has at once; further large bodies go through buffers.
    static let pipes = 64
    /// Bytes gathered before they are written.
    static let gathered = 32 << 10
    /// The unread rest of a request's body that is read and dropped to keep the connection.
    static let drainedBody: UInt64 = 64 << 10
    /// How long a closing connection still reads, so that the client sees the answer before the end.
    static let linger = Nanoseconds.seconds(2)
    /// Bytes read while lingering.
    static let lingerBytes = 1 << 20
    /// How long a connection beyond the bound still reads after its refusal, how many of a worker do so at
    /// once, and how often each reads.
    static let refusalLinger = Nanoseconds.seconds(1)
    static let refusalsLingering = 256
    static let refusalReads = 16
    /// The least progress of a request's body within `http.idle_timeout`.
    static let bodyProgress = 4 << 10
    /// Bytes of content that requests may have held before their verdict, beyond 32 KiB each, in the process.
    static let heldBodies = 64 << 20
    /// Bytes of a stored answer that are encoded in one turn of the loop.
    static let encodedSlice = 32 << 10
    /// Bytes of a segment of an encoded body, but for the last.
    static let encodedSegment = 256 << 10
    /// Looks at the cache for one request before it goes upstream alone.
    static let lookups = 3
    /// Requests that one fetch for the cache may send: again on a fresh connection, again without conditions.
    static let fetchAttempts = 3
    /// How long after the start warming waits until answers in Redis may be used.
    static let purgesAwaited = Nanoseconds.seconds(5)
    /// How long a lease on fetching a key for all replicas lasts when its holder ends without a word, and so how long
    /// others wait for it.
    static let leaseTime = Nanoseconds.seconds(5)
    /// The pause before the first look for the answer of whoever has the lease, unless its end is announced before, and
    /// the longest one.
    static let leasePause = Nanoseconds.milliseconds(10)
    static let leasePauseMax = Nanoseconds.milliseconds(160)
    /// Slices of a sweep after purges in one turn, the pause between turns, and between looks at fetches that began
    /// before a purge.
    static let sweepSteps = 4
    static let sweepPause = Nanoseconds.milliseconds(1)
    static let sweepWait = Nanoseconds.milliseconds(100)
    /// Keys whose popularity is known, keys that are popular, and bytes of the file of these.
    static let seenKeys = 20_000
    static let popularKeys = 2000
    /// How often Redis is asked for them at the start, once a second.
    static let recallAttempts = 10
    static let popularFile = 8 << 20
    /// Entries of the store whose hits are taken under one lock.
    static let hitsStep = 1024
    /// How often a request asks Redis for units that others take before it, until it is refused.
    static let leaseRounds = 8
    /// How often a sixteenth of the leases is looked through for idle ones.
    static let leaseSweep = Nanoseconds.milliseconds(6)
    /// Background jobs that wait, dead letters that are kept, attempts at one job, and the pauses between them.
    static let jobs = 4096
    static let deadJobs = 256
    static let jobAttempts = 5
    static let jobBackoff = Backoff(first: .seconds(1), longest: .seconds(60))
    /// Jobs that free purged answers in Redis at once: one that walks over all names, and one of a tag.
    static let freeJobs = 2
    /// Own names in a request's Via before it counts as a loop.
    static let viaHops = 8
    /// Log lines gathered before they are handed to the log's thread, in bytes.
    static let logBuffer = 32 << 10
    /// How long a log line may wait for others.
    static let logDelay = Nanoseconds.milliseconds(100)
    /// A turn longer than this makes `/healthz` fail.
    static let turnMax = Nanoseconds.seconds(2)
    /// The bytes of a file of keys for tokens, and of one of API keys.
    static let keyFile = 1 << 20
    static let apiKeyFile = 16 << 20
    /// How often key files are looked at.
    static let keyFileInterval = Nanoseconds.seconds(1)
    /// The time one fetch of a JWK set has.
    static let keyFetchTime = Nanoseconds.seconds(10)
    /// How long a JWK set is used before it is fetched again, and when the issuer does not say.
    static let keyMaxAge = Nanoseconds.seconds(60)...Nanoseconds.seconds(86_400)
    static let keyMaxAgeUnsaid = Nanoseconds.seconds(600)
    /// The first and the longest pause after a fetch that failed.
    static let keyBackoff = Nanoseconds.seconds(1)...Nanoseconds.seconds(60)
    /// How often workers are asked for tokens of unknown keys, and how long after a fetch these may cause
    /// another: tokens that anybody can make up must not become a flood towards the issuer.
    static let unknownKeyInterval = Nanoseconds.seconds(1)
    static let unknownKeyPause = Nanoseconds.seconds(30)
}
