import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct CacheKeyTests {
    private func make(
        _ request: RequestHead, _ policy: CachePolicy = CachePolicy(), space: String = "",
        isSecure: Bool = false, user: String? = nil, company: String? = nil, tier: String? = nil
    ) -> String? {
        var key = bytes("left over")
        let (u, c, t) = (bytes(user ?? ""), bytes(company ?? ""), bytes(tier ?? ""))
        let isComplete = CacheKey.build(
            into: &key, request: request, rules: CacheRules(policy, space: space),
            isSecure: isSecure, user: user == nil ? nil : u.span,
            company: company == nil ? nil : c.span, tier: tier == nil ? nil : t.span)
        return isComplete ? text(key) : nil
    }

    @Test func `a key can be read`() {
        #expect(
            make(request("/a/b?x=1&y=2", host: "API.Example.com:8080"))
                == "{GET}:api.example.com:8080:/a/b?x=1&y=2")
        #expect(make(request("/a"), isSecure: true) == "{GET}:example.com:/a|https")
        #expect(make(request("/a"), space: "beta") == "{GET}:example.com:/a|upstream=beta")
    }

    @Test func `9111-2-key-method: HEAD and unsafe methods have the key of GET`() {
        #expect(make(request("/a", method: .head)) == make(request("/a")))
        #expect(make(request("/a", method: .post)) == make(request("/a")))
    }

    @Test func `the path is compared with case, the host without`() {
        #expect(make(request("/A", host: "X")) == make(request("/A", host: "x")))
        #expect(make(request("/A")) != make(request("/a")))
    }

    @Test func `an empty query is not the same as none`() {
        #expect(make(request("/a?")) != make(request("/a")))
    }

    @Test(arguments: [
        ("/a?utm_source=x&b=1&utm_=2&c", "/a?b=1&c"), ("/a?utm_x=1", "/a"), ("/a?fbclid=9", "/a"),
        ("/a?fbclid2=9&xutm_=1", "/a?fbclid2=9&xutm_=1"), ("/a?b=utm_x", "/a?b=utm_x"),
        ("/a?utm_a&&b", "/a?&b"), ("/a?", "/a?"),
    ])
    func `ignored parameters leave no trace`(target: String, expected: String) {
        var policy = CachePolicy()
        policy.ignoreQuery = ["utm_*", "fbclid"]
        #expect(make(request(target), policy) == "{GET}:example.com:\(expected)")
    }

    @Test func `a missing or empty part of the identity bypasses`() {
        var policy = CachePolicy()
        policy.varyBy = [.user, .company, .tier]
        #expect(make(request("/a"), policy, user: "u", company: "c") == nil)
        #expect(make(request("/a"), policy, user: "", company: "c", tier: "t") == nil)
        #expect(
            make(request("/a"), policy, user: "u", company: "c", tier: "t")
                == "{GET}:example.com:/a|user=u|company=c|tier=t")
    }

    @Test func `no target and no name can be taken for another key`() {
        var policy = CachePolicy()
        policy.varyBy = [.user]
        var random = SeededRandom(seed: 4)
        let pieces = ["|", "||", "|user=", "a", "|https", "?", "user=", "|company=1"]
        var seen: [String: String] = [:]
        for _ in 0..<10_000 {
            let path = (0..<random.below(4)).map { _ in pieces[random.below(pieces.count)] }
                .joined()
            let user = (0...random.below(3)).map { _ in pieces[random.below(pieces.count)] }
                .joined()
            let isSecure = random.below(2) == 0
            let identity = "\(path)\u{0}\(user)\u{0}\(isSecure)"
            guard let key = make(request("/" + path), policy, isSecure: isSecure, user: user) else {
                Issue.record("a user is given")
                return
            }
            if let other = seen[key] { #expect(other == identity) }
            seen[key] = identity
        }
        #expect(seen.count > 1000)
    }

    @Test func `a warm key block does not grow`() {
        var key: [UInt8] = []
        let rules = CacheRules(CachePolicy())
        let head = request("/some/path?with=query")
        _ = CacheKey.build(
            into: &key, request: head, rules: rules, user: nil, company: nil, tier: nil)
        let capacity = key.capacity
        for _ in 0..<100 {
            _ = CacheKey.build(
                into: &key, request: head, rules: rules, user: nil, company: nil, tier: nil)
        }
        #expect(key.capacity == capacity)
    }

    @Test(
        arguments: [
            (Method.post, [], CacheBypass.method), (.other, [], .method), (.options, [], .method),
            (.get, [("If-Match", "\"a\"")], .precondition),
            (.get, [("Cache-Control", "no-store")], .requestNoStore),
        ] as [(Method, [(String, String)], CacheBypass)])
    func `requests that the cache cannot serve bypass it, with a reason`(
        method: Method, list: [(String, String)], reason: CacheBypass
    ) {
        var policy = CachePolicy()
        policy.respectsClientNoCache = true
        #expect(
            CacheBypass.reason(for: request("/", method: method, list), rules: CacheRules(policy))
                == reason)
    }

    @Test func `plain requests do not bypass, and no-store only where the policy listens`() {
        let policy = CachePolicy()
        #expect(CacheBypass.reason(for: request("/"), rules: CacheRules(policy)) == nil)
        #expect(
            CacheBypass.reason(for: request("/", method: .head), rules: CacheRules(policy)) == nil)
        let noStore = request("/", [("Cache-Control", "no-store")])
        #expect(CacheBypass.reason(for: noStore, rules: CacheRules(policy)) == nil)
        var withBody = request("/")
        withBody.framing = .length(3)
        #expect(CacheBypass.reason(for: withBody, rules: CacheRules(policy)) == .requestBody)
    }
}
