import Limits
import Settings

/// Limits that no request can ever meet, and those that count what never happens.
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

    /// Costs of stored answers where none is stored, and more dimensions than a request can have.
    func checkCounting(_ limits: [ParsedLimit], _ routes: [ParsedRoute], _ context: RouteContext) {
        let isCertain = context.cache.isRight && routes.allSatisfy(\.hasRightLimits)
        for (index, limit) in limits.enumerated() where isCertain && !limit.storedCosts.isEmpty {
            let own = routes.filter { $0.settings.limits.contains(index) }
            if own.isEmpty || own.contains(where: { $0.settings.cache != nil }) { continue }
            for cost in limit.storedCosts {
                error(
                    keyOf: cost, "can never matter: no route with this limit uses the cache",
                    help: "remove it, or write `cache` in a route with this limit")
            }
        }
        for route in routes {
            let used = route.settings.limits.flatMap { limits[$0].definition.per }
            let count = used.count { scope in
                switch scope {
                case .header, .claim: true
                case .global, .ip, .user, .company, .endpoint: false
                }
            }
            if count > LimitBounds.dimensionsMax {
                error(
                    keyOf: route.value,
                    "its limits count by \(count) header fields and claims, and there can be "
                        + "\(LimitBounds.dimensionsMax)",
                    help: "give the route fewer limits")
            }
        }
    }
}
