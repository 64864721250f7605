import Caching
import HTTPModel
import Limits
import Primitives
import Routes
import Settings

extension Configuration {
    /// The store, or `off`; what routes do with it is written in each of them.
    static func cache(_ settings: ProxySettings) -> YAMLOutput {
        guard settings.cacheMemory > 0 else { return .text("off") }
        var entries: [(String, YAMLOutput)] = [("memory", .size(settings.cacheMemory))]
        if let warm = settings.warm { entries.append(("warm", self.warm(warm))) }
        return .block(entries)
    }

    static func compression(_ policy: CompressionPolicy?) -> YAMLOutput {
        guard let policy else { return .text("off") }
        let (first, second) = (policy.encodings.first, policy.encodings.second)
        return .block([
            (
                "encodings",
                .list(([first] + [second].compactMap(\.self)).map { .text("\($0.name)") })
            ),
            ("min_size", .size(policy.minSize)),
            ("types", .list(policy.types.map { .text($0.text) })),
            (
                "level",
                .flow([
                    ("gzip", .number(policy.gzipLevel)), ("br", .number(policy.brotliQuality)),
                ])
            ),
        ])
    }

    static func route(_ route: RouteSettings, in settings: ProxySettings) -> YAMLOutput {
        let match = route.match
        var entries: [(String, YAMLOutput)] = [("path", .text(match.path))]
        if match.name != match.path { entries.append(("name", .text(match.name))) }
        if !match.methods.isEmpty {
            entries.append(("methods", .list(match.methods.map { .text($0) })))
        }
        if let host = match.host { entries.append(("host", .text(host))) }
        if !match.headers.isEmpty {
            let conditions = match.headers.map { condition in
                (condition.name, condition.value.map { YAMLOutput.text($0) } ?? .verbatim("~"))
            }
            entries.append(("headers", .flow(conditions)))
        }
        entries.append(("upstream", .text(settings.upstreams[route.upstream].name)))
        entries.append(("limits", .list(route.limits.map { .text(settings.limits[$0].name) })))
        entries.append(
            ("cache", route.cache.map { .block(policy($0, in: settings)) } ?? .text("off")))
        if route.cache != nil && settings.compression != nil {
            entries.append(("compression", .text(route.compresses ? "on" : "off")))
        }
        if !route.stripPrefix.isEmpty { entries.append(("strip_prefix", .text(route.stripPrefix))) }
        if let timeout = route.timeout { entries.append(("timeout", .duration(timeout))) }
        if let policy = route.idempotency {
            entries.append(
                (
                    "idempotency",
                    .block([
                        ("ttl", .duration(policy.ttl)),
                        ("required", .verbatim(policy.isRequired ? "true" : "false")),
                        ("header", .text(policy.header)), ("max_body", .size(policy.maxBody)),
                        ("max_answer", .size(policy.maxAnswer)),
                    ])
                ))
        }
        if !route.invalidates.isEmpty {
            entries.append(("invalidates", .list(route.invalidates.map { .text($0.text) })))
        }
        entries.append(("auth", .text(route.requiresUser ? "required" : "optional")))
        return .block(entries)
    }

    private static func policy(
        _ policy: CachePolicy, in settings: ProxySettings
    ) -> [(String, YAMLOutput)] {
        var entries: [(String, YAMLOutput)] = []
        if let ttl = policy.ttl { entries.append(("ttl", .duration(ttl))) }
        if let forced = policy.forceTTL { entries.append(("force_ttl", .duration(forced))) }
        if let stale = policy.staleWhileRevalidate {
            entries.append(("stale_while_revalidate", .duration(stale)))
        }
        if let stale = policy.staleIfError { entries.append(("stale_if_error", .duration(stale))) }
        entries.append(("vary_by", .list(policy.varyBy.map { .text($0.text) })))
        entries.append(("ignore_query", .list(policy.ignoreQuery.map { .text($0) })))
        if let only = policy.onlyQuery {
            entries.append(("only_query", .list(only.map { .text($0) })))
        }
        entries.append(("sort_query", .verbatim(policy.sortsQuery ? "true" : "false")))
        let negative = policy.negative.sorted { $0.key < $1.key }
        entries.append(("negative", .flow(negative.map { ("\($0.key)", .duration($0.value)) })))
        let methods = CachePolicy.Methods.all.filter { policy.methods.contains($0.methods) }
        entries.append(
            (
                "methods",
                .list(
                    methods.flatMap { entry -> [YAMLOutput] in
                        let name = YAMLOutput.text("\(entry.method.text)")
                        return entry.method == .get ? [name, .text("HEAD")] : [name]
                    })
            ))
        entries.append(("max_body", .size(policy.maxBody)))
        entries.append(("max_object", .size(policy.maxObject)))
        entries.append(("early_refresh", earlyRefresh(policy.earlyRefresh)))
        if !policy.tags.isEmpty {
            entries.append(("tags", .list(policy.tags.map { .text($0.text) })))
        }
        let collapse = policy.collapsesFleet ? "cluster" : policy.collapses ? "process" : "off"
        entries.append(("collapse", .text(collapse)))
        if settings.redis != nil {
            entries.append(("redis", .verbatim(policy.isShared ? "true" : "false")))
        }
        entries.append(
            ("client_no_cache", .text(policy.respectsClientNoCache ? "respect" : "ignore")))
        entries.append(("set_cookie", .text(policy.setCookie.rawValue)))
        entries.append(("bypass", bypass(policy.bypass)))
        let field = String(decoding: policy.originTTLName, as: UTF8.self)
        entries.append(("origin_ttl", .text(field.isEmpty ? "off" : field)))
        entries.append(("stale", .text(policy.stale.rawValue)))
        return entries
    }

    private static func bypass(_ rules: BypassRules) -> YAMLOutput {
        let kinds = [
            ("headers", rules.headers), ("cookies", rules.cookies), ("query", rules.query),
        ]
        return .flow(
            kinds.filter { !$0.1.isEmpty }.map { name, conditions in
                let written = conditions.map { condition in
                    (condition.name, condition.value.map { YAMLOutput.text($0) } ?? .verbatim("~"))
                }
                return (name, .flow(written))
            })
    }

    private static func earlyRefresh(_ refresh: CachePolicy.EarlyRefresh) -> YAMLOutput {
        switch refresh {
        case .off: .text("off")
        case .xfetch(let beta):
            .flow([("beta", .verbatim(DecimalText.write(Int((beta * 1000).rounded()))))])
        case .chance(let last, let chance):
            .flow([("last", .percent(last)), ("chance", .percent(chance))])
        }
    }
}
