import Caching
import HTTPModel
import Primitives
import Testing

/// What an answer from Redis is good for: by the same rules as one in memory.
@Suite struct SharedAnswerTests {
    private func use(
        _ stored: StoredResponse, for asked: RequestHead = request(),
        key wanted: [UInt8]? = nil, policy: CachePolicy = CachePolicy(),
        verdict: PurgeVerdict = .untouched, known: StoredResponse? = nil, at seconds: Double = 1
    ) throws -> String {
        let form = try #require(
            SharedForm.write(stored, at: clock(seconds), scope: 0, position: 1))
        guard case .answer(let answer) = SharedForm.read(form.span, at: clock(seconds), scope: 0)
        else { return "unreadable" }
        let key = wanted ?? stored.head.key
        switch answer.use(
            key: key.span, request: asked, rules: CacheRules(policy), verdict: verdict,
            known: known, at: at(seconds))
        {
        case .serve(let stored): return "serve \(stored.freshness(at: at(seconds)).seconds)"
        case .serveStale(let stored): return "stale \(stored.freshness(at: at(seconds)).seconds)"
        case .validate: return "validate"
        case .none: return "none"
        }
    }

    @Test func `a fresh answer is served, a stale one is asked about when it can be`() throws {
        let tagged = stored(request(), [("Cache-Control", "max-age=60"), ("ETag", "\"a\"")])
        #expect(try use(tagged) == "serve 59")
        #expect(try use(tagged, at: 61) == "validate")
        let plain = stored(request(), [("Cache-Control", "max-age=60")])
        #expect(try use(plain, at: 61) == "none")
        let kept = stored(request(), [("Cache-Control", "max-age=60, stale-if-error=60")])
        #expect(try use(kept, at: 61) == "validate")
    }

    @Test
    func `a stale one is served where it may be while it is fetched, unless the client objects`()
        throws
    {
        let stale = stored(
            request(),
            [("Cache-Control", "max-age=60, stale-while-revalidate=30"), ("ETag", "\"a\"")])
        #expect(try use(stale, at: 61) == "stale -1")
        #expect(try use(stale, at: 91) == "validate")
        #expect(try use(stale, known: stale, at: 61) == "none")
        #expect(try use(stale, verdict: .dead, at: 61) == "none")
        var policy = CachePolicy()
        policy.respectsClientNoCache = true
        let picky = request("/", [("Cache-Control", "no-cache")])
        #expect(try use(stale, for: picky, policy: policy, at: 61) == "validate")
    }

    @Test func `an answer for another key or variant is none`() throws {
        let plain = stored(request("/a"))
        #expect(try use(plain, for: request("/b"), key: key(request("/b"))) == "none")
        let german = request("/", [("Accept-Language", "de")])
        let varied = stored(german, [("Cache-Control", "max-age=60"), ("Vary", "Accept-Language")])
        #expect(try use(varied, for: german) == "serve 59")
        #expect(try use(varied, for: request("/", [("Accept-Language", "en")])) == "none")
    }

    @Test func `requests with credentials get what is for everybody, and what the key is for`()
        throws
    {
        let secret = request("/", [("Authorization", "Bearer a")])
        #expect(try use(stored(request()), for: secret) == "none")
        let open = stored(request(), [("Cache-Control", "public, max-age=60")])
        #expect(try use(open, for: secret) == "serve 59")
        var policy = CachePolicy()
        policy.varyBy = [.user]
        let own = stored(secret, policy: policy, user: "7")
        #expect(try use(own, for: secret, policy: policy) == "serve 59")
    }

    @Test func `purged answers are not served, softly purged ones are asked about`() throws {
        let tagged = stored(request(), [("Cache-Control", "max-age=60"), ("ETag", "\"a\"")])
        #expect(try use(tagged, verdict: .dead) == "none")
        #expect(try use(tagged, verdict: .stale(at(0.5))) == "validate")
    }

    @Test func `the answer that is in memory already is of no use, a newer one is`() throws {
        let old = stored(request(), times: times(0, delay: 0.25))
        let new = stored(request(), times: times(30, delay: 0.26))
        #expect(try use(old, known: old, at: 31) == "none")
        #expect(try use(new, known: old, at: 31) == "serve 59")
    }

    @Test func `a client whose directives count gets no answer that it did not ask for`() throws {
        var policy = CachePolicy()
        policy.respectsClientNoCache = true
        let plain = stored(request(), [("Cache-Control", "max-age=60"), ("ETag", "\"a\"")])
        let fresh = request("/", [("Cache-Control", "no-cache")])
        #expect(try use(plain, for: fresh, policy: policy) == "validate")
        #expect(try use(plain, for: fresh) == "serve 59")
    }
}
