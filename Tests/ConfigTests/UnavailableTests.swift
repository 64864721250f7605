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

@Test(arguments: [
    "redis: unix:/r\nlimits: {a: {rate: 1/s, consistency: strict}}",
    "redis: unix:/r\nlimits: {a: 1/s}",
    "redis: unix:/r\nlimits: {a: {rate: 1/s, on_redis_failure: local}}",
    "redis: unix:/r\nlimits: {a: {rate: 1/s, consistency: leased}}",
    "redis: unix:/r\ncache: {redis: true}",
    "redis: unix:/r\ncache: {redis: true, collapse: cluster}",
    "redis: {cluster: [a, b]}\nlimits: {a: 1/s}",
    "redis: {sentinel: {master: m, nodes: [a]}}\nlimits: {a: 1/s}",
    "redis: {url: redis://h, read_replicas: true}\ncache: {redis: true}",
    "redis: {cluster: [a], read_replicas: true}\ncache: {redis: true}",
    "redis: {sentinel: {master: m, nodes: [a]}, read_replicas: true}\ncache: {redis: true}",
    "redis: rediss://h\nlimits: {a: 1/s}", "redis: {cluster: [a], tls: true}\nlimits: {a: 1/s}",
])
func `what Redis is for is accepted`(lines: String) {
    #expect(messages(frame + lines + "\n") == [])
}

@Test func `a misspelt key inside of redis is found`() {
    #expect(
        messages(frame + "redis: {sentinel: {mastr: a, nodes: b}}\n").contains(
            "3:20 redis.sentinel: unknown key `mastr`; did you mean `master`?"))
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
