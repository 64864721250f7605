import Primitives
import Settings

/// The upstreams of the file: settings by index, and all names, those with faults included.
struct UpstreamTable {
    var settings: [UpstreamSettings] = []

    func index(of name: String) -> Int? { settings.firstIndex { $0.name == name } }

    /// The upstream of routes that name none: the only one, or the one named `default`.
    var defaultIndex: Int? { settings.count == 1 ? 0 : index(of: Defaults.upstreamName) }
}

/// Reads `upstream:` and `upstreams:`.
extension Report {
    func upstreams(_ root: inout Fields) -> UpstreamTable {
        let single = root.take("upstream")
        let several = root.take("upstreams")
        var table = UpstreamTable()
        if let single {
            table.settings = [upstream(single, name: Defaults.upstreamName)]
            if let several {
                error(
                    keyOf: several, "`upstream` at line \(single.line) says the same",
                    help: "keep one of the two")
            }
        } else if let several {
            guard case .map(let entries) = several.content else {
                expected("a mapping of names to upstreams", several)
                return table
            }
            if entries.isEmpty { expected("at least one upstream", several) }
            if entries.count > Bounds.upstreams {
                error(
                    keyOf: several, "at most \(Bounds.upstreams) upstreams, found \(entries.count)")
            }
            for entry in entries {
                if !Text.isName(entry.key) {
                    error(keyOf: entry.value, "a name has letters, digits, `_`, `.` and `-`")
                }
                table.settings.append(upstream(entry.value, name: entry.key))
            }
        } else {
            root.lack("upstream", help: "say where requests go: `upstream: http://127.0.0.1:8000`")
        }
        return table
    }

    /// One upstream: a URL, a list of servers, or a mapping.
    private func upstream(_ value: Value, name: String) -> UpstreamSettings {
        var settings = UpstreamSettings(name: name, servers: [])
        guard case .map = value.content else {
            settings.servers = servers(value)
            return settings
        }
        guard var fields = Fields(value, self, expected: "a mapping") else { return settings }
        if let list = fields.require(
            "servers", help: "for example `servers: [http://10.0.0.1:8000]`")
        {
            settings.servers = servers(list)
        }
        if let balance = fields.take("balance") { self.balance(balance) }
        if let pool = fields.take("pool") { self.pool(pool, &settings) }
        if let timeouts = fields.take("timeouts") { self.timeouts(timeouts, &settings) }
        fields.refuse("read_servers", "reading from replicas", shape: .servers)
        fields.refuse("retries", "configuring retries", shape: .retries)
        fields.refuse("health", "the active health check", shape: .health)
        fields.refuse("breaker", "the circuit breaker", shape: .breaker)
        fields.refuse("canary", "the canary", shape: .canary)
        fields.finish()
        return settings
    }

    private func balance(_ value: Value) {
        guard let text = value.text, text.hasPrefix("ring_hash") else {
            _ = word(value, "balance", ["least_request"], later: ["round_robin"])
            return
        }
        error(value, "balance `ring_hash` is not available in this version")
    }

    private func servers(_ value: Value) -> [UpstreamSettings.Server] {
        var lines: [String: Int] = [:]
        var servers: [UpstreamSettings.Server] = []
        let items = items(value, "servers", atMost: Bounds.servers)
        if items.isEmpty, case .list = value.content { expected("at least one server", value) }
        for item in items {
            var place = item
            var weight = Defaults.weight
            if case .map = item.content {
                guard var fields = Fields(item, self, expected: "a mapping") else { continue }
                let url = fields.require("url", help: "for example `url: http://10.0.0.1:8000`")
                fields.update("weight", &weight) { integer($0, Bounds.weight) }
                fields.finish()
                guard let url else { continue }
                place = url
            }
            guard let server = server(place, weight: weight) else { continue }
            let key = OriginURL.write(server)
            if let line = lines[key] {
                error(
                    place, "\"\(key)\" is already used at line \(line)",
                    help: "give a server more requests with `{url: \(key), weight: 2}`")
            }
            lines[key] = place.line
            servers.append(server)
        }
        return servers
    }

    private func pool(_ value: Value, _ settings: inout UpstreamSettings) {
        guard var fields = Fields(value, self, expected: "a mapping, for example `{size: 20}`")
        else {
            return
        }
        fields.update("size", &settings.poolSize) { integer($0, Bounds.poolSize) }
        fields.update("overflow", &settings.poolOverflow) { integer($0, Bounds.poolOverflow) }
        fields.update("wait", &settings.poolWait) { duration($0, Bounds.poolWait) }
        fields.update("recycle", &settings.recycle) { duration($0, Bounds.poolAge) }
        fields.update("idle", &settings.poolIdle) { duration($0, Bounds.poolAge) }
        fields.finish()
        if settings.poolSize == 0 && settings.poolOverflow == 0 {
            error(keyOf: value, "`size` and `overflow` are both 0: no connection could be made")
        }
    }

    private func timeouts(_ value: Value, _ settings: inout UpstreamSettings) {
        guard var fields = Fields(value, self, expected: "a mapping, for example `{connect: 5s}`")
        else { return }
        fields.update("connect", &settings.connectTimeout) { duration($0, Bounds.timeout) }
        fields.update("first_byte", &settings.firstByteTimeout) { duration($0, Bounds.timeout) }
        fields.update("idle", &settings.idleTimeout) { duration($0, Bounds.timeout) }
        fields.finish()
    }
}
