import Caching
public import Identity
import Limits
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
    /// The claims of tokens that identity and limits look at.
    public let claims: [String]
    /// The fields that tell the origin who asks.
    let identityFields: IdentityFields
    /// The dialects of rate limit fields.
    let limitFields: RateLimitFields

    /// Compiles `settings`.
    public init(_ settings: ProxySettings) {
        self.settings = settings
        table = RouteTable(settings.routes.map(\.match))
        claims = Blueprint.claims(settings)
        identity = IdentityResolver(settings.identity, claims: claims)
        identityFields = IdentityFields(settings.identity)
        limitFields = RateLimitFields(
            xRateLimit: settings.headers.xRateLimit, ietfDraft11: settings.headers.ietfDraft11,
            resetIsDelta: settings.headers.resetIsDelta)
        caches = settings.routes.contains { $0.cache != nil }
        // Where there are several upstreams the same target may mean several things.
        let spaces = settings.upstreams.map { settings.upstreams.count > 1 ? $0.name : "" }
        routes = settings.routes.map { [claims] route in
            Route(
                route, limits: settings.limits, claims: claims, space: spaces[route.upstream])
        }
    }

    /// The claims that identity and limits look at, each once.
    private static func claims(_ settings: ProxySettings) -> [String] {
        let sources = settings.identity.user + settings.identity.company + settings.identity.tier
        var names = sources.compactMap { if case .claim(let name) = $0 { name } else { nil } }
        for limit in settings.limits {
            for case .claim(let name) in limit.per { names.append(name) }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}
