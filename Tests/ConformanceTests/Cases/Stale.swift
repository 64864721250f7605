/// RFC 5861 and RFC 8246: serving what is stale, and not asking about what is fresh.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"
    private static let old = "Age: 100"
    private static let swr = "Cache-Control: max-age=60, stale-while-revalidate=600"
    private static let sie = "Cache-Control: max-age=60, stale-if-error=600"

    @ListOf<Case> static var servingStale: [Case] {
        whileRevalidating
        ifError
        immutable
    }

    @ListOf<Case> private static var whileRevalidating: [Case] {
        may("5861-3-served", "a stale answer is served at once and fetched again behind the client")
        {
            get().origin(reply(swr, old))
            get().behind(reply(fresh)).content(of: 1)
            get().content(of: 2)
        }
        may(
            "5861-3-validates",
            "the fetch behind the client is conditional where there is a validator"
        ) {
            get().origin(reply(swr, old, "ETag: \"a\"", "X-Test: 1"))
            get().behind(reply(304, "ETag: \"a\"", fresh, "X-Test: 2")).originSees(
                "If-None-Match: \"a\"")
            get().sees("X-Test: 2").content(of: 1)
        }
        must("5861-3-over", "after its time the origin is asked first") {
            get().origin(reply("Cache-Control: max-age=60, stale-while-revalidate=30", old))
            get().origin(reply(fresh))
        }
        must("5861-3-zero", "`stale-while-revalidate=0` allows nothing", in: .stale) {
            get().origin(
                reply("Cache-Control: max-age=60, stale-while-revalidate=0, stale-if-error=0", old))
            get().origin(reply(fresh))
        }
        should("5861-3-invalid", "a value that is no number allows nothing") {
            get().origin(reply("Cache-Control: max-age=60, stale-while-revalidate=x", old))
            get().origin(reply(fresh))
        }
        must("5861-3-age", "a stale answer says how old it is") {
            get().origin(reply(swr, old))
            get().behind(reply(fresh)).age(100...130).content(of: 1)
        }
        must("5861-3-variant", "only the variant that matches is served") {
            get("X-A: 1").origin(reply(swr, old, "Vary: X-A"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A"))
        }
        weir("5861-3-configured", "the file's time holds where the origin names none", in: .stale) {
            get().origin(reply("Cache-Control: max-age=60", old))
            get().behind(reply(fresh)).content(of: 1)
            get().content(of: 2)
        }
        weir(
            "5861-3-behind-failure",
            "a failure behind the client leaves the stale answer in its place", in: .stale
        ) {
            get().origin(reply("Cache-Control: max-age=60", old))
            get().behind(reply(503)).content(of: 1)
            get().after(.milliseconds(200)).content(of: 1).status(200)
        }
    }

    @ListOf<Case> private static var ifError: [Case] {
        for status in [500, 502, 503, 504] {
            may("5861-4-\(status)", "instead of a \(status) the stale answer is served") {
                get().origin(reply(sie, old))
                get().origin(reply(status)).status(200).content(of: 1)
            }
        }
        may("5861-4-away", "it is served when the origin breaks off before its answer") {
            get().origin(reply(sie, old))
            get().origin(noReply()).status(200).content(of: 1)
        }
        may("5861-4-garbage", "it is served when the origin's answer cannot be read") {
            get().origin(reply(sie, old))
            get().origin(reply(fresh, "Content-Length: x").content("?")).status(200).content(of: 1)
        }
        must("5861-4-404", "a 404 is no error in this sense") {
            get().origin(reply(sie, old))
            get().origin(reply(404, "Cache-Control: no-store")).status(404)
        }
        must("5861-4-over", "after its time the error is passed on") {
            get().origin(reply("Cache-Control: max-age=60, stale-if-error=30", old))
            get().origin(reply(503)).status(503)
        }
        must("5861-4-fresh-first", "the origin is asked first") {
            get().origin(reply(sie, old))
            get().origin(reply(fresh))
        }
        must("5861-4-none", "without it the error is passed on") {
            get().origin(reply("Cache-Control: max-age=60", old))
            get().origin(reply(503)).status(503)
        }
        may("5861-4-etag", "it is served after a validation that failed") {
            get().origin(reply(sie, old, "ETag: \"a\""))
            get().origin(reply(503)).originSees("If-None-Match: \"a\"").status(200).content(of: 1)
        }
        may(
            "5861-4-request", "stale-if-error of a request", in: .respect
        ) {
            get().origin(reply("Cache-Control: max-age=60", old))
            get("Cache-Control: stale-if-error=600").origin(reply(503)).status(200).content(of: 1)
        }
        weir(
            "5861-4-quiet", "for a second after a failure the stale answer is served without asking"
        ) {
            get().origin(reply(sie, old))
            get().origin(reply(503)).status(200).content(of: 1)
            get().status(200).content(of: 1)
        }
        weir("5861-4-configured", "the file's time holds where the origin names none", in: .stale) {
            get().origin(reply("Cache-Control: max-age=60, stale-while-revalidate=0", old))
            get().origin(reply(503)).status(200).content(of: 1)
        }
    }

    @ListOf<Case> private static var immutable: [Case] {
        should(
            "8246-2-max-age-0", "a client's max-age=0 does not ask about a fresh immutable answer",
            in: .respect
        ) {
            get().origin(reply("Cache-Control: max-age=600, immutable", "Age: 10"))
            get("Cache-Control: max-age=0")
        }
        must("8246-2-no-cache", "a client's no-cache does", in: .respect) {
            get().origin(reply("Cache-Control: max-age=600, immutable", "ETag: \"a\""))
            get("Cache-Control: no-cache").origin(reply(304, "ETag: \"a\""))
        }
        must("8246-2-stale", "a stale immutable answer is validated like others") {
            get().origin(reply("Cache-Control: max-age=60, immutable", old, "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
        }
        must("8246-2-no-lifetime", "immutable alone makes nothing fresh") {
            notReused("Cache-Control: immutable")
        }
    }
}
