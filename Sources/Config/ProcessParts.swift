import Primitives
import Settings

/// Reads `workers:`, `limit_keys:`, `http:`, `headers:`, `log:` and `shutdown:`.
extension Report {
    /// `workers:` a number, or `auto`: one for each processor.
    func workers(_ value: Value?, processors: Int) -> Int {
        let automatic = min(max(processors, Bounds.workers.lowerBound), Bounds.workers.upperBound)
        guard let value, value.text != "auto" else { return automatic }
        guard let text = value.text, let number = Text.decimal(text),
            Bounds.workers.contains(number)
        else {
            let (low, high) = (Bounds.workers.lowerBound, Bounds.workers.upperBound)
            expected("`auto` or a whole number from \(low) to \(high)", value)
            return automatic
        }
        return number
    }

    func http(_ value: Value) -> HTTPSettings {
        var http = Defaults.http
        guard
            var fields = Fields(
                value, self, expected: "a mapping",
                help: "for example `http: {header_bytes: 16KiB}`")
        else { return http }
        fields.update("header_bytes", &http.headerBytes) {
            size($0, Bounds.headerBytes).map(Int.init)
        }
        fields.update("fields", &http.fields) { integer($0, Bounds.fields) }
        fields.update("target_bytes", &http.targetBytes) {
            size($0, Bounds.targetBytes).map(Int.init)
        }
        fields.update("body_bytes", &http.bodyBytes) { size($0, Bounds.bodyBytes) }
        fields.update("request_timeout", &http.requestTimeout) { duration($0, Bounds.timeout) }
        fields.update("idle_timeout", &http.idleTimeout) { duration($0, Bounds.timeout) }
        fields.update("connections", &http.connections) { integer($0, Bounds.connections) }
        fields.finish()
        return http
    }

    /// `headers:` a list of dialects, or a mapping with `dialects` and how they are written.
    func headers(_ value: Value) -> HeaderSettings {
        var headers = Defaults.headers
        guard case .map = value.content else {
            dialects(value, &headers)
            return headers
        }
        guard var fields = Fields(value, self, expected: "a mapping") else { return headers }
        if let value = fields.take("dialects") { dialects(value, &headers) }
        if let value = fields.take("x_ratelimit_reset") {
            headers.resetIsDelta = word(value, "form", ["epoch", "delta"]) == "delta"
        }
        fields.update("retry_after_jitter", &headers.retryAfterJitter) { percent($0) }
        fields.finish()
        return headers
    }

    private func dialects(_ value: Value, _ headers: inout HeaderSettings) {
        headers.xRateLimit = false
        headers.ietfDraft11 = false
        for item in items(value, "dialects", atMost: 8) {
            switch word(item, "dialect", ["x-ratelimit", "ietf-draft-11", "ietf-draft-03"]) {
            case "x-ratelimit": headers.xRateLimit = true
            case "ietf-draft-11": headers.ietfDraft11 = true
            case "ietf-draft-03": headers.ietfDraft03 = true
            default: continue
            }
        }
        if headers.ietfDraft11 && headers.ietfDraft03 {
            error(
                value,
                "`ietf-draft-11` and `ietf-draft-03` write `RateLimit-Policy` in different forms",
                help: "keep one of the two; `x-ratelimit` goes with both")
        }
    }

    func log(_ value: Value) -> LogSettings {
        var log = Defaults.log
        guard
            var fields = Fields(
                value, self, expected: "a mapping", help: "for example `log: {level: info}`")
        else { return log }
        if let value = fields.take("format") {
            _ = word(value, "format", ["json"], later: ["text"])
        }
        if let value = fields.take("level") {
            let names = LogSettings.Level.allCases.map { "\($0)" }
            let name = word(value, "level", names)
            log.level = LogSettings.Level.allCases.first { "\($0)" == name } ?? log.level
        }
        fields.update("sample", &log.sample) { percent($0) }
        fields.finish()
        return log
    }

    /// `shutdown: {drain: 30s}`.
    func shutdown(_ value: Value) -> Nanoseconds {
        guard
            var fields = Fields(
                value, self, expected: "a mapping", help: "for example `shutdown: {drain: 30s}`")
        else { return Defaults.drain }
        let drain = fields.take("drain").flatMap { duration($0, Bounds.drain) }
        fields.finish()
        return drain ?? Defaults.drain
    }
}
