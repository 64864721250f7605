/// RFC 9110 §14 and §13.1.5: parts of what is stored.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"
    private static let ten = "0123456789"
    private static let hundreds = ["0", "1", "2"].map { String(repeating: $0, count: 100) }.joined()

    /// Ten bytes with these lines are stored.
    private static func tenBytes(_ fields: String...) -> Exchange {
        get().origin(Reply(fields: [fresh, "ETag: \"a\""] + fields).content(ten))
    }

    @ListOf<Case> static var ranges: [Case] {
        single
        several
        ifRange
        misses
    }

    @ListOf<Case> private static var single: [Case] {
        for (word, range, from, to) in [
            ("first", "0-3", 0, 3), ("middle", "2-5", 2, 5), ("one-byte", "4-4", 4, 4),
            ("open", "7-", 7, 9),
            ("suffix", "-3", 7, 9), ("beyond-end", "5-100", 5, 9), ("long-suffix", "-100", 0, 9),
            ("whole", "0-9", 0, 9), ("huge-end", "5-99999999999999999999", 5, 9),
        ] {
            may(
                "9110-14.2-\(word)", "`bytes=\(range)` of ten stored bytes gives \(from) to \(to)"
            ) {
                tenBytes()
                get("Range: bytes=\(range)").status(206)
                    .sees(
                        "Content-Range: bytes \(from)-\(to)/10", "Content-Length: \(to - from + 1)"
                    )
                    .content(String(ten.dropFirst(from).prefix(to - from + 1)))
            }
        }
        must("9110-15.3.7-fields", "a 206 has the fields of the stored answer and an Age") {
            tenBytes("X-Test: 1", "Content-Type: text/x-test", "Age: 50")
            get("Range: bytes=0-3").status(206).content("0123")
                .sees("ETag: \"a\"", fresh, "Date", "X-Test: 1", "Content-Type: text/x-test").age(
                    50...80)
        }
        may(
            "9110-15.5.17-first-beyond", "a range behind the end is answered 416 with the length"
        ) {
            tenBytes()
            get("Range: bytes=10-20").status(416).sees("Content-Range: bytes */10").content(.any)
        }
        may("9110-15.5.17-empty-suffix", "`bytes=-0` is answered 416") {
            tenBytes()
            get("Range: bytes=-0").status(416).sees("Content-Range: bytes */10").content(.any)
        }
        must("9110-14.2-unit", "another unit than bytes is ignored") {
            tenBytes()
            get("Range: lines=0-3").status(200).content(ten)
        }
        for (word, range) in [
            ("reversed", "bytes=5-2"), ("letters", "bytes=a-b"), ("nothing", "bytes="),
            ("dash", "bytes=-"),
            ("no-equals", "bytes 0-3"), ("one-of-list", "bytes=0-3,x-y"),
        ] {
            may("9110-14.2-invalid-\(word)", "`\(range)` is no range and ignored") {
                tenBytes()
                get("Range: \(range)").status(200).content(ten)
            }
        }
        must("9110-14.2-head", "Range of a HEAD is ignored") {
            tenBytes()
            head("Range: bytes=0-3").status(200).sees("Content-Length: 10").lacks("Content-Range")
        }
        must("9110-13.2.2-not-modified", "a condition that holds comes before the range: 304") {
            tenBytes()
            get("Range: bytes=0-3", "If-None-Match: \"a\"").status(304)
        }
        must("9110-13.2.2-modified", "a condition that does not hold leaves the range") {
            tenBytes()
            get("Range: bytes=0-3", "If-None-Match: \"b\"").status(206).content("0123")
        }
        must("9110-14.2-status", "a range of a stored error is ignored") {
            get().origin(reply(404, fresh).content(ten))
            get("Range: bytes=0-3").status(404).content(ten)
        }
        must(
            "9111-4-range-stale", "a stale answer is validated before a part of it is served"
        ) {
            get().origin(reply("Cache-Control: max-age=60", "Age: 100", "ETag: \"a\"").content(ten))
            get("Range: bytes=0-3").origin(reply(304, "ETag: \"a\"", fresh)).status(206)
                .content("0123")
            get("Range: bytes=4-5").status(206).content("45")
        }
        may("9110-14.2-empty", "a range of empty content is not satisfiable, or ignored") {
            get().origin(reply(fresh).content(""))
            get("Range: bytes=0-3").status(416).content(.any)
        }
    }

    @ListOf<Case> private static var several: [Case] {
        may("9110-14.6-two", "two ranges are answered as multipart/byteranges") {
            get().origin(reply(fresh, "Content-Type: text/x-test").content(hundreds))
            get("Range: bytes=0-1,298-299").status(206)
                .content(
                    .containing([
                        "Content-Type: text/x-test", "Content-Range: bytes 0-1/300\r\n\r\n00\r\n",
                        "Content-Range: bytes 298-299/300\r\n\r\n22\r\n",
                    ])
                )
                .sees("Content-Type ~ multipart/byteranges; boundary=").lacks("Content-Range")
        }
        may("9110-14.6-order", "the parts come in the order in which they are asked for") {
            get().origin(reply(fresh).content(hundreds))
            get("Range: bytes=298-299,0-1").status(206)
                .content(
                    .containing([
                        "Content-Range: bytes 298-299/300", "Content-Range: bytes 0-1/300",
                    ]))
        }
        may("9110-14.6-coalesced", "ranges that overlap or lie near each other become one") {
            tenBytes()
            get("Range: bytes=0-4,3-6").status(206).content("0123456")
                .sees("Content-Range: bytes 0-6/10")
        }
        may("9110-14.6-one-left", "of two ranges one that cannot be satisfied is left out") {
            tenBytes()
            get("Range: bytes=0-1,20-30").status(206).content("01")
                .sees("Content-Range: bytes 0-1/10")
        }
        may("9110-15.5.17-none-left", "no satisfiable range among several is answered 416") {
            tenBytes()
            get("Range: bytes=20-21,30-31").status(416).sees("Content-Range: bytes */10")
                .content(.any)
        }
        should("9110-14.2-many", "hundreds of small ranges do not multiply the work") {
            tenBytes()
            get("Range: bytes=" + (0..<300).map { "\($0 % 10)-\($0 % 10)" }.joined(separator: ","))
                .status(200).content(ten)
        }
    }

    @ListOf<Case> private static var ifRange: [Case] {
        may("9110-13.1.5-etag", "If-Range with the stored strong ETag gives the part") {
            tenBytes()
            get("Range: bytes=0-3", "If-Range: \"a\"").status(206).content("0123")
        }
        must("9110-13.1.5-other-etag", "If-Range with another ETag gives the whole") {
            tenBytes()
            get("Range: bytes=0-3", "If-Range: \"b\"").status(200).content(ten)
        }
        must("9110-13.1.5-weak", "a weak ETag in If-Range never matches") {
            get().origin(reply(fresh, "ETag: W/\"a\"").content(ten))
            get("Range: bytes=0-3", "If-Range: W/\"a\"").status(200).content(ten)
        }
        must(
            "9110-13.1.5-weak-strong",
            "If-Range compares strongly: a stored weak ETag never matches"
        ) {
            get().origin(reply(fresh, "ETag: W/\"a\"").content(ten))
            get("Range: bytes=0-3", "If-Range: \"a\"").status(200).content(ten)
        }
        may(
            "9110-13.1.5-date", "If-Range with exactly the stored Last-Modified gives the part"
        ) {
            get().origin(reply(fresh, "Last-Modified: {date-864000}").content(ten))
            get("Range: bytes=0-3", "If-Range: {date-864000}").status(206).content("0123")
        }
        must(
            "9110-13.1.5-later-date", "a later date is no match, unlike in If-Modified-Since"
        ) {
            get().origin(reply(fresh, "Last-Modified: {date-864000}").content(ten))
            get("Range: bytes=0-3", "If-Range: {date-100}").status(200).content(ten)
        }
        must(
            "9110-13.1.5-weak-date",
            "a Last-Modified of a second before Date is weak, and no match"
        ) {
            get().origin(reply(fresh, "Last-Modified: {date}", "Date: {date}").content(ten))
            get("Range: bytes=0-3", "If-Range: {date}").status(200).content(ten)
        }
        must("9110-13.1.5-no-validator", "without a validator If-Range gives the whole") {
            get().origin(reply(fresh).content(ten))
            get("Range: bytes=0-3", "If-Range: \"a\"").status(200).content(ten)
        }
        must("9110-13.1.5-no-range", "If-Range without Range is ignored") {
            tenBytes()
            get("If-Range: \"b\"").status(200).content(ten)
        }
    }

    @ListOf<Case> private static var misses: [Case] {
        must("9111-3.3-partial-for-whole", "a part is not used for the whole") {
            get("Range: bytes=0-3").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-3/10").content("0123"))
            get().origin(reply(fresh, "ETag: \"a\"").content(ten))
        }
        must("9111-3.3-partial-other", "a part is not used for another part") {
            get("Range: bytes=0-3").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-3/10").content("0123"))
            get("Range: bytes=4-5").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 4-5/10").content("45"))
        }
        must("9111-3.3-range-passed", "a range of what is not stored is the origin's to answer") {
            get("Range: bytes=0-3").origin(
                reply(206, fresh, "Content-Range: bytes 0-3/10").content("0123")
            )
            .originSees("Range: bytes=0-3").sees("Content-Range: bytes 0-3/10")
        }
        must("9111-3.3-416", "a 416 of the origin is not stored for others") {
            get("Range: bytes=20-").origin(reply(416, fresh, "Content-Range: bytes */10"))
            get().origin(reply(fresh))
        }
        may(
            "9110-14.2-whole-for-range",
            "where an origin answers a range with the whole, that is stored and the part served"
        ) {
            get("Range: bytes=0-3").origin(reply(fresh).content(ten)).status(206).content("0123")
            get().status(200).content(ten)
        }
        must(
            "9110-14.2-private-whole-for-range",
            "where an origin answers a range with a whole that is not stored, that passes"
        ) {
            get("Range: bytes=0-3").origin(reply("Cache-Control: no-store").content(ten))
                .status(200).content(ten)
        }
        must("9111-3.4-other-validator", "parts of different representations are not combined") {
            get("Range: bytes=0-4").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-4/10").content("01234"))
            get("Range: bytes=5-9").origin(
                reply(206, fresh, "ETag: \"b\"", "Content-Range: bytes 5-9/10").content("fghij"))
            get().origin(reply(fresh, "ETag: \"b\"").content("abcdefghij"))
        }
        must("9111-3.4-weak", "parts with a weak ETag are not combined") {
            get("Range: bytes=0-4").origin(
                reply(206, fresh, "ETag: W/\"a\"", "Content-Range: bytes 0-4/10").content("01234"))
            get("Range: bytes=5-9").origin(
                reply(206, fresh, "ETag: W/\"a\"", "Content-Range: bytes 5-9/10").content("56789"))
            get().origin(reply(fresh, "ETag: W/\"a\"").content(ten))
        }
        may("9111-3.3-part-stored", "a part serves the ranges that lie in it") {
            get("Range: bytes=0-4").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-4/10").content("01234"))
            get("Range: bytes=1-2").status(206).content("12").sees("Content-Range: bytes 1-2/10")
                .says("hit")
        }
        may(
            "9111-3.3-part-completed",
            "for the whole only what is missing is asked for, with If-Range"
        ) {
            get("Range: bytes=0-4").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-4/10").content("01234"))
            get().origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 5-9/10").content("56789")
            )
            .originSees("Range: bytes=5-9", "If-Range: \"a\"").status(200).content(ten)
            .says("fwd=partial", "fwd-status=206", "stored")
            get().status(200).content(ten).says("hit")
        }
        must("9111-3.4-completed-anew", "a new version in place of the missing part comes whole") {
            get("Range: bytes=0-4").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-4/10").content("01234"))
            get().origin(reply(fresh, "ETag: \"b\"").content("abcdefghij")).status(200)
                .content("abcdefghij")
            get("Range: bytes=0-1").status(206).content("ab")
        }
        may("9111-3.4-combined", "parts that share a strong ETag become a whole") {
            get("Range: bytes=0-4").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-4/10").content("01234"))
            get("Range: bytes=5-9").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 5-9/10").content("56789"))
            get().status(200).content(ten)
        }
        may("9111-3.3-part", "a range that is just a stored part is served") {
            get("Range: bytes=0-4").origin(first("ETag: \"a\""))
            get("Range: bytes=0-4").status(206).content("01234").sees("Content-Range: bytes 0-4/10")
        }
        must("9111-3.3-part-no-store", "a part with no-store is not kept") {
            get("Range: bytes=0-4").origin(
                reply(206, "Cache-Control: no-store", "ETag: \"a\"", "Content-Range: bytes 0-4/10")
                    .content("01234"))
            get("Range: bytes=0-4").origin(first("ETag: \"a\""))
        }
        must(
            "9111-3.3-part-authorization",
            "a part for a request with Authorization is not kept for others"
        ) {
            get("Range: bytes=0-4", "Authorization: Basic YTpi").origin(first("ETag: \"a\""))
            get("Range: bytes=0-4").origin(first("ETag: \"a\""))
        }
        must("9111-3.3-part-vary", "a part of one variant does not serve another") {
            get("Range: bytes=0-4", "X-A: 1").origin(first("ETag: \"a\"", "Vary: X-A"))
            get("Range: bytes=0-4", "X-A: 2").origin(first("ETag: \"b\"", "Vary: X-A"))
        }
        must("9111-3.3-part-stale", "a stale part is not served") {
            get("Range: bytes=0-4").origin(first("ETag: \"a\"", "Age: 1000"))
            get("Range: bytes=0-4").origin(first("ETag: \"a\""))
        }
        must("9111-3.3-part-invalidated", "an unsafe request drops parts too") {
            get("Range: bytes=0-4").origin(first("ETag: \"a\""))
            send("DELETE").origin(reply(204))
            get("Range: bytes=0-4").origin(first("ETag: \"b\""))
        }
        may("9111-3.3-broken-off", "what came of an answer that broke off is kept as a part") {
            get().origin(reply(fresh, "ETag: \"a\"").content(ten).framed(.cutShort)).content(
                .cutShort)
            get("Range: bytes=2-5").status(206).content("2345").sees("Content-Range: bytes 2-5/110")
        }
        must("9111-3.4-fields", "the whole has the fields of the latest part") {
            get("Range: bytes=0-4").origin(first("ETag: \"a\"", "X-Test: 1"))
            get("Range: bytes=5-9").origin(rest("ETag: \"a\"", "X-Test: 2"))
            get().status(200).content(ten).sees("X-Test: 2", "Content-Length: 10").lacks(
                "Content-Range")
        }
        must("9111-3.4-other-length", "parts of wholes of different lengths are not combined") {
            get("Range: bytes=0-4").origin(first("ETag: \"a\""))
            get("Range: bytes=5-9").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 5-9/11").content("56789"))
            get().origin(reply(fresh, "ETag: \"a\"").content("0123456789a"))
                .originSees("Range: bytes=0-10").content("0123456789a")
        }
    }

    private static func first(_ fields: String...) -> Reply {
        Reply(status: 206, fields: [fresh, "Content-Range: bytes 0-4/10"] + fields).content("01234")
    }

    private static func rest(_ fields: String...) -> Reply {
        Reply(status: 206, fields: [fresh, "Content-Range: bytes 5-9/10"] + fields).content("56789")
    }
}
