import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct TargetedDirectivesTests {
    private static let far = ("Expires", "Fri, 31 Dec 9999 23:59:59 GMT")

    static let cases = [
        Case("9213-2.1-max-age", response: [("CDN-Cache-Control", "max-age=60")], "60"),
        Case(
            "9213-2.2-over-cache-control",
            response: [("CDN-Cache-Control", "max-age=60"), ("Cache-Control", "no-store")], "60"),
        Case(
            "9213-2.2-no-store",
            response: [("CDN-Cache-Control", "no-store"), ("Cache-Control", "max-age=60")],
            "no-store"),
        Case(
            "9213-2.2-private",
            response: [("CDN-Cache-Control", "private"), ("Cache-Control", "max-age=60")], "private"
        ),
        Case(
            "9213-2.2-no-cache",
            response: [
                ("CDN-Cache-Control", "no-cache"), ("Cache-Control", "max-age=60"),
                ("ETag", "\"a\""),
            ], "0 validate"),
        Case(
            "9213-2.2-must-revalidate",
            response: [
                ("CDN-Cache-Control", "max-age=5, must-revalidate"),
                ("Cache-Control", "stale-while-revalidate=60"),
            ], "5 no-stale"),
        Case(
            "9213-2.2-order",
            response: [("CDN-Cache-Control", "max-age=5"), ("Weir-Cache-Control", "max-age=7")],
            "7"),
        Case(
            "9213-2.2-expires",
            response: [("CDN-Cache-Control", "stale-if-error=9"), far, ("ETag", "\"a\"")], "0"),
        Case(
            "9213-2.2-no-freshness",
            response: [("CDN-Cache-Control", "public"), ("Cache-Control", "max-age=60"), far],
            "no-freshness"),
        Case(
            "9213-2.2-empty-falls-through",
            response: [("Weir-Cache-Control", ""), ("CDN-Cache-Control", "max-age=5")], "5"),
        Case(
            "9213-2.2-both-empty",
            response: [
                ("Weir-Cache-Control", " "), ("CDN-Cache-Control", ""),
                ("Cache-Control", "max-age=4"),
            ], "4"),
        Case(
            "9213-2.1-malformed-falls-through",
            response: [("CDN-Cache-Control", "max-age=60,"), ("Cache-Control", "max-age=4")], "4"),
        Case(
            "9213-2.1-upper-case-is-malformed",
            response: [("CDN-Cache-Control", "Max-Age=60"), ("Cache-Control", "max-age=4")], "4"),
        Case(
            "9213-2.1-string-is-a-type-error",
            response: [
                ("CDN-Cache-Control", "max-age=\"60\", s-maxage=5"),
                ("Cache-Control", "max-age=4"),
            ], "5"),
        Case(
            "9213-2.1-decimal-is-a-type-error",
            response: [("CDN-Cache-Control", "s-maxage=60.5, max-age=5")], "5"),
        Case(
            "9213-2.1-negative",
            response: [("CDN-Cache-Control", "s-maxage=-1, max-age=5")], "5"),
        Case(
            "9213-2.1-only-a-type-error",
            response: [("CDN-Cache-Control", "max-age=\"60\""), ("Cache-Control", "max-age=4")],
            "no-freshness"),
        Case(
            "9213-2.1-false",
            response: [("CDN-Cache-Control", "no-store=?0, max-age=5")], "5"),
        Case(
            "9213-2.1-flag-with-number",
            response: [("CDN-Cache-Control", "no-store=1, max-age=5")], "5"),
        Case(
            "9213-2.1-last-counts",
            response: [("CDN-Cache-Control", "max-age=1, no-store, max-age=9, no-store=?0")], "9"),
        Case(
            "9213-2.1-parameters",
            response: [("CDN-Cache-Control", "max-age=5;x=\"no-store\", foo;max-age=9")], "5"),
        Case(
            "9213-2.1-overflow",
            response: [("CDN-Cache-Control", "max-age=999999999999999")], "2147483648"),
        Case(
            "9213-2.1-lines",
            response: [("CDN-Cache-Control", "foo"), ("CDN-Cache-Control", "max-age=5")], "5"),
        Case(
            "9213-2.1-a-bad-line-spoils-all",
            response: [
                ("CDN-Cache-Control", "max-age=5"), ("CDN-Cache-Control", "=="),
                ("Cache-Control", "max-age=4"),
            ], "4"),
        Case(
            "9213-2.1-list-of-fields",
            response: [
                ("CDN-Cache-Control", "max-age=5, private=\"set-cookie\""), ("Set-Cookie", "a=b"),
            ], "5"),
        Case(
            "9213-2.1-list-is-no-list",
            response: [("CDN-Cache-Control", "max-age=5, private=\"a b\"")], "private"),
        Case(
            "9213-2.1-list-as-token",
            response: [("CDN-Cache-Control", "max-age=5, private=set-cookie")], "5"),
    ]

    @Test(arguments: cases) func `targeted fields are read as RFC 9213 says`(row: Case) {
        let decision = StoreDecision.decide(
            request: request(), response: response(200, row.response), policy: CachePolicy(),
            times: times())
        #expect(describe(decision) == row.expected)
    }

    private func describe(_ decision: StoreDecision) -> String {
        switch decision {
        case .refuse(let reason): "\(reason.name)"
        case .store(let lifetime):
            "\(lifetime.fresh.wholeSeconds)" + (lifetime.mustValidate ? " validate" : "")
                + (lifetime.forbidsStale && !lifetime.mustValidate && lifetime.source == .maxAge
                    ? " no-stale" : "")
        }
    }

    @Test func `9213-2.2-authorization: public may stand in the targeted field`() {
        let decision = StoreDecision.decide(
            request: request("/", [("Authorization", "x")]),
            response: response(200, [("CDN-Cache-Control", "public, max-age=5")]),
            policy: CachePolicy(), times: times())
        #expect(describe(decision) == "5")
    }

    @Test func `9213-2.2-pass: the field of all CDNs is passed on, ours alone is not`() throws {
        let entry = stored(
            request(),
            [
                ("Weir-Cache-Control", "max-age=60"), ("CDN-Cache-Control", "max-age=5"),
                ("Cache-Control", "no-cache"), ("ETag", "\"a\""),
            ])
        let head = text(entry.head.bytes)
        #expect(!head.contains("Weir-Cache-Control"))
        #expect(head.contains("\r\nCDN-Cache-Control: max-age=5\r\n"))
        #expect(head.contains("\r\nCache-Control: no-cache\r\n"))
        #expect(!text(passing(("Weir-Cache-Control", "no-store")).bytes).contains("Weir"))
    }

    @Test func `9213-2.2-freshen: what only this cache was told outlives a 304`() throws {
        let entry = stored(
            request(), [("Weir-Cache-Control", "max-age=60"), ("ETag", "\"a\"")])
        let again = try #require(
            entry.freshened(
                by: response(304, [("ETag", "\"a\"")]), request: request(), policy: CachePolicy(),
                times: times(100)))
        #expect(again.freshness(at: at(100)) == .fresh(ttl: .seconds(60)))
        let changed = try #require(
            again.freshened(
                by: response(304, [("ETag", "\"a\""), ("Weir-Cache-Control", "max-age=7")]),
                request: request(), policy: CachePolicy(), times: times(200)))
        #expect(changed.freshness(at: at(200)) == .fresh(ttl: .seconds(7)))
        #expect(!text(changed.head.bytes).contains("Weir"))
    }

    private func passing(_ field: (String, String)) -> CachedHead {
        CachedHead(passing: response(200, [field]), times: times())
    }
}
