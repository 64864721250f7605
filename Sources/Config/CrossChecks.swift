import Caching
import Routes
import Settings

/// What no single part can see: things that fit their own form, but not each other.
extension Report {
    /// Routes behind another one that takes all their requests.
    func checkReach(_ routes: [ParsedRoute]) {
        // Prepared once: each route is compared with all before it.
        let reaches = routes.map { $0.hasRightMatch ? RouteReach($0.settings.match) : nil }
        for (index, reach) in reaches.enumerated() {
            guard let reach,
                let before = reaches[..<index].firstIndex(where: { $0?.covers(reach) ?? false })
            else { continue }
            let (earlier, route) = (routes[before], routes[index])
            error(
                route.pathValue ?? route.value,
                "never reached: the route at line \(earlier.value.line) "
                    + "(`\(Value.shortened(earlier.settings.match.path))`) takes all its requests",
                help: "the first match wins; put this route before it")
        }
    }

    /// Parts of the identity that routes ask for, but nobody has.
    func checkIdentity(_ routes: [ParsedRoute], _ cache: ParsedCache, _ identity: ParsedIdentity) {
        for route in routes where route.settings.requiresUser {
            guard let auth = route.authValue else { continue }
            checkProof(auth, identity)
        }
        var places: [(Value?, CachePolicyParts)] = routes.map {
            ($0.cacheValue, $0.settings.cache?.varyBy.map(\.text) ?? [])
        }
        places.append((cache.value, cache.isOff ? [] : cache.policy.varyBy.map(\.text)))
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
