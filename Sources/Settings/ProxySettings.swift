public import Caching
public import Identity
public import Limits
public import Primitives
public import Routes

/// Everything one configuration file says, checked and with all defaults filled in.
///
/// An immutable snapshot: workers hold a reference and get another one by message.
public final class ProxySettings: Sendable {
    /// The addresses to listen on, at least one.
    public let listeners: [ListenerSettings]
    /// The address for health and metrics; `nil`: none.
    public let admin: AdminSettings?
    /// Event loop threads, 1…256.
    public let workers: Int
    /// The size of the limit table, in keys.
    public let limitKeys: Int
    /// The Redis that replicas share; `nil`: everything is this process's own.
    public let redis: RedisStores?
    /// The origins, by index.
    public let upstreams: [UpstreamSettings]
    /// Who asks.
    public let identity: IdentitySettings
    /// All limits, by index.
    public let limits: [LimitDefinition]
    /// The bytes of the memory cache; 0 when no route caches.
    public let cacheMemory: Int
    /// The bytes of answers kept by Idempotency-Key.
    public let idempotencyMemory: Int
    /// The codings in which stored answers are offered; `nil`: in none.
    public let compression: CompressionPolicy?
    /// What is fetched before anybody asks; `nil`: nothing.
    public let warm: WarmSettings?
    /// The routes in order; never empty.
    public let routes: [RouteSettings]
    /// Bounds of the protocol.
    public let http: HTTPSettings
    /// Which rate limit fields are sent.
    public let headers: HeaderSettings
    /// The logs.
    public let log: LogSettings
    /// How long running requests may take after SIGTERM.
    public let drain: Nanoseconds

    /// Creates a snapshot. The indices in `routes` must lie in `upstreams` and `limits`.
    public init(
        listeners: [ListenerSettings], admin: AdminSettings?, workers: Int, limitKeys: Int,
        upstreams: [UpstreamSettings], identity: IdentitySettings, limits: [LimitDefinition],
        cacheMemory: Int, warm: WarmSettings? = nil, routes: [RouteSettings], http: HTTPSettings,
        headers: HeaderSettings, log: LogSettings, drain: Nanoseconds,
        idempotencyMemory: Int = 64 << 20, compression: CompressionPolicy? = nil,
        redis: RedisStores? = nil
    ) {
        for route in routes {
            precondition(upstreams.indices.contains(route.upstream))
            for limit in route.limits { precondition(limits.indices.contains(limit)) }
        }
        self.listeners = listeners
        self.admin = admin
        self.workers = workers
        self.limitKeys = limitKeys
        self.upstreams = upstreams
        self.identity = identity
        self.limits = limits
        self.cacheMemory = cacheMemory
        self.idempotencyMemory = idempotencyMemory
        self.warm = warm
        self.routes = routes
        self.http = http
        self.headers = headers
        self.log = log
        self.drain = drain
        self.compression = compression
        self.redis = redis
    }

    /// The same for a process that asks no Redis: all limits are counted in it.
    public var withoutRedis: ProxySettings {
        let limits = limits.map { limit in
            var limit = limit
            limit.consistency = .process
            return limit
        }
        return ProxySettings(
            listeners: listeners, admin: admin, workers: workers, limitKeys: limitKeys,
            upstreams: upstreams, identity: identity, limits: limits, cacheMemory: cacheMemory,
            warm: warm, routes: routes, http: http, headers: headers, log: log, drain: drain,
            idempotencyMemory: idempotencyMemory, compression: compression)
    }
}

/// What a route does with the requests it matches.
public struct RouteSettings: Sendable, Equatable {
    /// Which requests it matches.
    public var match: RouteDefinition
    /// Index of its upstream in `ProxySettings.upstreams`.
    public var upstream: Int
    /// Indices of its limits in `ProxySettings.limits`.
    public var limits: [Int]
    /// Its use of the cache; `nil`: none.
    public var cache: CachePolicy?
    /// Whether its stored answers are offered in content codings, as `ProxySettings.compression` says.
    public var compresses: Bool
    /// The whole path's prefix that is removed before the request is forwarded; empty: none.
    public var stripPrefix: String
    /// The time the origin has for the whole answer's head; `nil`: the upstream's `first_byte`.
    public var timeout: Nanoseconds?
    /// Whether a request must have a user, else 401.
    public var requiresUser: Bool
    /// How it keeps answers by Idempotency-Key; `nil`: it does not.
    public var idempotency: IdempotencyPolicy?
    /// Tags that an unsafe request purges when it succeeds.
    public var invalidates: [TagTemplate] = []

    /// Creates settings.
    public init(
        match: RouteDefinition, upstream: Int = 0, limits: [Int] = [], cache: CachePolicy? = nil,
        stripPrefix: String = "", timeout: Nanoseconds? = nil, requiresUser: Bool = false,
        idempotency: IdempotencyPolicy? = nil, compresses: Bool = false
    ) {
        self.match = match
        self.upstream = upstream
        self.limits = limits
        self.cache = cache
        self.stripPrefix = stripPrefix
        self.timeout = timeout
        self.requiresUser = requiresUser
        self.idempotency = idempotency
        self.compresses = compresses
    }
}

extension ProxySettings: Equatable {
    /// Whether both say the same.
    public static func == (a: ProxySettings, b: ProxySettings) -> Bool {
        a.listeners == b.listeners && a.admin == b.admin && a.workers == b.workers
            && a.limitKeys == b.limitKeys && a.upstreams == b.upstreams && a.identity == b.identity
            && a.limits == b.limits && a.cacheMemory == b.cacheMemory && a.warm == b.warm
            && a.routes == b.routes
            && a.http == b.http && a.headers == b.headers && a.log == b.log && a.drain == b.drain
            && a.idempotencyMemory == b.idempotencyMemory && a.compression == b.compression
            && a.redis == b.redis
    }
}
