import Caching
import Config
import Identity
import Limits
import Primitives
import Routes
import Settings
import Testing

/// Loads the long form of `settings`, with the variables that stand for its secrets.
private func reload(_ settings: ProxySettings) -> Result<ProxySettings, ConfigurationFailure> {
    load(Configuration.longForm(settings), secrets(of: settings))
}

@Test(arguments: [
    frame, identified,
    frame + "limits: [100/minute per ip, 7/90m per endpoint]\ncache: 5m\n",
    frame + "cache: off\n", frame + "cache: off\ncompression: on\n",
    frame
        + "cache: 5m\ncompression: {encodings: gzip, types: [text/*, 'image/*+xml'], level: {br: 0}}\n",
    frame
        + "compression: on\nroutes: [{path: /a, cache: 1s, compression: off}, {path: /b, cache: 1s}]\n",
    frame + "cache: {memory: 3MiB}\n", frame + "headers: []\n",
    frame
        + "cache: {ttl: 1s, warm: {host: 'a:1', urls: [/, {url: /a?b, headers: {a: 'b: c'}}], at: start}}\n",
    frame
        + "cache: {ttl: 1s, warm: {top: 1%, file: a b, chance: 5%, interval: 1h, concurrency: 2}}\n",
    frame + "admin: {address: ':99', token: '$${x}-12345678'}\n",
    identified + "limits: {a: {rate: 3/s, per: user, tiers: {'a: {b}': 1/s, '~': unlimited}}}\n",
    frame + "routes: [{path: /a, headers: {x: '$${A} \"\\ #', y: '', z: ~}}]\n",
    frame + "routes: [{path: '/{a}/*/**', host: '*.a.b', cache: {negative: {404: 1s}}}]\n",
    frame + "limits: {a: 1/s}\nredis: redis://10.0.0.1\n",
    frame + "limits: {a: 1/s}\nredis: {url: 'rediss://:p%40%2F@[::1]:1/9', ca: a b.pem}\n",
    frame
        + "limits: {a: 1/s}\ncache: {redis: true, ttl: 1s}\n"
        + "redis: {limits_url: 'redis://u:a@l', cache_url: 'rediss://u:b%2F@c/3', timeout: 5ms}\n",
    frame + "cache: {redis: true, collapse: cluster, ttl: 1s}\nredis: {url: 'unix:/a b?db=2'}\n",
    frame
        + "limits: {a: {rate: 1/s, consistency: leased, on_redis_failure: deny}, b: {concurrent: 2}}\n"
        + "redis: {sentinel: {master: m, nodes: [a, 'b:1']}, database: 3, username: u, password: p, "
        + "tls: true, read_replicas: true}\ncache: {redis: true, ttl: 1s}\n",
    frame + "limits: {a: 1/s, b: {rate: 1/s, consistency: process}}\n"
        + "cache: {ttl: 1s, redis: true}\n"
        + "redis: {cluster: [a, b], cache_url: 'redis://x:y@c', password: p, connect_timeout: 2s}\n",
    "listen: [unix:/a b/c, '[::]:80']\nupstreams: {null: unix:/x, 'true': 'http://[::1]'}\n"
        + "routes: [{path: /a, upstream: 'null'}, {path: /**, upstream: 'true'}]\n",
])
func `the long form, loaded again, gives the same settings`(text: String) throws {
    let loaded = try settings(text)
    let again = reload(loaded)
    #expect(again == .success(loaded), "\(Configuration.longForm(loaded))")
    // It is a fixed point: printing what was printed changes nothing.
    #expect(again.map { Configuration.longForm($0) } == .success(Configuration.longForm(loaded)))
}

@Test func `the long form of a small file is what the manual shows`() throws {
    let loaded = try settings(frame + "limits: [100/minute per ip]\ncache: 5m\n")
    let expected = """
        listen:
          - address: 127.0.0.1:8080
        workers: 4
        limit_keys: 1000000
        idempotency_memory: 64MiB
        upstreams:
          default:
            servers: [{url: http://127.0.0.1:8000, weight: 1}]
            balance: least_request
            pool: {size: 20, overflow: 40, wait: 30s, recycle: 1h, idle: 1m}
            timeouts: {connect: 5s, first_byte: 30s, idle: 1m}
        identity:
          trusted_proxies: []
          ipv6_prefix: 64
          forwarded: {user: x-weir-user, company: x-weir-company, tier: x-weir-tier}
        limits:
          ip-100-minute:
            rate: 100/minute
            per: [ip]
            algorithm: token_bucket
            cost: 1
            mode: enforce
        cache:
          memory: 256MiB
        compression: off
        routes:
          - path: /**
            upstream: default
            limits: [ip-100-minute]
            cache:
              ttl: 5m
              vary_by: []
              ignore_query: []
              sort_query: false
              negative: {}
              methods: [GET, HEAD]
              max_body: 1MiB
              max_object: 8MiB
              early_refresh: {beta: 1}
              collapse: process
              client_no_cache: ignore
              set_cookie: refuse
              bypass: {}
              origin_ttl: off
              stale: permissive
            auth: optional
        http:
          header_bytes: 16KiB
          fields: 100
          target_bytes: 8KiB
          body_bytes: 64MiB
          request_timeout: 10s
          idle_timeout: 1m
          connections: 20000
        headers:
          dialects: [x-ratelimit, ietf-draft-11]
          x_ratelimit_reset: epoch
          retry_after_jitter: 0%
        log:
          format: json
          level: info
          sample: 100%
        shutdown:
          drain: 30s

        """
    #expect(Configuration.longForm(loaded) == expected)
}

@Test func `settings of every kind survive their long form`() {
    var maker = SettingsMaker(random: SeededRandom(seed: 11))
    for round in 0..<300 {
        let made = maker.settings()
        guard case .success(let again) = reload(made) else {
            Issue.record("round \(round): \(reload(made))\n\(Configuration.longForm(made))")
            return
        }
        #expect(again == made, "round \(round)")
        if again != made { return }
    }
}
