import HTTPModel
import Primitives
import Testing

@testable import Caching

@Suite struct WarmKeyTests {
    private func warmKey(
        _ asked: RequestHead, _ answer: [(String, String)] = [], space: String = "",
        policy: CachePolicy = CachePolicy(ttl: .seconds(60)), user: String? = nil
    ) -> WarmKey? {
        var key: [UInt8] = []
        let name = user.map(bytes) ?? []
        _ = CacheKey.build(
            into: &key, request: asked, rules: CacheRules(policy, space: space),
            user: user == nil ? nil : name.span, company: nil, tier: nil, address: IPAddress(v4: 1))
        let head = response(200, answer)
        return WarmKey(
            of: CachedHead(
                key: key, request: asked, response: head,
                lifetime: Lifetime(
                    of: head, directives: CacheDirectives(of: head.fields), policy: policy,
                    times: times()), times: times(), policy: policy))
    }

    @Test(arguments: [
        ("/", "example.com"), ("/a?b=c", "example.com:8080"), ("/a||b|?c|d", "[::1]:80"),
        ("/a:/b", "example.com"),
    ])
    func `host and target come back from the key`(target: String, host: String) throws {
        let key = try #require(warmKey(request(target, host: host), space: "api|v1?x"))
        #expect(key.host == host && key.target == target && key.fields.isEmpty)
    }

    @Test func `a key that names somebody is nobody's`() {
        var policy = CachePolicy(ttl: .seconds(60))
        policy.varyBy = [.user]
        #expect(warmKey(request("/"), policy: policy, user: "ada") == nil)
        policy.varyBy = [.ip]
        #expect(warmKey(request("/"), policy: policy) == nil)
        policy.varyBy = [.cookie("theme")]
        #expect(warmKey(request("/", [("Cookie", "theme=dark")]), policy: policy) == nil)
        #expect(warmKey(request("/", host: "")) == nil)
    }

    @Test(arguments: [
        "/?token=1", "/?a=b&access_token=1", "/?API_KEY=1", "/?X-Amz-Signature=1", "/?sid",
        "/?password=x", "/?code=1",
    ])
    func `a query that seems to hold a credential is left out`(target: String) {
        #expect(warmKey(request(target)) == nil)
        #expect(warmKey(request("/token?days=token")) != nil)
    }

    @Test func `fields it varies by are kept when they name nobody`() throws {
        let vary = [("Vary", "Accept-Encoding, Accept")]
        let key = try #require(
            warmKey(request("/", [("Accept-Encoding", "gzip,br")]), vary))
        #expect(key.fields.map(\.name) == ["accept-encoding"])
        #expect(key.fields.map(\.value) == ["gzip,br"])
        #expect(warmKey(request("/", [("X-Session", "1")]), [("Vary", "X-Session")]) == nil)
        let absent = try #require(warmKey(request("/"), [("Vary", "X-Session, Cookie")]))
        #expect(absent.fields.isEmpty)
    }
}

@Suite struct HitsTests {
    private func hits(_ store: MemoryStore, step: Int = 2) -> [String: UInt32] {
        var all: [String: UInt32] = [:]
        for shard in 0..<store.shardCount {
            var position: Int? = 0
            while position != nil {
                for found in store.takeHits(shard: shard, from: &position, step: step) {
                    all[WarmKey(of: found.head)?.target ?? "?"] = found.count
                }
            }
        }
        return all
    }

    @Test func `hits are counted for each entry, and once`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        #expect(hits(store) == [:])
        for (target, uses) in [("/a", 3), ("/b", 0), ("/c", 5), ("/d", 1)] {
            store.insert(stored(request(target)))
            for _ in 0..<uses { _ = find(store, request(target)) }
        }
        #expect(hits(store) == ["/a": 3, "/c": 5, "/d": 1])
        #expect(hits(store) == [:])
        _ = find(store, request("/b"))
        // A new answer in its place takes the hits over.
        store.insert(stored(request("/b"), times: times(1)))
        #expect(hits(store) == ["/b": 1])
    }

    @Test func `answers to single users are passed over`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        var policy = CachePolicy()
        policy.varyBy = [.user]
        store.insert(stored(request("/a"), policy: policy, user: "ada"))
        let key = key(request("/a"), policy, user: "ada")
        #expect(store.lookup(key: key.span, request: request("/a")) != nil)
        #expect(hits(store) == [:])
    }
}

@Suite struct BeginWarmingTests {
    private let rules = CacheRules(CachePolicy(ttl: .seconds(60)))
    private let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))

    private func begin(_ asked: RequestHead, _ seconds: Double = 0) -> WarmLookup {
        let key = key(asked, CachePolicy(ttl: .seconds(60)))
        return store.beginWarming(key: key.span, request: asked, rules: rules, now: at(seconds))
    }

    private func word(_ lookup: WarmLookup) -> String {
        switch lookup {
        case .fresh: "fresh"
        case .running: "running"
        case .held: "held"
        case .fetch(let fill): fill.stored == nil ? "fetch" : "validate"
        }
    }

    @Test
    func `what is fresh is left alone, what is stale is validated, what is missing is fetched`() {
        store.insert(stored(request("/a"), [("Cache-Control", "max-age=60"), ("ETag", "\"1\"")]))
        #expect(word(begin(request("/a"))) == "fresh")
        #expect(word(begin(request("/a"), 61)) == "validate")
        #expect(word(begin(request("/a"), 61)) == "running")
        #expect(word(begin(request("/b"))) == "fetch")
        #expect(word(begin(request("/b"))) == "running")
        let counts = store.statistics()
        #expect(counts.hits == 0 && counts.misses == 0)
    }

    @Test func `an answer that may be served while it is fetched again is fetched again`() {
        store.insert(
            stored(request("/a"), [("Cache-Control", "max-age=60, stale-while-revalidate=60")]))
        #expect(word(begin(request("/a"), 61)) == "validate")
    }

    @Test func `after a failed fetch the origin is left alone for a moment`() {
        let answer = stored(request("/a"), [("Cache-Control", "max-age=60, stale-if-error=600")])
        store.insert(answer)
        guard case .fetch(let fill) = begin(request("/a"), 61) else {
            Issue.record("no fetch")
            return
        }
        fill.serveStale(answer, at: at(61))
        #expect(word(begin(request("/a"), 61.5)) == "held")
        #expect(word(begin(request("/a"), 63)) == "validate")
    }

    @Test func `a key whose answers could not be shared is tried, and nobody waits for it`() throws
    {
        guard case .fetch(let fill) = begin(request("/a")) else {
            Issue.record("no fetch")
            return
        }
        fill.publish(CachedHead(passing: response(200), times: times()))
        fill.finish(at: at(0))
        guard case .fetch(let second) = begin(request("/a"), 1) else {
            Issue.record("no second fetch")
            return
        }
        #expect(second.join() == nil || !second.isCollapsing)
        second.fail(.abandoned, at: at(1))
    }
}
