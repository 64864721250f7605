import Caching
import HTTPModel
import Identity
import Limits
import Primitives
import Settings
import Telemetry

/// One worker's gathered log lines, until the log's thread takes them.
struct AccessLog {
    private let settings: LogSettings
    private let buffer = ByteBuffer(capacity: 4096)
    private var lines = 0

    init(_ settings: LogSettings) { self.settings = settings }

    var isEmpty: Bool { lines == 0 }
    var isFull: Bool { buffer.count >= Bounds.logBuffer }

    /// Whether a request of `status` gets a line: a sample of all, and every failure unless nothing is logged.
    func admits(_ status: Status, _ random: inout SeededRandom) -> Bool {
        guard settings.level.rawValue <= LogSettings.Level.info.rawValue, settings.sample > 0 else {
            return false
        }
        return settings.sample >= 1 || status.code >= 500 || random.unit() <= settings.sample
    }

    /// Appends the line of a request.
    mutating func append(
        _ exchange: Exchange, of connection: DownstreamConnection, _ route: Route?,
        _ trace: TraceContext?, at clock: ClockReading
    ) {
        let record = exchange.record
        var line = JSONLine(to: buffer)
        line.field("timestamp", time: clock.wall)
        line.field("level", record.status.code >= 500 ? "error" : "info")
        line.field("service", "weir")
        if let trace { line.field("trace_id", traceOf: trace) }
        if let route {
            appendIdentity(exchange.identity, &line)
            let (name, pattern) = (route.name, route.pattern)
            line.field("route", name.span)
            line.field("endpoint", pattern.span)
        } else {
            line.field("client", connection.peer)
        }
        appendRequest(exchange.request, &line)
        line.field("status", UInt64(record.status.code))
        line.field("latency_ms", milliseconds: clock.monotonic - record.started)
        if let upstream = record.upstream { line.field("upstream_ms", milliseconds: upstream) }
        line.field("cache", record.cache.name)
        if record.isShared { line.field("cache_level", 2) }
        if let reason = record.cacheReason { line.field("cache_reason", reason) }
        if record.idempotency != .none {
            line.field("idempotency", record.idempotency.name)
        }
        if let route { appendLimit(exchange.decision, route, &line) }
        if let delayed = record.delayed { line.field("delayed_ms", milliseconds: delayed) }
        line.field("bytes", record.bodyBytes)
        if let error = record.error { line.field("error", error) }
        if record.isIncomplete { line.field("incomplete", true) }
        line.end()
        lines += 1
    }

    private func appendIdentity(_ identity: borrowing ResolvedIdentity, _ line: inout JSONLine) {
        line.field("user_id", identity.user)
        line.field("company", identity.company)
        line.field("tier", identity.tier)
        line.field("client", identity.address)
        switch identity.credential {
        case .invalidToken(let problem): line.field("credential", problem.reason)
        case .unknownAPIKey: line.field("credential", "the API key is not known")
        case .none, .token, .apiKey: break
        }
    }

    private func appendRequest(_ request: borrowing RequestHead, _ line: inout JSONLine) {
        guard !request.methodRange.isEmpty else { return }
        line.field("method", request.span(request.methodRange))
        line.field("path", request.span(request.path))
    }

    private func appendLimit(
        _ decision: LimitDecision, _ route: Route, _ line: inout JSONLine
    ) {
        switch decision.outcome {
        case .notLimited:
            line.field("limit", "none")
        case .admitted:
            line.field("limit", "admitted")
            guard let tightest = decision.tightest else { return }
            let name = route.limitNames[Int(decision[tightest].limit)]
            line.field("limit_name", name.span)
            appendCharge(decision, &line)
        case .refused(let limit):
            let name = route.limitNames[limit]
            line.field("limit", "refused")
            line.field("limit_name", name.span)
            appendRefusing(decision, route, &line)
        case .deniedAnonymous(let limit):
            let name = route.limitNames[limit]
            line.field("limit", "denied_anonymous")
            line.field("limit_name", name.span)
        case .uncounted(let limit):
            let name = route.limitNames[limit]
            line.field("limit", "uncounted")
            line.field("limit_name", name.span)
        }
    }

    /// What the limits were charged together, where that is not 1 each.
    private func appendCharge(_ decision: LimitDecision, _ line: inout JSONLine) {
        var isPlain = true
        var total: UInt64 = 0
        for index in 0..<decision.count where !decision[index].isShadow {
            total += UInt64(decision[index].charged)
            if decision[index].charged != 1 { isPlain = false }
        }
        if !isPlain { line.field("charged", total) }
    }

    /// The names of all limits that refused, where they are several.
    private func appendRefusing(
        _ decision: LimitDecision, _ route: Route, _ line: inout JSONLine
    ) {
        var refusing = InlineArray<8, UInt8>(repeating: 0)
        var count = 0
        for index in 0..<decision.count
        where decision[index].refused && !decision[index].isShadow {
            refusing[count] = decision[index].limit
            count += 1
        }
        guard count > 1 else { return }
        line.field("limit_names", count: count) { route.limitNames[Int(refusing[$0])] }
    }

    /// Takes all lines out.
    mutating func take() -> (bytes: [UInt8], lines: Int) {
        defer {
            buffer.removeAll()
            lines = 0
        }
        return (buffer.readable.copied, lines)
    }
}
