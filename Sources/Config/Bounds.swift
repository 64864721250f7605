import Identity
import Limits
import Primitives

/// Every bound of the configuration: of the file itself and of each number in it.
enum Bounds {
    // The file and its messages. Its size, depth and number of values are bounded by `YAMLBounds`.
    /// Bytes of one value after its variables were put in.
    static let scalarBytes = 64 << 10
    /// Problems that are shown.
    static let problems = 100
    /// Characters of a source line that are shown.
    static let excerpt = 160
    /// Of these, characters before the fault.
    static let excerptBefore = 100
    /// Characters of a value that a message quotes.
    static let quotedText = 60

    // Names and texts.
    static let nameBytes = 64
    static let tierBytes = 64
    static let tokenBytes = 8...1024
    static let pathBytes = 1024
    static let hostBytes = 253
    static let unixPathBytes = 107

    // Lists.
    static let listeners = 64
    static let upstreams = 256
    static let servers = 256
    static let limits = 1000
    static let limitsPerRoute = 8
    static let routes = 2000
    static let methods = 32
    static let routeHeaders = 16
    static let trustedProxies = 1024
    static let tiers = 256
    /// Names in `ignore_query` and in `only_query`.
    static let queryNames = 64
    /// Parts of `vary_by`.
    static let keyParts = 16
    static let negative = 64
    /// Names of one kind in a cache's `bypass`.
    static let bypass = 16

    // The process.
    static let workers = 1...256
    static let limitKeys = 1000...100_000_000
    static let drain = Nanoseconds.zero...Nanoseconds.seconds(86_400)

    // Redis.
    static let redisDatabase = 0...65_535
    /// Servers of a cluster, or sentinels, that are named.
    static let redisNodes = 64
    static let redisTimeout = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(10)
    static let redisConnectTimeout = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(60)
    static let redisCredentialBytes = 1...1024

    // Upstreams.
    static let port = 0...65_535
    static let weight = 1...1000
    static let poolSize = 0...100_000
    static let poolOverflow = 0...100_000
    static let poolWait = Nanoseconds.zero...Nanoseconds.seconds(3600)
    static let poolAge = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(7 * 86_400)
    static let timeout = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(86_400)

    // Identity.
    static let ipv6Prefix = 1...128
    /// Sources of one part of the identity.
    static let sources = 8
    static let tokenKeys = 32
    static let audiences = 32
    /// Bytes of `issuer` and of each `audience`.
    static let issuerBytes = 1...1024
    /// Bytes of a secret for HS256: at least those of its digest (RFC 7518 §3.2).
    static let secretBytes = IdentityBounds.secretBytesMin...1024
    static let leeway = Nanoseconds.zero...IdentityBounds.leewayMax
    static let claimBytes = 1...128
    static let urlBytes = 2048

    // The file of API keys.
    static let apiKeyFileBytes = 16 << 20
    static let apiKeys = 100_000
    /// Bytes of an API key in clear.
    static let apiKeyBytes = 16...1024
    /// Bytes of a user or company.
    static let identityBytes = 1...IdentityBounds.claimBytesMax

    // Limits.
    static let rateCount = 1...1_000_000_000
    static let ratePeriod = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(366 * 86_400)
    static let burst = 1...1_000_000
    static let subWindows = 1...360
    /// Requests of a sliding log, which keeps the moment of each.
    static let slidingLog = 1...Int(LimitBounds.logMax)
    static let maxDelay = Nanoseconds.milliseconds(1)...Nanoseconds.seconds(60)
    static let concurrent = 1...1_000_000
    static let cost = 0...1_000_000
    /// Scopes of one limit.
    static let scopes = 16
    static let overrides = 1000
    /// Bytes of an override's key, below the 1024 that YAML allows.
    static let overrideBytes = 512
    static let countedStatus = 200...599
    static let countedRanges = 64

    // Cache.
    static let cacheMemory: ClosedRange<UInt64> = 1 << 20...1 << 40
    static let maxObject: ClosedRange<UInt64> = 1...1 << 32
    static let warmURLs = 1000
    static let warmInterval = Nanoseconds.seconds(1)...Nanoseconds.seconds(86_400)
    static let warmConcurrency = 1...256
    /// Content that is read for a key.
    static let maxBody: ClosedRange<UInt64> = 1...16 << 20
    static let ttl = Nanoseconds.zero...Nanoseconds.seconds(366 * 86_400)
    static let errorStatus = 400...599
    /// In thousandths.
    static let beta = 1...100_000

    // Idempotency.
    static let idempotencyTTL = Nanoseconds.seconds(1)...Nanoseconds.seconds(31 * 86_400)
    static let idempotencyMemory: ClosedRange<UInt64> = 1 << 20...1 << 40
    static let maxAnswer: ClosedRange<UInt64> = 1...16 << 20

    // Compression.
    static let compressedSize: ClosedRange<UInt64> = 1...1 << 30
    static let gzipLevel = 1...9
    /// Above 9 a slice of a body would hold a worker up for tens of milliseconds.
    static let brotliQuality = 0...9
    static let mediaTypes = 64
    static let mediaTypeBytes = 127

    // Protocol towards clients.
    static let headerBytes: ClosedRange<UInt64> = 1 << 10...1 << 20
    static let fields = 1...1000
    static let targetBytes: ClosedRange<UInt64> = 256...64 << 10
    static let bodyBytes: ClosedRange<UInt64> = 0...1 << 40
    static let connections = 1...1_000_000
}
