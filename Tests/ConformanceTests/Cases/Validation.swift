/// RFC 9111 §4.3 and §4.4: asking whether a stored answer still holds, and dropping what no longer does.
extension Table {
    @ListOf<Case> static var validation: [Case] {
        conditionsSent
        answersToThem
        updates
        byHead
    }

    /// Stale on arrival.
    private static let stale = "Cache-Control: max-age=60"
    private static let old = "Age: 100"
    private static let fresh = "Cache-Control: max-age=600"

    @ListOf<Case> private static var conditionsSent: [Case] {
        must("9111-4.3.1-etag", "a stale answer is validated with its ETag") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
        }
        must("9111-4.3.1-weak-etag", "a weak ETag is sent as it is") {
            get().origin(reply(stale, old, "ETag: W/\"a\""))
            get().origin(reply(304, "ETag: W/\"a\"")).originSees("If-None-Match: W/\"a\"")
        }
        should("9111-4.3.1-last-modified", "a stale answer is validated with its Last-Modified") {
            get().origin(reply(stale, old, "Last-Modified: {date-864000}"))
            get().origin(reply(304)).originSees("If-Modified-Since: {date-864000}")
        }
        should("9111-4.3.1-both", "both are sent where both are there") {
            get().origin(reply(stale, old, "ETag: \"a\"", "Last-Modified: {date-864000}"))
            get().origin(reply(304, "ETag: \"a\""))
                .originSees("If-None-Match: \"a\"", "If-Modified-Since: {date-864000}")
        }
        must("9111-4.3.1-none", "without a validator the origin is asked without a condition") {
            get().origin(reply(stale, old))
            get().origin(reply(fresh)).originLacks("if-none-match", "if-modified-since")
        }
        must("9111-4.3.1-query", "the origin is asked for the same target") {
            get().at("/x?y=1").origin(reply(stale, old, "ETag: \"a\""))
            get().at("/x?y=1").origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
        }
        may(
            "9111-4.3.1-several",
            "the ETags of all variants are sent, when none matches the request"
        ) {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A", "ETag: \"one\""))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A", "ETag: \"two\""))
            get("X-A: 3").origin(reply(304, fresh, "Vary: X-A", "ETag: \"two\""))
                .originSees("If-None-Match ~ \"one\"", "If-None-Match ~ \"two\"").content(of: 2)
        }
        may(
            "9111-4.3.1-several-chosen",
            "a 304 of another variant's ETag makes its content the answer, and is stored"
        ) {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A", "ETag: \"one\""))
            get("X-A: 2").origin(reply(304, fresh, "Vary: X-A", "ETag: \"one\"")).content(of: 1)
            get("X-A: 2").content(of: 1)
            get("X-A: 1").content(of: 1)
        }
        must(
            "9111-4.3.2-client-etag-on-miss",
            "a client's ETag does not turn its answer into that of others"
        ) {
            get("If-None-Match: \"b\"").origin(reply(fresh, "ETag: \"b\"")).status(304)
            get().content(of: 1).status(200)
        }
        must(
            "9111-4.3.2-client-other-etag",
            "a 304 about our ETag gives the client who has another one the content"
        ) {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get("If-None-Match: \"b\"").origin(reply(304, fresh, "ETag: \"a\"")).status(200)
                .content(of: 1)
        }
        should(
            "9111-4.3.2-client-same-etag",
            "a 304 about our ETag is a 304 for the client who has the same"
        ) {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get("If-None-Match: \"a\"").origin(reply(304, fresh, "ETag: \"a\"")).status(304)
            get().content(of: 1)
        }
    }

    @ListOf<Case> private static var answersToThem: [Case] {
        must("9111-4.3.3-304", "after a 304 the stored answer is used") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", fresh)).status(200)
            get()
        }
        must("9111-4.3.3-200", "a full answer takes the place of the stored one") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(fresh, "ETag: \"b\""))
            get().content(of: 2).sees("ETag: \"b\"")
        }
        must("9111-4.3.3-200-not-stored", "a full answer that may not be stored is used once") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply("Cache-Control: no-store"))
            get().origin(reply("Cache-Control: no-store")).originLacks("if-none-match")
        }
        must("9111-4.3.3-404", "a 404 is the answer, whatever is stored") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(404, "Cache-Control: no-store")).status(404)
        }
        may(
            "9111-4.3.3-500",
            "a failure of the origin is passed on where nothing allows a stale answer"
        ) {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(500)).status(500)
        }
        may("9111-4.3.3-500-kept", "a failure of the origin drops nothing") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(503)).status(503)
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"").content(
                of: 1
            )
            .status(200)
        }
        must(
            "9111-4.3.4-other-strong-etag",
            "a 304 with another strong ETag updates nothing; the origin is asked anew"
        ) {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"b\"", fresh), reply(fresh, "ETag: \"b\""))
            get().content(of: 2)
        }
        must("9111-4.3.4-weak", "a 304 with the same weak ETag updates") {
            get().origin(reply(stale, old, "ETag: W/\"a\""))
            get().origin(reply(304, "ETag: W/\"a\"", fresh)).content(of: 1)
            get().content(of: 1)
        }
        may("9111-4.3.4-no-validator", "a 304 without a validator is about what was asked") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, fresh)).content(of: 1)
            get().content(of: 1)
        }
    }

    @ListOf<Case> private static var updates: [Case] {
        must("9111-3.2-cache-control", "a 304 brings a new Cache-Control") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", fresh)).sees(fresh)
            get().sees(fresh).ttl(570...600)
        }
        must("9111-3.2-expires", "a 304 brings a new Expires") {
            get().origin(reply("Expires: {date-10}", "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", "Expires: {date+600}"))
            get().sees("Expires: {date+600}")
        }
        must("9111-3.2-unknown", "a 304 replaces fields that nobody knows") {
            get().origin(reply(stale, old, "ETag: \"a\"", "X-Test: 1"))
            get().origin(reply(304, "ETag: \"a\"", fresh, "X-Test: 2")).sees("X-Test: 2")
            get().sees("X-Test: 2")
        }
        must("9111-3.2-added", "a 304 adds fields that were not there") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", fresh, "X-New: 1"))
            get().sees("X-New: 1")
        }
        must("9111-3.2-kept", "what a 304 does not name stays") {
            get().origin(reply(stale, old, "ETag: \"a\"", "X-Test: 1", "Content-Type: text/x-a"))
            get().origin(reply(304, "ETag: \"a\"", fresh)).sees("X-Test: 1")
            get().sees("X-Test: 1", "Content-Type: text/x-a")
        }
        must("9111-3.2-lines", "all lines of a field are replaced by those of the 304") {
            get().origin(reply(stale, old, "ETag: \"a\"", "X-Test: 1", "X-Test: 2"))
            get().origin(reply(304, "ETag: \"a\"", fresh, "X-Test: 3", "X-Test: 4"))
            get().sees("X-Test: 3, 4")
        }
        must("9111-3.2-content-length", "a 304 does not change Content-Length") {
            get().origin(reply(stale, old, "ETag: \"a\"").content("12345"))
            get().origin(reply(304, "ETag: \"a\"", fresh, "Content-Length: 3")).content("12345")
            get().sees("Content-Length: 5").content("12345")
        }
        may("9111-3.2-content-encoding", "a 304 does not change what the content depends on") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", fresh, "Content-Encoding: gzip"))
            get().lacks("Content-Encoding")
        }
        must("9111-3.2-connection", "a field that the 304's Connection names is not taken") {
            get().origin(reply(stale, old, "ETag: \"a\"", "X-Test: 1"))
            get().origin(reply(304, "ETag: \"a\"", fresh, "Connection: X-Test", "X-Test: 2"))
            get().sees("X-Test: 1")
        }
        must("9111-3.2-date", "a 304 brings a new Date") {
            get().origin(reply(stale, "ETag: \"a\"", "Date: {date-100}"))
            get().origin(reply(304, "ETag: \"a\"", fresh, "Date: {date-1}"))
            get().sees("Date: {date-1}")
        }
        must("9111-3.2-no-store", "a 304 with no-store ends the storing") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", "Cache-Control: no-store"))
            get().origin(reply(fresh))
        }
    }

    @ListOf<Case> private static var byHead: [Case] {
        should(
            "9111-4.3.5-update",
            "a HEAD answered 200 with the same validators freshens the stored answer"
        ) {
            get().origin(reply(stale, old, "ETag: \"a\"").content("12345"))
            head().origin(reply(fresh, "ETag: \"a\"", "Content-Length: 5", "X-Test: 2"))
            get().sees("X-Test: 2").content("12345")
        }
        should(
            "9111-4.3.5-other-etag", "a HEAD with another ETag makes the stored answer stale",
            in: .respect
        ) {
            get().origin(reply(fresh, "ETag: \"a\""))
            head("Cache-Control: no-cache").origin(reply(fresh, "ETag: \"b\""))
            get().origin(reply(fresh, "ETag: \"b\""))
        }
        should(
            "9111-4.3.5-other-length",
            "a HEAD with another Content-Length makes the stored answer stale",
            in: .respect
        ) {
            get().origin(reply(fresh).content("12345"))
            head("Cache-Control: no-cache").origin(reply(fresh, "Content-Length: 6"))
            get().origin(reply(fresh).content("123456"))
        }
        should(
            "9111-4.3.5-other-date",
            "a HEAD with another Last-Modified makes the stored answer stale",
            in: .respect
        ) {
            get().origin(reply(fresh, "Last-Modified: {date-1000}"))
            head("Cache-Control: no-cache").origin(reply(fresh, "Last-Modified: {date-100}"))
            get().origin(reply(fresh))
        }
        must("9111-4.3.5-content", "a HEAD never becomes the content of a GET") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            head().origin(reply(fresh, "ETag: \"b\"").content("other"))
            get().origin(reply(fresh, "ETag: \"b\""))
        }
        should("9111-4.3.5-404", "a HEAD answered 404 is not taken for an update") {
            get().origin(reply(stale, old, "ETag: \"a\""))
            head().origin(reply(404, "Cache-Control: no-store")).status(404)
            get().origin(reply(fresh))
        }
    }

    // MARK: Invalidation

    @ListOf<Case> static var invalidation: [Case] {
        for (method, status) in [
            ("POST", 200), ("PUT", 204), ("DELETE", 200), ("PATCH", 200), ("POST", 201),
            ("POST", 303),
            ("FROB", 200),
        ] {
            let what = method == "FROB" ? "a method nobody knows" : method
            must(
                "9111-4.4-\(method.lowercased())-\(status)",
                "\(what) answered \(status) drops what is stored for the target"
            ) {
                get().origin(reply(fresh))
                send(method).body("x").origin(reply(status))
                get().origin(reply(fresh))
            }
        }
        for status in [400, 404, 409, 500, 503] {
            weir("9111-4.4-error-\(status)", "POST answered \(status) drops nothing") {
                get().origin(reply(fresh))
                send("POST").body("x").origin(reply(status))
                get().content(of: 1).status(200)
            }
        }
        may("9111-4.4-options", "OPTIONS is safe and drops nothing") {
            get().origin(reply(fresh))
            send("OPTIONS").origin(reply())
            get().content(of: 1)
        }
        must("9111-4.4-variants", "all variants are dropped") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A"))
            send("DELETE", "X-A: 1").origin(reply(204))
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A"))
        }
        weir("9111-4.4-exact", "other targets stay") {
            get().at("/a").origin(reply(fresh))
            get().at("/b?c").origin(reply(fresh))
            send("POST").at("/b").body("x").origin(reply())
            get().at("/a")
            get().at("/b?c")
        }
        must("9111-4.4-query", "the query is a part of the target") {
            get().at("?a=1").origin(reply(fresh))
            get().at("?a=2").origin(reply(fresh))
            send("PUT").at("?a=1").body("x").origin(reply())
            get().at("?a=1").origin(reply(fresh))
            get().at("?a=2").content(of: 2)
        }
        must("9111-4.4-host", "the same path of another host stays") {
            get().host("a.test").origin(reply(fresh))
            send("POST").host("b.test").body("x").origin(reply())
            get().host("a.test")
        }
        may(
            "9111-4.4-location", "the target of Location is dropped"
        ) {
            get().at("/a").origin(reply(fresh))
            send("POST").body("x").origin(reply(201, "Location: {path}/a"))
            get().at("/a").origin(reply(fresh))
        }
        may(
            "9111-4.4-location-relative", "a relative Location is resolved against the target"
        ) {
            get().at("/x/a").origin(reply(fresh))
            send("POST").at("/x/b").body("x").origin(reply(201, "Location: a"))
            get().at("/x/a").origin(reply(fresh))
        }
        may(
            "9111-4.4-location-absolute", "a whole URI of the same origin counts"
        ) {
            get().at("/a?b=1").origin(reply(fresh))
            send("POST").body("x").origin(
                reply(201, "Location: http://conformance.test{path}/a?b=1"))
            get().at("/a?b=1").origin(reply(fresh))
        }
        may(
            "9111-4.4-content-location", "the target of Content-Location is dropped"
        ) {
            get().at("/a").origin(reply(fresh))
            send("PUT").body("x").origin(reply(200, "Content-Location: {path}/a"))
            get().at("/a").origin(reply(fresh))
        }
        must("9111-4.4-location-other-host", "Location of another host drops nothing there") {
            get().host("b.test").at("/a").origin(reply(fresh))
            send("POST").host("a.test").body("x")
                .origin(reply(201, "Location: http://b.test{path}/a"))
            get().host("b.test").at("/a")
        }
        must(
            "9111-4.4-content-location-other-host",
            "Content-Location of another host drops nothing there"
        ) {
            get().host("b.test").at("/a").origin(reply(fresh))
            send("POST").host("a.test").body("x")
                .origin(reply(200, "Content-Location: //b.test{path}/a"))
            get().host("b.test").at("/a")
        }
        must("9111-4.4-location-other-port", "Location of another port is another origin") {
            get().host("a.test:81").at("/a").origin(reply(fresh))
            send("POST").host("a.test").body("x")
                .origin(reply(201, "Location: http://a.test:81{path}/a"))
            get().host("a.test:81").at("/a")
        }
        weir("9111-4.4-location-error", "Location of an error drops nothing") {
            get().at("/a").origin(reply(fresh))
            send("POST").body("x").origin(reply(409, "Location: {path}/a"))
            get().at("/a")
        }
        weir("9111-4.4-location-safe", "Content-Location of an answer to GET drops nothing") {
            get().at("/a").origin(reply(fresh))
            get().at("/b").origin(reply(fresh, "Content-Location: {path}/a"))
            get().at("/a").content(of: 1)
        }
        must("9111-4-write-through", "an unsafe request is always sent to the origin") {
            get().origin(reply(fresh))
            send("POST").body("x").origin(reply(fresh))
            send("POST").body("x").origin(reply(fresh))
        }
    }
}
