import Caching
import HTTPModel
import Primitives
import Testing

/// A store with what each call needs.
struct Bench {
    let store: MemoryStore
    var policy = CachePolicy()
    var random = SeededRandom(seed: 10)

    init(bytes: Int = 1 << 20) {
        store = MemoryStore(bytes: bytes, seed: .init(1, 2))
        policy.earlyRefresh = .off
    }

    mutating func look(_ request: RequestHead, at seconds: Double = 0, user: String? = nil)
        -> CacheLookup
    {
        let key = key(request, policy, user: user)
        return store.lookupOrJoin(
            key: key.span, request: request, rules: CacheRules(policy), now: at(seconds),
            random: &random)
    }

    /// The lead of a request that must get one.
    mutating func lead(
        _ request: RequestHead, at seconds: Double = 0, user: String? = nil
    ) throws -> FillLead {
        guard case .lead(let lead) = look(request, at: seconds, user: user) else {
            throw Unexpected.lookup
        }
        return lead
    }

    /// Fetches as a leader does, all at once.
    @discardableResult
    mutating func fetch(
        _ request: RequestHead, _ list: [(String, String)], body: String = "hello",
        status: Status = 200,
        at seconds: Double = 0, user: String? = nil
    ) throws -> FillLead {
        let lead = try lead(request, at: seconds, user: user)
        answer(lead.fill, request, list, body: body, status: status, at: seconds, user: user)
        return lead
    }

    func answer(
        _ fill: Fill, _ request: RequestHead, _ list: [(String, String)], body: String = "hello",
        status: Status = 200, at seconds: Double = 0, user: String? = nil
    ) {
        fill.publish(
            cachedHead(
                request, response(status, list), policy: policy, user: user, times: times(seconds)))
        _ = fill.append(bytes(body))
        fill.finish(at: at(seconds))
    }
}

enum Unexpected: Error { case lookup }

func name(_ lookup: CacheLookup) -> String {
    switch lookup {
    case .hit: "hit"
    case .refresh: "refresh"
    case .stale(_, let reason): "stale \(reason)"
    case .lead(let lead): "lead \(lead.reason)\(lead.stored == nil ? "" : " validating")"
    case .follow: "follow"
    case .bypass(let reason): "bypass \(reason)"
    case .onlyIfCached: "onlyIfCached"
    }
}

@Suite struct MemoryStoreTests {
    private let fresh = [("Cache-Control", "max-age=10")]

    @Test func `a miss leads, the others follow, and then it is a hit`() throws {
        var bench = Bench()
        let lead = try bench.lead(request("/a"))
        #expect(lead.reason == .uriMiss)
        #expect(name(bench.look(request("/a"))) == "follow")
        #expect(name(bench.look(request("/b"))) == "lead uriMiss")
        bench.answer(lead.fill, request("/a"), fresh)
        guard case .hit(let entry) = bench.look(request("/a"), at: 5) else {
            throw Unexpected.lookup
        }
        #expect(body(entry) == "hello")
        #expect(text(entry.head.bytes).hasSuffix("Content-Length: 5\r\n"))
        #expect(entry.freshness(at: at(5)).seconds == 5)
        #expect(name(bench.look(request("/a"), at: 10)) == "lead stale validating")
    }

    @Test func `HEAD is answered from the store of GET, and never fills it`() throws {
        var bench = Bench()
        #expect(name(bench.look(request("/a", method: .head))) == "bypass headNotStored")
        try bench.fetch(request("/a"), fresh)
        #expect(name(bench.look(request("/a", method: .head))) == "hit")
        #expect(name(bench.look(request("/a", method: .head), at: 20)) == "bypass headNotFresh")
    }

    @Test func `stale-while-revalidate serves all and refreshes once`() throws {
        var bench = Bench()
        try bench.fetch(request(), [("Cache-Control", "max-age=10, stale-while-revalidate=20")])
        guard case .refresh(let old, let fill) = bench.look(request(), at: 15) else {
            throw Unexpected.lookup
        }
        #expect(old.freshness(at: at(15)).seconds == -5)
        #expect(fill.stored === old)
        for _ in 0..<5 { #expect(name(bench.look(request(), at: 15)) == "stale whileRevalidating") }
        // After the window the same fetch is waited for.
        #expect(name(bench.look(request(), at: 31)) == "follow")
        bench.answer(fill, request(), fresh, body: "new", at: 31)
        guard case .hit(let new) = bench.look(request(), at: 31) else { throw Unexpected.lookup }
        #expect(body(new) == "new")
    }

    @Test
    func `an early refresh serves the fresh answer, once at a time, and rests after a failure`()
        throws
    {
        var bench = Bench()
        try bench.fetch(request(), fresh)
        bench.policy.earlyRefresh = .chance(last: 0.5, chance: 1)
        #expect(name(bench.look(request(), at: 4)) == "hit")
        guard case .refresh(_, let fill) = bench.look(request(), at: 6) else {
            throw Unexpected.lookup
        }
        #expect(name(bench.look(request(), at: 6)) == "hit")
        fill.fail(.timeout, at: at(6))
        #expect(name(bench.look(request(), at: 6.5)) == "hit")
        #expect(name(bench.look(request(), at: 7.1)) == "refresh")
    }

    @Test
    func
        `the origin's failure serves stale where allowed, and the origin is left alone for a second`()
        throws
    {
        var bench = Bench()
        try bench.fetch(request(), [("Cache-Control", "max-age=10, stale-if-error=60")])
        let lead = try bench.lead(request(), at: 20)
        let old = try #require(lead.stored)
        #expect(old.mayServeStale(onErrorAt: at(20)))
        #expect(!old.mayServeStale(onErrorAt: at(70)))
        #expect(!old.mayServeStale(whileRevalidatingAt: at(20)))
        lead.fill.serveStale(old, at: at(20))
        guard
            case .stored(let served, .stale) = lead.fill.next(
                lead.reader, request: request(), wake: {})
        else { throw Unexpected.lookup }
        #expect(served === old)
        #expect(name(bench.look(request(), at: 20.5)) == "stale onError")
        #expect(name(bench.look(request(), at: 21.5)) == "lead stale validating")
    }

    @Test func `a 304 gives the freshened answer to all who wait`() throws {
        var bench = Bench()
        try bench.fetch(request(), [("Cache-Control", "max-age=10"), ("ETag", "\"a\"")])
        let lead = try bench.lead(request(), at: 20)
        guard case .follow(let fill, let follower) = bench.look(request(), at: 20) else {
            throw Unexpected.lookup
        }
        let old = try #require(lead.stored)
        let new = try #require(
            old.freshened(
                by: response(304, []), request: request(), policy: bench.policy, times: times(20)))
        lead.fill.complete(with: new)
        for reader in [lead.reader, follower] {
            guard
                case .stored(let served, .validated) = fill.next(
                    reader, request: request(), wake: {})
            else { throw Unexpected.lookup }
            #expect(served === new)
        }
        #expect(name(bench.look(request(), at: 29)) == "hit")
        #expect(bench.store.statistics().entries == 1)
    }

    @Test func `no-cache answers are validated for each request, none waits for another`() throws {
        var bench = Bench()
        try bench.fetch(request(), [("Cache-Control", "no-cache"), ("ETag", "\"a\"")])
        #expect(name(bench.look(request())) == "lead stale validating")
        #expect(name(bench.look(request())) == "lead stale validating")
    }

    @Test
    func `an uncacheable answer releases all at once and is remembered, with a probe now and then`()
        throws
    {
        var bench = Bench()
        let lead = try bench.lead(request())
        guard case .follow(let fill, let follower) = bench.look(request()) else {
            throw Unexpected.lookup
        }
        bench.answer(lead.fill, request(), [("Cache-Control", "no-store")])
        guard case .released(.notShared) = fill.next(follower, request: request(), wake: {}) else {
            throw Unexpected.lookup
        }
        guard case .head(let head) = fill.next(lead.reader, request: request(), wake: {}) else {
            throw Unexpected.lookup
        }
        #expect(!head.isStorable)
        #expect(name(bench.look(request(), at: 4)) == "bypass hitForMiss")
        // The probe: nobody waits for it.
        let probe = try bench.lead(request(), at: 6)
        #expect(name(bench.look(request(), at: 6)) == "bypass hitForMiss")
        bench.answer(probe.fill, request(), fresh, at: 6)
        #expect(name(bench.look(request(), at: 6)) == "hit")
        #expect(name(bench.look(request(), at: 20)) == "lead stale validating")
        #expect(name(bench.look(request(), at: 20)) == "follow")
    }

    @Test func `one user's answers are never another's`() throws {
        var bench = Bench()
        bench.policy.varyBy = [.user]
        let authorized = request("/", [("Authorization", "x")])
        try bench.fetch(authorized, fresh, body: "of a", user: "a")
        #expect(name(bench.look(authorized, user: "b")) == "lead uriMiss")
        guard case .hit(let entry) = bench.look(authorized, user: "a") else {
            throw Unexpected.lookup
        }
        #expect(body(entry) == "of a")
    }

    @Test func `9111-3.5: requests with Authorization get and fill only what is for everybody`()
        throws
    {
        var bench = Bench()
        let authorized = request("/", [("Authorization", "x")])
        try bench.fetch(request(), fresh)
        #expect(name(bench.look(authorized)) == "lead request")
        try bench.fetch(authorized, fresh, body: "secret")
        guard case .hit(let entry) = bench.look(request()) else { throw Unexpected.lookup }
        #expect(body(entry) == "hello")
        try bench.fetch(authorized, [("Cache-Control", "public, max-age=10")], at: 1)
        #expect(name(bench.look(authorized, at: 2)) == "hit")
        // Nobody waits for a fetch that carries somebody's credentials.
        _ = try bench.lead(request("/x", [("Authorization", "x")]))
        #expect(name(bench.look(request("/x"))) == "lead uriMiss")
    }

    @Test func `a part that is no identity does not share one request's credentials with another`()
        throws
    {
        var bench = Bench()
        bench.policy.varyBy = [.header("x-tenant")]
        func asking(_ tenant: String, _ more: (String, String)...) -> RequestHead {
            request("/", [("X-Tenant", tenant)] + more)
        }
        try bench.fetch(asking("a"), fresh, body: "of a")
        #expect(name(bench.look(asking("b"))) == "lead uriMiss")
        #expect(name(bench.look(asking("a"))) == "hit")
        #expect(name(bench.look(asking("a", ("Authorization", "x")))) == "lead request")
        // Two with credentials never share a fetch.
        let first = try bench.lead(asking("c", ("Authorization", "x")))
        #expect(name(bench.look(asking("c", ("Authorization", "y")))) == "lead uriMiss")
        bench.answer(first.fill, asking("c", ("Authorization", "x")), fresh)
        #expect(name(bench.look(asking("c"))) == "lead uriMiss")
        // An unsafe method removes it for all.
        var base: [UInt8] = []
        CacheKey.buildBase(
            into: &base, request: request("/", method: .post), rules: CacheRules(bench.policy))
        bench.store.invalidate(base: base.span, at: at(1))
        #expect(name(bench.look(asking("a"), at: 1)).hasPrefix("lead"))
    }

    @Test func `variants stand side by side, wait apart, and the latest Date wins`() throws {
        var bench = Bench()
        let list = fresh + [("Vary", "Accept")]
        func asking(_ type: String) -> RequestHead { request("/", [("Accept", type)]) }
        try bench.fetch(asking("a"), list, body: "A")
        #expect(name(bench.look(asking("b"))) == "lead varyMiss")
        // The names are known by now: another variant does not wait for this one.
        #expect(name(bench.look(asking("c"))) == "lead varyMiss")
        #expect(name(bench.look(asking("b"))) == "follow")
        let unvaried = try bench.lead(asking("d"))
        bench.answer(
            unvaried.fill, asking("d"), fresh + [("Date", date(-3))], body: "older, for all")
        guard case .hit(let a) = bench.look(asking("a")) else { throw Unexpected.lookup }
        #expect(body(a) == "A")
        guard case .hit(let other) = bench.look(asking("z")) else { throw Unexpected.lookup }
        #expect(body(other) == "older, for all")
        #expect(bench.store.statistics().entries == 2)
    }

    @Test func `a follower whose request is of another variant is released by the head`() throws {
        var bench = Bench()
        let a = request("/", [("Accept", "a")])
        let b = request("/", [("Accept", "b")])
        let lead = try bench.lead(a)
        guard case .follow(let fill, let follower) = bench.look(b) else { throw Unexpected.lookup }
        lead.fill.publish(cachedHead(a, response(200, fresh + [("Vary", "accept")])))
        guard case .released(.otherVariant) = fill.next(follower, request: b, wake: {}) else {
            throw Unexpected.lookup
        }
        #expect(name(bench.look(b)) == "lead uriMiss")
        #expect(name(bench.look(a)) == "follow")
    }

    @Test func `invalidation hits all users and variants, and what is being fetched`() throws {
        var bench = Bench()
        bench.policy.varyBy = [.user]
        try bench.fetch(request("/a"), fresh, user: "a")
        try bench.fetch(request("/a"), fresh, user: "b")
        try bench.fetch(request("/other"), fresh, user: "a")
        let running = try bench.lead(request("/a"), user: "c")
        var base: [UInt8] = []
        CacheKey.buildBase(
            into: &base, request: request("/a", method: .post), rules: CacheRules(bench.policy))
        bench.store.invalidate(base: base.span, at: at(1))
        bench.answer(running.fill, request("/a"), fresh, at: 0, user: "c")
        for user in ["a", "b", "c"] {
            #expect(name(bench.look(request("/a"), at: 1, user: user)).hasPrefix("lead"), "\(user)")
        }
        #expect(name(bench.look(request("/other"), at: 1, user: "a")) == "hit")
        try bench.fetch(request("/a"), fresh, at: 2, user: "d")
        #expect(name(bench.look(request("/a"), at: 2, user: "d")) == "hit")

        bench.policy.varyBy = []
        try bench.fetch(request("/p"), fresh)
        CacheKey.buildBase(
            into: &base, request: request("/p", method: .put), rules: CacheRules(bench.policy))
        bench.store.invalidate(base: base.span, at: at(1))
        #expect(name(bench.look(request("/p"), at: 1)) == "lead uriMiss")
    }

    @Test func `an answer that was asked for earlier does not replace a later one`() throws {
        let bench = Bench()
        let late = stored(request(), body: "late", times: times(5))
        let early = stored(request(), body: "early", times: times(1))
        bench.store.insert(late)
        bench.store.insert(early)
        let found = try #require(find(bench.store, request()))
        #expect(body(found) == "late")
    }

    @Test func `a missing page ends the stored one, a failing origin does not`() throws {
        var bench = Bench()
        try bench.fetch(request(), [("Cache-Control", "max-age=10, stale-if-error=100")])
        try bench.fetch(request(), [], status: 503, at: 20)
        #expect(bench.store.statistics().entries == 1)
        try bench.fetch(request(), [("Cache-Control", "no-store")], status: 404, at: 30)
        #expect(bench.store.statistics().entries == 0)
    }

    @Test func `client directives count only where the policy listens`() throws {
        var bench = Bench()
        try bench.fetch(request(), fresh)
        let reload = request("/", [("Cache-Control", "no-cache")])
        let only = request("/none", [("Cache-Control", "only-if-cached")])
        #expect(name(bench.look(reload)) == "hit")
        #expect(name(bench.look(only)) == "lead uriMiss")
        bench.policy.respectsClientNoCache = true
        #expect(name(bench.look(reload)) == "lead request validating")
        #expect(
            name(bench.look(request("/no", [("Cache-Control", "only-if-cached")])))
                == "onlyIfCached")
    }

    @Test func `without collapsing each request leads`() throws {
        var bench = Bench()
        bench.policy.collapses = false
        #expect(name(bench.look(request())) == "lead uriMiss")
        #expect(name(bench.look(request())) == "lead uriMiss")
    }

    @Test func `an object of the default max_object fits into the default store`() {
        let store = MemoryStore(bytes: 256 << 20, seed: .init(1, 2))
        let body = (0..<32).map { _ in [UInt8](repeating: 1, count: 256 << 10) }
        let head = cachedHead(
            request(), response(200, fresh, framing: .length(UInt64(CachePolicy().maxObject))))
        #expect(store.insert(StoredResponse(head: head, body: body)))
        #expect(store.statistics().bytes > CachePolicy().maxObject)
    }

    @Test func `what is larger than half a shard is refused`() {
        let store = MemoryStore(bytes: 1 << 20, seed: .init(1, 2))
        #expect(store.entryBytesMax == 1 << 19)
        let big = stored(request("/big"), body: String(repeating: "x", count: 1 << 19))
        #expect(!store.insert(big))
        #expect(store.statistics().bytes == 0)
        store.resize(bytes: 4 << 20)
        #expect(store.insert(big))
    }

    @Test func `a store that shrinks keeps its new budget, one that grows keeps its answers`() {
        let store = MemoryStore(bytes: 8 << 20, seed: .init(1, 2))
        func fill(_ name: String) {
            for n in 0..<60 {
                store.insert(
                    stored(request("/\(name)\(n)"), body: String(repeating: "x", count: 100_000)))
            }
        }
        fill("a")
        let before = store.statistics()
        #expect(before.bytes > 6_000_000 && before.evictions == 0)
        store.resize(bytes: 2 << 20)
        let after = store.statistics()
        #expect(after.bytes <= 2 << 20 && after.bytes > 1 << 20)
        #expect(after.evictions + UInt64(after.entries) == 60)
        fill("b")
        #expect(store.statistics().bytes <= 2 << 20)
        store.resize(bytes: 16 << 20)
        let kept = store.statistics().entries
        fill("c")
        #expect(store.statistics().entries == kept + 60)
        store.resize(bytes: 0)
        #expect(store.statistics().entries == 0)
        #expect(store.statistics().bytes == 0)
    }
}
