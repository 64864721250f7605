import Caching
import Primitives
import Routes
public import Settings
import YAMLReader

/// The file `proxy.yaml`: text in, checked settings out, and back.
public enum Configuration {
    /// Reads and checks a configuration file.
    ///
    /// All problems of the file are found in one run: its form, its keys and values, and what does
    /// not fit together. Nothing is read but the arguments.
    ///
    /// - Parameters:
    ///   - bytes: The file, UTF-8, at most 1 MiB.
    ///   - file: Its name in messages.
    ///   - environment: The variables for `${NAME}` and `${NAME:-default}`.
    ///   - processors: What `workers: auto` stands for.
    /// - Returns: Settings with every default filled in, or all problems. There is nothing in
    /// between.
    public static func load(
        _ bytes: [UInt8], file: String, environment: [String: String], processors: Int
    ) -> Result<ProxySettings, ConfigurationFailure> {
        let lines = YAMLText.lines(of: bytes)
        let report = Report(lines: lines)
        let document = YAMLDocument(reading: bytes)
        for problem in document.problems {
            report.error(at: problem.range, problem.message, help: problem.help)
        }
        var settings: ProxySettings?
        if let root = document.root, !root.isNull {
            let variables = Environment(variables: environment, report: report)
            let value = Value(root, path: "", keyRange: nil, variables)
            settings = report.settings(value, processors: processors)
        } else if report.problems.isEmpty {
            let start = YAMLRange(start: .start, end: .start)
            report.error(at: start, "the file says nothing", help: smallestFile)
        }
        if let settings, report.problems.isEmpty { return .success(settings) }
        return .failure(
            ConfigurationFailure(
                file: file, problems: report.problems, lines: lines, concealed: report.concealed))
    }

    /// Reads and checks the text of a configuration file, as
    /// `load(_:file:environment:processors:)`.
    public static func load(
        text: String, file: String, environment: [String: String], processors: Int
    ) -> Result<ProxySettings, ConfigurationFailure> {
        load(Array(text.utf8), file: file, environment: environment, processors: processors)
    }

    private static let smallestFile =
        "two keys are enough: `listen: 0.0.0.0:8080` and `upstream: http://127.0.0.1:8000`"
}

extension Report {
    /// The settings of a whole file, or `nil` once anything was reported.
    fileprivate func settings(_ root: Value, processors: Int) -> ProxySettings? {
        guard var fields = Fields(root, self, expected: "a mapping of keys to values") else {
            return nil
        }
        let listeners =
            fields.require("listen", help: "for example `listen: 0.0.0.0:8080`")
            .map { self.listeners($0) } ?? []
        let admin = fields.take("admin").flatMap { self.admin($0, listeners: listeners) }
        let workers = workers(fields.take("workers"), processors: processors)
        let limitKeys = fields.take("limit_keys").flatMap { integer($0, Bounds.limitKeys) }
        let kept = fields.take("idempotency_memory").flatMap { size($0, Bounds.idempotencyMemory) }
        let idempotencyMemory = kept.map { Int($0) } ?? Defaults.idempotencyMemory
        let redis = fields.take("redis").map { self.redis($0) } ?? ParsedRedis()
        fields.refuse("tracing", "tracing", shape: .tracing)
        let http = fields.take("http").map { self.http($0) }
        let headers = fields.take("headers").map { self.headers($0) }
        let log = fields.take("log").map { self.log($0) }
        let drain = fields.take("shutdown").map { shutdown($0) }

        let context = RouteContext(
            upstreams: upstreams(&fields),
            limits: share(fields.take("limits").map { limits($0) } ?? [], redis),
            cache: fields.take("cache").map { wholeCache($0) } ?? ParsedCache(),
            compression: fields.take("compression").map { compression($0) } ?? ParsedCompression(),
            identity: fields.take("identity").map { identity($0) } ?? ParsedIdentity(),
            redis: redis,
            idempotencyMemory: idempotencyMemory)
        let routes = share(routes(&fields, root, context), context)
        checkCompression(context.compression, context.cache, routes)
        fields.finish()

        guard problems.isEmpty else { return nil }
        return ProxySettings(
            listeners: listeners, admin: admin, workers: workers,
            limitKeys: limitKeys ?? Defaults.limitKeys, upstreams: context.upstreams.settings,
            identity: context.identity.settings, limits: context.limits.map(\.definition),
            cacheMemory: routes.contains { $0.cache != nil } ? context.cache.memory : 0,
            warm: routes.contains { $0.cache != nil } ? context.cache.warm?.settings : nil,
            routes: routes, http: http ?? Defaults.http, headers: headers ?? Defaults.headers,
            log: log ?? Defaults.log, drain: drain ?? Defaults.drain,
            idempotencyMemory: idempotencyMemory, compression: context.compression.policy,
            redis: redis.stores)
    }

    /// The routes of the file, or the one for everything, and all checks across parts.
    private func routes(
        _ fields: inout Fields, _ root: Value, _ context: RouteContext
    ) -> [RouteSettings] {
        let written = fields.take("routes")
        guard let written else {
            checkLimits(context.limits, nil, context.identity)
            checkIdentity([], context.cache, context.identity)
            checkTags([], context.cache, context.identity)
            checkCredentials(context.limits, [], context.identity)
            let route = everything(context, root)
            let parsed = [ParsedRoute(settings: route, hasRightPath: true, value: root)]
            checkCounting(context.limits, parsed, context)
            checkCookies(parsed, context.cache, context.identity)
            checkWarm(context.cache, parsed, context.identity)
            checkSharing(context.cache, parsed, context.redis)
            return [route]
        }
        let parsed = routes(written, context)
        checkLimits(context.limits, parsed, context.identity)
        checkIdentity(parsed, context.cache, context.identity)
        checkTags(parsed, context.cache, context.identity)
        checkCredentials(context.limits, parsed, context.identity)
        checkCounting(context.limits, parsed, context)
        checkCookies(parsed, context.cache, context.identity)
        checkWarm(context.cache, parsed, context.identity)
        checkSharing(context.cache, parsed, context.redis)
        checkReach(parsed)
        checkCache(context.cache, parsed)
        return parsed.map(\.settings)
    }

    /// Without `routes:` every request gets all limits and, if the file has one, the cache.
    private func everything(_ context: RouteContext, _ root: Value) -> RouteSettings {
        let (limits, cache, upstreams) = (context.limits, context.cache, context.upstreams)
        if limits.count > Bounds.limitsPerRoute {
            error(
                keyOf: limits[Bounds.limitsPerRoute].value,
                "one request can have \(Bounds.limitsPerRoute) limits; without `routes` it has all",
                help: "write `routes` that choose from them")
        }
        if upstreams.defaultIndex == nil, !upstreams.settings.isEmpty {
            error(
                keyOf: root, "there are several upstreams, and no `routes` that choose one",
                help: "write `routes`, or name one upstream `default`")
        }
        let usesCache = cache.value != nil && !cache.isOff
        let match = RouteDefinition(name: Defaults.routePath, path: Defaults.routePath)
        return RouteSettings(
            match: match, upstream: upstreams.defaultIndex ?? 0,
            limits: Array(limits.indices.prefix(Bounds.limitsPerRoute)),
            cache: usesCache ? cache.policy : nil,
            compresses: usesCache && context.compression.policy != nil)
    }
}
