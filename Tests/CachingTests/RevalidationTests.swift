import Caching
import HTTPModel
import Primitives
import Testing

@Suite struct RevalidationTests {
    @Test func `9111-4.3.1: the request carries the stored validators`() {
        let both = stored(
            request(),
            [("Cache-Control", "max-age=1"), ("ETag", "W/\"a\""), ("Last-Modified", date(-9))])
        #expect(
            written { Revalidation.appendConditions(of: both.head, to: $0) }
                == "If-None-Match: W/\"a\"\r\nIf-Modified-Since: \(date(-9))\r\n")
        let none = stored(request())
        let buffer = ByteBuffer(capacity: 64)
        #expect(!Revalidation.appendConditions(of: none.head, to: buffer))
        #expect(buffer.isEmpty)
    }

    private func old() -> StoredResponse {
        stored(
            request(),
            [
                ("Cache-Control", "max-age=10"), ("ETag", "\"a\""), ("X-Old", "1"),
                ("X-Own", "old"),
                ("X-Own", "older"), ("Content-Encoding", "br"), ("Date", date(0)), ("Age", "5"),
            ])
    }

    private func freshen(_ list: [(String, String)], policy: CachePolicy = CachePolicy())
        -> StoredResponse?
    {
        old().freshened(
            by: response(304, list), request: request(), policy: policy, times: times(100))
    }

    @Test func `9111-4.3.4-update: fields are replaced, times are new, the body is shared`() throws
    {
        let new = try #require(
            freshen([
                ("Cache-Control", "max-age=30"), ("x-own", "new"), ("Date", date(100)),
                ("Content-Length", "0"), ("Content-Encoding", "gzip"), ("Connection", "X-Hop"),
                ("X-Hop", "1"), ("Set-Cookie", "a=b"), ("ETag", "\"a\""),
            ]))
        let head = text(new.head.bytes)
        #expect(body(new) == "hello")
        #expect(new.freshness(at: at(100)) == .fresh(ttl: .seconds(30)))
        #expect(new.age(at: at(100)) == .zero)
        for line in [
            "x-own: new", "X-Old: 1", "Content-Encoding: br", "Content-Length: 5", "ETag: \"a\"",
        ] {
            #expect(head.contains("\r\n\(line)\r\n"), "\(line)")
        }
        for name in ["old", "gzip", "X-Hop", "Set-Cookie", "Age", "max-age=10"] {
            #expect(!head.contains(name), "\(name)")
        }
        #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(new.head.status == 200)
    }

    @Test func `9111-4.3.4-etag: a 304 about another answer freshens nothing`() {
        #expect(freshen([("ETag", "\"b\"")]) == nil)
        #expect(freshen([("ETag", "W/\"a\"")]) != nil)
    }

    @Test func `9111-4.3.4-age: the age of the 304 counts`() throws {
        let new = try #require(freshen([("Age", "7")]))
        #expect(new.age(at: at(100)) == .seconds(7))
        #expect(new.freshness(at: at(100)) == .fresh(ttl: .seconds(3)))
    }

    @Test(arguments: [[], [("Date", date(100))]])
    func `9111-4.3.4-bare: a bare 304 renews the stored lifetime, with or without Date`(
        list: [(String, String)]
    ) throws {
        let new = try #require(freshen(list))
        #expect(new.freshness(at: at(100)) == .fresh(ttl: .seconds(10)))
        #expect(new.head.isStorable)
        #expect(text(new.head.bytes).contains("\r\nDate: \(date(100))\r\n"))
    }

    @Test func `a 304 that forbids storing is served once and not kept`() throws {
        let new = try #require(freshen([("Cache-Control", "no-store")]))
        #expect(!new.head.isStorable)
        #expect(!MemoryStore(bytes: 1 << 20, seed: .init(1, 2)).insert(new))
    }

    @Test func `9111-3.1: what must not be stored is not in the head`() {
        let head = cachedHead(
            request(),
            response(
                200,
                [
                    ("Cache-Control", "max-age=9"), ("Connection", "close, X-Hop"), ("X-Hop", "1"),
                    ("Keep-Alive", "1"), ("Transfer-Encoding", "chunked"), ("Age", "3"),
                    ("X-Own", "1"),
                    ("Proxy-Authenticate", "x"), ("Proxy-Authentication-Info", "x"),
                    ("Upgrade", "h2c"),
                    ("RateLimit", "a"), ("RateLimit-Policy", "a"), ("X-RateLimit-Limit", "1"),
                    ("X-RateLimit-Used", "1"), ("RateLimit-Reset", "1"),
                    ("Cache-Status", "Inner; hit"),
                    ("Content-Length", "77"), ("Date", date(0)),
                ]))
        #expect(
            text(head.bytes)
                == "HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nX-Own: 1\r\nCache-Status: Inner; hit\r\n"
                + "Date: \(date(0))\r\n")
    }

    @Test func `a head that only passes keeps cookies, Age and the upstream's limits`() {
        let head = CachedHead(
            passing: response(
                200,
                [("Set-Cookie", "a=b"), ("Age", "3"), ("RateLimit", "x"), ("Connection", "close")],
                framing: .length(4)), times: times())
        #expect(
            text(head.bytes)
                == "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nAge: 3\r\nRateLimit: x\r\nDate: \(date(0))\r\nContent-Length: 4\r\n"
        )
    }

    @Test func `9110-6.6.1: an answer without Date gets the time of its receipt`() {
        let entry = stored(request())
        #expect(text(entry.head.bytes).contains("\r\nDate: \(date(0))\r\n"))
    }

    @Test func `a 204 has no Content-Length`() {
        let head = cachedHead(
            request(), response(204, [("Cache-Control", "max-age=9")], framing: .none))
        #expect(!text(head.bytes).contains("Content-Length"))
        #expect(head.contentLength == 0)
    }

    @Test(
        arguments: [
            (Method.post, 200, true), (.put, 204, true), (.delete, 302, true), (.patch, 200, true),
            (.other, 200, true),
            (.post, 404, false), (.post, 500, false), (.get, 200, false), (.head, 200, false),
            (.options, 200, false),
            (.query, 200, false),
        ] as [(Method, UInt64, Bool)])
    func `9111-4.4: unsafe and unknown methods invalidate when they succeed`(
        method: Method, code: UInt64, isDue: Bool
    ) {
        #expect(Invalidation.isDue(method: method, status: Status(code: code) ?? 0) == isDue)
    }

    @Test func `9211: the field says what happened`() {
        func line(_ status: CacheStatus) -> String { written { status.append(to: $0) } }
        #expect(line(.hit(ttl: 288)) == "Cache-Status: weir; hit; ttl=288\r\n")
        #expect(
            line(.hit(ttl: -4, detail: "swr")) == "Cache-Status: weir; hit; ttl=-4; detail=swr\r\n")
        #expect(
            line(.forwarded(.stale, status: 304, stored: true, ttl: 60))
                == "Cache-Status: weir; fwd=stale; fwd-status=304; stored; ttl=60\r\n")
        #expect(
            line(.forwarded(.uriMiss, collapsed: true))
                == "Cache-Status: weir; fwd=uri-miss; collapsed\r\n")
        #expect(line(.bypassed(.method)) == "Cache-Status: weir; fwd=method\r\n")
        #expect(
            line(.bypassed(.authorizationPresent))
                == "Cache-Status: weir; fwd=request; detail=authorization\r\n")
    }
}
