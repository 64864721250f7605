import Caching
import HTTPModel
import Identity
import Limits
import Primitives
import Settings

/// What holds when the file does not say it. The only place with defaults.
///
/// Parts that are structs of the data plane carry their values themselves; they are named here.
enum Defaults {
    // The process.
    static let limitKeys = 1_000_000
    static let idempotencyMemory = 64 << 20
    static let drain = Nanoseconds.seconds(30)
    static let healthOnMain = false
    static let redisPort = 6379
    static let sentinelPort = 26_379

    // Upstreams. Pool and timeouts: see `UpstreamSettings`.
    static let upstreamName = "default"
    static let weight = 1
    static let httpPort = 80

    // Identity: nobody is trusted, IPv6 by /64.
    static let identity = IdentitySettings()
    /// What tokens may be signed with where there are public keys. HS256 must be named.
    static let tokenAlgorithms: [JWTAlgorithm] = [.RS256, .PS256, .ES256, .EdDSA]
    static let apiKeyHeader = "x-api-key"

    // Limits.
    static let per: [LimitDefinition.Scope] = [.ip]
    static let anonymous = LimitDefinition.Anonymous.ip
    static let mode = LimitDefinition.Mode.enforce
    /// Of a limit under `redis:`.
    static let consistency = LimitDefinition.Consistency.strict
    static let onRedisFailure = LimitDefinition.RedisFailure.local
    static let subWindows = 60
    static let maxDelay = Nanoseconds.seconds(1)
    static let reserve: UInt32 = 1

    // Cache. What one route does: see `CachePolicy`.
    static let cacheMemory = 256 << 20
    static let cachePolicy = CachePolicy()

    // Routes: without `routes:`, one for everything.
    static let routePath = "/**"

    // Protocol, rate limit fields and logs.
    static let http = HTTPSettings()
    static let headers = HeaderSettings()
    static let log = LogSettings()
}
