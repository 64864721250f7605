/// What docs/cache.md promises beyond the RFCs.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"

    @ListOf<Case> static var policies: [Case] {
        lifetimes
        cookies
        identityAndKeys
        weir("weir-off", "`cache: off` stores nothing", in: .off) { notReused(fresh) }
        weir("weir-max-object", "a body above max_object is not stored", in: .small) {
            let long = reply(fresh).content(String(repeating: "a", count: 101))
            get().origin(long)
            get().origin(long)
        }
        weir("weir-max-object-below", "a body of max_object is stored", in: .small) {
            get().origin(reply(fresh).content(String(repeating: "a", count: 100)))
            get()
        }
        weir(
            "weir-max-object-chunked",
            "a body that grows above max_object is passed on whole and not stored", in: .small
        ) {
            let long = reply(fresh).content(String(repeating: "a", count: 5000)).framed(.chunked)
            get().origin(long)
            get().origin(long)
        }
        weir("weir-event-stream", "an event stream is not stored") {
            notReused(fresh, "Content-Type: text/event-stream")
        }
        weir("weir-limit-fields", "the origin's rate limit fields are not replayed") {
            get().origin(
                reply(
                    fresh, "RateLimit: \"a\";r=1", "RateLimit-Policy: \"a\";q=2",
                    "X-RateLimit-Remaining: 1"))
            get().lacks("RateLimit", "RateLimit-Policy", "X-RateLimit-Remaining")
        }
        weir("weir-collapse-no-store", "whoever waited for what may not be shared asks for itself")
        {
            get().origin(reply("Cache-Control: no-store"))
            get().origin(reply("Cache-Control: no-store"))
        }
    }

    @ListOf<Case> private static var lifetimes: [Case] {
        weir("weir-ttl", "`ttl` holds where the origin says nothing", in: .ttl) {
            get().origin(reply())
            get().ttl(3500...3600)
        }
        weir("weir-ttl-origin", "the origin's max-age wins over `ttl`", in: .ttl) {
            get().origin(reply(fresh))
            get().ttl(500...600)
        }
        weir("weir-ttl-max-age-0", "the origin's max-age=0 wins over `ttl`", in: .ttl) {
            notReused("Cache-Control: max-age=0")
        }
        weir("weir-ttl-no-cache", "the origin's no-cache wins over `ttl`", in: .ttl) {
            notReused("Cache-Control: no-cache")
        }
        weir("weir-ttl-no-store", "the origin's no-store wins over `ttl`", in: .ttl) {
            notReused("Cache-Control: no-store")
        }
        weir("weir-ttl-heuristic", "`ttl` wins over the heuristic", in: .ttl) {
            get().origin(reply("Last-Modified: {date-864000}"))
            get().ttl(3500...3600)
        }
        weir("weir-ttl-error", "`ttl` stores no errors", in: .ttl) { notReused(404) }
        weir("weir-ttl-302", "`ttl` stores no 302", in: .ttl) { notReused(302, "Location: /x") }
        weir("weir-ttl-age", "`ttl` counts from the receipt", in: .ttl) {
            get().origin(reply("Age: 7200"))
            get().ttl(3500...3600)
        }
        weir("weir-force-ttl", "`force_ttl` wins over max-age", in: .force) {
            get().origin(reply("Cache-Control: max-age=0"))
            get().ttl(3500...3600)
        }
        weir("weir-force-ttl-no-cache", "`force_ttl` wins over no-cache", in: .force) {
            stored("Cache-Control: no-cache")
        }
        weir("weir-force-ttl-no-store", "`force_ttl` does not win over no-store", in: .force) {
            notReused("Cache-Control: no-store")
        }
        weir("weir-force-ttl-private", "`force_ttl` does not win over private", in: .force) {
            notReused("Cache-Control: private")
        }
        weir("weir-force-ttl-error", "`force_ttl` stores no error without a lifetime", in: .force) {
            notReused(500)
        }
        weir("weir-negative", "`negative` holds for the errors it names", in: .negative) {
            get().origin(reply(404))
            get().ttl(3500...3600).status(404)
        }
        weir("weir-negative-503", "`negative` holds for server errors too", in: .negative) {
            stored(503)
        }
        weir("weir-negative-other", "`negative` says nothing of other errors", in: .negative) {
            notReused(410)
        }
        weir("weir-negative-origin", "the origin's max-age wins over `negative`", in: .negative) {
            notReused(404, "Cache-Control: max-age=0")
        }
        weir("weir-negative-no-store", "the origin's no-store wins over `negative`", in: .negative)
        {
            notReused(404, "Cache-Control: no-store")
        }
    }

    @ListOf<Case> private static var cookies: [Case] {
        weir("weir-set-cookie", "an answer with Set-Cookie is not stored") {
            get().origin(reply(fresh, "Set-Cookie: a=1")).sees("Set-Cookie: a=1")
            get().origin(reply(fresh, "Set-Cookie: a=2")).sees("Set-Cookie: a=2")
        }
        weir("weir-cookie-ttl", "`ttl` stores no answer to a request with a cookie", in: .ttl) {
            get("Cookie: a=1").origin(reply())
            get("Cookie: a=1").origin(reply())
        }
        weir("weir-cookie-max-age", "a cookie is no reason against what the origin declares fresh")
        {
            get("Cookie: a=1").origin(reply(fresh))
            get("Cookie: a=2")
        }
    }

    @ListOf<Case> private static var identityAndKeys: [Case] {
        weir("weir-vary-by", "`vary_by: [user]` gives each user answers of their own", in: .user) {
            get("X-User-ID: ada").origin(reply(fresh))
            get("X-User-ID: ben").origin(reply(fresh))
            get("X-User-ID: ada").content(of: 1)
            get("X-User-ID: ben").content(of: 2)
        }
        weir(
            "weir-vary-by-authorization",
            "`vary_by` lets answers to requests with Authorization be stored", in: .user
        ) {
            get("X-User-ID: ada", "Authorization: Basic YTpi").origin(reply(fresh))
            get("X-User-ID: ada", "Authorization: Basic YTpi")
        }
        weir(
            "weir-vary-by-nobody", "without the user of `vary_by` the cache is not used", in: .user
        ) {
            get().origin(reply(fresh)).says("fwd=bypass", "detail=no-identity")
            get().origin(reply(fresh))
        }
        weir(
            "weir-vary-by-invalidation", "an unsafe request of one user drops the answers of all",
            in: .user
        ) {
            get("X-User-ID: ada").origin(reply(fresh))
            get("X-User-ID: ben").origin(reply(fresh))
            send("POST", "X-User-ID: ada").body("x").origin(reply())
            get("X-User-ID: ada").origin(reply(fresh))
            get("X-User-ID: ben").origin(reply(fresh))
        }
        weir("weir-vary-by-private", "`vary_by` does not store what is private", in: .user) {
            get("X-User-ID: ada").origin(reply("Cache-Control: private, max-age=600"))
            get("X-User-ID: ada").origin(reply("Cache-Control: private, max-age=600"))
        }
        weir("weir-ignore-query", "`ignore_query` leaves parameters out of the key", in: .ignoring)
        {
            get().at("?a=1&utm_source=x&session=1").origin(reply(fresh))
            get().at("?a=1&session=2").content(of: 1)
            get().at("?utm_medium=y&a=1").content(of: 1)
        }
        weir("weir-ignore-query-others", "other parameters stay in the key", in: .ignoring) {
            get().at("?a=1&sessions=1").origin(reply(fresh))
            get().at("?a=1&sessions=2").origin(reply(fresh))
        }
        weir("weir-ignore-query-origin", "the origin gets all parameters", in: .ignoring) {
            get().at("?utm_x=1&a=2").origin(reply(fresh))
        }
    }
}
