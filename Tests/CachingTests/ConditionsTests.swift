import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct ConditionsTests {
    static let modified = date(-100)

    // Against an answer with ETag "a,b" and Last-Modified of 100 seconds ago.
    static let cases = [
        Case("9110-13.1.2-equal", request: [("If-None-Match", "\"a,b\"")], "304"),
        Case("9110-13.1.2-weak", request: [("If-None-Match", "W/\"a,b\"")], "304"),
        Case("9110-13.1.2-list", request: [("If-None-Match", "\"x\", W/\"y\" ,\"a,b\"")], "304"),
        Case(
            "9110-13.1.2-lines",
            request: [("If-None-Match", "\"x\""), ("If-None-Match", "\"a,b\"")], "304"),
        Case("9110-13.1.2-star", request: [("If-None-Match", "*")], "304"),
        Case("9110-13.1.2-other", request: [("If-None-Match", "\"a\", \"b\"")], "200"),
        Case("9110-13.1.2-unquoted", request: [("If-None-Match", "a,b")], "200"),
        Case("9110-13.1.2-case", request: [("If-None-Match", "\"A,B\"")], "200"),
        Case("9110-13.1.2-empty", request: [("If-None-Match", "")], "200"),
        Case(
            "9110-13.2.2-precedence",
            request: [("If-None-Match", "\"x\""), ("If-Modified-Since", date(0))], "200"),
        Case("9110-13.1.3-equal", request: [("If-Modified-Since", modified)], "304"),
        Case("9110-13.1.3-later", request: [("If-Modified-Since", date(-99))], "304"),
        Case("9110-13.1.3-earlier", request: [("If-Modified-Since", date(-101))], "200"),
        Case(
            "9110-13.1.3-asctime", request: [("If-Modified-Since", "Thu Oct  1 00:00:00 2026")],
            "304"),
        Case(
            "9110-13.1.3-rfc850",
            request: [("If-Modified-Since", "Thursday, 01-Oct-26 00:00:00 GMT")], "304"),
        Case("9110-13.1.3-garbage", request: [("If-Modified-Since", "yesterday")], "200"),
        Case(
            "9110-13.1.3-twice",
            request: [("If-Modified-Since", date(0)), ("If-Modified-Since", date(0))], "200"),
        Case("9110-13-none", "200"),
    ]

    @Test(arguments: cases) func `a client's conditions are answered from the store`(row: Case) {
        let entry = stored(
            request(),
            [
                ("Cache-Control", "max-age=60"), ("ETag", "\"a,b\""),
                ("Last-Modified", Self.modified),
            ])
        let isNotModified = Conditions.areNotModified(
            fields(row.request), head: entry.head, now: epoch)
        #expect((isNotModified ? "304" : "200") == row.expected)
    }

    @Test func `9111-4.3.2: without Last-Modified the Date takes its place`() {
        let entry = stored(request(), [("Cache-Control", "max-age=60"), ("Date", date(-5))])
        func answer(_ since: Int64) -> Bool {
            Conditions.areNotModified(
                fields([("If-Modified-Since", date(since))]), head: entry.head, now: epoch)
        }
        #expect(answer(-5))
        #expect(!answer(-6))
    }

    @Test(arguments: [(200, true), (203, true), (301, false), (404, false)] as [(UInt64, Bool)])
    func `9110-13.2.1: conditions touch only answers of success`(code: UInt64, isTouched: Bool) {
        let head = cachedHead(
            request(),
            response(
                Status(code: code) ?? 0, [("Cache-Control", "max-age=60"), ("ETag", "\"a\"")]))
        let condition = fields([("If-None-Match", "\"a\"")])
        #expect(Conditions.areNotModified(condition, head: head, now: epoch) == isTouched)
    }

    @Test func `9110-13.1.2-star-without-tag: a star means any stored answer`() {
        let entry = stored(request())
        func answer(_ condition: String) -> Bool {
            Conditions.areNotModified(
                fields([("If-None-Match", condition), ("If-Modified-Since", date(0))]),
                head: entry.head, now: epoch)
        }
        #expect(answer("*"))
        #expect(!answer("\"a\""))
    }

    @Test func `9110-15.4.5: a 304 carries all fields but those of the body`() {
        let entry = stored(
            request(),
            [
                ("Cache-Control", "max-age=60"), ("Content-Type", "text/plain"), ("ETag", "\"a\""),
                ("Date", date(0)), ("Vary", "accept"), ("Content-Encoding", "br"), ("X-Own", "1"),
            ])
        #expect(
            written { entry.head.appendNotModified(to: $0) }
                == "HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\nETag: \"a\"\r\n"
                + "Date: \(date(0))\r\nVary: accept\r\nX-Own: 1\r\n")
    }
}
