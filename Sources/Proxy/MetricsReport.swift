import Caching
import EventLoop
import Identity
import Limits
public import Primitives
import Routes
import Settings
import Telemetry
import Upstreams

/// The metrics of a process in Prometheus' text form: all workers' counters added up.
public struct MetricsReport {
    let metrics: WorkerMetrics
    let blueprint: Blueprint
    let shared: SharedState

    /// Adds up the `workers`, of which there is at least one.
    public init(_ workers: [WorkerMetrics], blueprint: Blueprint, shared: SharedState) {
        var sum = workers[0]
        for other in workers.dropFirst() { sum.merge(other) }
        metrics = sum
        self.blueprint = blueprint
        self.shared = shared
    }

    /// Appends the whole text.
    public func append(to buffer: ByteBuffer, at now: MonotonicTime) {
        var text = MetricsText(to: buffer)
        appendRequests(&text)
        appendConnections(&text)
        appendCache(&text)
        appendIdempotency(&text)
        appendCompression(&text)
        appendJobs(shared.background.status, to: &text)
        appendLimits(&text)
        appendCredentials(&text)
        appendUpstreams(&text)
        appendSecondLevel(&text)
        appendRedis(shared.redis, to: &text)
        if let fleet = shared.fleet { appendFleet(fleet, to: &text) }
        appendConfiguration(&text)
        appendProcess(&text, at: now)
    }

    private func routeName(_ row: Int) -> String {
        row < blueprint.routes.count ? blueprint.settings.routes[row].match.name : ""
    }

    private func appendRequests(_ text: inout MetricsText) {
        text.family(
            "weir_requests_total", .counter, help: "Requests by route and status; no route: empty.")
        for row in 0..<metrics.requests.rows {
            for status in 100..<metrics.requests.columns where metrics.requests[row, status] > 0 {
                text.sample(
                    metrics.requests[row, status],
                    [MetricLabel("route", routeName(row)), MetricLabel("status", String(status))])
            }
        }
        text.family(
            "weir_request_duration_seconds", .histogram,
            help: "Time from a request's first byte to the end of its answer.")
        for (row, histogram) in metrics.latency.enumerated() where histogram.count > 0 {
            text.histogram(histogram, [MetricLabel("route", routeName(row))])
        }
        text.family(
            "weir_rejections_total", .counter, help: "Answers the proxy made itself, by reason.")
        for (index, rejection) in Rejection.all.enumerated() where metrics.rejections[0, index] > 0
        {
            text.sample(
                metrics.rejections[0, index], [MetricLabel("reason", "\(rejection.reason)")])
        }
        text.family("weir_response_body_bytes_total", .counter, help: "Bytes of answers' bodies.")
        text.sample(metrics.bodyBytes)
        text.family(
            "weir_incomplete_responses_total", .counter,
            help: "Answers that were cut short by either side.")
        text.sample(metrics.incomplete)
    }

    private func appendConnections(_ text: inout MetricsText) {
        text.family("weir_connections", .gauge, help: "Client connections that are open.")
        text.sample(UInt64(max(0, shared.openConnections)))
        text.family(
            "weir_connections_accepted_total", .counter, help: "Client connections accepted.")
        text.sample(metrics.accepted)
    }

    private func appendCache(_ text: inout MetricsText) {
        text.family(
            "weir_cache_requests_total", .counter, help: "Requests by the cache's part in them.")
        for outcome in AccessRecord.Cache.allCases {
            let count = (0..<metrics.cache.rows).reduce(0) {
                $0 + metrics.cache[$1, Int(outcome.rawValue)]
            }
            text.sample(count, [MetricLabel("outcome", "\(outcome.name)")])
        }
        appendRouteCaches(&text)
        let statistics = shared.cache.statistics()
        text.family("weir_cache_bytes", .gauge, help: "Bytes of the memory cache in use.")
        text.sample(UInt64(statistics.bytes))
        text.family("weir_cache_entries", .gauge, help: "Stored answers.")
        text.sample(UInt64(statistics.entries))
        text.family(
            "weir_cache_evictions_total", .counter, help: "Stored answers given up for others.")
        text.sample(statistics.evictions)
        appendPurges(&text, statistics)
    }

    private func appendRouteCaches(_ text: inout MetricsText) {
        let routes = routeCaches
        text.family(
            "weir_route_cache_requests_total", .counter,
            help: "Requests by route and the cache's part in them.")
        for route in routes {
            for (outcome, count) in route.outcomes {
                text.sample(
                    count, [MetricLabel("route", route.name), MetricLabel("outcome", outcome)])
            }
        }
        text.family(
            "weir_route_cache_hit_ratio", .gauge,
            help: "The part of lookups that did not wait for a fetch of their own, since the start."
        )
        for route in routes {
            guard let ratio = route.hitRatio else { continue }
            // Seconds are written with decimals.
            text.sample(
                seconds: Nanoseconds(UInt64(ratio * 1e9)), [MetricLabel("route", route.name)])
        }
        text.family(
            "weir_route_cache_body_bytes_total", .counter,
            help: "Bytes of bodies of stored answers.")
        for route in routes { text.sample(route.bodyBytes, [MetricLabel("route", route.name)]) }
    }

    /// What the cache did for each route that caches.
    public var routeCaches: [RouteCache] {
        blueprint.routes.indices.compactMap { row in
            guard blueprint.routes[row].cache != nil else { return nil }
            return RouteCache(
                name: routeName(row),
                outcomes: AccessRecord.Cache.allCases.compactMap { outcome in
                    outcome == .none
                        ? nil : ("\(outcome.name)", metrics.cache[row, Int(outcome.rawValue)])
                }, bodyBytes: metrics.cacheBytes[row, 0])
        }
    }

    private func appendPurges(_ text: inout MetricsText, _ statistics: StoreCounts) {
        let switches = shared.switches.state
        text.family(
            "weir_cache_switched_off", .gauge, help: "1 while all requests go past the cache.")
        text.sample(switches.isBypassed ? 1 : 0)
        text.family(
            "weir_cache_ttl_factor", .gauge, help: "By which lifetimes are multiplied.")
        text.sample(seconds: Nanoseconds(UInt64(switches.factor) * 1_000_000))
        text.family("weir_cache_purges_total", .counter, help: "Purges by what they name.")
        for kind in PurgeRecord.Kind.allCases {
            text.sample(switches.purges[kind], [MetricLabel("kind", kind.rawValue)])
        }
        text.family(
            "weir_cache_purged_total", .counter,
            help: "Stored answers that purges removed or made stale.")
        text.sample(statistics.purged, [MetricLabel("how", "hard")])
        text.sample(statistics.softened, [MetricLabel("how", "soft")])
        text.family(
            "weir_cache_purge_records", .gauge,
            help: "Purges that some stored answers have not looked at.")
        text.sample(UInt64(statistics.purgeRecords))
    }

    private func appendIdempotency(_ text: inout MetricsText) {
        text.family(
            "weir_idempotency_requests_total", .counter,
            help: "Requests with an Idempotency-Key that were not refused, by what it did.")
        for outcome in AccessRecord.Idempotency.allCases where outcome != .none {
            text.sample(
                metrics.idempotency[0, Int(outcome.rawValue)],
                [MetricLabel("outcome", "\(outcome.name)")])
        }
        text.family("weir_idempotency_keys", .gauge, help: "Idempotency keys that are known.")
        text.sample(UInt64(max(0, shared.idempotency.keyCount)))
        text.family("weir_idempotency_bytes", .gauge, help: "Bytes of their answers in use.")
        text.sample(UInt64(max(0, shared.idempotency.bytes)))
        text.family(
            "weir_idempotency_answers_not_kept_total", .counter,
            help: "Answers that were too large to be kept, or found no room.")
        text.sample(shared.idempotency.answersNotKept)
        text.family(
            "weir_request_content_bytes", .gauge,
            help: "Bytes of requests' content that is held, beyond 32 KiB each.")
        text.sample(UInt64(max(0, shared.heldBodies)))
    }

    private func appendLimits(_ text: inout MetricsText) {
        text.family("weir_limit_decisions_total", .counter, help: "Decisions by limit and outcome.")
        for (row, limit) in blueprint.settings.limits.enumerated() {
            for outcome in WorkerMetrics.LimitOutcome.allCases {
                text.sample(
                    metrics.limits[row, outcome.rawValue],
                    [MetricLabel("limit", limit.name), MetricLabel("outcome", outcome.name)])
            }
        }
        text.family(
            "weir_limit_units_total", .counter,
            help: "Units charged by limit, as they were settled.")
        let limits = blueprint.settings.limits
        for (row, limit) in limits.enumerated() where limit.algorithm != .concurrency {
            text.sample(metrics.limitUnits[row, 0], [MetricLabel("limit", limit.name)])
        }
        text.family(
            "weir_limit_in_flight", .gauge,
            help: "Requests in flight, by the limit that counts them.")
        for (row, limit) in limits.enumerated() where limit.algorithm == .concurrency {
            text.sample(metrics.limitsInFlight[row, 0], [MetricLabel("limit", limit.name)])
        }
        appendLimitsWithoutRedis(limits, &text)
        text.family(
            "weir_limit_delayed_total", .counter,
            help: "Requests that a limit had wait for their turn.")
        text.sample(metrics.delayed)
        text.family("weir_limit_keys", .gauge, help: "Keys in the limit table.")
        text.sample(UInt64(shared.limits.keyCount))
    }

    private func appendLimitsWithoutRedis(
        _ limits: [LimitDefinition], _ text: inout MetricsText
    ) {
        guard limits.contains(where: { $0.consistency != .process }) else { return }
        text.family(
            "weir_limit_redis_failures_total", .counter,
            help:
                "Decisions of limits in Redis that it gave no answer to, by what was done instead.")
        for (row, limit) in limits.enumerated() where limit.consistency != .process {
            for (column, failure) in LimitDefinition.RedisFailure.allCases.enumerated() {
                text.sample(
                    metrics.limitsWithoutRedis[row, column],
                    [MetricLabel("limit", limit.name), MetricLabel("policy", failure.rawValue)])
            }
        }
    }

    private func appendCredentials(_ text: inout MetricsText) {
        let counts = metrics.credentials
        let identity = blueprint.settings.identity
        text.family(
            "weir_credentials_total", .counter, help: "Tokens and API keys of requests by outcome.")
        func sample(_ count: UInt64, _ kind: String, _ outcome: String) {
            text.sample(count, [MetricLabel("kind", kind), MetricLabel("outcome", outcome)])
        }
        if identity.jwt != nil {
            sample(counts.tokensRemembered, "token", "remembered")
            sample(counts.tokensVerified, "token", "verified")
            sample(counts.tokensInvalid, "token", "invalid")
        }
        if identity.apiKeys != nil {
            sample(counts.apiKeysKnown, "api_key", "known")
            sample(counts.apiKeysUnknown, "api_key", "unknown")
        }
    }

    private func appendUpstreams(_ text: inout MetricsText) {
        let pools = zip(blueprint.settings.upstreams.map(\.name), metrics.pools)
        text.family("weir_upstream_connections", .gauge, help: "Connections to origins by state.")
        for (name, pool) in pools {
            let busy = MetricLabel("state", "busy")
            text.sample(UInt64(pool.open - pool.idle), [MetricLabel("upstream", name), busy])
            text.sample(
                UInt64(pool.idle), [MetricLabel("upstream", name), MetricLabel("state", "idle")])
        }
        text.family("weir_upstream_waiting", .gauge, help: "Requests that wait for a connection.")
        for (name, pool) in pools {
            text.sample(UInt64(pool.waiting), [MetricLabel("upstream", name)])
        }
        text.family(
            "weir_upstream_connects_total", .counter, help: "Connections to origins by outcome.")
        for (name, pool) in pools {
            let upstream = MetricLabel("upstream", name)
            text.sample(pool.counters.connected, [upstream, MetricLabel("outcome", "connected")])
            text.sample(pool.counters.failed, [upstream, MetricLabel("outcome", "failed")])
            text.sample(pool.counters.exhausted, [upstream, MetricLabel("outcome", "exhausted")])
        }
        text.family(
            "weir_upstream_reuses_total", .counter, help: "Exchanges on a connection that was open."
        )
        for (name, pool) in pools {
            text.sample(pool.counters.reused, [MetricLabel("upstream", name)])
        }
    }

    private func appendConfiguration(_ text: inout MetricsText) {
        let state = shared.configurationState
        text.family(
            "weir_config_reloads_total", .counter, help: "Reloads of the configuration by outcome.")
        text.sample(state.generation - 1, [MetricLabel("outcome", "ok")])
        text.sample(state.failedReloads, [MetricLabel("outcome", "failed")])
        text.family(
            "weir_config_loaded_timestamp_seconds", .gauge,
            help: "When the configuration that is followed was loaded, Unix time.")
        text.sample(state.loaded.epochSeconds)
    }

    private func appendProcess(_ text: inout MetricsText, at now: MonotonicTime) {
        text.family(
            "weir_log_lines_dropped_total", .counter,
            help: "Log lines lost because their reader was too slow.")
        text.sample(shared.log?.droppedLines ?? 0)
        text.family("weir_draining", .gauge, help: "1 while the process is on its way out.")
        text.sample(shared.isDraining ? 1 : 0)
        text.family("weir_uptime_seconds", .gauge, help: "Time since the start.")
        text.sample(seconds: now - shared.started.monotonic)
        text.family(
            "weir_loop_turns_total", .counter, help: "Turns of the workers' event loops.")
        text.sample(shared.turns)
    }
}
