import Settings

extension Configuration {
    /// `redis:`. In place of passwords stand `${WEIR_REDIS_PASSWORD}`, or, where the limits' Redis and the
    /// cache's have different ones, `${WEIR_REDIS_LIMITS_PASSWORD}` and `${WEIR_REDIS_CACHE_PASSWORD}`
    /// inside their URLs, in which such a variable is percent-encoded.
    static func redis(_ stores: RedisStores) -> YAMLOutput {
        let (limits, cache) = (stores.limits, stores.cache)
        // Only a URL has credentials of its own; those of the others stand beside them.
        let common = [limits, cache].first { !$0.hasOwnCredentials } ?? limits
        let isCommon = limits.hasCredentials(of: cache) || !common.hasOwnCredentials
        var entries: [(String, YAMLOutput)] = []
        if stores.isOne {
            entries += topology(limits)
        } else {
            if !limits.isSingle { entries += topology(limits) }
            if !cache.isSingle { entries += topology(cache) }
            let parts = [("limits_url", limits, "LIMITS"), ("cache_url", cache, "CACHE")]
            for (key, settings, name) in parts {
                guard case .single(let place) = settings.topology else { continue }
                let isInside = !(isCommon && settings.hasCredentials(of: common))
                entries.append(
                    (key, url(place, settings, isInside ? "${WEIR_REDIS_\(name)_PASSWORD}" : nil)))
            }
        }
        if isCommon, common.password != nil {
            if let username = common.username { entries.append(("username", .text(username))) }
            entries.append(("password", .verbatim("\"${WEIR_REDIS_PASSWORD}\"")))
        }
        if let severalTLS = [limits, cache].first(where: { !$0.isSingle })?.tls {
            entries.append(("tls", .verbatim("true")))
            if let file = severalTLS.authorityFile { entries.append(("ca", .text(file))) }
        } else if let file = (limits.tls ?? cache.tls)?.authorityFile {
            entries.append(("ca", .text(file)))
        }
        entries.append(("timeout", .duration(limits.timeout)))
        entries.append(("connect_timeout", .duration(limits.connectTimeout)))
        entries.append(("namespace", .text(limits.namespace)))
        if limits.readsFromReplicas { entries.append(("read_replicas", .verbatim("true"))) }
        return .block(entries)
    }

    /// The keys that say where it is.
    private static func topology(_ settings: RedisSettings) -> [(String, YAMLOutput)] {
        func list(_ places: [RedisSettings.Place]) -> YAMLOutput {
            .list(places.map { .text(RedisURL.authority($0)) })
        }
        switch settings.topology {
        case .single(let place):
            return [("url", url(place, settings, nil))]
        case .cluster(let places):
            return [("cluster", list(places))]
        case .sentinel(let master, let places):
            let entries = [
                ("sentinel", YAMLOutput.flow([("master", .text(master)), ("nodes", list(places))]))
            ]
            return settings.database == 0
                ? entries : entries + [("database", .number(settings.database))]
        }
    }

    /// The URL of `place`, with the user and `variable` in it where that stands for a password.
    private static func url(
        _ place: RedisSettings.Place, _ settings: RedisSettings, _ variable: String?
    ) -> YAMLOutput {
        guard let variable, settings.password != nil else {
            return .text(RedisURL.write(place, of: settings))
        }
        let user = RedisURL.encoded(settings.username ?? "")
        // All else in it is letters, digits and signs that mean nothing in quotes.
        return .verbatim(
            "\"\(RedisURL.write(place, of: settings, credentials: "\(user):\(variable)"))\"")
    }
}

extension RedisSettings {
    /// Whether one server has everything.
    fileprivate var isSingle: Bool {
        guard case .single = topology else { return false }
        return true
    }

    /// Whether its URL can have a password in it.
    fileprivate var hasOwnCredentials: Bool {
        guard case .single(.host) = topology else { return false }
        return true
    }

    fileprivate func hasCredentials(of other: RedisSettings) -> Bool {
        username == other.username && password == other.password
    }
}
