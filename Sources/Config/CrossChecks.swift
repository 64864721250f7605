import Caching
import Limits
import Routes
import Settings

/// What no single part can see: things that fit their own form, but not each other.
extension Report {
    /// Limits that no request can ever meet, and limits that count somebody who is never known.
    func checkLimits(
        _ limits: [ParsedLimit], _ routes: [ParsedRoute]?, _ identity: ParsedIdentity
    ) {
        // A misspelt name in a route is reported there, and not again as a limit without a route.
        if let routes, routes.allSatisfy(\.hasRightLimits) {
            let used = Set(routes.flatMap(\.settings.limits))
            for (index, limit) in limits.enumerated() where !used.contains(index) {
                error(
                    keyOf: limit.value, "no route uses the limit \"\(limit.definition.name)\"",
                    help: "add it to the `limits` of a route, or remove it")
            }
        }
        for limit in limits {
            let per = limit.definition.per
            if per.contains(.user) && !identity.hasUser { reportNobody(limit, "user", "X-User-ID") }
            if per.contains(.company) && !identity.hasCompany {
                reportNobody(limit, "company", "X-Company-ID")
            }
            if !limit.definition.tiers.isEmpty && !identity.hasTier {
                error(
                    keyOf: limit.value, "has tiers, but `identity.tier` is not set",
                    help:
                        "write `identity: {tier: header:X-Plan, trusted_proxies: [127.0.0.0/8]}`"
                )
            }
        }
    }

    /// Without a source every request would be counted by address or not at all: surely not meant.
    private func reportNobody(_ limit: ParsedLimit, _ part: String, _ field: String) {
        let effect =
            switch limit.definition.anonymous {
            case .ip: "every request would be counted by address"
            case .skip: "no request would be counted"
            case .deny: "every request would be refused"
            }
        error(
            keyOf: limit.value, "is per \(part), but `identity.\(part)` is not set: \(effect)",
            help: "set `identity: {\(part): header:\(field), trusted_proxies: [127.0.0.0/8]}`, "
                + "or write `per: ip`")
    }

    /// Routes behind another one that takes all their requests.
    func checkReach(_ routes: [ParsedRoute]) {
        for (index, route) in routes.enumerated() where route.hasRightMatch {
            let earlier = routes[..<index].first {
                $0.hasRightMatch && $0.settings.match.covers(route.settings.match)
            }
            guard let earlier else { continue }
            error(
                route.pathValue ?? route.value,
                "never reached: the route at line \(earlier.value.line) "
                    + "(`\(Value.shortened(earlier.settings.match.path))`) takes all its requests",
                help: "the first match wins; put this route before it")
        }
    }

    /// Parts of the identity that routes ask for, but nobody has.
    func checkIdentity(_ routes: [ParsedRoute], _ cache: ParsedCache, _ identity: ParsedIdentity) {
        for route in routes where route.settings.requiresUser && !identity.hasUser {
            guard let auth = route.authValue else { continue }
            error(
                keyOf: auth, "`identity.user` is not set: every request would be refused",
                help:
                    "write `identity: {user: header:X-User-ID, trusted_proxies: [127.0.0.0/8]}`"
            )
        }
        var places: [(Value?, CachePolicyParts)] = routes.map {
            ($0.cacheValue, $0.settings.cache?.varyBy.map(\.rawValue) ?? [])
        }
        places.append((cache.value, cache.isOff ? [] : cache.policy.varyBy.map(\.rawValue)))
        let known = [
            "user": identity.hasUser, "company": identity.hasCompany, "tier": identity.hasTier,
        ]
        for (place, parts) in places {
            guard let place, case .map(let entries) = place.content,
                let varyBy = entries.first(where: { $0.key == "vary_by" })?.value
            else { continue }
            for part in parts where known[part] == false {
                error(
                    varyBy, "`identity.\(part)` is not set: all answers would share one key",
                    help: "set `identity.\(part)`, or remove `\(part)`")
            }
        }
    }

    private typealias CachePolicyParts = [String]

    /// A cache without users.
    func checkCache(_ cache: ParsedCache, _ routes: [ParsedRoute]) {
        guard let value = cache.value, !cache.isOff, !routes.isEmpty,
            routes.allSatisfy({ $0.settings.cache == nil }), case .map = value.content
        else { return }
        error(
            keyOf: value, "no route uses the cache",
            help: "write `ttl` here for all routes, or `cache: 5m` in a route")
    }
}
