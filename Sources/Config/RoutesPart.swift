import Limits
import Primitives
import Routes
import Settings

/// What routes refer to.
struct RouteContext {
    var upstreams: UpstreamTable
    var limits: [ParsedLimit]
    var cache: ParsedCache
    var compression: ParsedCompression
    var identity: ParsedIdentity
    var redis: ParsedRedis
    /// Bytes of answers kept by Idempotency-Key.
    var idempotencyMemory: Int
}

/// One route of the file and where it stands.
struct ParsedRoute {
    var settings: RouteSettings
    /// Whether its path was read without a fault.
    var hasRightPath = false
    var pathValue: Value?
    var value: Value
    /// The values whose meaning depends on other parts.
    var cacheValue: Value?
    var authValue: Value?
    var invalidatesValue: Value?
    /// Whether its other conditions were.
    var hasRightConditions = true
    /// Whether its limits were.
    var hasRightLimits = true

    /// Whether what it matches is known.
    var hasRightMatch: Bool { hasRightPath && hasRightConditions }
    /// Whether it requires a user, or says something about it that was not understood.
    var mayRequireUser: Bool { authValue.map { $0.text != "optional" } ?? false }
}

/// Reads `routes:`.
extension Report {
    func routes(_ value: Value, _ context: RouteContext) -> [ParsedRoute] {
        let items = items(value, "routes", atMost: Bounds.routes)
        if value.isEmptyList {
            expected(
                "at least one route", value,
                help: "without `routes`, every request gets all limits and the cache")
        }
        var names: [String: Int] = [:]
        return items.compactMap { route($0, context, &names) }
    }

    private func route(
        _ value: Value, _ context: RouteContext, _ names: inout [String: Int]
    ) -> ParsedRoute? {
        let help = "for example `{path: /api/**, cache: 5m}`"
        guard var fields = Fields(value, self, expected: "a mapping", help: help) else {
            return nil
        }
        let standIn = RouteDefinition(name: "", path: Defaults.routePath)
        var route = ParsedRoute(settings: RouteSettings(match: standIn), value: value)
        if let path = fields.require("path", help: "`path: /**` matches everything") {
            route.hasRightPath = checkPath(path)
            route.pathValue = path
            route.settings.match.path = path.text ?? ""
        }
        conditions(&fields, &route)
        route.settings.match.name = route.settings.match.path
        if let name = fields.take("name"), let text = self.name(name, "a name") {
            route.settings.match.name = text
            if let line = names[text] {
                error(name, "\"\(text)\" is already used at line \(line)")
            } else {
                names[text] = name.line
            }
        }
        route.settings.upstream = routeUpstream(fields.take("upstream"), value, context.upstreams)
        if let limits = fields.take("limits") {
            let (indices, isWhole) = routeLimits(limits, context.limits)
            route.settings.limits = indices
            route.hasRightLimits = isWhole
        }
        route.cacheValue = fields.take("cache")
        if let cache = route.cacheValue {
            let policy = routeCache(cache, context.cache, path: route.settings.match.path)
            route.settings.cache = context.cache.isOff ? nil : policy
        } else if context.cache.isForAllRoutes {
            route.settings.cache = context.cache.policy
        }
        route.settings.compresses = routeCompression(
            fields.take("compression"), caches: route.settings.cache != nil, context)
        if let prefix = fields.take("strip_prefix") { stripPrefix(prefix, &route) }
        if let timeout = fields.take("timeout") {
            route.settings.timeout = duration(timeout, Bounds.timeout)
        }
        if let auth = fields.take("auth") {
            route.authValue = auth
            route.settings.requiresUser =
                word(auth, "choice", ["required", "optional"]) == "required"
        }
        if let value = fields.take("idempotency") {
            route.settings.idempotency = idempotency(value, memory: context.idempotencyMemory)
            if route.settings.idempotency != nil && route.hasRightConditions {
                checkIdempotency(value, route.settings.match.methods)
            }
        }
        if let tags = fields.take("invalidates") { invalidates(tags, &route) }
        fields.finish()
        return route
    }

    private func routeUpstream(_ named: Value?, _ route: Value, _ table: UpstreamTable) -> Int {
        guard let named else {
            if table.defaultIndex == nil, !table.settings.isEmpty {
                let names = table.settings.map { "`\($0.name)`" }.joined(separator: ", ")
                error(
                    keyOf: route, "`upstream` is missing and none is named `default`",
                    help: "choose one of \(names)")
            }
            return table.defaultIndex ?? 0
        }
        guard let name = text(named, "the name of an upstream") else { return 0 }
        if let index = table.index(of: name) { return index }
        unknownWord(named, name, kind: "upstream", known: table.settings.map(\.name))
        return 0
    }

    /// The limits' indices, and whether all of them are known.
    private func routeLimits(_ value: Value, _ limits: [ParsedLimit]) -> ([Int], isWhole: Bool) {
        var indices: [Int] = []
        var isWhole = !value.isUnusable
        for item in items(value, "names of limits", atMost: Bounds.limitsPerRoute) {
            guard let name = text(item, "the name of a limit") else {
                isWhole = false
                continue
            }
            guard let index = limits.firstIndex(where: { $0.definition.name == name }) else {
                isWhole = false
                unknownWord(item, name, kind: "limit", known: limits.map(\.definition.name))
                continue
            }
            if indices.contains(index) {
                error(item, "the limit \"\(name)\" stands twice")
            } else {
                indices.append(index)
            }
        }
        return (indices, isWhole)
    }
}
