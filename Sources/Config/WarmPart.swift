import HTTPModel
import Identity
import Primitives
import Settings

/// What `cache.warm` says.
struct ParsedWarm {
    /// A URL and where it stands.
    struct URL {
        var request: WarmRequest
        var value: Value
    }

    var settings = WarmSettings()
    var urls: [URL] = []
    var value: Value
}

/// Reads `cache.warm:`.
extension Report {
    func warm(_ value: Value) -> ParsedWarm {
        var warm = ParsedWarm(value: value)
        let help = "for example `{urls: [http://api.example.com/summary]}`"
        guard var fields = Fields(value, self, expected: "a mapping", help: help) else {
            return warm
        }
        let before = problems.count
        let hostValue = fields.take("host")
        // A host that was not understood is some host: only it is reported.
        let host = hostValue.map { warmHost($0) ?? "localhost" }
        let urls = fields.take("urls")
        if let urls {
            for item in items(urls, "URLs", atMost: Bounds.warmURLs) {
                guard let request = warmURL(item, host) else { continue }
                if warm.urls.contains(where: { $0.request == request }) {
                    error(item, "stands twice")
                }
                warm.urls.append(ParsedWarm.URL(request: request, value: item))
            }
        }
        warm.settings.urls = warm.urls.map(\.request)
        if let at = fields.take("at") { warmMoments(at, &warm.settings) }
        let top = fields.take("top")
        if let top, let share = percent(top) { warm.settings.top = share }
        let file = fields.take("file")
        if let file { warm.settings.file = warmFile(file) }
        let interval = fields.take("interval")
        if let interval, let time = duration(interval, Bounds.warmInterval) {
            warm.settings.interval = time
        }
        let chance = fields.take("chance")
        if let chance, let share = percent(chance) { warm.settings.chance = share }
        if let concurrency = fields.take("concurrency"),
            let count = integer(concurrency, Bounds.warmConcurrency)
        {
            warm.settings.concurrency = count
        }
        fields.finish()
        // What could not be read may have been what is missing.
        let values = [hostValue, urls, top, file, interval, chance].compactMap { $0 }
        if problems.count == before && !values.contains(where: \.isUnusable) {
            checkWarm(warm, urls: urls, top: top, others: [file, interval, chance])
        }
        return warm
    }

    /// Parts that do nothing without each other.
    private func checkWarm(
        _ warm: ParsedWarm, urls: Value?, top: Value?, others: [Value?]
    ) {
        if let top, warm.settings.top > 0, others[0] == nil && warm.settings.chance == 0 {
            error(
                keyOf: top, "popular keys would be counted, but never used",
                help:
                    "add `file: PATH` to fetch them after a restart, or `chance: 10%` to fetch them "
                    + "when they have expired")
        }
        if warm.settings.top == 0 {
            for other in others {
                guard let other else { continue }
                error(
                    keyOf: other, "belongs to popular keys, and there are none without `top`",
                    help: "for example `top: 10%`")
            }
        }
        let hasURLs = urls.map { !$0.isEmptyList } ?? false
        if !hasURLs && warm.settings.top == 0 && others.allSatisfy({ $0 == nil }) {
            error(keyOf: warm.value, "nothing would be warmed", help: "write `urls` or `top`")
        }
    }

    private func warmMoments(_ value: Value, _ settings: inout WarmSettings) {
        settings.atStart = false
        settings.atPurge = false
        for item in items(value, "moments", atMost: 2) {
            switch word(item, "moment", ["start", "purge"]) {
            case "start": settings.atStart = true
            case "purge": settings.atPurge = true
            default: break
            }
        }
        if value.isEmptyList { expected("`start`, `purge` or both", value) }
    }

    private func warmFile(_ value: Value) -> String? {
        guard let path = value.text, !path.isEmpty, path.utf8.count <= Bounds.pathBytes,
            !path.hasSuffix("/"), path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
            expected("the path of a file", value)
            return nil
        }
        return path
    }

    // MARK: URLs

    /// `/path?query`, `http://host/path?query`, or a mapping with `url` and `headers`.
    private func warmURL(_ value: Value, _ host: String?) -> WarmRequest? {
        guard case .map = value.content else { return warmTarget(value, host) }
        guard var fields = Fields(value, self, expected: "a URL or a mapping") else { return nil }
        let url = fields.require("url")
        let headers = fields.take("headers")
        fields.finish()
        guard let url, var request = warmTarget(url, host) else { return nil }
        if let headers { request.fields = warmFields(headers) }
        return request
    }

    private func warmTarget(_ value: Value, _ host: String?) -> WarmRequest? {
        guard let text = value.text, !text.isEmpty else {
            expected("a URL", value, help: "for example `http://api.example.com/summary`")
            return nil
        }
        var target = text[...]
        var named = host
        if let rest = text.dropPrefix("http://") {
            let slash = rest.firstIndex(of: "/") ?? rest.endIndex
            named = isAuthority(rest[..<slash]) ? Text.lowered(String(rest[..<slash])) : nil
            target = slash == rest.endIndex ? "/" : rest[slash...]
            if named == nil {
                error(value, "`\(Value.shortened(String(rest[..<slash])))` is no host name")
                return nil
            }
        }
        guard target.hasPrefix("/"), target.utf8.count <= Bounds.urlBytes,
            (try? TargetNormaliser.inspect(Array(target.utf8).span)) != nil
        else {
            expected(
                "`http://host/path` or `/path`", value,
                help: "percent-encode what no URL may hold; there is no `#` in a request")
            return nil
        }
        guard let named else {
            error(
                value, "which host do clients ask for it? It is a part of the key",
                help: "write `host: api.example.com` beside `urls`, or the URL with its host")
            return nil
        }
        return WarmRequest(host: named, target: String(target))
    }

    private func warmHost(_ value: Value) -> String? {
        guard let text = value.text, isAuthority(text[...]) else {
            expected("the host that clients send", value, help: "for example `api.example.com`")
            return nil
        }
        return Text.lowered(text)
    }

    /// `host`, `host:port` or `[address]:port`.
    private func isAuthority(_ text: Substring) -> Bool {
        var name = text
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") {
            guard let port = Text.decimal(text[colon...].dropFirst()), (1...65_535).contains(port)
            else { return false }
            name = text[..<colon]
        }
        if name.hasPrefix("[") && name.hasSuffix("]") {
            return IPAddress(parsing: String(name.dropFirst().dropLast())) != nil
        }
        return OriginURL.isHostName(name)
    }

    private func warmFields(_ value: Value) -> [WarmRequest.Field] {
        guard case .map(let entries) = value.content, entries.count <= Bounds.routeHeaders else {
            expected("a mapping of at most \(Bounds.routeHeaders) header fields", value)
            return []
        }
        return entries.compactMap { entry in
            let name = Text.lowered(entry.key)
            guard Text.isToken(name) else {
                error(keyOf: entry.value, "\"\(Value.shortened(name))\" is not the name of a field")
                return nil
            }
            guard let text = entry.value.text, Text.isFieldValue(text) else {
                expected("the value of a header field", entry.value)
                return nil
            }
            if Report.isForClientsOnly(name) {
                error(
                    keyOf: entry.value, "a warming request is for nobody in particular, and plain",
                    help: "what it fetches goes to everybody; fields such as `accept-language` may "
                        + "stand here")
            }
            return WarmRequest.Field(name: name, value: text)
        }
    }

    /// Whether a field says who asks, or asks for less than the whole answer, or is the proxy's own to set.
    private static func isForClientsOnly(_ name: String) -> Bool {
        let prefixes = ["if-", "x-forwarded-", "proxy-", "x-weir-", "x-user", "x-company"]
        if prefixes.contains(where: name.hasPrefix) { return true }
        return [
            "authorization", "cookie", "forwarded", "x-real-ip", "x-api-key", "range", "host",
            "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect",
            "content-length", "content-type", "cache-control", "pragma", "via", "max-forwards",
            "x-auth-token", "idempotency-key",
        ].contains(name)
    }
}

extension String {
    /// What follows `prefix`; `nil` when it does not begin so.
    fileprivate func dropPrefix(_ prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
