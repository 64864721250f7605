import Primitives
import Settings

/// What `redis:` says.
struct ParsedRedis {
    enum Meaning: Equatable {
        /// The file does not speak of it.
        case absent
        /// It is there and names no server, as `${REDIS_URL:-}` may: this process is alone, and what the
        /// file says about sharing waits for the day there is one.
        case empty
        /// Something in it is wrong.
        case faulty
        case stores(RedisStores)
    }

    var meaning = Meaning.absent
    /// Where it stands; `nil` when it is not there.
    var value: Value?
    /// Servers for one use alone.
    var limitsURL: Value?
    var cacheURL: Value?
    /// `read_replicas`, where it is true.
    var replicaReads: Value?

    var stores: RedisStores? {
        guard case .stores(let stores) = meaning else { return nil }
        return stores
    }
}

/// Reads `redis:`.
extension Report {
    /// A URL, a mapping, or nothing.
    func redis(_ value: Value) -> ParsedRedis {
        if value.isNull || value.text == "" { return ParsedRedis(meaning: .empty, value: value) }
        var parsed = ParsedRedis(meaning: .faulty, value: value)
        if value.isUnusable { return parsed }
        let before = problems.count
        let stores = value.text == nil ? stores(value, &parsed) : shortStores(value)
        if let stores, problems.count == before { parsed.meaning = .stores(stores) }
        return parsed
    }

    private func shortStores(_ value: Value) -> RedisStores? {
        guard let url = redisURL(value) else { return nil }
        let settings = RedisCommon().settings(of: url)
        return RedisStores(limits: settings, cache: settings)
    }

    private func stores(_ value: Value, _ parsed: inout ParsedRedis) -> RedisStores? {
        guard
            var fields = Fields(
                value, self, expected: "a URL or a mapping",
                help: "for example `redis: redis://127.0.0.1:6379`")
        else { return nil }
        let url = fields.take("url")
        let isNamed = url.map { !$0.isNull && $0.text != "" } ?? false
        let common = redisCommon(&fields)
        let main = mainRedis(isNamed ? url : nil, common, &fields)
        parsed.limitsURL = fields.take("limits_url")
        parsed.cacheURL = fields.take("cache_url")
        parsed.replicaReads = common.base.readsFromReplicas ? common.readsValue : nil
        let limits = parsed.limitsURL.map { redisURL($0).map(common.settings(of:)) } ?? main
        let cache = parsed.cacheURL.map { redisURL($0).map(common.settings(of:)) } ?? main
        let replaces = parsed.limitsURL != nil && parsed.cacheURL != nil
        let hasMain = isNamed || common.cluster != nil || common.sentinel != nil
        if url != nil && !hasMain && !replaces {
            // `{url: "${REDIS_URL:-}", timeout: 20ms}` with no such variable.
            parsed.meaning = .empty
        } else if !hasMain && !replaces {
            fields.lack("url", help: "for example `url: redis://127.0.0.1:6379`")
        } else if hasMain && replaces {
            error(
                keyOf: value, "`limits_url` and `cache_url` leave no use for a third Redis",
                help: "remove `url`, `cluster` or `sentinel`, or one of these two")
        }
        fields.finish()
        guard let limits, let cache else { return nil }
        checkTLS(common, [limits, cache])
        return RedisStores(limits: limits, cache: cache)
    }

    /// The one that `url`, `cluster` or `sentinel` names.
    private func mainRedis(
        _ url: Value?, _ common: RedisCommon, _ fields: inout Fields
    ) -> RedisSettings? {
        let ways = [url, common.cluster, common.sentinel].compactMap(\.self)
        for extra in ways.dropFirst() {
            error(
                keyOf: extra, "line \(ways[0].line) says already where Redis is",
                help: "keep one of `url`, `cluster` and `sentinel`")
        }
        var settings: RedisSettings?
        let database = fields.take("database")
        if let cluster = common.cluster {
            let places = places(cluster, "servers of the cluster")
            settings = places.map { common.settings(.cluster($0)) }
        } else if let sentinel = common.sentinel {
            settings = self.sentinel(sentinel).map { common.settings($0) }
            if let database { settings?.database = integer(database, Bounds.redisDatabase) ?? 0 }
        } else if let url {
            settings = redisURL(url).map { common.settings(of: $0) }
        }
        if let database, common.sentinel == nil {
            error(
                keyOf: database, "belongs to `sentinel`",
                help: "a URL names it itself, as in `redis://127.0.0.1:6379/2`; a cluster has one")
        }
        if let tls = common.tlsValue, common.cluster == nil, common.sentinel == nil {
            error(
                keyOf: tls, "belongs to `cluster` and `sentinel`",
                help: "write `rediss://` in the URL")
        }
        return settings
    }

    private func sentinel(_ value: Value) -> RedisSettings.Topology? {
        let help = "for example `{master: mymaster, nodes: [10.0.0.1:26379, 10.0.0.2:26379]}`"
        guard var fields = Fields(value, self, expected: "a mapping", help: help) else {
            return nil
        }
        let master = fields.require("master", help: help)
        let nodes = fields.require("nodes", help: help)
        fields.finish()
        let name = master.flatMap { self.name($0, "a name") }
        let places = nodes.flatMap { self.places($0, "sentinels", port: Defaults.sentinelPort) }
        guard let name, let places else { return nil }
        return .sentinel(master: name, places)
    }

    /// `host:port` of servers, at least one, each once.
    private func places(
        _ value: Value, _ what: String, port: Int = Defaults.redisPort
    ) -> [RedisSettings.Place]? {
        let items = items(value, what, atMost: Bounds.redisNodes)
        if items.isEmpty, case .list = value.content {
            expected("at least one of the \(what)", value)
        }
        var places: [RedisSettings.Place] = []
        for item in items {
            guard let (host, port) = OriginURL.hostAndPort((item.text ?? "")[...], standard: port)
            else {
                expected("a host and a port", item, help: "for example `10.0.0.1:\(port)`")
                continue
            }
            let place = RedisSettings.Place.host(host, port: port)
            if places.contains(place) {
                error(item, "\"\(RedisURL.authority(place))\" is there already")
            }
            places.append(place)
        }
        return places.isEmpty ? nil : places
    }

    /// One URL. What may have a password in it is not quoted.
    private func redisURL(_ value: Value) -> RedisURL? {
        let mayBeSecret = value.text?.contains("@") ?? false
        if mayBeSecret { conceal(value) }
        guard let text = value.text, let url = RedisURL.parse(text) else {
            let form = "`redis://`, `rediss://` or `unix://` and the place of a Redis"
            let help =
                mayBeSecret
                ? "for example `redis://user:password@10.0.0.1:6379/0`; in a user or password write "
                    + "`/` as %2F, `%` as %25, or give them as `username` and `password`"
                : "for example `redis://127.0.0.1:6379/0` or `unix:///run/redis.sock?db=0`"
            if mayBeSecret {
                error(value, "expected \(form)", help: help)
            } else {
                expected(form, value, help: help)
            }
            return nil
        }
        return url
    }

    private func checkTLS(_ common: RedisCommon, _ all: [RedisSettings]) {
        guard let value = common.authorityValue, all.allSatisfy({ $0.tls == nil }) else { return }
        error(
            keyOf: value, "is for TLS, and no connection has it",
            help: "write `rediss://` in the URL, or `tls: true` beside `cluster` or `sentinel`")
    }
}
