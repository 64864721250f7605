import Caching
import HTTPModel
import Primitives
import Testing

private let modified = date(-86400)

/// The answer that all cases are about: 26 letters with a strong ETag, changed a day ago.
private func letters(_ more: [(String, String)] = []) -> StoredResponse {
    stored(
        request(),
        [
            ("Cache-Control", "max-age=60"), ("ETag", "\"v1\""), ("Last-Modified", modified),
            ("Date", date(0)), ("Content-Type", "text/plain"),
        ] + more, body: "abcdefghijklmnopqrstuvwxyz")
}

private func form(
    _ list: [(String, String)], method: Method = .get, of answer: StoredResponse = letters()
) -> String {
    let asked = request("/", method: method, list)
    let form = AnswerForm(for: asked, of: answer.head, now: epoch)
    switch form {
    case .notModified: return "304"
    case .whole: return "whole"
    case .part(let slice): return "\(slice.start)-\(slice.end - 1)"
    case .parts(let slices): return "\(slices.count) parts"
    case .unsatisfiable: return "416"
    }
}

/// RFC 9110 §13.1.5, §13.2.2 and §14.2.
@Suite struct AnswerFormTests {
    static let cases: [Case] = [
        Case("9110-14.2-single", request: [("Range", "bytes=0-4")], "0-4"),
        Case("9110-14.2-several", request: [("Range", "bytes=0-0, -1")], "whole of 26"),
        Case("9110-14.2-other-unit", request: [("Range", "lines=0-4")], "whole"),
        Case("9110-14.2-malformed", request: [("Range", "bytes=4-0")], "whole"),
        Case(
            "9110-14.2-two-lines",
            request: [("Range", "bytes=0-4"), ("Range", "bytes=5-9")], "whole"),
        Case("9110-14.2-unsatisfiable", request: [("Range", "bytes=26-")], "416"),
        Case(
            "9110-13.1.5-etag", request: [("Range", "bytes=0-4"), ("If-Range", "\"v1\"")], "0-4"),
        Case(
            "9110-13.1.5-etag-differs",
            request: [("Range", "bytes=0-4"), ("If-Range", "\"v2\"")], "whole"),
        Case(
            "9110-13.1.5-etag-weak",
            request: [("Range", "bytes=0-4"), ("If-Range", "W/\"v1\"")], "whole"),
        Case(
            "9110-13.1.5-etag-star", request: [("Range", "bytes=0-4"), ("If-Range", "*")], "whole"),
        Case(
            "9110-13.1.5-etag-list",
            request: [("Range", "bytes=0-4"), ("If-Range", "\"v1\", \"v2\"")], "whole"),
        Case(
            "9110-13.1.5-etag-case",
            request: [("Range", "bytes=0-4"), ("If-Range", "\"V1\"")], "whole"),
        Case(
            "9110-13.1.5-date", request: [("Range", "bytes=0-4"), ("If-Range", modified)], "0-4"),
        Case(
            "9110-13.1.5-date-later",
            request: [("Range", "bytes=0-4"), ("If-Range", date(-1000))], "whole"),
        Case(
            "9110-13.1.5-date-earlier",
            request: [("Range", "bytes=0-4"), ("If-Range", date(-100_000))], "whole"),
        Case(
            "9110-13.1.5-not-understood",
            request: [("Range", "bytes=0-4"), ("If-Range", "yesterday")], "whole"),
        Case(
            "9110-13.1.5-twice",
            request: [("Range", "bytes=0-4"), ("If-Range", "\"v1\""), ("If-Range", "\"v1\"")],
            "whole"),
        Case("9110-13.1.5-without-range", request: [("If-Range", "\"v2\"")], "whole"),
        Case(
            "9110-13.1.5-unsatisfiable",
            request: [("Range", "bytes=26-"), ("If-Range", "\"v1\"")], "416"),
        Case(
            "9110-13.1.5-unsatisfiable-of-old",
            request: [("Range", "bytes=26-"), ("If-Range", "\"v0\"")], "whole"),
        Case(
            "9110-13.2.2-304-first",
            request: [("Range", "bytes=0-4"), ("If-None-Match", "\"v1\"")], "304"),
        Case(
            "9110-13.2.2-304-before-416",
            request: [("Range", "bytes=99-"), ("If-None-Match", "\"v1\"")], "304"),
        Case(
            "9110-13.2.2-none-match-then-range",
            request: [("Range", "bytes=0-4"), ("If-None-Match", "\"v0\"")], "0-4"),
        Case(
            "9110-13.2.2-modified-since",
            request: [("Range", "bytes=0-4"), ("If-Modified-Since", modified)], "304"),
    ]

    @Test(arguments: cases) func `the form that a request gets`(row: Case) {
        let expected = row.expected == "whole of 26" ? "0-25" : row.expected
        #expect(form(row.request) == expected)
    }

    @Test func `HEAD has no ranges, and only 200 has`() {
        #expect(form([("Range", "bytes=0-4")], method: .head) == "whole")
        let found = cachedHead(
            request(),
            response(404, [("Cache-Control", "max-age=60")], framing: .length(9)))
        let missing = StoredResponse(head: found, body: [bytes("not found")])
        #expect(form([("Range", "bytes=0-4")], of: missing) == "whole")
    }

    @Test func `while its length is not known an answer is whole`() {
        let head = cachedHead(
            request(), response(200, [("Cache-Control", "max-age=60")], framing: .chunked))
        let asked = request("/", [("Range", "bytes=0-4")])
        guard case .whole = AnswerForm(for: asked, of: head, now: epoch) else {
            Issue.record("a part of an unknown whole")
            return
        }
    }

    @Test func `a Last-Modified within a minute of the answer is no strong validator`() {
        for (seconds, expected) in [(-59, "whole"), (-60, "0-1")] as [(Int64, String)] {
            let answer = stored(
                request(),
                [
                    ("Cache-Control", "max-age=60"), ("Last-Modified", date(seconds)),
                    ("Date", date(0)),
                ])
            let list = [("Range", "bytes=0-1"), ("If-Range", date(seconds))]
            #expect(form(list, of: answer) == expected)
        }
    }

    @Test func `a weak ETag never lets a range be sent`() {
        let answer = stored(request(), [("Cache-Control", "max-age=60"), ("ETag", "W/\"v1\"")])
        #expect(form([("Range", "bytes=0-1"), ("If-Range", "W/\"v1\"")], of: answer) == "whole")
        #expect(form([("Range", "bytes=0-1"), ("If-Range", "\"v1\"")], of: answer) == "whole")
        #expect(form([("Range", "bytes=0-1")], of: answer) == "0-1")
    }

    // MARK: Heads

    @Test func `the head of a part tells where it stands`() {
        let text = written { letters().head.append(BodySlice(21, 26), to: $0) }
        #expect(
            text == """
                HTTP/1.1 206 Partial Content\r
                Cache-Control: max-age=60\r
                ETag: "v1"\r
                Last-Modified: \(modified)\r
                Date: \(date(0))\r
                Content-Type: text/plain\r
                Content-Range: bytes 21-25/26\r
                Content-Length: 5\r

                """)
    }

    @Test func `a 416 tells the length and nothing of the answer`() {
        #expect(
            written { letters().head.appendUnsatisfiable(to: $0) } == """
                HTTP/1.1 416 Range Not Satisfiable\r
                Content-Range: bytes */26\r
                Content-Length: 0\r

                """)
    }

    @Test func `ranges are offered for stored answers of 200, unless the origin has spoken`() {
        func offer(_ status: Status, _ more: [(String, String)], stores: Bool = true) -> String {
            let answer = response(
                status, [("Cache-Control", stores ? "max-age=60" : "no-store")] + more,
                framing: .length(1))
            return written { cachedHead(request(), answer).appendAcceptRanges(to: $0) }
        }
        #expect(offer(200, []) == "Accept-Ranges: bytes\r\n")
        #expect(offer(404, []) == "")
        #expect(offer(200, [("Accept-Ranges", "none")]) == "")
        #expect(offer(200, [("Accept-Ranges", "bytes")]) == "")
        #expect(offer(200, [], stores: false) == "")
    }

    @Test func `several parts are as long as their head says`() {
        for type in [("Content-Type", "text/plain"), nil] {
            for length in [26, 1000, 123_456] {
                let answer = stored(
                    request(), [("Cache-Control", "max-age=60")] + (type.map { [$0] } ?? []),
                    body: String(repeating: "x", count: length))
                let value = bytes("bytes=0-0,\(length / 2)-\(length / 2),-1")
                guard case .slices(let slices) = RangeSelection(value.span, of: length),
                    slices.count > 1
                else { continue }
                let parts = MultipartRanges(
                    slices, of: answer.head, boundary: Digest128(high: 0x0123, low: .max))
                let text = written { buffer in
                    for i in slices.indices {
                        parts.appendHead(of: i, to: buffer)
                        buffer.append(bytes(String(repeating: "x", count: slices[i].count)).span)
                        parts.appendPartEnd(to: buffer)
                    }
                    parts.appendEnd(to: buffer)
                }
                #expect(text.utf8.count == parts.count)
                #expect(text.hasSuffix("\r\n--0000000000000123ffffffffffffffff--\r\n"))
                let head = written { answer.head.append(parts, to: $0) }
                #expect(head.contains("Content-Length: \(parts.count)\r\n"))
                #expect(!head.contains("text/plain"))
                #expect(!head.contains("Content-Range"))
            }
        }
    }
}
