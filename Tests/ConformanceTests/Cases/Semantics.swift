/// RFC 9110: what a cache answers to HEAD, conditions and ranges, and what an intermediary does to messages.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"

    @ListOf<Case> static var semantics: [Case] {
        may("9110-9.3.2-head", "HEAD is answered from what GET stored") {
            get().origin(reply(fresh, "ETag: \"a\"", "X-Test: 1").content("12345"))
            head().status(200).sees("Content-Length: 5", "ETag: \"a\"", "X-Test: 1", "Age")
        }
        must("9110-9.3.2-head-origin", "HEAD of what is not stored is the origin's") {
            head().origin(reply(fresh, "X-Test: 1").content("12345"))
                .sees("Content-Length: 5", "X-Test: 1")
        }
        must("9110-9.3.1-get-content", "GET with content does not use an answer without") {
            get().origin(reply(fresh))
            get().body("x").origin(reply(fresh))
            get().content(of: 1)
        }
        must("9110-6.6.1-date-added", "an answer without Date gets one") {
            get().origin(reply(fresh).withoutDate()).sees("Date")
            get().sees("Date")
        }
        must("9110-6.6.1-date-kept", "the Date of an answer is kept") {
            get().origin(reply(fresh, "Date: {date-20}")).sees("Date: {date-20}")
            get().sees("Date: {date-20}")
        }
        must("9110-7.6.1-request", "what a request's Connection names ends at Weir") {
            get("Connection: X-Hop", "X-Hop: 1", "X-End: 2").origin(reply(fresh))
                .originSees("X-End: 2").originLacks("X-Hop")
        }
        must(
            "9110-7.6.1-request-fields", "Keep-Alive, Proxy-Connection, TE and Upgrade end at Weir"
        ) {
            get("Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: x")
                .origin(reply(fresh)).originLacks("Keep-Alive", "Proxy-Connection", "TE", "Upgrade")
        }
        must("9110-7.6.3-via-request", "a forwarded request has a Via") {
            get().origin(reply(fresh)).originSees("Via ~ 1.1 weir")
        }
        must("9110-7.2-host", "the origin is told which host was asked for") {
            get().host("a.test:81").origin(reply(fresh)).originSees("Host: a.test:81")
        }
        must("9110-15.3.5-204", "a stored 204 has no content") {
            get().origin(reply(204, fresh))
            get().status(204).lacks("Content-Length", "Transfer-Encoding")
        }
        must("9110-15.4.5-304-content", "a 304 from the store has no content") {
            get().origin(reply(fresh, "ETag: \"a\""))
            get("If-None-Match: \"a\"").status(304).lacks("Transfer-Encoding", "Content-Length")
        }
        must(
            "9110-15.4.5-304-fields",
            "a 304 has the fields that a 200 would have had and a cache needs"
        ) {
            get().origin(
                reply(
                    fresh, "ETag: \"a\"", "Vary: X-A", "Expires: {date+600}",
                    "Content-Location: /x", "Date: {date}"))
            get("If-None-Match: \"a\"").status(304).sees(
                "ETag: \"a\"", "Vary: X-A", "Expires: {date+600}", "Content-Location: /x",
                "Date: {date}", fresh)
        }
        must("9110-15.4.5-304-age", "a 304 from the store has an Age") {
            get().origin(reply(fresh, "ETag: \"a\"", "Age: 50"))
            get("If-None-Match: \"a\"").status(304).age(50...80)
        }
    }

    @ListOf<Case> static var conditions: [Case] {
        ifNoneMatch
        ifModifiedSince
        notForCaches
    }

    @ListOf<Case> private static var ifNoneMatch: [Case] {
        for (word, stored, asked, status) in [
            ("same", "\"a\"", "\"a\"", 304), ("other", "\"a\"", "\"b\"", 200),
            ("weak-strong", "W/\"a\"", "\"a\"", 304), ("strong-weak", "\"a\"", "W/\"a\"", 304),
            ("weak-weak", "W/\"a\"", "W/\"a\"", 304), ("weak-other", "W/\"a\"", "W/\"b\"", 200),
            ("list", "\"a\"", "\"x\", \"a\" , W/\"y\"", 304),
            ("list-without", "\"a\"", "\"x\",\"y\"", 200),
            ("star", "\"a\"", "*", 304), ("comma-inside", "\"a,b\"", "\"x\", \"a,b\"", 304),
            ("comma-parts", "\"a\"", "\"x,a\"", 200), ("case", "\"a\"", "\"A\"", 200),
            ("empty", "\"\"", "\"\"", 304), ("prefix", "\"abc\"", "\"ab\"", 200),
        ] {
            must(
                "9110-13.1.2-\(word)",
                "`If-None-Match: \(asked)` of the stored ETag `\(stored)` gives \(status)"
            ) {
                get().origin(reply(fresh, "ETag: \(stored)"))
                get("If-None-Match: \(asked)").status(status)
            }
        }
        must("9110-13.1.2-lines", "several lines of If-None-Match are one list") {
            get().origin(reply(fresh, "ETag: \"a\""))
            get("If-None-Match: \"x\"", "If-None-Match: \"a\"").status(304)
        }
        must("9110-13.1.2-no-etag", "an answer without ETag matches none") {
            get().origin(reply(fresh))
            get("If-None-Match: \"a\"").status(200)
        }
        should("9110-13.1.2-star-no-etag", "`*` matches an answer without ETag") {
            get().origin(reply(fresh))
            get("If-None-Match: *").status(304)
        }
        must("9110-13.1.2-head", "HEAD is answered 304 too") {
            get().origin(reply(fresh, "ETag: \"a\""))
            head("If-None-Match: \"a\"").status(304)
        }
        must("9110-13.2.2-precedence", "beside If-None-Match If-Modified-Since means nothing") {
            get().origin(reply(fresh, "ETag: \"a\"", "Last-Modified: {date-864000}"))
            get("If-None-Match: \"b\"", "If-Modified-Since: {date}").status(200)
            get("If-None-Match: \"a\"", "If-Modified-Since: {date-964000}").status(304)
        }
        for status in [301, 404, 410] {
            must("9110-13.2.1-\(status)", "conditions do not count for a stored \(status)") {
                get().origin(reply(status, fresh, "ETag: \"a\"", "Last-Modified: {date-864000}"))
                get("If-None-Match: \"a\"").status(status)
                get("If-Modified-Since: {date}").status(status)
            }
        }
    }

    @ListOf<Case> private static var ifModifiedSince: [Case] {
        let old = "Last-Modified: {date-864000}"
        for (word, asked, status) in [
            ("equal", "{date-864000}", 304), ("later", "{date-100}", 304),
            ("earlier", "{date-864001}", 200),
            ("rfc850", "{rfc850-864000}", 304), ("rfc850-earlier", "{rfc850-964000}", 200),
            ("asctime", "{asctime-864000}", 304), ("asctime-earlier", "{asctime-964000}", 200),
            ("invalid", "yesterday", 200), ("number", "0", 200),
        ] {
            must(
                "9110-13.1.3-\(word)",
                "If-Modified-Since of the form or time \(word) gives \(status)"
            ) {
                get().origin(reply(fresh, old))
                get("If-Modified-Since: \(asked)").status(status)
            }
        }
        should("9111-4.3.2-date", "without Last-Modified the Date of the stored answer is compared")
        {
            get().origin(reply(fresh, "Date: {date-100}"))
            get("If-Modified-Since: {date-50}").status(304)
        }
        should(
            "9111-4.3.2-date-earlier", "without Last-Modified an earlier date than Date gives 200"
        ) {
            get().origin(reply(fresh, "Date: {date-100}"))
            get("If-Modified-Since: {date-150}").status(200)
        }
        must("9110-13.1.3-head", "HEAD is answered 304 too (If-Modified-Since)") {
            get().origin(reply(fresh, old))
            head("If-Modified-Since: {date}").status(304)
        }
    }

    @ListOf<Case> private static var notForCaches: [Case] {
        must("9111-4.3.2-if-match", "If-Match is for the origin") {
            get().origin(reply(fresh, "ETag: \"a\""))
            get("If-Match: \"b\"").origin(reply(412)).originSees("If-Match: \"b\"").status(412)
        }
        must("9111-4.3.2-if-unmodified-since", "If-Unmodified-Since is for the origin") {
            get().origin(reply(fresh, "Last-Modified: {date-100}"))
            get("If-Unmodified-Since: {date-200}").origin(reply(412))
                .originSees("If-Unmodified-Since: {date-200}").status(412)
        }
        must("9111-4.3.2-put", "conditions of an unsafe request are for the origin") {
            get().origin(reply(fresh, "ETag: \"a\""))
            send("PUT", "If-None-Match: *").body("x").origin(reply(412))
                .originSees("If-None-Match: *").status(412)
        }
    }
}
