import Caching
import Limits
import Primitives
import Settings

/// What limits and caches say about Redis, and whether there is one.
extension Report {
    /// The limits, each with the place where it is counted.
    ///
    /// Under `redis:` that is Redis, unless the limit says otherwise. A `redis:` that names no server leaves
    /// all of them in this process, whatever they say.
    func share(_ limits: [ParsedLimit], _ redis: ParsedRedis) -> [ParsedLimit] {
        limits.map { limit in
            var limit = limit
            let choice = limit.consistencyValue.map {
                word($0, "consistency", as: LimitDefinition.Consistency.self)
            }
            let failure = limit.failureValue.flatMap {
                word($0, "choice", as: LimitDefinition.RedisFailure.self)
            }
            // A misspelt word counts as the default from here on.
            let consistency = (choice ?? nil) ?? Defaults.consistency
            if limit.isConcurrency {
                refuseSharing(limit)
            } else if consistency == .process {
                if let value = limit.failureValue {
                    error(
                        keyOf: value, "has no effect on a limit that is counted in this process",
                        help: "remove it, or `consistency: process`")
                }
            } else {
                let place = limit.consistencyValue ?? limit.failureValue
                let isRight = checkSharing(limit, consistency, redis, at: place ?? limit.value)
                if isRight, redis.meaning != .absent, redis.meaning != .empty {
                    limit.definition.consistency = consistency
                    limit.definition.onRedisFailure = failure ?? Defaults.onRedisFailure
                }
            }
            return limit
        }
    }

    /// Requests in flight are ended by the process that began them, which Redis would not hear of if it died.
    private func refuseSharing(_ limit: ParsedLimit) {
        guard limit.hasRightAlgorithm else { return }
        for value in [limit.consistencyValue, limit.failureValue].compactMap(\.self)
        where value.text != LimitDefinition.Consistency.process.rawValue {
            error(
                keyOf: value, "requests in flight are counted in each process, not in Redis",
                help: "remove it, and give each replica its share of the number")
        }
    }

    /// Whether `limit` can be counted as `consistency` says; where nothing asks for Redis, it need not be.
    private func checkSharing(
        _ limit: ParsedLimit, _ consistency: LimitDefinition.Consistency, _ redis: ParsedRedis,
        at place: Value
    ) -> Bool {
        let isAsked = limit.consistencyValue != nil || limit.failureValue != nil
        guard isAsked || redis.stores != nil else { return true }
        if redis.meaning == .absent {
            error(
                keyOf: place, "needs Redis, and `redis` is not set",
                help: "write `redis: redis://127.0.0.1:6379`, or remove it; `redis: "
                    + "\"${REDIS_URL:-}\"` counts in this process where the variable is not set")
            return false
        }
        if consistency == .leased, limit.hasRightAlgorithm,
            let obstacle = limit.definition.leaseObstacle
        {
            error(keyOf: place, obstacle.words, help: "write `consistency: strict`")
            return false
        }
        return true
    }

    /// The routes, each with what it shares. Reports what asks for a Redis that is not there, and a Redis
    /// that nothing asks for.
    func share(
        _ routes: [RouteSettings], _ context: RouteContext
    ) -> [RouteSettings] {
        switch context.redis.meaning {
        case .faulty:
            return routes
        case .absent, .empty:
            return routes.map { route in
                var route = route
                route.cache?.isShared = false
                route.cache?.collapsesFleet = false
                return route
            }
        case .stores:
            checkUses(of: context.redis, context.limits, routes)
            return routes
        }
    }

    /// `redis: true` and `collapse: cluster` where there is no Redis, and the second without the first.
    func checkSharing(
        _ cache: ParsedCache, _ routes: [ParsedRoute], _ redis: ParsedRedis
    ) {
        var places: [(Value?, CachePolicy)] = routes.compactMap { route in
            route.settings.cache.map { (route.cacheValue, $0) }
        }
        places.append((cache.value, cache.policy))
        for (place, policy) in places {
            guard let place, case .map(let entries) = place.content else { continue }
            let shared = entries.first { $0.key == "redis" }?.value
            let collapse = entries.first { $0.key == "collapse" }?.value
            if redis.meaning == .absent {
                for value in [shared, collapse].compactMap(\.self)
                where value.text == "true" || value.text == "cluster" {
                    error(
                        keyOf: value, "needs Redis, and `redis` is not set",
                        help: "write `redis: redis://127.0.0.1:6379` at the top, or remove it")
                }
            } else if policy.collapsesFleet && !policy.isShared,
                let value = collapse ?? shared
            {
                error(
                    keyOf: value,
                    "`collapse: cluster` needs `redis: true`: the other replicas take the answer "
                        + "from Redis", help: "write both, or `collapse: process`")
            }
        }
    }

    /// A Redis that nobody would ask.
    private func checkUses(
        of redis: ParsedRedis, _ limits: [ParsedLimit], _ routes: [RouteSettings]
    ) {
        guard problems.isEmpty, let value = redis.value else { return }
        let counts = limits.contains { $0.definition.consistency != .process }
        let policies = routes.compactMap(\.cache)
        // Purges are told to the other replicas, whether answers are stored in Redis or not.
        let stores = !policies.isEmpty
        if !counts && !stores {
            error(
                keyOf: value, "nothing uses it",
                help: "limits are counted there unless they say `consistency: process`, answers "
                    + "are stored there with `cache: {redis: true}`; or remove it")
        } else if let url = redis.limitsURL, !counts {
            error(keyOf: url, "no limit is counted in Redis", help: "remove it")
        } else if let url = redis.cacheURL, !stores {
            error(
                keyOf: url, "no answer is stored in Redis",
                help: "write `cache: {redis: true}`, or remove it")
        } else if let reads = redis.replicaReads, !policies.contains(where: \.isShared) {
            error(
                keyOf: reads, "stored answers are read from replicas, and none is stored in Redis",
                help: "write `cache: {redis: true}`, or remove it")
        }
    }
}

extension LeaseObstacle {
    /// What a message says.
    fileprivate var words: String {
        switch self {
        case .algorithm: "`leased` goes with `token_bucket`, `sliding_window` and `fixed_window`"
        case .costs:
            "`leased` spends units before the answer is known, and this limit's cost depends on it"
        case .quickBucket:
            "`leased` wants a bucket that takes 100 ms or more to fill: a larger `burst`, or a slower rate"
        }
    }
}
