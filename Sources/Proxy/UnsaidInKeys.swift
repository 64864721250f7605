import Caching
import Identity
import Primitives
import Routes
import Settings

/// What cache keys do not say, because it was so when the process began.
///
/// Stored answers outlive a reload, so a key must never come to mean something else. What decides its
/// meaning beyond the request itself is: the upstream, the prefix that is removed, which query parameters
/// count and in which order and, for answers of one identity or address, where these come from. The first
/// configuration's way is left out, so that keys are short for whoever never changes it; every other way is in
/// the key. The fields and cookies of `vary_by` are named in each key.
///
///     default             nothing
///     other upstream      reports
///     removed prefix      reports/v1
///     query               reports/v1?9c0f2d55c1a86e01    a digest of the lists
///     identity            reports/v1#03b6a7c9d8e2f410    a digest of the sources, with `vary_by` only
struct UnsaidInKeys: Sendable {
    /// The upstream that was the only one; `nil`: there were several.
    private let upstream: String?
    /// What the first route that caches makes of the query.
    private let query: [String]
    /// The sources of the identity.
    private let identity: [String]
    /// Who is believed about addresses.
    private let trusted: [String]

    /// The ways of a process that begins with `settings`.
    init(_ settings: ProxySettings) {
        upstream = settings.upstreams.count == 1 ? settings.upstreams[0].name : nil
        let first = settings.routes.lazy.compactMap(\.cache).first
        query = first.map { UnsaidInKeys.query($0) } ?? []
        identity = UnsaidInKeys.sources(settings.identity)
        trusted = UnsaidInKeys.trusted(settings.identity)
    }

    /// What the keys of `route`, one of `settings`, say beyond the request and its identity.
    func space(of route: RouteSettings, in settings: ProxySettings) -> String {
        guard let cache = route.cache else { return "" }
        let name = settings.upstreams[route.upstream].name
        var space = name == upstream ? "" : name
        space += route.stripPrefix
        let query = UnsaidInKeys.query(cache)
        if query != self.query { space += "?" + UnsaidInKeys.digest(query) }
        var asked: [String] = []
        let identity = UnsaidInKeys.sources(settings.identity)
        if cache.hasIdentity && identity != self.identity { asked += identity }
        let trusted = UnsaidInKeys.trusted(settings.identity)
        if cache.varyBy.contains(.ip) && trusted != self.trusted { asked += trusted }
        if !asked.isEmpty { space += "#" + UnsaidInKeys.digest(asked) }
        return space
    }

    /// What an idempotency key on `route`, one of `settings`, belongs to: the route by its name, where its
    /// requests go, and where users come from. After a reload that changes one of these a key is a new one.
    static func scope(of route: RouteSettings, in settings: ProxySettings) -> String {
        let parts = [
            settings.upstreams[route.upstream].name, route.stripPrefix,
        ]
        return route.match.name + "#" + digest(parts + sources(settings.identity)) + "="
    }

    /// What the keys of `route`, one of `settings`, mean beyond what they say, for processes that share a Redis: all
    /// that decides what a key stands for, also what `space` leaves out because it was so from the start, and
    /// whether the origin is asked for codings.
    static func sharedScope(of route: RouteSettings, in settings: ProxySettings) -> UInt64 {
        guard let cache = route.cache else { return 0 }
        var parts = [
            settings.upstreams.count == 1 ? "" : settings.upstreams[route.upstream].name,
            route.stripPrefix,
            route.compresses && settings.compression != nil ? "encodes" : "",
        ]
        parts += query(cache)
        if cache.hasIdentity { parts += sources(settings.identity) }
        if cache.varyBy.contains(.ip) { parts += trusted(settings.identity) }
        return number(parts)
    }

    /// What becomes of a query.
    private static func query(_ cache: CachePolicy) -> [String] {
        let only = cache.onlyQuery.map { ["only"] + $0.sorted() } ?? []
        return cache.ignoreQuery.sorted() + only + (cache.sortsQuery ? ["", "sort"] : [])
    }

    /// Who says which address a client has.
    private static func trusted(_ identity: IdentitySettings) -> [String] {
        ["trusted"] + identity.trustedProxies.map(\.description).sorted()
    }

    /// Where user, company and tier come from: the same name from elsewhere may be somebody else.
    private static func sources(_ identity: IdentitySettings) -> [String] {
        let parts = [
            ("user", identity.user), ("company", identity.company), ("tier", identity.tier),
        ]
        return parts.flatMap { part, sources in sources.map { "\(part)=\(text($0))" } }
            + ["issuer=\(identity.jwt?.issuer ?? "")"]
    }

    private static func text(_ source: IdentitySettings.Source) -> String {
        switch source {
        case .header(let name): "header:\(name)"
        case .claim(let name): "claim:\(name)"
        case .apiKey(let part): "api_key:\(part.rawValue)"
        case .cookie(let name): "cookie:\(name)"
        }
    }

    private static func digest(_ texts: [String]) -> String {
        String(number(texts), radix: 16)
    }

    private static func number(_ texts: [String]) -> UInt64 {
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(0, 0))
        for text in texts {
            hasher.append(UInt64(text.utf8.count))
            hasher.append(Array(text.utf8).span)
        }
        return hasher.finish().low
    }
}
