import Caching
import Primitives

/// What the top-level `cache:` says.
struct ParsedCache {
    /// The policy that routes start from.
    var policy = Defaults.cachePolicy
    /// Bytes of the store.
    var memory = Defaults.cacheMemory
    /// What is fetched before anybody asks.
    var warm: ParsedWarm?
    /// Where it stands; `nil` when it is not there.
    var value: Value?
    /// `cache: off`: nothing is stored, whatever routes say.
    var isOff = false
    /// Whether it was read without a fault.
    var isRight = true

    /// Whether routes that say nothing about the cache use it: a lifetime was named here for all.
    var isForAllRoutes: Bool { !isOff && (policy.ttl != nil || policy.forceTTL != nil) }
}

/// Reads `cache:`, at the top and in routes.
extension Report {
    /// The top-level part, and whether it is right.
    func wholeCache(_ value: Value) -> ParsedCache {
        let before = problems.count
        var parsed = cache(value)
        parsed.isRight = problems.count == before && !value.isUnusable
        return parsed
    }

    /// The top-level part: `off`, a lifetime, or a mapping.
    private func cache(_ value: Value) -> ParsedCache {
        var parsed = ParsedCache(value: value)
        if let text = value.text {
            if text == "off" {
                parsed.isOff = true
            } else {
                parsed.policy.ttl = lifetime(value)
            }
            return parsed
        }
        guard var fields = Fields(value, self, expected: "`off`, a duration or a mapping") else {
            return parsed
        }
        let memory = fields.take("memory")
        if let memory {
            parsed.memory = Int(size(memory, Bounds.cacheMemory) ?? UInt64(Defaults.cacheMemory))
        }
        parsed.warm = fields.take("warm").map { warm($0) }
        let maxObject = fields.take("max_object")
        readPolicy(&fields, &parsed.policy, path: "")
        fields.finish()
        if let maxObject {
            parsed.policy.maxObject = self.maxObject(maxObject, memory: parsed.memory)
        } else {
            parsed.policy.maxObject = min(Defaults.cachePolicy.maxObject, parsed.memory)
        }
        return parsed
    }

    /// A route's part over the defaults of the top-level one; `nil`: the route does not use the
    /// cache. `path` is the route's.
    func routeCache(_ value: Value, _ defaults: ParsedCache, path: String) -> CachePolicy? {
        var policy = defaults.policy
        if let text = value.text {
            if text == "off" { return nil }
            policy.forceTTL = nil
            policy.ttl = lifetime(value)
            return policy
        }
        guard var fields = Fields(value, self, expected: "`off`, a duration or a mapping") else {
            return policy
        }
        if let maxObject = fields.take("max_object") {
            policy.maxObject = self.maxObject(maxObject, memory: defaults.memory)
        }
        for key in ["memory", "warm"] {
            guard let value = fields.take(key) else { continue }
            error(keyOf: value, "belongs to the top-level `cache:`, since routes share one store")
        }
        readPolicy(&fields, &policy, path: path)
        fields.finish()
        return policy
    }

    /// The keys that the top-level part and a route's part have in common.
    private func readPolicy(_ fields: inout Fields, _ policy: inout CachePolicy, path: String) {
        let ttl = fields.take("ttl")
        let forced = fields.take("force_ttl")
        if let ttl {
            policy.ttl = optionalLifetime(ttl)
            policy.forceTTL = nil
        }
        if let forced {
            policy.forceTTL = optionalLifetime(forced)
            if let ttl, policy.forceTTL != nil, policy.ttl != nil {
                error(
                    keyOf: forced, "`ttl` at line \(ttl.line) could never hold beside it",
                    help: "keep `ttl` to obey the origin, or `force_ttl` to overrule it")
            }
            if ttl == nil && policy.forceTTL != nil { policy.ttl = nil }
        }
        if let value = fields.take("stale_while_revalidate") {
            policy.staleWhileRevalidate = optionalLifetime(value)
        }
        if let value = fields.take("stale_if_error") {
            policy.staleIfError = optionalLifetime(value)
        }
        let parts = fields.take("vary_by")
        if let parts { policy.varyBy = varyBy(parts) }
        let methods = fields.take("methods")
        let before = problems.count
        if let methods { policy.methods = cacheMethods(methods) ?? policy.methods }
        if problems.count == before { checkContent(policy, methods: methods, varyBy: parts) }
        if let value = fields.take("max_body") {
            policy.maxBody = Int(size(value, Bounds.maxBody) ?? UInt64(policy.maxBody))
        }
        if let value = fields.take("ignore_query") { policy.ignoreQuery = queryNames(value) }
        if let value = fields.take("only_query") {
            // `off` takes back what the top-level part says; an empty list is one: no parameter counts.
            policy.onlyQuery = value.text == "off" ? nil : queryNames(value)
        }
        fields.update("sort_query", &policy.sortsQuery) { boolean($0) }
        if let value = fields.take("negative") { policy.negative = negative(value) }
        if let value = fields.take("early_refresh") { policy.earlyRefresh = earlyRefresh(value) }
        if let value = fields.take("collapse") {
            let word = word(value, "choice", ["off", "process", "cluster"])
            policy.collapses = word != "off"
            policy.collapsesFleet = word == "cluster"
        }
        if let value = fields.take("redis") {
            policy.isShared = boolean(value) == true
        }
        if let value = fields.take("client_no_cache") {
            policy.respectsClientNoCache =
                word(value, "choice", ["ignore", "respect"]) == "respect"
        }
        if let value = fields.take("set_cookie") {
            policy.setCookie =
                word(value, "choice", as: CachePolicy.SetCookie.self) ?? policy.setCookie
        }
        if let value = fields.take("bypass") { policy.bypass = bypass(value) }
        if let value = fields.take("origin_ttl") { policy.originTTLName = originTTL(value) }
        fields.update("stale", &policy.stale) { word($0, "choice", as: CachePolicy.Stale.self) }
        if let value = fields.take("tags") { policy.tags = tagTemplates(value, path: path) }
    }
}
