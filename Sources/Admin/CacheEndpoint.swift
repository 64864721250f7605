import Caching
import EventLoop
import HTTPModel
import Primitives
import Proxy
import Settings
import Telemetry

/// `/cache` and what is below it: looks at the cache, purges, and turns its switches.
struct CacheEndpoint {
    let server: ProxyServer
    let loop: EventLoop
    let timer: SwitchTimer

    var clock: ClockReading { loop.clock }

    // MARK: Purging

    /// `POST /cache/purge?kind=tag&value=analytics&soft=true`
    ///
    /// Answers when Redis has it, for the other processes, or cannot be reached now.
    func purge(
        _ query: AdminQuery, awaitRedis: (() async -> Bool)?
    ) async throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let names = PurgeOrder.Target.allCases.map(\.rawValue).joined(separator: ", ")
        let kind = try query.require("kind", "one of \(names)")
        guard let target = PurgeOrder.Target(rawValue: kind) else {
            throw AdminProblem(status: 400, detail: "no kind `\(kind)`; there are \(names)")
        }
        let value = try query.take("value") ?? ""
        let isSoft = try query.flag("soft")
        try query.finish(known: "kind, value, soft")
        let records: [PurgeRecord]
        do throws(PurgeOrder.Problem) {
            records = try server.purge(PurgeOrder(target, value, isSoft: isSoft), on: loop)
        } catch {
            throw AdminProblem(status: 400, detail: error.text)
        }
        let hasReached = await awaitRedis?()
        return SmallServer.Reply.json { json in
            json.field("kind", kind)
            if target != .all { json.field("value", value) }
            json.field("soft", isSoft)
            json.field("time", time: clock.wall)
            if let hasReached { json.field("redis", hasReached ? "reached" : "waiting") }
            if target == .url {
                json.array("keys") { json in
                    for record in records {
                        json.item(String(decoding: record.value, as: UTF8.self))
                    }
                }
            }
        }
    }

    // MARK: Looking

    /// `GET /cache/key?url=https://api.example.com/reports`
    func key(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let url = try query.require("url", "a URL such as https://api.example.com/reports")
        try query.finish(known: "url")
        let report: CachedURLReport
        do throws(PurgeOrder.Problem) {
            report = try server.cached(url, at: clock)
        } catch {
            throw AdminProblem(status: 400, detail: error.text)
        }
        return SmallServer.Reply.json { json in
            json.field("url", url)
            json.field("route", report.route)
            if let storing = report.storing {
                json.field("stored_when_silent", storing.isStored)
                json.field("storing", storing.reason)
            }
            json.field("hit_for_miss", report.isHitForMiss)
            json.array("entries") { json in
                for stored in report.entries { json.object { append(stored, to: &$0) } }
            }
        }
    }

    private func append(_ stored: StoredResponse, to json: inout JSONWriter) {
        let head = stored.head
        json.field("key", String(decoding: head.key, as: UTF8.self))
        let names = head.variant.names.split(separator: ASCII.lf)
        let values = head.variant.values.split(
            separator: ASCII.lf, omittingEmptySubsequences: false)
        json.object("vary") { json in
            for (name, value) in zip(names, values) {
                // Without its sign: the field was absent.
                let text = value.isEmpty ? nil : String(decoding: value.dropFirst(), as: UTF8.self)
                json.field(String(decoding: name, as: UTF8.self), text)
            }
        }
        json.field("status", UInt64(head.status.code))
        json.field("age", stored.age(at: clock.monotonic).wholeSeconds)
        json.field("ttl", Int(stored.freshness(at: clock.monotonic).seconds))
        json.field("stale_while_revalidate", stored.lifetime.staleWhileRevalidate.wholeSeconds)
        json.field("stale_if_error", stored.lifetime.staleIfError.wholeSeconds)
        json.field("validated_each_time", stored.lifetime.mustValidate)
        json.field("body_bytes", stored.bodyCount)
        json.field("bytes", stored.byteCost)
        json.array("tags") { json in
            var tags: [String] = []
            head.tags.forEach { _, tag in
                if !tags.contains(tag.text) { tags.append(tag.text) }
            }
            for tag in tags { json.item(tag) }
        }
    }

    /// `GET /cache`
    func statistics(_ query: AdminQuery) async throws(AdminProblem) -> SmallServer.Reply {
        try query.finish(known: "none")
        let counts = server.shared.cache.statistics()
        let routes = await server.metrics().routeCaches
        return SmallServer.Reply.json { json in
            let state = server.shared.switches.state
            append(state, to: &json)
            json.field("entries", counts.entries)
            json.field("bytes", counts.bytes)
            json.field("bytes_max", server.blueprint.settings.cacheMemory)
            json.field("fills", counts.fills)
            json.field("hits", counts.hits)
            json.field("misses", counts.misses)
            json.field("insertions", counts.insertions)
            json.field("evictions", counts.evictions)
            json.field("purged", counts.purged)
            json.field("softened", counts.softened)
            json.field("purge_records", counts.purgeRecords)
            json.array("routes") { json in
                for route in routes { json.object { append(route, to: &$0) } }
            }
        }
    }

    private func append(_ route: RouteCache, to json: inout JSONWriter) {
        json.field("route", route.name)
        for (name, count) in route.outcomes { json.field(name, count) }
        json.field("hit_percent", route.hitRatio.map { UInt64(($0 * 100).rounded()) })
        json.field("body_bytes", route.bodyBytes)
    }
}
