import Config
import Settings
import Testing

/// Lines after the frame, and the problems they must give: what is not there is never accepted.
private let refused: [(lines: String, message: String)] = [
    ("tracing: {otlp: http://127.0.0.1:4318, sample: 1%}", "tracing: tracing is"),
    ("upstreams: {read_servers: [http://a]}", "upstreams.u.read_servers: reading from replicas is"),
    ("upstreams: {balance: round_robin}", "upstreams.u.balance: balance `round_robin` is"),
    ("upstreams: {balance: ring_hash(ip)}", "upstreams.u.balance: balance `ring_hash` is"),
    (
        "upstreams: {retries: {attempts: 2, on: [connect, 502], backoff: 25ms..1s, budget: 20%}}",
        "upstreams.u.retries: configuring retries is"
    ),
    ("upstreams: {health: {path: /h}}", "upstreams.u.health: the active health check is"),
    ("upstreams: {breaker: {error_rate: 50%}}", "upstreams.u.breaker: the circuit breaker is"),
    (
        "upstreams: {canary: {servers: [http://c], steps: [1%/10m], rollback: {error_rate: 5%}}}",
        "upstreams.u.canary: the canary is"
    ),
    ("log: {format: text}", "log.format: format `text` is"),
]

@Test(arguments: refused)
func `a part that is not there yet is refused where it stands`(lines: String, message: String) {
    var text = frame + lines + "\n"
    if lines.hasPrefix("upstreams: {") {
        text = "listen: :1\nupstreams: {u: {servers: [http://a], \(lines.dropFirst(12))}\n"
    }
    let found = messages(text).map { $0.drop { $0 != " " }.dropFirst() }
    #expect(found == ["\(message) not available in this version"])
}

@Test func `tls, the PROXY protocol and https are refused`() {
    let listen = "listen: [{address: ':1', tls: {certificate: c, key: k}, proxy_protocol: true}]\n"
    #expect(
        messages(listen + "upstream: https://api\n") == [
            "1:26 listen[0].tls: TLS is not available in this version",
            "1:57 listen[0].proxy_protocol: the PROXY protocol is not available in this version",
            "2:11 upstream: https:// is not available in this version",
        ])
}

@Test func `a part that is not there yet is still checked for its keys`() {
    #expect(
        messages(frame + "tracing: {otpl: x}\n") == [
            "3:1 tracing: tracing is not available in this version",
            "3:11 tracing: unknown key `otpl`; did you mean `otlp`?",
        ])
}

/// What Redis would do, as long as it is in `Feature.missing`.
private let refusedFeatures: [(feature: Feature, lines: String, message: String)] = [
    (
        .strictLimits, "redis: unix:/r\nlimits: {a: {rate: 1/s, consistency: strict}}",
        "limits.a.consistency: a limit in Redis is"
    ),
    (.strictLimits, "redis: unix:/r\nlimits: {a: 1/s}", "limits.a: a limit in Redis is"),
    (
        .strictLimits, "redis: unix:/r\nlimits: {a: {rate: 1/s, on_redis_failure: local}}",
        "limits.a.on_redis_failure: a limit in Redis is"
    ),
    (
        .leasedLimits, "redis: unix:/r\nlimits: {a: {rate: 1/s, consistency: leased}}",
        "limits.a.consistency: consistency `leased` is"
    ),
    (.sharedCache, "redis: unix:/r\ncache: {redis: true}", "cache.redis: the cache in Redis is"),
    (
        .fleetCollapse, "redis: unix:/r\ncache: {redis: true, collapse: cluster}",
        "cache.collapse: choice `cluster` is"
    ),
    (
        .redisCluster, "redis: {cluster: [a, b]}\nlimits: {a: 1/s}",
        "redis.cluster: a cluster of Redis is"
    ),
    (
        .redisSentinel, "redis: {sentinel: {master: m, nodes: [a]}}\nlimits: {a: 1/s}",
        "redis.sentinel: Redis behind sentinels is"
    ),
    (.redisTLS, "redis: rediss://h\nlimits: {a: 1/s}", "redis: TLS to Redis is"),
    (
        .redisTLS, "redis: {cluster: [a], tls: true}\nlimits: {a: 1/s}",
        "redis.tls: TLS to Redis is"
    ),
    (
        .replicaReads, "redis: {cluster: [a], read_replicas: true}\nlimits: {a: 1/s}",
        "redis.read_replicas: reading from replicas is"
    ),
]

@Test(arguments: refusedFeatures)
func `a feature that is missing is refused, and accepted when it is there`(
    feature: Feature, lines: String, message: String
) {
    let found = messages(frame + lines + "\n", missing: [feature]).map {
        $0.drop { $0 != " " }.dropFirst()
    }
    #expect(found == ["\(message) not available in this version"])
    #expect(messages(frame + lines + "\n", missing: []) == [])
}

@Test func `redis itself is refused while nothing uses it`() {
    let users: Set<Feature> = [.strictLimits, .leasedLimits, .sharedCache, .sharedPurges]
    #expect(
        messages(frame + "redis: unix:/r\nlimits: {a: 1/s}\n", missing: users)
            == ["3:1 redis: Redis is not available in this version"])
    #expect(
        messages(frame + "redis: {sentinel: {mastr: a, nodes: b}}\n", missing: users) == [
            "3:1 redis: Redis is not available in this version",
            "3:20 redis.sentinel: unknown key `mastr`; did you mean `master`?",
        ])
}

@Test(arguments: [
    "redis:", "redis: ''", "redis: \"${REDIS_URL:-}\"", "cache: {redis: false, ttl: 1s}",
    "cache: {set_cookie: refuse, methods: [GET, HEAD], ttl: 1s}", "log: {format: json}",
])
func `what only says that a part is absent is accepted`(line: String) throws {
    let accepted = try settings(frame + line + "\n")
    #expect(accepted.upstreams.count == 1)
    let long = try settings(
        "listen: [{address: ':1', proxy_protocol: false}]\n"
            + "upstreams: {u: {servers: [http://a], balance: least_request}}\n")
    #expect(long.upstreams.map(\.name) == ["u"])
}
