import Config
import Testing
import YAMLReader

/// Every key of this version once.
private let everything = """
    listen:
      - address: 0.0.0.0:8080
        proxy_protocol: false
      - unix:/run/weir.sock
    admin: {address: 10.0.0.1:9900, token: 0123456789, health_on_main: true}
    limit_keys: 5000
    workers: 3
    upstreams:
      one:
        servers: [http://10.0.0.1:8000, {url: http://10.0.0.2:8000, weight: 2}]
        balance: least_request
        pool: {size: 20, overflow: 40, wait: 30s, recycle: 1h, idle: 60s}
        timeouts: {connect: 5s, first_byte: 30s, idle: 60s}
      default: http://c
    identity:
      trusted_proxies: [127.0.0.0/8, 10.0.0.0/8]
      ipv6_prefix: 64
      jwt:
        keys: [{file: a.pem}, {jwks: keys.json}, {jwks: https://issuer/keys}, {secret: 0123456789abcdef0123456789abcdef}]
        algorithms: [RS256, HS256]
        issuer: issuer
        audience: [one, two]
        leeway: 5s
        cookie: token
      api_keys: {header: X-Key, file: keys.yaml}
      user: [jwt.sub, api_key.user, header:X-User, cookie:user]
      company: header:X-Company
      tier: {from: [header:X-Plan, jwt.plan], default: free}
      forwarded: {user: X-Who, company: off, tier: X-Plan}
    limits:
      short: 5/s per ip
      window: {rate: 5/s, per: [user, endpoint], algorithm: sliding_window, sub_windows: 5, mode: shadow}
      bucket: {rate: 5/s, per: company, algorithm: token_bucket, burst: 9, tiers: {a: 1/s, b: unlimited}, anonymous: skip}
      log: {rate: 5/s, per: [header:X-Tenant, ip], algorithm: sliding_log, cost: {hit: 0, stale: 1, miss: header:X-Cost, reserve: 2}}
      month: {rate: 5/month, algorithm: fixed_window, phase: aligned, count: [304, 4xx, 500-503], mode: {enforce: 10%}}
      leak: {rate: 5/s, per: claim:org, algorithm: leaky_bucket, max_delay: 2s, cost: 2, mode: 'enforce: 5%'}
      flight:
        concurrent: 5
        algorithm: concurrency
        per: user
        tiers: {a: 7}
        overrides:
          user:42: 9
          user:43: unlimited
      single: {rate: 5/s, per: [ip, header:X-Tenant], overrides: {'ip:10.0.0.0/8': 1/s, 'header:X-Tenant:a': unlimited}}
    cache:
      memory: 16MiB
      redis: false
      max_object: 1MiB
      early_refresh: {beta: 1.5}
      collapse: process
      client_no_cache: respect
      warm: {host: a.com, urls: [/e, {url: http://b.com/b, headers: {x: y}}], at: [start], top: 10%, file: /f, interval: 5m, chance: 1%, concurrency: 2}
      set_cookie: strip
      bypass: {headers: [X-No], cookies: {a: b}, query: [c]}
      origin_ttl: X-Accel-Expires
      stale: strict
    routes:
      - path: /a/**
        name: first
        methods: [GET, POST]
        host: a.com
        headers: {x-a: b}
        upstream: one
        limits: [short, window]
        cache:
          ttl: 5m
          stale_while_revalidate: 30s
          stale_if_error: 1h
          vary_by: [user]
          ignore_query: [utm_*]
          negative: {404: 30s}
          methods: [GET]
          early_refresh: {last: 20%, chance: 10%}
        strip_prefix: /a
        timeout: 10s
        auth: required
      - {path: /b, limits: bucket, cache: {force_ttl: 5m}}
      - {path: /e, limits: [log, month, leak, flight, single], cache: 1m}
      - {path: /c, headers: [x-d], cache: off}
    http: {header_bytes: 16KiB, fields: 100, target_bytes: 1KiB, body_bytes: 64MiB, request_timeout: 10s, idle_timeout: 60s, connections: 200}
    headers: {dialects: [x-ratelimit, ietf-draft-11], x_ratelimit_reset: delta, retry_after_jitter: 5%}
    log: {format: json, level: info, sample: 100%}
    shutdown: {drain: 30s}
    """

/// The places of all scalar values, as offsets in Unicode scalars.
private func scalars(_ node: YAMLNode) -> [Range<Int>] {
    switch node.content {
    case .scalar: [node.range.start.offset..<node.range.end.offset]
    case .sequence(let items): items.flatMap(scalars)
    case .mapping(let entries): entries.flatMap { scalars($0.value) }
    }
}

/// The text with each of its values, one after the other, replaced by `replacement`.
private func variants(_ replacement: String) throws -> [String] {
    let root = try #require(YAMLDocument(reading: Array(everything.utf8)).root)
    return scalars(root).map { range in
        var text = Array(everything.unicodeScalars)
        text.replaceSubrange(range, with: replacement.unicodeScalars)
        return String(String.UnicodeScalarView(text))
    }
}

@Test func `a value whose variable is not set is one problem, wherever it stands`() throws {
    _ = try settings(everything)
    let texts = try variants("\"${UNSET}\"")
    #expect(texts.count > 90)
    for text in texts {
        let found = messages(text)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasSuffix("the environment variable `UNSET` is not set") == true)
    }
}

@Test(arguments: ["[{nonsense: [nonsense]}]", "{nonsense: nonsense}", "\"\\u263A { \\n\""])
func `nonsense in the place of a value is a problem, wherever it stands`(nonsense: String) throws {
    for text in try variants(nonsense) {
        let found = messages(text)
        // Enough to find it, without a trail of consequences.
        #expect((1...4).contains(found.count), "\(found)")
    }
}
