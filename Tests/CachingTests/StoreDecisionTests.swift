import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct StoreDecisionTests {
    private func decide(
        _ row: Case, status: Status = 200, method: Method = .get,
        policy: CachePolicy = CachePolicy(), framing: BodyFraming = .chunked
    ) -> String {
        let decision = StoreDecision.decide(
            request: request("/", method: method, row.request),
            response: response(status, row.response, framing: framing), policy: policy,
            times: times())
        switch decision {
        case .store: return "store"
        case .refuse(let reason): return "\(reason)"
        }
    }

    static let cases = [
        Case("9111-3-max-age", response: [("Cache-Control", "max-age=60")], "store"),
        Case("9111-3-expires", response: [("Expires", date(60))], "store"),
        Case("9111-3-heuristic", response: [("Last-Modified", date(-60))], "store"),
        Case("9111-3-nothing", "noFreshness"),
        Case("9111-3-validator-only", response: [("ETag", "\"a\"")], "store"),
        Case(
            "9111-3-zero-without-validator", response: [("Cache-Control", "max-age=0")],
            "noFreshness"),
        Case(
            "9111-3-zero-with-validator",
            response: [("Cache-Control", "max-age=0"), ("ETag", "\"a\"")], "store"),
        Case(
            "9111-3-zero-with-stale",
            response: [("Cache-Control", "max-age=0, stale-while-revalidate=9")], "store"),
        Case("9111-3-no-store", response: [("Cache-Control", "max-age=60, no-store")], "noStore"),
        Case(
            "9111-3-private", response: [("Cache-Control", "private, max-age=60")], "privateAnswer"),
        Case(
            "9111-3-private-qualified", response: [("Cache-Control", "private=\"x\", max-age=60")],
            "store"),
        Case(
            "9111-3-no-cache", response: [("Cache-Control", "no-cache"), ("ETag", "\"a\"")], "store"
        ),
        Case(
            "9111-5.2.2.3-understood",
            response: [("Cache-Control", "must-understand, no-store, max-age=60")], "store"),
        Case(
            "9111-3-set-cookie",
            response: [("Cache-Control", "max-age=60"), ("Set-Cookie", "a=b")], "setCookie"),
        Case(
            "9111-4.1-star", response: [("Cache-Control", "max-age=60"), ("Vary", "accept, *")],
            "varyStar"),
        Case(
            "9111-4.1-bound",
            response: [
                ("Cache-Control", "max-age=60"),
                ("Vary", (0..<17).map { "x\($0)" }.joined(separator: ",")),
            ],
            "varyTooMany"),
        Case(
            "9111-3.3-content-range",
            response: [("Cache-Control", "max-age=60"), ("Content-Range", "bytes 0-1/2")], "partial"
        ),
        Case(
            "weir-event-stream",
            response: [
                ("Cache-Control", "max-age=60"),
                ("Content-Type", "Text/Event-Stream; charset=utf-8"),
            ], "eventStream"),
        Case(
            "9111-3.5-authorization", request: [("Authorization", "x")],
            response: [("Cache-Control", "max-age=60")], "authorization"),
        Case(
            "9111-3.5-public", request: [("Authorization", "x")],
            response: [("Cache-Control", "max-age=60, public")], "store"),
        Case(
            "9111-3.5-s-maxage", request: [("Authorization", "x")],
            response: [("Cache-Control", "s-maxage=60")], "store"),
        Case(
            "9111-3.5-must-revalidate", request: [("Authorization", "x")],
            response: [("Cache-Control", "max-age=60, must-revalidate")], "store"),
        Case(
            "weir-cookie-explicit", request: [("Cookie", "s=1")],
            response: [("Cache-Control", "max-age=60")], "store"),
        Case(
            "weir-cookie-silent", request: [("Cookie", "s=1")],
            response: [("Last-Modified", date(-60))], "cookie"),
    ]

    @Test(arguments: cases) func `an answer is stored only if all conditions hold`(row: Case) {
        #expect(decide(row) == row.expected)
    }

    @Test(
        arguments: [
            (200, "store"), (203, "store"), (204, "store"), (300, "store"), (301, "store"),
            (302, "store"), (404, "store"), (500, "store"), (599, "store"), (206, "partial"),
            (304, "status"), (412, "status"), (416, "status"), (103, "status"),
        ] as [(UInt64, String)])
    func `9111-3-status: explicit freshness makes any final status storable`(
        code: UInt64, expected: String
    ) {
        let row = Case("", response: [("Cache-Control", "max-age=60")], "")
        #expect(decide(row, status: Status(code: code) ?? 0) == expected)
    }

    @Test(
        arguments: [
            (200, "store"), (301, "store"), (410, "store"), (302, "noFreshness"),
            (401, "noFreshness"),
            (500, "noFreshness"), (503, "noFreshness"),
        ] as [(UInt64, String)])
    func `9110-15.1: without it only heuristically cacheable ones are`(
        code: UInt64, expected: String
    ) {
        let row = Case("", response: [("Last-Modified", date(-60))], "")
        #expect(decide(row, status: Status(code: code) ?? 0) == expected)
    }

    @Test func `9111-5.2.2.3: must-understand keeps unknown statuses out`() {
        let row = Case("", response: [("Cache-Control", "must-understand, max-age=60")], "")
        #expect(decide(row, status: 599) == "notUnderstood")
    }

    @Test func `only answers to GET are stored`() {
        let row = Case("", response: [("Cache-Control", "max-age=60")], "")
        for method in Method.allCases where method != .get {
            #expect(decide(row, method: method) == "method")
        }
    }

    @Test func `a ttl stores silent answers, but never those for credentials, cookies or errors`() {
        let policy = CachePolicy(ttl: .seconds(300))
        #expect(decide(Case("", ""), policy: policy) == "store")
        #expect(
            decide(Case("", request: [("Authorization", "x")], ""), policy: policy)
                == "authorization")
        #expect(decide(Case("", request: [("Cookie", "x")], ""), policy: policy) == "cookie")
        #expect(decide(Case("", ""), status: 500, policy: policy) == "noFreshness")
        #expect(decide(Case("", ""), status: 302, policy: policy) == "noFreshness")
    }

    @Test
    func
        `vary_by of an identity makes answers to credentials storable, but no-store still refuses`()
    {
        var policy = CachePolicy(ttl: .seconds(300))
        policy.varyBy = [.user]
        let credentials = [("Authorization", "x"), ("Cookie", "y")]
        #expect(decide(Case("", request: credentials, ""), policy: policy) == "store")
        let noStore = Case("", request: credentials, response: [("Cache-Control", "no-store")], "")
        #expect(decide(noStore, policy: policy) == "noStore")
    }

    @Test func `parts that are no identity open nothing to credentials`() {
        var policy = CachePolicy(ttl: .seconds(300))
        policy.varyBy = [.ip, .header("x-tenant"), .cookie("sid")]
        let token = Case("", request: [("Authorization", "x")], "")
        #expect(decide(token, policy: policy) == "authorization")
        // The key says all of the cookies: the answer goes to whoever sends the same ones.
        #expect(decide(Case("", request: [("Cookie", "sid=1")], ""), policy: policy) == "store")
        for cookies in ["sid=1; other=2", "other", "sid=1; ;x", "SID=1"] {
            let row = Case("", request: [("Cookie", cookies)], "")
            #expect(decide(row, policy: policy) == "cookie", "\(cookies)")
        }
        let two = Case("", request: [("Cookie", "sid=1"), ("Cookie", "a=2")], "")
        #expect(decide(two, policy: policy) == "cookie")
    }

    @Test
    func `force_ttl wins over lifetimes and no-cache, not over no-store, private and Set-Cookie`() {
        var policy = CachePolicy()
        policy.forceTTL = .seconds(300)
        func row(_ name: String, _ value: String) -> String {
            decide(Case("", response: [(name, value)], ""), policy: policy)
        }
        #expect(row("Cache-Control", "max-age=0, no-cache") == "store")
        #expect(row("Expires", "0") == "store")
        #expect(row("Cache-Control", "no-store") == "noStore")
        #expect(row("Cache-Control", "private") == "privateAnswer")
        #expect(row("Set-Cookie", "a=b") == "setCookie")
        #expect(decide(Case("", ""), status: 500, policy: policy) == "noFreshness")
    }

    @Test func `a body known to be too large is refused at once`() {
        var policy = CachePolicy(ttl: .seconds(1))
        policy.maxObject = 10
        #expect(decide(Case("", ""), policy: policy, framing: .length(11)) == "tooLarge")
        #expect(decide(Case("", ""), policy: policy, framing: .length(10)) == "store")
    }
}
