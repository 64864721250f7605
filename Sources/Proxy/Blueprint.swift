import Caching
import HTTPModel
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
    /// Whether health checks are answered on the main address, too.
    let healthOnMain: Bool
    /// Of which methods some route stores answers.
    let cachedMethods: CachePolicy.Methods
    /// Who asks.
    public let identity: IdentityResolver
    /// The claims of tokens that identity and limits look at.
    public let claims: [String]
    /// The fields that tell the origin who asks.
    let identityFields: IdentityFields
    /// The field of API keys, in lower case; `nil`: none is looked at.
    private let apiKeyField: [UInt8]?
    /// Whether tokens may come in a cookie.
    private let hasTokenCookie: Bool
    /// Whether credentials may come in other fields than Authorization.
    private let looksForOtherCredentials: Bool
    /// What cache keys do not say, because it was so when the process began.
    let unsaid: UnsaidInKeys

    /// Compiles `settings`; `former`: what the process followed so far.
    public init(_ settings: ProxySettings, after former: Blueprint? = nil) {
        self.settings = settings
        let unsaid = former?.unsaid ?? UnsaidInKeys(settings)
        self.unsaid = unsaid
        table = RouteTable(settings.routes.map(\.match))
        claims = Blueprint.claims(settings)
        identity = IdentityResolver(settings.identity, claims: claims)
        identityFields = IdentityFields(settings.identity)
        apiKeyField = settings.identity.apiKeys.map { Array($0.header.utf8) }
        hasTokenCookie = settings.identity.jwt?.cookie != nil
        looksForOtherCredentials = hasTokenCookie || apiKeyField != nil
        var dialects: RateLimitFields.Dialects = []
        if settings.headers.xRateLimit { dialects.insert(.xRateLimit) }
        if settings.headers.ietfDraft11 { dialects.insert(.ietfDraft11) }
        if settings.headers.ietfDraft03 { dialects.insert(.ietfDraft03) }
        let fields = RateLimitFields(
            dialects, resetIsDelta: settings.headers.resetIsDelta,
            retryAfterJitter: settings.headers.retryAfterJitter)
        healthOnMain = settings.admin?.healthOnMain ?? false
        caches = settings.routes.contains { $0.cache != nil }
        cachedMethods = settings.routes.reduce(into: []) { $0.formUnion($1.cache?.methods ?? []) }
        routes = settings.routes.map { [claims] route in
            Route(
                route, limits: settings.limits, claims: claims,
                space: unsaid.space(of: route, in: settings),
                scope: UnsaidInKeys.scope(of: route, in: settings),
                sharedScope: UnsaidInKeys.sharedScope(of: route, in: settings),
                compression: settings.compression, fields: fields)
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

    /// Whether a field says who its sender is: Authorization, or that of API keys.
    func isCredential(_ index: Int, of fields: borrowing FieldList) -> Bool {
        if fields[index].name == .authorization { return true }
        guard let apiKeyField else { return false }
        return fields.name(at: index).equalsIgnoringCase(apiKeyField.span)
    }

    /// Whether a request carries credentials in other fields than Authorization: the answer may then be its
    /// sender's alone (RFC 9111 §3.5 speaks of the one field, and means this). Any cookie may be the token's.
    @inline(__always)
    func hasOtherCredentials(_ fields: borrowing FieldList) -> Bool {
        looksForOtherCredentials && findsOtherCredentials(fields)
    }

    @inline(never)
    private func findsOtherCredentials(_ fields: borrowing FieldList) -> Bool {
        if hasTokenCookie && fields.contains(.cookie) { return true }
        guard let apiKeyField else { return false }
        for index in fields.indices
        where fields.name(at: index).equalsIgnoringCase(apiKeyField.span) {
            return true
        }
        return false
    }
}
