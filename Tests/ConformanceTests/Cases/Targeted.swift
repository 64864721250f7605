/// RFC 9213: Cache-Control for one kind of cache. Weir's list is Weir-Cache-Control, CDN-Cache-Control.
extension Table {
    @ListOf<Case> static var targeted: [Case] {
        choice
        directives
        targetedSyntax
    }

    @ListOf<Case> private static var choice: [Case] {
        must(
            "9213-2.2-cdn", "CDN-Cache-Control counts before Cache-Control, when it is longer"
        ) {
            stored("CDN-Cache-Control: max-age=3600", "Cache-Control: max-age=60", "Age: 100")
        }
        must(
            "9213-2.2-cdn-shorter",
            "CDN-Cache-Control counts before Cache-Control, when it is shorter"
        ) {
            notReused("CDN-Cache-Control: max-age=60", "Cache-Control: max-age=3600", "Age: 100")
        }
        must("9213-2.2-weir", "Weir-Cache-Control counts before CDN-Cache-Control") {
            stored("CDN-Cache-Control: max-age=60", "Weir-Cache-Control: max-age=3600", "Age: 100")
        }
        must(
            "9213-2.2-weir-shorter",
            "Weir-Cache-Control counts before CDN-Cache-Control, when it is shorter"
        ) {
            notReused(
                "Weir-Cache-Control: max-age=60", "CDN-Cache-Control: max-age=3600",
                "Cache-Control: max-age=3600", "Age: 100")
        }
        must(
            "9213-2.2-no-store-ignored",
            "no-store in Cache-Control is not for us where a targeted field speaks"
        ) {
            stored("CDN-Cache-Control: max-age=600", "Cache-Control: no-store")
        }
        must("9213-2.2-private-ignored", "private in Cache-Control is not for us either") {
            stored("CDN-Cache-Control: max-age=600", "Cache-Control: private")
        }
        must("9213-2.2-s-maxage-ignored", "s-maxage in Cache-Control is not for us either") {
            notReused("CDN-Cache-Control: max-age=60", "Cache-Control: s-maxage=3600", "Age: 100")
        }
        must("9213-2.2-expires-ignored", "Expires is ignored beside a targeted field") {
            notReused("CDN-Cache-Control: must-revalidate", "Expires: {date+3600}")
        }
        must(
            "9213-2.2-expires-past", "Expires in the past is ignored beside a targeted field"
        ) {
            stored("CDN-Cache-Control: max-age=600", "Expires: 0")
        }
        must("9213-2.2-unlisted", "a targeted field for other caches changes nothing") {
            notReused("Other-Cache-Control: max-age=600")
        }
        must("9213-2.2-unlisted-passed", "a targeted field for other caches is passed on") {
            get().origin(reply("Cache-Control: max-age=600", "Other-Cache-Control: no-store"))
            get().sees("Other-Cache-Control: no-store")
        }
        may("9213-3.1-passed", "CDN-Cache-Control is passed on to caches before us") {
            get().origin(reply("CDN-Cache-Control: max-age=600", "Cache-Control: max-age=600"))
                .sees("CDN-Cache-Control: max-age=600")
            get().sees("CDN-Cache-Control: max-age=600")
        }
        weir("9213-3.1-own-field", "Weir-Cache-Control ends at Weir") {
            get().origin(reply("Weir-Cache-Control: max-age=600")).lacks("Weir-Cache-Control")
            get().lacks("Weir-Cache-Control")
        }
    }

    @ListOf<Case> private static var directives: [Case] {
        must("9213-2.2-max-age", "max-age in a targeted field alone is enough to store") {
            stored("CDN-Cache-Control: max-age=600")
        }
        must("9213-2.2-no-store", "no-store in a targeted field") {
            notReused("CDN-Cache-Control: no-store", "Cache-Control: max-age=600")
        }
        must("9213-2.2-private", "private in a targeted field") {
            notReused("CDN-Cache-Control: private", "Cache-Control: max-age=600")
        }
        must("9213-2.2-no-cache", "no-cache in a targeted field") {
            get().origin(
                reply(
                    "CDN-Cache-Control: max-age=600, no-cache", "Cache-Control: max-age=600",
                    "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
        }
        must("9213-2.2-must-revalidate", "must-revalidate in a targeted field") {
            get().origin(
                reply(
                    "CDN-Cache-Control: max-age=60, must-revalidate",
                    "Cache-Control: max-age=60, stale-if-error=600", "Age: 100"))
            get().origin(reply(503)).status(503)
        }
        should("9213-2.2-s-maxage", "s-maxage in a targeted field") {
            stored("CDN-Cache-Control: s-maxage=600, max-age=0")
        }
        should("9213-2.2-swr", "stale-while-revalidate in a targeted field") {
            get().origin(
                reply("CDN-Cache-Control: max-age=60, stale-while-revalidate=600", "Age: 100"))
            get().behind(reply("CDN-Cache-Control: max-age=600")).content(of: 1)
            get().content(of: 2)
        }
        should("9213-2.2-sie", "stale-if-error in a targeted field") {
            get().origin(reply("CDN-Cache-Control: max-age=60, stale-if-error=600", "Age: 100"))
            get().origin(reply(503)).status(200).content(of: 1)
        }
        should(
            "9213-2.2-public",
            "public in a targeted field lets an answer with Authorization be shared"
        ) {
            get("Authorization: Basic YTpi").origin(reply("CDN-Cache-Control: public, max-age=600"))
            get("Authorization: Basic Yzpk")
        }
        must(
            "9213-2.2-authorization",
            "public in Cache-Control does not count beside a targeted field"
        ) {
            get("Authorization: Basic YTpi")
                .origin(
                    reply("CDN-Cache-Control: max-age=600", "Cache-Control: public, max-age=600"))
            get("Authorization: Basic Yzpk").origin(reply("Cache-Control: no-store"))
        }
        must("9213-2.2-unknown", "directives that nobody knows are ignored") {
            stored("CDN-Cache-Control: foo, max-age=600, bar=1")
        }
        must("9213-2.2-304", "a 304 brings a new targeted field") {
            get().origin(reply("CDN-Cache-Control: max-age=60", "Age: 100", "ETag: \"a\""))
            get().origin(reply(304, "CDN-Cache-Control: max-age=600", "ETag: \"a\""))
            get().ttl(570...600)
        }
    }

    @ListOf<Case> private static var targetedSyntax: [Case] {
        must("9213-2.1-empty", "an empty field is not there") {
            stored("CDN-Cache-Control:", "Cache-Control: max-age=600")
        }
        must("9213-2.1-invalid", "a field that is no dictionary is not there") {
            stored("CDN-Cache-Control: no-store, =", "Cache-Control: max-age=600")
        }
        must(
            "9213-2.1-capitals",
            "keys of structured fields are in lower case; a field with others is not there"
        ) {
            stored("CDN-Cache-Control: No-Store", "Cache-Control: max-age=600")
        }
        must("9213-2.1-trailing-comma", "a trailing comma makes the field invalid") {
            stored("CDN-Cache-Control: no-store,", "Cache-Control: max-age=600")
        }
        must("9213-2.1-fall-through", "after an invalid field the next of the list counts") {
            stored(
                "Weir-Cache-Control: &", "CDN-Cache-Control: max-age=600", "Cache-Control: no-store"
            )
        }
        must("9213-2.1-invalid-to-no-store", "after invalid fields Cache-Control counts") {
            notReused(
                "Weir-Cache-Control: &", "CDN-Cache-Control: max-age=", "Cache-Control: no-store")
        }
        should("9213-2.1-string", "`max-age=\"600\"` is of the wrong type, and no max-age") {
            notReused("CDN-Cache-Control: max-age=\"600\"", "Cache-Control: no-store")
        }
        should("9213-2.1-decimal", "`max-age=600.5` is of the wrong type, and no max-age") {
            notReused("CDN-Cache-Control: max-age=600.5", "Cache-Control: no-store")
        }
        should("9213-2.1-negative", "`max-age=-1` makes nothing fresh") {
            notReused("CDN-Cache-Control: max-age=-1", "Cache-Control: no-store")
        }
        should("9213-2.1-parameters", "parameters of a member are ignored") {
            stored("CDN-Cache-Control: max-age=600;foo=1", "Cache-Control: no-store")
        }
        must("9213-2.1-lines", "several lines are one dictionary") {
            notReused(
                "CDN-Cache-Control: max-age=600", "CDN-Cache-Control: no-store",
                "Cache-Control: max-age=600")
        }
        must("9213-2.1-last-wins", "of a key that is there twice the last counts") {
            stored("CDN-Cache-Control: max-age=0, max-age=600", "Cache-Control: no-store")
        }
        should("9213-2.1-false", "`no-store=?0` is no no-store") {
            stored("CDN-Cache-Control: max-age=600, no-store=?0")
        }
        must("9213-2.1-token-value", "a directive nobody knows may have any structured value") {
            stored("CDN-Cache-Control: max-age=600, a=b, c=:YWJj:, d=(1 2), e=1.5, f=?1")
        }
    }
}
