public import EventLoop
import HTTPModel
public import Primitives
public import Proxy
public import Settings
import Telemetry

/// The admin address: health for the orchestrator, metrics for Prometheus, limits, cache and explanations for people.
///
/// The health checks are open to whoever reaches the address; everything else asks for the token when one is
/// configured.
public final class AdminServer {
    private let settings: AdminSettings
    private let server: ProxyServer
    private let loop: EventLoop
    private var listener: SmallServer?
    private let timer: SwitchTimer
    private let awaitRedis: (() async -> Bool)?
    private let forgetShared: (([[UInt8]]) async -> [Bool]?)?

    /// Prepares the endpoints of `server`.
    ///
    /// - Parameters:
    ///   - settings: Where, and with which token.
    ///   - server: The data plane.
    ///   - loop: The loop of the calling thread.
    ///   - changed: Told once of each change of the cache's switches, also when one ends by itself.
    ///   - awaitRedis: Waits a moment until Redis has all purges, and says whether it has; `nil`: there is none.
    ///   - forgetShared: Has Redis forget keys of limits, and says of each whether it was there; no answer: `nil`.
    public init(
        _ settings: AdminSettings, server: ProxyServer, loop: EventLoop,
        changed: @escaping (CacheSwitches.Change) -> Void = { _ in },
        awaitRedis: (() async -> Bool)? = nil,
        forgetShared: (([[UInt8]]) async -> [Bool]?)? = nil
    ) {
        timer = SwitchTimer(server: server, loop: loop, changed: changed)
        self.settings = settings
        self.server = server
        self.loop = loop
        self.awaitRedis = awaitRedis
        self.forgetShared = forgetShared
    }

    /// Binds the address and starts to answer; returns the address with the kernel's port.
    public func start() throws(ListenError) -> SocketAddress {
        let small = try SmallServer(settings.address, loop: loop) { [self] request, body in
            await answer(request, body)
        }
        small.start()
        listener = small
        return small.address
    }

    /// Stops accepting.
    public func close() { listener?.close() }

    private func answer(_ request: RequestHead, _ body: [UInt8]) async -> SmallServer.Reply {
        let path = request.span(request.path)
        do throws(AdminProblem) {
            if let kind = HealthReport.Kind(path: path) {
                try allow([.get], request)
                return health(kind)
            }
            guard isAuthorised(request) else {
                throw AdminProblem(
                    status: 401, detail: "bearer token required",
                    fields: ["WWW-Authenticate: Bearer realm=\"weir-admin\""])
            }
            guard let endpoint = Endpoint(path: path) else {
                throw AdminProblem(
                    status: 404, detail: Endpoint.all.joined(separator: ", "))
            }
            try allow(endpoint.methods, request)
            return try await answer(endpoint, try AdminQuery(request, body))
        } catch {
            return error.reply
        }
    }

    private func answer(
        _ endpoint: Endpoint, _ query: AdminQuery
    ) async throws(AdminProblem) -> SmallServer.Reply {
        let limits = LimitsEndpoint(server: server, clock: loop.clock)
        let cache = CacheEndpoint(server: server, loop: loop, timer: timer)
        switch endpoint {
        case .metrics: return await metrics()
        case .limits: return try limits.list(query)
        case .limitsKey: return try limits.key(query)
        case .limitsTop: return try await limits.top(query)
        case .limitsReset: return try await limits.reset(query, forgetShared: forgetShared)
        case .limitsBoost: return try limits.boost(query)
        case .jobs: return try JobsEndpoint(server: server, now: loop.now).list(query)
        case .jobsRetry: return try JobsEndpoint(server: server, now: loop.now).retry(query)
        case .jobsDrop: return try JobsEndpoint(server: server, now: loop.now).drop(query)
        case .explain: return try await ExplainEndpoint(server: server).answer(query)
        case .cache: return try await cache.statistics(query)
        case .cacheKey: return try cache.key(query)
        case .cachePurge: return try await cache.purge(query, awaitRedis: awaitRedis)
        case .cacheBypass: return try cache.bypass(query)
        case .cacheTTL: return try cache.multiplyLifetimes(query)
        }
    }

    private func health(_ kind: HealthReport.Kind) -> SmallServer.Reply {
        let report = HealthReport(kind, of: server.shared, at: loop.now)
        let body = ByteBuffer(capacity: 512)
        report.append(to: body)
        return SmallServer.Reply(
            report.status, body: body.readable.copied, fields: ["Cache-Control: no-store"])
    }

    private func metrics() async -> SmallServer.Reply {
        let body = ByteBuffer(capacity: 16 << 10)
        await server.metrics().append(to: body, at: loop.now)
        return SmallServer.Reply(
            200, type: "\(MetricsText.contentType)", body: body.readable.copied)
    }

    /// Refuses other methods than `methods`; who may GET may HEAD.
    private func allow(
        _ methods: [Method], _ request: borrowing RequestHead
    ) throws(AdminProblem) {
        let method = request.method == .head ? .get : request.method
        if methods.contains(method) { return }
        let names = methods.flatMap { $0 == .get ? ["GET", "HEAD"] : ["\($0.text)"] }
        throw AdminProblem(
            status: 405, detail: "this path answers \(names.joined(separator: ", "))",
            fields: ["Allow: \(names.joined(separator: ", "))"])
    }

    private func isAuthorised(_ request: borrowing RequestHead) -> Bool {
        guard let token = settings.token else { return true }
        let expected = Array(token.utf8)
        let scheme: StaticString = "bearer "
        // The name of a scheme knows no case (RFC 9110 §11.1).
        guard let sent = request.fields.first(.authorization),
            sent.count == scheme.utf8CodeUnitCount + expected.count,
            sent.extracting(first: scheme.utf8CodeUnitCount).equalsIgnoringCase(scheme)
        else { return false }
        let given = sent.extracting(last: expected.count)
        // The same time whichever byte differs.
        var difference: UInt8 = 0
        for index in given.indices { difference |= given[index] ^ expected[index] }
        return difference == 0
    }
}

/// What the admin address answers beside health, each behind the token.
private enum Endpoint: String, CaseIterable {
    case metrics = "/metrics"
    case limits = "/limits"
    case limitsKey = "/limits/key"
    case limitsTop = "/limits/top"
    case limitsReset = "/limits/reset"
    case limitsBoost = "/limits/boost"
    case jobs = "/jobs"
    case jobsRetry = "/jobs/retry"
    case jobsDrop = "/jobs/drop"
    case explain = "/explain"
    case cache = "/cache"
    case cacheKey = "/cache/key"
    case cachePurge = "/cache/purge"
    case cacheBypass = "/cache/bypass"
    case cacheTTL = "/cache/ttl"

    init?(path: Span<UInt8>) { self.init(rawValue: path.text) }

    /// Looking is GET, mending is POST.
    var methods: [Method] {
        switch self {
        case .metrics, .limits, .limitsKey, .limitsTop, .jobs, .cache, .cacheKey: [.get]
        case .limitsReset, .limitsBoost, .jobsRetry, .jobsDrop, .cachePurge, .cacheBypass,
            .cacheTTL:
            [.post]
        case .explain: [.get, .post]
        }
    }

    /// All paths, for who asked for another one.
    static var all: [String] { ["/health", "/healthz", "/readyz"] + allCases.map(\.rawValue) }
}
