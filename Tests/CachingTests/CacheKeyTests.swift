import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct CacheKeyTests {
    private func make(
        _ request: RequestHead, _ policy: CachePolicy = CachePolicy(), space: String = "",
        isSecure: Bool = false, user: String? = nil, company: String? = nil, tier: String? = nil,
        address: String = "192.0.2.1"
    ) -> String? {
        var key = bytes("left over")
        let (u, c, t) = (bytes(user ?? ""), bytes(company ?? ""), bytes(tier ?? ""))
        let isComplete = CacheKey.build(
            into: &key, request: request, rules: CacheRules(policy, space: space),
            isSecure: isSecure, user: user == nil ? nil : u.span,
            company: company == nil ? nil : c.span, tier: tier == nil ? nil : t.span,
            address: IPAddress(parsing: address) ?? IPAddress(v4: 0))
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

    @Test(arguments: [
        ("/a?b=1&page=2&utm_x=1&pager=3", "/a?page=2&pager=3"), ("/a?b=1", "/a"), ("/a", "/a"),
        ("/a?page", "/a?page"), ("/a?page_size=1", "/a"),
    ])
    func `only the parameters that are named leave a trace`(target: String, expected: String) {
        var policy = CachePolicy()
        policy.onlyQuery = ["page*"]
        policy.ignoreQuery = ["page_size"]
        #expect(make(request(target), policy) == "{GET}:example.com:\(expected)")
        policy.onlyQuery = []
        #expect(make(request(target), policy) == "{GET}:example.com:/a")
    }

    @Test(arguments: [
        ("/a?b=1&a=2", "/a?a=2&b=1"), ("/a?a=2&b=1", "/a?a=2&b=1"),
        ("/a?id=2&b&id=1&a=", "/a?a=&b&id=2&id=1"), ("/a?b=1&&a=|", "/a?&a=||&b=1"),
        ("/a?ab=1&a=2&A=3", "/a?A=3&a=2&ab=1"), ("/a?", "/a?"), ("/a", "/a"),
        ("/a?z=1&utm_a=1&y=2", "/a?y=2&z=1"),
    ])
    func `sorted parameters stand in the order of their names, equal names as they came`(
        target: String, expected: String
    ) {
        var policy = CachePolicy()
        policy.sortsQuery = true
        policy.ignoreQuery = ["utm_*"]
        #expect(make(request(target), policy) == "{GET}:example.com:\(expected)")
    }

    @Test func `more parameters than are sorted stand as they came`() {
        var policy = CachePolicy()
        policy.sortsQuery = true
        let many = (0..<65).map { "p\(99 - $0)" }.joined(separator: "&")
        #expect(make(request("/a?" + many), policy) == "{GET}:example.com:/a?" + many)
        let most = (0..<64).map { "p\(99 - $0)" }
        #expect(
            make(request("/a?" + most.joined(separator: "&")), policy)
                == "{GET}:example.com:/a?" + most.sorted().joined(separator: "&"))
    }

    @Test(
        arguments: [
            ([], "|header:accept-language"),
            ([("Accept-Language", "")], "|header:accept-language="),
            ([("accept-language", "de ,  en")], "|header:accept-language=de,en"),
            (
                [("Accept-Language", "de"), ("X", "y"), ("Accept-Language", "en|fr")],
                "|header:accept-language=de,en||fr"
            ),
        ] as [([(String, String)], String)])
    func `a field in the key: absent, empty, several lines`(
        fields: [(String, String)], expected: String
    ) {
        var policy = CachePolicy()
        policy.varyBy = [.header("accept-language")]
        #expect(make(request("/a", fields), policy) == "{GET}:example.com:/a" + expected)
    }

    @Test(
        arguments: [
            ([], "|cookie:lang"), ([("Cookie", "theme=x; lang=")], "|cookie:lang="),
            ([("Cookie", "lang=de;theme=x")], "|cookie:lang=de"),
            (
                [("Cookie", "lang=de"), ("Cookie", "Lang=fr;lang=\"e|n\"")],
                "|cookie:lang=de;\"e||n\""
            ),
            ([("Cookie", "lang; xlang=1")], "|cookie:lang"),
        ] as [([(String, String)], String)])
    func `a cookie in the key: absent, empty, several of one name`(
        fields: [(String, String)], expected: String
    ) {
        var policy = CachePolicy()
        policy.varyBy = [.cookie("lang")]
        #expect(make(request("/a", fields), policy) == "{GET}:example.com:/a" + expected)
    }

    @Test func `the client's address in the key`() {
        var policy = CachePolicy()
        policy.varyBy = [.user, .ip]
        #expect(
            make(request("/a"), policy, user: "u", address: "2001:db8::1")
                == "{GET}:example.com:/a|user=u|ip=2001:db8::1")
        policy.varyBy = [.ip, .header("x-a")]
        #expect(make(request("/a"), policy) == "{GET}:example.com:/a|ip=192.0.2.1|header:x-a")
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
        policy.varyBy = [.user, .header("x-a"), .cookie("c")]
        var random = SeededRandom(seed: 4)
        let pieces = [
            "|", "||", "|user=", "a", "|https", "?", "user=", "|company=1", "|header:x-a=", ";",
            "=",
        ]
        var seen: [String: String] = [:]
        for _ in 0..<10_000 {
            let path = (0..<random.below(4)).map { _ in pieces[random.below(pieces.count)] }
                .joined()
            let user = (0...random.below(3)).map { _ in pieces[random.below(pieces.count)] }
                .joined()
            let isSecure = random.below(2) == 0
            var list: [(String, String)] = []
            var said = "\u{0}"
            if random.below(2) == 0 {
                list.append(("X-A", pieces[random.below(pieces.count)]))
                said += list[0].1 + "\u{0}"
            }
            said += "\u{0}"
            if random.below(2) == 0 {
                let value = pieces[random.below(pieces.count - 2)]
                list.append(("Cookie", "c=" + value))
                said += value + "\u{0}"
            }
            let identity = "\(path)\u{0}\(user)\u{0}\(isSecure)\(said)"
            guard
                let key = make(request("/" + path, list), policy, isSecure: isSecure, user: user)
            else {
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
