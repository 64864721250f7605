import Caching
import Config
import Limits
import Primitives
import Settings
import Testing

private let limited = frame + "limits: {a: 1/s}\n"

/// The Redis of a file that says only `redis:` about it.
private func stores(_ redis: String, _ environment: [String: String] = [:]) throws -> RedisStores {
    try #require(
        try settings(
            limited + "cache: {ttl: 1s, redis: true}\nredis: \(redis)\n", environment
        )
        .redis)
}

private func faults(_ lines: String, _ environment: [String: String] = [:]) -> [String] {
    messages(frame + lines + "\n", environment)
}

@Test func `a URL is all that is needed`() throws {
    let stores = try stores("redis://cache.example.com")
    #expect(stores.isOne)
    var expected = RedisSettings(topology: .single(.host("cache.example.com", port: 6379)))
    #expect(stores.limits == expected)
    #expect(expected.timeout == .milliseconds(50) && expected.namespace == "weir")
    expected.topology = .single(.host("::1", port: 7000))
    expected.database = 3
    expected.username = "weir"
    expected.password = "p@ss:/%word"
    expected.tls = .init()
    #expect(try redis(at: "rediss://weir:p@ss:%2F%25word@[::1]:7000/3") == expected)
}

/// The one Redis that `url` names.
private func redis(at url: String) throws -> RedisSettings { try stores("\"\(url)\"").limits }

@Test(arguments: [
    ("redis://h:1/", RedisSettings.Place.host("h", port: 1), 0),
    ("redis://H/2", .host("h", port: 6379), 2),
    ("unix:///run/r.sock", .unix("/run/r.sock"), 0),
    ("unix:/run/r.sock?db=7", .unix("/run/r.sock"), 7),
])
func `a URL names a place and a database`(url: String, place: RedisSettings.Place, database: Int)
    throws
{
    let settings = try redis(at: url)
    #expect(settings.topology == .single(place))
    #expect(settings.database == database)
    #expect(settings.password == nil && settings.tls == nil)
}

@Test(arguments: [
    "redis:/h", "http://h", "redis://", "redis://h:0", "redis://h:70000", "redis://h/x",
    "redis://h/1/2", "redis://h?db=1",
    "unix:r.sock", "unix:/r?dbb=1", "redis://h/65536", "redis://-h",
])
func `what is no URL of Redis is refused`(url: String) {
    #expect(
        faults("limits: {a: 1/s}\nredis: \"\(url)\"") == [
            "4:8 redis: expected `redis://`, `rediss://` or `unix://` and the place of a Redis, found \"\(url)\""
        ])
}

@Test(arguments: [
    "redis://u:hush@", "redis://u:hush%zz@h", "redis://hush@h", "redis://u:hush@h:x",
    "redis://:@h?hush",
])
func `a password never appears in a message`(url: String) throws {
    for lines in ["redis: \"\(url)\"", "redis: {limits_url: \"\(url)\"}", "redis: \"${URL}\""] {
        let loaded = load(frame + "limits: {a: 1/s}\n\(lines)\n", ["URL": url])
        guard case .failure(let failure) = loaded else {
            Issue.record("accepted \(url)")
            continue
        }
        #expect(failure.description.contains("`redis://`, `rediss://` or `unix://`"))
        #expect(!failure.description.contains("hush"), "\(failure.description)")
    }
    let long = String(repeating: "hush", count: 300)
    guard
        case .failure(let failure) = load(
            limited + "redis: {url: redis://h, username: u, password: \(long)}\n")
    else { return #expect(Bool(false)) }
    #expect(
        failure.problems.map(\.message) == [
            "redis.password: expected a password of at most 1024 bytes"
        ])
    #expect(!failure.description.contains("hush"))
}

@Test func `the long form has a cluster, sentinels, and two servers`() throws {
    let cluster = try stores(
        "{cluster: [a, 'b:7001'], password: p, timeout: 20ms, connect_timeout: 2s, namespace: api}")
    #expect(cluster.isOne)
    #expect(cluster.cache.topology == .cluster([.host("a", port: 6379), .host("b", port: 7001)]))
    #expect(cluster.cache.password == "p" && cluster.cache.username == nil)
    #expect(
        cluster.cache.timeout == .milliseconds(20) && cluster.cache.connectTimeout == .seconds(2))
    #expect(cluster.cache.namespace == "api" && cluster.cache.tls == nil)

    let sentinel = try stores(
        "{sentinel: {master: m, nodes: [a, b]}, tls: true, ca: ca.pem, database: 2}")
    #expect(
        sentinel.limits.topology
            == .sentinel(master: "m", [.host("a", port: 26379), .host("b", port: 26379)]))
    #expect(sentinel.limits.tls == .init(authorityFile: "ca.pem") && sentinel.limits.database == 2)

    let two = try stores(
        "{url: 'redis://u:p@l', cache_url: 'rediss://c/1', password: other, ca: ca.pem}")
    #expect(!two.isOne)
    #expect(two.limits.password == "p" && two.limits.username == "u" && two.limits.tls == nil)
    #expect(two.cache.password == "other" && two.cache.username == nil)
    #expect(two.cache.tls == .init(authorityFile: "ca.pem") && two.cache.database == 1)
}

@Test func `parts of redis that do not fit together are refused`() {
    let limits = "limits: {a: 1/s}\n"
    #expect(
        faults(limits + "redis: {url: redis://a, cluster: [b]}")
            == ["4:25 redis.cluster: line 4 says already where Redis is"])
    #expect(faults(limits + "redis: {timeout: 1s}") == ["4:1 redis: `url` is missing"])
    #expect(
        faults(limits + "redis: {cache_url: redis://a}") == ["4:1 redis: `url` is missing"])
    #expect(
        faults(limits + "redis: {url: redis://a, limits_url: redis://b, cache_url: redis://c}")
            == ["4:1 redis: `limits_url` and `cache_url` leave no use for a third Redis"])
    #expect(
        faults(
            limits + "redis: {url: redis://a, ca: x, tls: true, database: 1, read_replicas: true}")
            == [
                "4:25 redis.ca: is for TLS, and no connection has it",
                "4:32 redis.tls: belongs to `cluster` and `sentinel`",
                "4:43 redis.database: belongs to `sentinel`",
            ])
    #expect(
        faults(limits + "redis: {cluster: [a], read_replicas: true}\ncache: 5m")
            == [
                "4:23 redis.read_replicas: stored answers are read from replicas, and none is stored in Redis"
            ])
    #expect(
        faults(limits + "redis: {cluster: [a, a, 'b:x'], username: u, timeout: 20s, namespase: n}")
            == [
                "4:22 redis.cluster[1]: \"a:6379\" is there already",
                "4:25 redis.cluster[2]: expected a host and a port, found \"b:x\"",
                "4:33 redis.username: needs `password`",
                "4:55 redis.timeout: expected a duration from 1ms to 10s, found \"20s\"",
                "4:60 redis: unknown key `namespase`; did you mean `namespace`?",
            ])
}

@Test func `limits under redis are strict unless they say otherwise`() throws {
    let text =
        frame
        + "redis: unix:/r\nlimits: {a: 1/s, b: {rate: 1/s, consistency: leased, on_redis_failure: allow}, "
        + "c: {rate: 1/s, consistency: process}, d: {concurrent: 3}, e: {rate: 1/s, on_redis_failure: deny}}\n"
    let limits = try settings(text).limits
    #expect(limits.map(\.consistency) == [.strict, .leased, .process, .process, .strict])
    #expect(limits.map(\.onRedisFailure) == [.local, .allow, .local, .local, .deny])
    // The same file without the variable counts in this process, and says so when it is printed.
    for nothing in ["redis:", "redis: ${URL:-}", "redis: {url: '${URL:-}', timeout: 5ms}"] {
        let alone = try settings(
            text.replacing("redis: unix:/r", with: nothing)
                + "cache: {ttl: 1s, redis: true, collapse: cluster}\n")
        #expect(alone.redis == nil)
        #expect(alone.limits.allSatisfy { $0.consistency == .process })
        let cache = alone.routes.first?.cache
        #expect(
            cache?.isShared == false && cache?.collapsesFleet == false && cache?.collapses == true)
        #expect(!Configuration.longForm(alone).contains("consistency"))
    }
}

@Test func `what is shared needs a Redis, and fits the limit`() {
    #expect(
        faults(
            "limits: {a: {rate: 1/s, consistency: strict}, b: {rate: 1/s, on_redis_failure: allow}}"
        ) == [
            "3:25 limits.a.consistency: needs Redis, and `redis` is not set",
            "3:62 limits.b.on_redis_failure: needs Redis, and `redis` is not set",
        ])
    #expect(
        faults(
            "cache: {ttl: 1s, redis: true}\nroutes: [{path: /a, cache: {collapse: cluster, redis: false}}]"
        ) == [
            "3:18 cache.redis: needs Redis, and `redis` is not set",
            "4:29 routes[0].cache.collapse: needs Redis, and `redis` is not set",
        ])
    let redis = "redis: unix:/r\n"
    #expect(
        faults(redis + "limits: {a: {concurrent: 2, consistency: strict, on_redis_failure: deny}}")
            == [
                "4:29 limits.a.consistency: requests in flight are counted in each process, not in Redis",
                "4:50 limits.a.on_redis_failure: requests in flight are counted in each process, not in Redis",
            ])
    #expect(
        faults(
            redis + "limits: {a: {rate: 1/s, algorithm: sliding_log, consistency: leased}, "
                + "b: {rate: 1/s, consistency: process, on_redis_failure: allow}, c: {rate: 1/s, consistency: lease}}"
        ) == [
            "4:49 limits.a.consistency: `leased` goes with `token_bucket`, `sliding_window` and `fixed_window`",
            "4:108 limits.b.on_redis_failure: has no effect on a limit that is counted in this process",
            "4:162 limits.c.consistency: unknown consistency `lease`; did you mean `leased`?",
        ])
    #expect(
        faults(redis + "cache: {ttl: 1s, collapse: cluster}") == [
            "4:18 cache.collapse: `collapse: cluster` needs `redis: true`: the other replicas take the answer from Redis"
        ])
}

@Test func `what cannot be leased is told why`() {
    func fault(_ limit: String) -> [String] {
        faults("redis: unix:/r\nlimits: {a: {consistency: leased, \(limit)}}")
    }
    #expect(fault("rate: 10/s, algorithm: token_bucket") == [])
    #expect(fault("rate: 10000/s, algorithm: token_bucket, burst: 1000") == [])
    #expect(
        fault("rate: 10000/s, algorithm: token_bucket, burst: 100") == [
            "4:14 limits.a.consistency: `leased` wants a bucket that takes 100 ms or more to fill: "
                + "a larger `burst`, or a slower rate"
        ])
    let costs =
        "4:14 limits.a.consistency: `leased` spends units before the answer is known, "
        + "and this limit's cost depends on it"
    #expect(fault("rate: 10/s, count: [401]") == [costs])
    #expect(fault("rate: 10/s, cost: header:X-Cost") == [costs])
    #expect(fault("rate: 10/s, cost: 3, burst: 30") == [])
}

@Test func `a Redis that nothing uses is refused`() {
    #expect(faults("redis: unix:/r") == ["3:1 redis: nothing uses it"])
    #expect(
        faults("redis: unix:/r\nlimits: {a: {rate: 1/s, consistency: process}}") == [
            "3:1 redis: nothing uses it"
        ])
    #expect(
        faults("redis: {url: redis://a, cache_url: redis://b}\nlimits: {a: 1/s}")
            == ["3:25 redis.cache_url: no answer is stored in Redis"])
    #expect(
        faults("redis: {url: redis://a, limits_url: redis://b}\ncache: {ttl: 1s, redis: true}")
            == ["3:25 redis.limits_url: no limit is counted in Redis"])
    // Purges are told to the other replicas.
    #expect(faults("redis: unix:/r\ncache: 1s") == [])
}

@Test func `limits can be leased from a cluster`() {
    #expect(
        messages(
            frame + "redis: {cluster: [a]}\nlimits: {a: {rate: 9/s, consistency: leased}}\n") == [])
}
