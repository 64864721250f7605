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
        weir("weir-origin-ttl", "the field of `origin_ttl` names the lifetime", in: .origin) {
            get().origin(reply("X-Accel-Expires: 300", "Cache-Control: max-age=0")).lacks(
                "X-Accel-Expires")
            get().ttl(250...300).lacks("X-Accel-Expires")
        }
        weir("weir-origin-ttl-off", "its `0` and `off` store nothing", in: .origin) {
            get().at("/0").origin(reply("X-Accel-Expires: 0", fresh))
            get().at("/0").origin(reply(fresh))
            get().at("/off").origin(reply("X-Accel-Expires: off", fresh))
            get().at("/off").origin(reply(fresh))
        }
        weir("weir-origin-ttl-no-store", "it does not win over no-store and private", in: .origin) {
            get().at("/a").origin(reply("X-Accel-Expires: 300", "Cache-Control: no-store"))
            get().at("/a").origin(reply("X-Accel-Expires: 300", "Cache-Control: private"))
            get().at("/a").origin(reply("Cache-Control: no-store"))
        }
        weir("weir-origin-ttl-invalid", "what cannot be read says nothing", in: .origin) {
            get().origin(reply("X-Accel-Expires: soon", fresh))
            get().ttl(550...600)
        }
        weir("weir-origin-ttl-elsewhere", "without `origin_ttl` the field is one like others") {
            get().origin(reply("X-Accel-Expires: 0", fresh)).sees("X-Accel-Expires: 0")
            get()
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
        weir("weir-set-cookie-strip", "`set_cookie: strip` stores without the cookies", in: .strip)
        {
            get().origin(reply(fresh, "Set-Cookie: a=1", "X-Test: 1")).sees("Set-Cookie: a=1")
            get().lacks("Set-Cookie").sees("X-Test: 1")
        }
        weir(
            "weir-set-cookie-strip-private", "`set_cookie: strip` does not store what is private",
            in: .strip
        ) {
            notReused("Cache-Control: private, max-age=60", "Set-Cookie: a=1")
        }
        weir("weir-set-cookie-strip-304", "a 304 adds no cookie to what is stored", in: .strip) {
            get().origin(reply("Cache-Control: max-age=60", "Age: 100", "ETag: \"a\""))
            get().origin(reply(304, fresh, "ETag: \"a\"", "Set-Cookie: a=1"))
            get().lacks("Set-Cookie")
        }
        weir(
            "weir-set-cookie-store", "`set_cookie: store` keeps the cookies for their user alone",
            in: .keep
        ) {
            get("X-User-ID: ada").origin(reply(fresh, "Set-Cookie: a=1", "Set-Cookie: b=2"))
            get("X-User-ID: ada").sees("Set-Cookie: a=1, b=2")
            get("X-User-ID: ben").origin(reply(fresh)).lacks("Set-Cookie")
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
        weir("weir-vary-by-header", "`vary_by: [header:X-Tenant]` keeps tenants apart", in: .parts)
        {
            get("X-Tenant: a").origin(reply())
            get("X-Tenant: b").origin(reply())
            get().origin(reply())
            get("X-Tenant:").origin(reply())
            get("X-Tenant: a").content(of: 1)
            get().content(of: 3)
        }
        weir("weir-vary-by-cookie", "`vary_by: [cookie:theme]` keeps themes apart", in: .parts) {
            get("Cookie: theme=dark").origin(reply())
            get("Cookie: theme=light").origin(reply())
            get("Cookie: theme=dark").content(of: 1)
            get("Cookie: theme=dark; session=1").at("/s").origin(reply())
            get("Cookie: theme=dark").at("/s").origin(reply())
        }
        weir(
            "weir-vary-by-header-authorization",
            "a field in the key opens nothing for Authorization", in: .parts
        ) {
            get("X-Tenant: a", "Authorization: Basic YTpi").origin(reply(fresh))
            get("X-Tenant: a", "Authorization: Basic YTpi").origin(reply(fresh))
        }
        weir("weir-only-query", "with `only_query` other parameters do not count", in: .only) {
            get().at("?a=1&x=1").origin(reply(fresh))
            get().at("?x=2&a=1").content(of: 1)
            get().at("?a=2").origin(reply(fresh))
        }
        weir("weir-sort-query", "with `sort_query` the order of names does not count", in: .only) {
            get().at("?a=1&b=2").origin(reply(fresh))
            get().at("?b=2&a=1").content(of: 1)
        }
        weir(
            "weir-sort-query-same-name", "with `sort_query` the order of equal names counts",
            in: .only
        ) {
            get().at("?a=1&a=2").origin(reply(fresh))
            get().at("?a=2&a=1").origin(reply(fresh))
        }
        for (word, fields, target) in [
            ("header", ["X-No-Cache: 1"], ""), ("cookie", ["Cookie: preview=1"], ""),
            ("query", [], "?nocache"),
        ] {
            weir(
                "weir-bypass-\(word)",
                "a \(word) of `bypass` goes past the cache and stores nothing", in: .bypass
            ) {
                Exchange(method: "GET", fields: fields).at(target).origin(reply(fresh))
                    .says("fwd=bypass", "detail=rule")
            }
        }
        weir("weir-bypass-kept", "what is stored stays as it is", in: .bypass) {
            get().origin(reply(fresh))
            get("X-No-Cache: 1").origin(reply(fresh))
            get().content(of: 1)
        }
        weir("weir-bypass-other-value", "another value of a cookie is no reason", in: .bypass) {
            get().origin(reply(fresh))
            get("Cookie: preview=0")
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
