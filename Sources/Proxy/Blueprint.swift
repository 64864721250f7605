public import Caching
public import Identity
public import Limits
import Primitives
public import Routes
public import Settings

/// One settings snapshot compiled for the data plane: immutable, shared by all workers.
public final class Blueprint: Sendable {
    /// The settings it was made of.
    public let settings: ProxySettings
    /// Which route a request gets.
    public let table: RouteTable
    /// What each route does, in the order of `settings.routes`.
    public let routes: [Route]
    /// Whether any route caches.
    let caches: Bool
    /// Who asks.
    public let identity: IdentityResolver
    /// Names of identity fields, in lower case, that are not passed on from peers that are not trusted.
    let identityFields: [[UInt8]]
    /// The dialects of rate limit fields.
    let limitFields: RateLimitFields

    /// A route with its policies compiled.
    public struct Route: Sendable {
        /// The name in logs and metrics.
        public let name: [UInt8]
        /// The path pattern, the `endpoint` of the log.
        public let pattern: [UInt8]
        /// Index of the upstream.
        public let upstream: Int
        /// The limits.
        public let limits: LimitPolicy
        /// Which limits of the configuration they are.
        public let limitIndices: [Int]
        /// Their names, for the log.
        public let limitNames: [[UInt8]]
        /// How it caches; `nil`: not at all.
        public let cache: CachePolicy?
        /// How its cache key is built.
        public let recipe: CacheKeyRecipe?
        /// Segments of the path that are removed before forwarding.
        public let strippedSegments: Int
        /// The deadline of the answer's head; `nil`: the upstream's.
        let timeout: Nanoseconds?
        /// Whether a request must have a user.
        public let requiresUser: Bool
    }

    /// Compiles `settings`.
    public init(_ settings: ProxySettings) {
        self.settings = settings
        table = RouteTable(settings.routes.map(\.match))
        identity = IdentityResolver(settings.identity)
        let sources = [settings.identity.user, settings.identity.company, settings.identity.tier]
        identityFields = sources.compactMap { source in
            if case .header(let name)? = source { Array(name.utf8) } else { nil }
        }
        limitFields = RateLimitFields(
            xRateLimit: settings.headers.xRateLimit, ietfDraft11: settings.headers.ietfDraft11,
            resetIsDelta: settings.headers.resetIsDelta)
        caches = settings.routes.contains { $0.cache != nil }
        // Where there are several upstreams the same target may mean several things.
        let spaces = settings.upstreams.map { settings.upstreams.count > 1 ? $0.name : "" }
        routes = settings.routes.map { route in
            Route(
                name: Array(route.match.name.utf8), pattern: Array(route.match.path.utf8),
                upstream: route.upstream,
                limits: LimitPolicy(
                    limits: route.limits.map { settings.limits[$0] }, endpoint: route.match.path),
                limitIndices: route.limits,
                limitNames: route.limits.map { Array(settings.limits[$0].name.utf8) },
                cache: route.cache, recipe: route.cache.map { CacheKeyRecipe($0, space: spaces[route.upstream]) },
                strippedSegments: route.stripPrefix.split(separator: "/").count, timeout: route.timeout,
                requiresUser: route.requiresUser)
        }
    }
}
