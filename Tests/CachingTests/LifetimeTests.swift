import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct LifetimeTests {
    private func lifetime(
        _ list: [(String, String)], status: Status = 200, policy: CachePolicy = CachePolicy(),
        times: FetchTimes = times()
    ) -> Lifetime {
        let head = response(status, list)
        return Lifetime(
            of: head, directives: CacheDirectives(of: head.fields), policy: policy, times: times)
    }

    static let freshness = [
        Case(
            "9111-4.2.1-s-maxage",
            response: [
                ("Cache-Control", "max-age=1, s-maxage=2"), ("Expires", date(9)), ("Date", date(0)),
            ], "2 sharedMaxAge"),
        Case(
            "9111-4.2.1-max-age",
            response: [("Cache-Control", "max-age=1"), ("Expires", date(9)), ("Date", date(0))],
            "1 maxAge"),
        Case(
            "9111-4.2.1-expires", response: [("Expires", date(9)), ("Date", date(-1))], "10 expires"
        ),
        Case("9111-4.2.1-expires-without-date", response: [("Expires", date(9))], "9 expires"),
        Case(
            "9111-4.2.1-expires-bad-date", response: [("Expires", date(9)), ("Date", "x")],
            "9 expires"),
        Case(
            "9111-4.2.1-expires-past", response: [("Expires", date(-9)), ("Date", date(0))],
            "0 expires"),
        Case("9111-5.3-zero", response: [("Expires", "0")], "0 expires"),
        Case(
            "9111-5.3-other-zone", response: [("Expires", "Thu, 01 Oct 2026 01:00:00 CET")],
            "0 expires"),
        Case(
            "9111-5.3-first-line", response: [("Expires", "0"), ("Expires", date(9))], "0 expires"),
        Case(
            "9111-4.2.1-invalid-is-stale",
            response: [("Cache-Control", "max-age=a"), ("Expires", date(9))], "0 maxAge"),
        Case(
            "9111-4.2.1-far-future", response: [("Expires", "Fri, 31 Dec 9999 23:59:59 GMT")],
            "2147483648 expires"),
        Case(
            "9111-4.2.2-tenth", response: [("Last-Modified", date(-1000)), ("Date", date(0))],
            "100 heuristic"),
        Case(
            "9111-4.2.2-bound", response: [("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")],
            "86400 heuristic"),
        Case(
            "9111-4.2.2-future", response: [("Last-Modified", date(5)), ("Date", date(0))], "0 none"
        ),
        Case(
            "9111-4.2.2-not-when-explicit",
            response: [("Cache-Control", "max-age=0"), ("Last-Modified", date(-1000))], "0 maxAge"),
        Case("9111-4.2-nothing", "0 none"),
        Case(
            "9111-4.2.1-s-maxage-zero",
            response: [("Cache-Control", "s-maxage=0, max-age=9"), ("Expires", date(9))],
            "0 sharedMaxAge"),
        Case(
            "9111-4.2.1-s-maxage-invalid",
            response: [("Cache-Control", "s-maxage=x, max-age=9")], "0 sharedMaxAge"),
        Case(
            "9111-4.2.1-duplicate-lines",
            response: [("Cache-Control", "max-age=3"), ("Cache-Control", "max-age=9")], "3 maxAge"),
        Case(
            "9111-4.2.1-duplicate-invalid-second",
            response: [("Cache-Control", "max-age=3, max-age=x")], "3 maxAge"),
        Case(
            "9111-4.2.1-in-quotes-of-another",
            response: [("Cache-Control", "ext=\"max-age=9\", x"), ("Expires", date(5))],
            "5 expires"),
        Case(
            "9111-4.2.1-name-in-another",
            response: [("Cache-Control", "xmax-age=9, max-agex=9")], "0 none"),
        Case(
            "9111-4.2.1-single-quotes", response: [("Cache-Control", "max-age='9'")], "0 maxAge"),
        Case("9111-4.2.1-zeros", response: [("Cache-Control", "max-age=0009")], "9 maxAge"),
        Case(
            "9111-5.3-rfc850", response: [("Expires", "Thursday, 01-Oct-26 00:00:09 GMT")],
            "9 expires"),
        Case(
            "9111-5.3-asctime", response: [("Expires", "Thu Oct  1 00:00:09 2026")], "9 expires"),
        Case("9111-5.3-minus-one", response: [("Expires", "-1")], "0 expires"),
        Case("9111-5.3-empty", response: [("Expires", "")], "0 expires"),
        Case(
            "9111-5.3-future-date", response: [("Expires", date(100)), ("Date", date(50))],
            "50 expires"),
        Case(
            "9111-4.2.2-no-validator", response: [("Cache-Control", "public")], "0 none"),
    ]

    @Test(arguments: freshness) func `freshness is named by the first who may`(row: Case) {
        let result = lifetime(row.response)
        #expect("\(result.fresh.wholeSeconds) \(result.source)" == row.expected)
    }

    @Test func `the heuristic is for statuses that allow it`() {
        let list = [("Last-Modified", date(-1000))]
        #expect(lifetime(list, status: 302).fresh == .zero)
        #expect(lifetime(list, status: 404).fresh == .zero)
        #expect(lifetime(list, status: 301).fresh == .seconds(100))
    }

    @Test func `9111-4.2.2-public: public opens it to other statuses that are no errors`() {
        let list = [("Last-Modified", date(-1000)), ("Cache-Control", "public")]
        #expect(lifetime(list, status: 302).fresh == .seconds(100))
        #expect(lifetime(list, status: 500).fresh == .zero)
        #expect(lifetime([("Cache-Control", "public")], status: 302).fresh == .zero)
    }

    @Test func `ttl speaks when the origin is silent, force_ttl always, negative for errors`() {
        var policy = CachePolicy(ttl: .seconds(300))
        policy.negative = [404: .seconds(30), 503: .seconds(1)]
        #expect(lifetime([], policy: policy).fresh == .seconds(300))
        #expect(lifetime([("Cache-Control", "max-age=5")], policy: policy).fresh == .seconds(5))
        #expect(lifetime([], status: 404, policy: policy).fresh == .seconds(30))
        #expect(lifetime([], status: 503, policy: policy).source == .negative)
        #expect(lifetime([], status: 410, policy: policy).fresh == .zero)
        #expect(lifetime([], status: 500, policy: policy).fresh == .zero)
        #expect(lifetime([], status: 302, policy: policy).fresh == .zero)
        policy.forceTTL = .seconds(7)
        #expect(lifetime([("Cache-Control", "max-age=5")], policy: policy).fresh == .seconds(7))
        #expect(lifetime([("Cache-Control", "no-cache")], policy: policy).mustValidate == false)
        #expect(
            lifetime([("Cache-Control", "max-age=5")], status: 500, policy: policy).fresh
                == .seconds(5))
    }

    @Test func `the policy's ttl counts from the receipt, whatever the origin's clock says`() {
        let policy = CachePolicy(ttl: .seconds(300))
        let head = cachedHead(
            request(), response(200, [("Date", date(-3600))]), policy: policy)
        let stored = StoredResponse(head: head, body: [])
        #expect(stored.freshness(at: at(0)) == .fresh(ttl: .seconds(300)))
        #expect(stored.freshness(at: at(300)) == .stale(by: .zero))
    }

    // §4.2.4 and RFC 5861: seconds of stale-while-revalidate and stale-if-error, and whether max-stale may.
    static let staleness = [
        Case(
            "5861-3-written",
            response: [("Cache-Control", "max-age=1, stale-while-revalidate=2, stale-if-error=3")],
            "2 3 true"),
        Case(
            "9111-4.2.4-must-revalidate",
            response: [
                (
                    "Cache-Control",
                    "max-age=1, must-revalidate, stale-while-revalidate=2, stale-if-error=3"
                )
            ], "0 0 false"),
        Case(
            "9111-4.2.4-proxy-revalidate",
            response: [("Cache-Control", "max-age=1, proxy-revalidate, stale-if-error=3")],
            "0 0 false"),
        Case(
            "9111-4.2.4-no-cache", response: [("Cache-Control", "no-cache, stale-if-error=3")],
            "0 0 false"),
        Case(
            "9111-4.2.4-s-maxage",
            response: [("Cache-Control", "s-maxage=1, stale-while-revalidate=2")], "2 0 false"),
        Case("9111-4.2.4-plain", response: [("Cache-Control", "max-age=1")], "0 0 true"),
    ]

    @Test(arguments: staleness) func `stale use is what is written, unless banned`(row: Case) {
        let result = lifetime(row.response)
        #expect(
            "\(result.staleWhileRevalidate.wholeSeconds) \(result.staleIfError.wholeSeconds) \(!result.forbidsStale)"
                == row.expected)
    }

    @Test func `strict lets the ban that s-maxage implies win`() {
        var policy = CachePolicy()
        policy.stale = .strict
        let list = [("Cache-Control", "s-maxage=1, stale-while-revalidate=2")]
        #expect(lifetime(list, policy: policy).staleWhileRevalidate == .zero)
    }

    @Test func `the policy's stale times stand in for unwritten ones`() {
        var policy = CachePolicy(ttl: .seconds(1))
        policy.staleWhileRevalidate = .seconds(30)
        policy.staleIfError = .seconds(60)
        #expect(lifetime([], policy: policy).staleWhileRevalidate == .seconds(30))
        #expect(
            lifetime([("Cache-Control", "stale-if-error=0")], policy: policy).staleIfError == .zero)
        #expect(
            lifetime([("Cache-Control", "must-revalidate")], policy: policy).staleIfError == .zero)
    }

    // §4.2.3: seconds of age on arrival, the answer having taken 2 s.
    static let ages = [
        Case("9111-4.2.3-delay", response: [("Date", date(2))], "2"),
        Case("9111-4.2.3-field", response: [("Date", date(2)), ("Age", "30")], "32"),
        Case("9111-4.2.3-apparent", response: [("Date", date(-98))], "100"),
        Case("9111-4.2.3-larger", response: [("Date", date(-98)), ("Age", "500")], "502"),
        Case("9111-4.2.3-future-date", response: [("Date", date(5000))], "2"),
        Case("9111-4.2.3-no-date", "2"),
        Case("9111-5.1-first-value", response: [("Age", "10, 20")], "12"),
        Case("9111-5.1-first-line", response: [("Age", "10"), ("Age", "20")], "12"),
        Case("9111-5.1-invalid", response: [("Age", "-10")], "2"),
        Case("9111-5.1-quoted", response: [("Age", "\"10\"")], "2"),
        Case("9111-5.1-empty-first", response: [("Age", ", 10")], "2"),
        Case("9111-5.1-invalid-first", response: [("Age", "x, 10")], "2"),
        Case("9111-5.1-empty-line", response: [("Age", ""), ("Age", "10")], "2"),
        Case("9111-5.1-seconds-unit", response: [("Age", "10s")], "2"),
        Case("9111-5.1-space", response: [("Age", "1 0")], "2"),
        Case("9111-5.1-zeros", response: [("Age", "0010")], "12"),
        Case(
            "9111-4.2.3-old-date-forms", response: [("Date", "Wednesday, 30-Sep-26 23:58:22 GMT")],
            "100"),
        Case("9111-4.2.3-date-lines", response: [("Date", date(-98)), ("Date", date(0))], "100"),
        Case("9111-4.2.3-invalid-date", response: [("Date", "yesterday"), ("Age", "3")], "5"),
        Case("9111-5.1-fraction", response: [("Age", "1.5")], "2"),
        Case("9111-5.1-overflow", response: [("Age", "99999999999999999999")], "2147483650"),
    ]

    @Test(arguments: ages) func `age on arrival follows the formula`(row: Case) {
        let head = response(200, row.response)
        let age = times(0, delay: 2).initialAge(of: head.fields)
        #expect("\(age.wholeSeconds)" == row.expected)
    }

    @Test func `age never falls while time passes, and is never below what has passed`() {
        var random = SeededRandom(seed: 5)
        for _ in 0..<2000 {
            let list = [
                ("Date", date(Int64(random.below(20_000)) - 10_000)),
                ("Age", "\(random.below(5000))"), ("Cache-Control", "max-age=60"),
            ]
            let delay = Double(random.below(5000)) / 1000
            let entry = stored(request(), list, times: times(0, delay: delay))
            var now = delay
            var last = Nanoseconds.zero
            for _ in 0..<10 {
                now += Double(random.below(100_000)) / 1000
                let age = entry.age(at: at(now))
                #expect(age >= last)
                #expect(age.count + 1000 >= UInt64(now * 1e9))
                last = age
            }
        }
    }

    @Test func `a clock that runs backwards does not make an answer younger than on arrival`() {
        let entry = stored(request(), [("Age", "10"), ("Cache-Control", "max-age=60")])
        #expect(entry.age(at: MonotonicTime(nanoseconds: 0)) == .seconds(10))
    }

    static let uses = [
        Case("9111-4-fresh", response: [("Cache-Control", "max-age=60")], "serve"),
        Case(
            "9111-4-no-cache",
            response: [("Cache-Control", "max-age=60, no-cache"), ("ETag", "\"a\"")], "validate"),
        Case(
            "9111-4-stale", response: [("Cache-Control", "max-age=10"), ("ETag", "\"a\"")],
            "validate"),
        Case(
            "5861-3-window", response: [("Cache-Control", "max-age=10, stale-while-revalidate=60")],
            "serveAndRefresh"),
        Case(
            "5861-3-over", response: [("Cache-Control", "max-age=10, stale-while-revalidate=10")],
            "validate"),
        Case(
            "9111-5.2.1.1-max-age", request: [("Cache-Control", "max-age=20")],
            response: [("Cache-Control", "max-age=60")], "validate"),
        Case(
            "9111-5.2.1.1-max-age-met", request: [("Cache-Control", "max-age=40")],
            response: [("Cache-Control", "max-age=60")], "serve"),
        Case(
            "9111-5.2.1.2-max-stale", request: [("Cache-Control", "max-stale=25")],
            response: [("Cache-Control", "max-age=10"), ("ETag", "x")], "serve"),
        Case(
            "9111-5.2.1.2-max-stale-over", request: [("Cache-Control", "max-stale=15")],
            response: [("Cache-Control", "max-age=10"), ("ETag", "x")], "validate"),
        Case(
            "9111-5.2.1.2-any", request: [("Cache-Control", "max-stale")],
            response: [("Cache-Control", "max-age=10"), ("ETag", "x")], "serve"),
        Case(
            "9111-5.2.1.2-banned", request: [("Cache-Control", "max-stale")],
            response: [("Cache-Control", "s-maxage=10"), ("ETag", "x")], "validate"),
        Case(
            "9111-5.2.1.3-min-fresh", request: [("Cache-Control", "min-fresh=40")],
            response: [("Cache-Control", "max-age=60")], "validate"),
        Case(
            "8246-2.1-reload", request: [("Cache-Control", "max-age=0")],
            response: [("Cache-Control", "max-age=60, immutable")], "serve"),
        Case(
            "8246-2.1-forced-reload", request: [("Cache-Control", "no-cache")],
            response: [("Cache-Control", "max-age=60, immutable")], "validate"),
        Case(
            "8246-2.1-pragma", request: [("Pragma", "no-cache")],
            response: [("Cache-Control", "max-age=60, immutable")], "validate"),
        Case(
            "8246-2.1-both", request: [("Cache-Control", "max-age=0, no-cache")],
            response: [("Cache-Control", "max-age=60, immutable")], "validate"),
        Case(
            "8246-2-stale", request: [("Cache-Control", "max-age=0")],
            response: [("Cache-Control", "max-age=10, immutable"), ("ETag", "x")], "validate"),
        Case(
            "8246-2-min-fresh", request: [("Cache-Control", "min-fresh=40")],
            response: [("Cache-Control", "max-age=60, immutable")], "validate"),
        Case(
            "8246-2-no-cache",
            response: [("Cache-Control", "max-age=60, immutable, no-cache"), ("ETag", "x")],
            "validate"),
        Case(
            "5861-3-not-for-max-age", request: [("Cache-Control", "max-age=20")],
            response: [("Cache-Control", "max-age=10, stale-while-revalidate=60")], "validate"),
        Case(
            "5861-3-not-for-no-cache", request: [("Cache-Control", "no-cache")],
            response: [("Cache-Control", "max-age=10, stale-while-revalidate=60")], "validate"),
        Case(
            "9111-5.2.1.4-no-cache", request: [("Cache-Control", "no-cache")],
            response: [("Cache-Control", "max-age=60")], "validate"),
    ]

    @Test(arguments: uses) func `an answer of 30 seconds is used as both sides say`(row: Case) {
        var random = SeededRandom(seed: 6)
        let demands = CacheDirectives(ofRequest: fields(row.request))
        let use = stored(request(), row.response).use(
            at: at(30), demands: demands, early: .off, random: &random)
        #expect("\(use)" == row.expected)
    }

    // At 30 seconds: whether the answer may stand in for an error.
    static let errors = [
        Case(
            "5861-4-response", response: [("Cache-Control", "max-age=10, stale-if-error=60")],
            "true"),
        Case(
            "5861-4-over", response: [("Cache-Control", "max-age=10, stale-if-error=20")], "false"),
        Case("5861-4-none", response: [("Cache-Control", "max-age=10"), ("ETag", "x")], "false"),
        Case(
            "5861-4-request", request: [("Cache-Control", "stale-if-error=60")],
            response: [("Cache-Control", "max-age=10"), ("ETag", "x")], "true"),
        Case(
            "5861-4-request-over", request: [("Cache-Control", "stale-if-error=20")],
            response: [("Cache-Control", "max-age=10"), ("ETag", "x")], "false"),
        Case(
            "5861-4-larger-of-both", request: [("Cache-Control", "stale-if-error=5")],
            response: [("Cache-Control", "max-age=10, stale-if-error=60")], "true"),
        Case(
            "5861-4-request-banned", request: [("Cache-Control", "stale-if-error=60")],
            response: [("Cache-Control", "max-age=10, must-revalidate"), ("ETag", "x")], "false"),
        Case(
            "5861-4-request-s-maxage", request: [("Cache-Control", "stale-if-error=60")],
            response: [("Cache-Control", "s-maxage=10"), ("ETag", "x")], "false"),
        Case(
            "5861-4-no-cache",
            response: [("Cache-Control", "no-cache, stale-if-error=60"), ("ETag", "x")], "false"),
    ]

    @Test(arguments: errors) func `an error is answered with what both sides allow`(row: Case) {
        let demands = CacheDirectives(ofRequest: fields(row.request))
        let entry = stored(request(), row.response)
        #expect("\(entry.mayServeStale(onErrorAt: at(30), demands: demands))" == row.expected)
    }
}
