/// RFC 9211: what Cache-Status says.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"
    private static let old = "Age: 100"

    @ListOf<Case> static var cacheStatus: [Case] {
        hits
        forwards
        members
    }

    @ListOf<Case> private static var hits: [Case] {
        should("9211-2.1-hit", "a stored answer is a `hit`") {
            get().origin(reply(fresh))
            get().says("weir", "hit").saysNot("fwd", "stored")
        }
        must("9211-2.1-exclusive", "what went to the origin is no `hit`") {
            get().origin(reply(fresh)).saysNot("hit")
        }
        may("9211-2.4-ttl", "`ttl` is what is left of the lifetime") {
            get().origin(reply(fresh, old))
            get().ttl(470...500)
        }
        may("9211-2.4-ttl-negative", "`ttl` of a stale answer is negative") {
            get().origin(reply("Cache-Control: max-age=60, stale-while-revalidate=600", old))
            get().behind(reply(fresh)).says("hit", "detail=swr").ttl(-70 ... -40)
        }
        may("9211-2.8-sie", "an answer in place of an error says so") {
            get().origin(reply("Cache-Control: max-age=60, stale-if-error=600", old))
            get().origin(reply(503)).content(of: 1).status(200).says("hit", "detail=sie")
        }
        should("9211-2.1-304", "a 304 from the store is a hit") {
            get().origin(reply(fresh, "ETag: \"a\""))
            get("If-None-Match: \"a\"").status(304).says("hit")
        }
        should("9211-2.1-head", "a HEAD from the store is a hit") {
            get().origin(reply(fresh))
            head().says("hit")
        }
    }

    @ListOf<Case> private static var forwards: [Case] {
        may("9211-2.2-uri-miss", "nothing stored for the target: `fwd=uri-miss`") {
            get().origin(reply(fresh)).says("fwd=uri-miss")
        }
        may("9211-2.2-vary-miss", "stored, but not for these fields: `fwd=vary-miss`") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A")).says("fwd=vary-miss")
        }
        may("9211-2.2-stale", "stale: `fwd=stale`") {
            get().origin(reply("Cache-Control: max-age=60", old))
            get().origin(reply(fresh)).says("fwd=stale", "fwd-status=200", "stored")
        }
        may("9211-2.2-stale-304", "validated: `fwd=stale; fwd-status=304`") {
            get().origin(reply("Cache-Control: max-age=60", old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", fresh))
                .says("fwd=stale", "fwd-status=304", "stored").ttl(570...600)
        }
        may("9211-2.2-method", "an unsafe method: `fwd=method`") {
            send("POST").body("x").origin(reply(201)).says("fwd=method", "fwd-status=201")
        }
        may("9211-2.2-request", "a client's own directive: `fwd=request`", in: .respect) {
            get().origin(reply(fresh))
            get("Cache-Control: no-cache").origin(reply(fresh)).says("fwd=request")
        }
        may(
            "9211-2.2-request-no-store", "a client's no-store: `fwd=request`, not stored",
            in: .respect
        ) {
            get("Cache-Control: no-store").origin(reply(fresh)).says("fwd=request").saysNot(
                "stored")
        }
        may("9211-2.2-bypass", "the cache is not to be used: `fwd=bypass`, with the reason") {
            get("If-Match: \"a\"").origin(reply(fresh)).says("fwd=bypass", "detail=precondition")
        }
        may(
            "9211-2.2-request-authorization",
            "what is stored is not for requests with Authorization: `fwd=request`"
        ) {
            get().origin(reply(fresh))
            get("Authorization: Basic YTpi").origin(reply(fresh)).says(
                "fwd=request", "detail=authorization")
        }
        may("9211-2.2-range", "a range of what is not stored misses, and says if it is kept") {
            get("Range: bytes=0-1").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-1/10").content("01")
            ).says("fwd=uri-miss", "fwd-status=206", "stored")
        }
        may("9211-2.2-partial", "a range that is not all in a stored part says `fwd=partial`") {
            get("Range: bytes=0-1").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 0-1/10").content("01"))
            get("Range: bytes=1-2").origin(
                reply(206, fresh, "ETag: \"a\"", "Content-Range: bytes 1-2/10").content("12")
            ).says("fwd=partial", "fwd-status=206", "stored")
        }
        may("9211-2.2-ranges", "several ranges of what is not stored go past the cache") {
            get("Range: bytes=0-1,900-901").origin(reply(fresh).content("0123456789"))
                .says("fwd=bypass", "fwd-status=200", "detail=range")
        }
        may("9211-2.1-range", "a part of a stored answer is a hit") {
            get().origin(reply(fresh).content("0123456789"))
            get("Range: bytes=0-1").status(206).content("01").says("hit")
        }
        for status in [200, 404, 503] {
            may(
                "9211-2.3-fwd-status-\(status)",
                "`fwd-status` is what the origin answered: \(status)"
            ) {
                get().origin(reply(status)).says("fwd-status=\(status)")
            }
        }
        may("9211-2.5-stored", "`stored` where the answer was stored") {
            get().origin(reply(fresh)).says("stored")
        }
        may("9211-2.5-not-stored", "no `stored` where it was not") {
            get().origin(reply("Cache-Control: no-store")).saysNot("stored")
        }
        for (word, line) in [
            ("no-store", "Cache-Control: no-store"), ("private", "Cache-Control: private"),
            ("set-cookie", "Set-Cookie: a=1"), ("vary-star", "Vary: *"),
            ("no-freshness", "X-Test: 1"),
        ] {
            weir("9211-2.8-detail-\(word)", "`detail=\(word)` is why it was not stored") {
                get().origin(reply(line)).says("detail=\(word)")
            }
        }
        may("9211-2.6-collapsed", "`collapsed` where another request's fetch was shared") {
            get().origin(reply(fresh)).byClients(2).says("collapsed")
        }
        may("9111-4-collapsed", "two requests at a time for the same thing ask the origin once") {
            get().origin(reply(fresh)).byClients(2)
            get()
        }
    }

    @ListOf<Case> private static var members: [Case] {
        must("9211-2-append", "the member of a cache nearer to the origin stays, before ours") {
            get().origin(reply(fresh, "Cache-Status: inner; hit; ttl=5"))
                .sees("Cache-Status ~ inner; hit; ttl=5, weir; fwd=uri-miss")
            get().sees("Cache-Status ~ inner; hit; ttl=5, weir; hit")
        }
        should("9211-2-request", "Cache-Status of a request means nothing") {
            get("Cache-Status: evil; hit").origin(reply(fresh)).says("fwd=uri-miss")
        }
        should("9211-2-own-answer", "an answer that Weir itself made has none", in: .respect) {
            get("Cache-Control: only-if-cached").status(504).lacks("Cache-Status")
        }
        should("9211-2-off", "a route without a cache has none", in: .off) {
            get().origin(reply(fresh)).lacks("Cache-Status")
        }
        must("9211-2.7-key", "the key is not told to everybody") {
            get().origin(reply(fresh)).saysNot("key")
            get().saysNot("key")
        }
    }
}
