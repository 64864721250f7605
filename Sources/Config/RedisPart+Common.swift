import Primitives
import Settings

/// The keys of `redis:` that hold for each Redis it names.
struct RedisCommon {
    /// Its other keys, with the defaults; the topology is a stand-in.
    var base = RedisSettings(topology: .single(.unix("")))
    var cluster: Value?
    var sentinel: Value?
    var tlsValue: Value?
    var usesTLS = false
    var authorityValue: Value?
    var readsValue: Value?

    /// Settings for several servers, with TLS if `tls: true` says so.
    func settings(_ topology: RedisSettings.Topology) -> RedisSettings {
        var settings = base
        settings.topology = topology
        if !usesTLS { settings.tls = nil }
        return settings
    }

    /// Settings for the server of a URL, whose own credentials come first.
    func settings(of url: RedisURL) -> RedisSettings {
        var settings = base
        settings.topology = .single(url.place)
        settings.database = url.database
        settings.tls = url.usesTLS ? base.tls ?? RedisSettings.TLS() : nil
        if let own = url.credentials {
            settings.username = own.username
            settings.password = own.password
        }
        return settings
    }
}

/// Reads them.
extension Report {
    func redisCommon(_ fields: inout Fields) -> RedisCommon {
        var common = RedisCommon()
        common.cluster = fields.take("cluster")
        common.sentinel = fields.take("sentinel")
        common.tlsValue = fields.take("tls")
        common.usesTLS = common.tlsValue.flatMap { boolean($0) } ?? false
        common.authorityValue = fields.take("ca")
        common.base.tls = RedisSettings.TLS(
            authorityFile: common.authorityValue.flatMap { file($0) })
        fields.update("timeout", &common.base.timeout) { duration($0, Bounds.redisTimeout) }
        fields.update("connect_timeout", &common.base.connectTimeout) {
            duration($0, Bounds.redisConnectTimeout)
        }
        fields.update("namespace", &common.base.namespace) { name($0, "a name") }
        common.readsValue = fields.take("read_replicas")
        common.base.readsFromReplicas = common.readsValue.flatMap { boolean($0) } ?? false
        let username = fields.take("username")
        let password = fields.take("password")
        common.base.username = username.flatMap { credential($0, "a user") }
        common.base.password = password.flatMap { credential($0, "a password", isSecret: true) }
        if let username, password == nil { error(keyOf: username, "needs `password`") }
        // Where a password may be left empty, there is nobody to prove.
        if common.base.password == nil { common.base.username = nil }
        return common
    }

    /// A user or a password; a secret never appears in a message. An empty one, as `${NAME:-}` may be, is none.
    private func credential(_ value: Value, _ what: String, isSecret: Bool = false) -> String? {
        if isSecret { conceal(value) }
        if value.isNull || value.isUnusable || value.text == "" { return nil }
        let bounds = Bounds.redisCredentialBytes
        guard let text = value.text, bounds.contains(text.utf8.count) else {
            error(value, "expected \(what) of at most \(bounds.upperBound) bytes")
            return nil
        }
        return text
    }
}
