/// How the cache is configured for a case: a route of the one file that all cases share.
struct Setting: Sendable, Equatable {
    /// The first segment of the paths of its cases.
    let name: String
    /// The route's `cache:` part.
    let cache: String
    /// What else the route says.
    var more = ""

    /// Nothing but what the RFCs say.
    static let rfc = Setting(name: "rfc", cache: "{}")
    static let respect = Setting(name: "respect", cache: "{client_no_cache: respect}")
    static let strict = Setting(name: "strict", cache: "{stale: strict}")
    static let ttl = Setting(name: "ttl", cache: "{ttl: 1h}")
    static let force = Setting(name: "force", cache: "{force_ttl: 1h}")
    static let negative = Setting(name: "negative", cache: "{negative: {404: 1h, 503: 1h}}")
    static let stale = Setting(
        name: "stale", cache: "{stale_while_revalidate: 1h, stale_if_error: 1h}")
    static let user = Setting(name: "user", cache: "{vary_by: [user]}")
    static let ignoring = Setting(name: "ignoring", cache: "{ignore_query: [utm_*, session]}")
    static let small = Setting(name: "small", cache: "{max_object: 100}")
    static let only = Setting(name: "only", cache: "{only_query: [a, b], sort_query: true}")
    static let parts = Setting(
        name: "parts", cache: "{ttl: 1h, vary_by: [header:X-Tenant, cookie:theme]}")
    static let strip = Setting(name: "strip", cache: "{set_cookie: strip}")
    static let keep = Setting(name: "keep", cache: "{set_cookie: store, vary_by: [user]}")
    static let bypass = Setting(
        name: "bypass",
        cache: "{bypass: {headers: [X-No-Cache], cookies: {preview: \"1\"}, query: [nocache]}}")
    static let origin = Setting(name: "origin", cache: "{origin_ttl: X-Accel-Expires}")
    static let query = Setting(name: "query", cache: "{methods: [GET, QUERY], max_body: 1000}")
    static let post = Setting(
        name: "post", cache: "{ttl: 1h, methods: [GET, POST], vary_by: [body]}")
    static let off = Setting(name: "off", cache: "off")

    static let all: [Setting] = [
        rfc, respect, strict, ttl, force, negative, stale, user, ignoring, only, parts, small,
        strip,
        keep, bypass, origin, query, post, off,
    ]

    /// The whole file.
    static func configuration(origin: String) -> String {
        var lines = [
            "listen: 127.0.0.1:0", "upstream: \(origin)",
            "identity: {trusted_proxies: [127.0.0.0/8], user: header:X-User-ID}",
            "cache: {memory: 256MiB, early_refresh: off}", "log: {sample: 0%}", "routes:",
        ]
        for setting in all {
            let more = setting.more.isEmpty ? "" : ", \(setting.more)"
            lines.append("  - {path: /\(setting.name)/**, cache: \(setting.cache)\(more)}")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
