import Limits
import Primitives
import Routes
public import Settings

extension Configuration {
    /// The whole of `settings` as a configuration file in its long form, every default written out.
    ///
    /// Loaded again it gives equal settings. Secrets are not written: in place of the admin token
    /// stands `${WEIR_ADMIN_TOKEN}`, in place of the secrets of tokens `${WEIR_JWT_SECRET_1}`,
    /// `${WEIR_JWT_SECRET_2}` and so on, in place of a password of Redis `${WEIR_REDIS_PASSWORD}`; they must
    /// then be set.
    public static func longForm(_ settings: ProxySettings) -> String {
        var file: [(String, YAMLOutput)] = [
            ("listen", .list(settings.listeners.map { .block([("address", address($0.address))]) }))
        ]
        if let admin = settings.admin {
            var entries = [("address", address(admin.address))]
            if admin.token != nil {
                entries.append(("token", .verbatim("\"${WEIR_ADMIN_TOKEN}\"")))
            }
            entries.append(("health_on_main", .number(admin.healthOnMain)))
            file.append(("admin", .block(entries)))
        }
        file.append(("workers", .number(settings.workers)))
        file.append(("limit_keys", .number(settings.limitKeys)))
        file.append(("idempotency_memory", .size(settings.idempotencyMemory)))
        if let redis = settings.redis { file.append(("redis", self.redis(redis))) }
        file.append(("upstreams", .block(settings.upstreams.map { ($0.name, upstream($0)) })))
        file.append(("identity", .block(identity(settings.identity))))
        if !settings.limits.isEmpty {
            file.append(
                ("limits", .block(settings.limits.map { ($0.name, limit($0, in: settings)) })))
        }
        file.append(("cache", cache(settings)))
        file.append(("compression", compression(settings.compression)))
        file.append(("routes", .list(settings.routes.map { route($0, in: settings) })))
        file.append(("http", .block(http(settings.http))))
        file.append(("headers", .block(headers(settings.headers))))
        let log: [(String, YAMLOutput)] = [
            ("format", .text("json")), ("level", .text("\(settings.log.level)")),
            ("sample", .percent(settings.log.sample)),
        ]
        file.append(("log", .block(log)))
        file.append(("shutdown", .block([("drain", .duration(settings.drain))])))
        return YAMLOutput.file(file)
    }

    private static func address(_ address: SocketAddress) -> YAMLOutput {
        .text(address.text)
    }

    private static func upstream(_ upstream: UpstreamSettings) -> YAMLOutput {
        .block([
            (
                "servers",
                .list(
                    upstream.servers.map {
                        .flow([("url", .text(OriginURL.write($0))), ("weight", .number($0.weight))])
                    })
            ),
            ("balance", .text("least_request")),
            (
                "pool",
                .flow([
                    ("size", .number(upstream.poolSize)),
                    ("overflow", .number(upstream.poolOverflow)),
                    ("wait", .duration(upstream.poolWait)),
                    ("recycle", .duration(upstream.recycle)),
                    ("idle", .duration(upstream.poolIdle)),
                ])
            ),
            (
                "timeouts",
                .flow([
                    ("connect", .duration(upstream.connectTimeout)),
                    ("first_byte", .duration(upstream.firstByteTimeout)),
                    ("idle", .duration(upstream.idleTimeout)),
                ])
            ),
        ])
    }

    private static func http(_ http: HTTPSettings) -> [(String, YAMLOutput)] {
        [
            ("header_bytes", .size(http.headerBytes)), ("fields", .number(http.fields)),
            ("target_bytes", .size(http.targetBytes)),
            ("body_bytes", .text(SizeText.write(http.bodyBytes))),
            ("request_timeout", .duration(http.requestTimeout)),
            ("idle_timeout", .duration(http.idleTimeout)),
            ("connections", .number(http.connections)),
        ]
    }

    private static func headers(_ headers: HeaderSettings) -> [(String, YAMLOutput)] {
        var dialects: [YAMLOutput] = []
        if headers.xRateLimit { dialects.append(.text("x-ratelimit")) }
        if headers.ietfDraft11 { dialects.append(.text("ietf-draft-11")) }
        if headers.ietfDraft03 { dialects.append(.text("ietf-draft-03")) }
        return [
            ("dialects", .list(dialects)),
            ("x_ratelimit_reset", .text(headers.resetIsDelta ? "delta" : "epoch")),
            ("retry_after_jitter", .percent(headers.retryAfterJitter)),
        ]
    }
}

extension YAMLOutput {
    static func number(_ value: some CustomStringConvertible) -> YAMLOutput {
        .verbatim(value.description)
    }
    static func duration(_ value: Nanoseconds) -> YAMLOutput { .text(DurationText.write(value)) }
    static func size(_ value: Int) -> YAMLOutput { .text(SizeText.write(UInt64(max(0, value)))) }
    /// A share of 0…1. The file counts it in thousandths of a percent, which this gives back
    /// exactly.
    static func percent(_ value: Double) -> YAMLOutput {
        .verbatim(DecimalText.write(Int((value * 100_000).rounded())) + "%")
    }
}
