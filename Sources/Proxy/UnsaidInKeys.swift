import Caching
import Identity
import Primitives
import Settings

/// What cache keys do not say, because it was so when the process began.
///
/// Stored answers outlive a reload, so a key must never come to mean something else. What decides its
/// meaning beyond the request itself is: the upstream, the prefix that is removed, the query parameters that
/// are ignored and, for answers of one identity, where the identity comes from. The first configuration's
/// way is left out, so that keys are short for whoever never changes it; every other way is in the key:
///
///     default             nothing
///     other upstream      reports
///     removed prefix      reports/v1
///     ignored parameters  reports/v1?9c0f2d55c1a86e01    a digest of the list
///     identity            reports/v1#03b6a7c9d8e2f410    a digest of the sources, with `vary_by` only
struct UnsaidInKeys: Sendable {
    /// The upstream that was the only one; `nil`: there were several.
    private let upstream: String?
    /// The ignored parameters of the first route that caches, sorted.
    private let ignored: [String]
    /// The sources of the identity.
    private let identity: [String]

    /// The ways of a process that begins with `settings`.
    init(_ settings: ProxySettings) {
        upstream = settings.upstreams.count == 1 ? settings.upstreams[0].name : nil
        let first = settings.routes.lazy.compactMap(\.cache).first
        ignored = first?.ignoreQuery.sorted() ?? []
        identity = UnsaidInKeys.sources(settings.identity)
    }

    /// What the keys of `route`, one of `settings`, say beyond the request and its identity.
    func space(of route: RouteSettings, in settings: ProxySettings) -> String {
        guard let cache = route.cache else { return "" }
        let name = settings.upstreams[route.upstream].name
        var space = name == upstream ? "" : name
        space += route.stripPrefix
        let ignored = cache.ignoreQuery.sorted()
        if ignored != self.ignored { space += "?" + UnsaidInKeys.digest(ignored) }
        let identity = UnsaidInKeys.sources(settings.identity)
        if !cache.varyBy.isEmpty && identity != self.identity {
            space += "#" + UnsaidInKeys.digest(identity)
        }
        return space
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
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(0, 0))
        for text in texts {
            hasher.append(UInt64(text.utf8.count))
            hasher.append(Array(text.utf8).span)
        }
        return String(hasher.finish().low, radix: 16)
    }
}
