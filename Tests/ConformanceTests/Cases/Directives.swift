/// RFC 9111 §5.2: the directives of requests, obeyed and ignored, and those of answers.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"
    private static let stale = "Cache-Control: max-age=60"
    private static let old = "Age: 100"

    @ListOf<Case> static var requestDirectives: [Case] {
        obeyed
        ignored
        must("9111-5.2-passed-on", "a request's directives are passed on to the origin") {
            get("Cache-Control: no-cache, x-unknown=1").origin(reply(fresh))
                .originSees("Cache-Control: no-cache, x-unknown=1")
        }
        must("9111-5.2-passed-on-answer", "an answer's directives are passed on to the client") {
            get().origin(reply("Cache-Control: max-age=600, x-unknown=\"a, b\", no-transform"))
                .sees("Cache-Control: max-age=600, x-unknown=\"a, b\", no-transform")
            get().sees("Cache-Control: max-age=600, x-unknown=\"a, b\", no-transform")
        }
    }

    @ListOf<Case> private static var obeyed: [Case] {
        should("9111-5.2.1.4-no-cache", "no-cache asks the origin", in: .respect) {
            get().origin(reply(fresh))
            get("Cache-Control: no-cache").origin(reply(fresh))
            get().content(of: 2)
        }
        should(
            "9111-5.2.1.4-no-cache-validates", "no-cache is satisfied by a validation", in: .respect
        ) {
            get().origin(reply(fresh, "ETag: \"a\""))
            get("Cache-Control: no-cache").origin(reply(304, "ETag: \"a\"", fresh))
                .originSees("If-None-Match: \"a\"")
        }
        should(
            "9111-5.4-pragma", "without Cache-Control `Pragma: no-cache` is no-cache", in: .respect
        ) {
            get().origin(reply(fresh))
            get("Pragma: no-cache").origin(reply(fresh))
        }
        should("9111-5.4-pragma-beside", "beside Cache-Control Pragma means nothing", in: .respect)
        {
            get().origin(reply(fresh))
            get("Pragma: no-cache", "Cache-Control: max-age=3600")
        }
        should("9111-5.2.1.1-max-age-0", "max-age=0 asks the origin", in: .respect) {
            get().origin(reply(fresh, "Age: 1"))
            get("Cache-Control: max-age=0").origin(reply(fresh))
        }
        should("9111-5.2.1.1-max-age", "an answer older than max-age is not served", in: .respect) {
            get().origin(reply(fresh, "Age: 200"))
            get("Cache-Control: max-age=100").origin(reply(fresh))
        }
        should(
            "9111-5.2.1.1-max-age-younger", "an answer younger than max-age is served", in: .respect
        ) {
            get().origin(reply(fresh, "Age: 200"))
            get("Cache-Control: max-age=400")
        }
        should(
            "9111-5.2.1.3-min-fresh", "an answer that expires within min-fresh is not served",
            in: .respect
        ) {
            get().origin(reply(fresh, "Age: 500"))
            get("Cache-Control: min-fresh=200").origin(reply(fresh))
        }
        should(
            "9111-5.2.1.3-min-fresh-enough", "an answer fresh for longer than min-fresh is served",
            in: .respect
        ) {
            get().origin(reply(fresh))
            get("Cache-Control: min-fresh=200")
        }
        may(
            "9111-5.2.1.2-max-stale", "max-stale without a number takes any stale answer",
            in: .respect
        ) {
            get().origin(reply(stale, "Age: 5000"))
            get("Cache-Control: max-stale")
        }
        may(
            "9111-5.2.1.2-max-stale-within", "an answer stale for less than max-stale is served",
            in: .respect
        ) {
            get().origin(reply(stale, old))
            get("Cache-Control: max-stale=100")
        }
        must(
            "9111-5.2.1.2-max-stale-beyond",
            "an answer stale for longer than max-stale is not served", in: .respect
        ) {
            get().origin(reply(stale, "Age: 500"))
            get("Cache-Control: max-stale=100").origin(reply(fresh))
        }
        for directive in ["must-revalidate", "proxy-revalidate", "no-cache"] {
            must(
                "9111-4.2.4-max-stale-\(directive)", "max-stale does not win over \(directive)",
                in: .respect
            ) {
                get().origin(reply("Cache-Control: max-age=60, \(directive)", old, "ETag: \"a\""))
                get("Cache-Control: max-stale").origin(reply(304, "ETag: \"a\""))
            }
        }
        must("9111-4.2.4-max-stale-s-maxage", "max-stale does not win over s-maxage", in: .respect)
        {
            get().origin(reply("Cache-Control: s-maxage=60", old))
            get("Cache-Control: max-stale").origin(reply(fresh))
        }
        must(
            "9111-5.2.1.5-no-store", "the answer to a request with no-store is not stored",
            in: .respect
        ) {
            get("Cache-Control: no-store").origin(reply(fresh))
            get().origin(reply(fresh))
        }
        should(
            "9111-5.2.1.7-only-if-cached", "only-if-cached is answered 504 when nothing is stored",
            in: .respect
        ) {
            get("Cache-Control: only-if-cached").status(504)
        }
        should(
            "9111-5.2.1.7-only-if-cached-stored", "only-if-cached is answered from the store",
            in: .respect
        ) {
            get().origin(reply(fresh))
            get("Cache-Control: only-if-cached")
        }
        should(
            "9111-5.2.1.7-only-if-cached-stale",
            "only-if-cached is answered 504 when what is stored is stale", in: .respect
        ) {
            get().origin(reply(stale, old))
            get("Cache-Control: only-if-cached").status(504)
        }
        should(
            "9111-5.2.1.7-only-if-cached-max-stale",
            "only-if-cached with max-stale takes a stale answer", in: .respect
        ) {
            get().origin(reply(stale, old))
            get("Cache-Control: only-if-cached, max-stale=3600")
        }
    }

    @ListOf<Case> private static var ignored: [Case] {
        for (word, line) in [
            ("no-cache", "Cache-Control: no-cache"), ("pragma", "Pragma: no-cache"),
            ("max-age", "Cache-Control: max-age=0"), ("min-fresh", "Cache-Control: min-fresh=9999"),
            ("no-store", "Cache-Control: no-store"),
        ] {
            weir("9111-5.2.1-ignored-\(word)", "by default `\(line)` of a client changes nothing") {
                get().origin(reply(fresh))
                get(line)
            }
        }
        weir(
            "9111-5.2.1-ignored-only-if-cached",
            "by default only-if-cached does not keep from asking the origin"
        ) {
            get("Cache-Control: only-if-cached").origin(reply(fresh))
        }
        weir("9111-5.2.1-ignored-max-stale", "by default max-stale gets no stale answer") {
            get().origin(reply(stale, old))
            get("Cache-Control: max-stale").origin(reply(fresh))
        }
    }

    @ListOf<Case> static var responseDirectives: [Case] {
        noCache
        revalidate
        qualified
        may("9111-5.4-pragma-answer", "Pragma in an answer means nothing") {
            stored("Cache-Control: max-age=60", "Pragma: no-cache")
        }
        must("9111-5.2.2.6-no-transform", "content with no-transform passes as it came") {
            get("Accept-Encoding: gzip, br").origin(
                reply("Cache-Control: no-transform, max-age=60", "Content-Type: text/plain")
                    .content(
                        String(repeating: "a", count: 4000)))
            get("Accept-Encoding: gzip, br").lacks("Content-Encoding")
        }
        may("9111-5.5-warning", "a Warning is a field like others") {
            get().origin(reply(fresh, "Warning: 199 - \"x\""))
            get().sees("Warning: 199 - \"x\"")
        }
    }

    @ListOf<Case> private static var noCache: [Case] {
        must("9111-5.2.2.4-no-cache", "an answer with no-cache is validated before each reuse") {
            get().origin(reply("Cache-Control: no-cache", "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
        }
        must("9111-5.2.2.4-no-cache-no-validator", "without a validator it is fetched each time") {
            notReused("Cache-Control: no-cache, max-age=60")
        }
        must("9111-5.2.2.4-no-cache-failure", "it is not served when the origin fails") {
            get().origin(reply("Cache-Control: no-cache, stale-if-error=600", "ETag: \"a\""))
            get().origin(reply(500)).status(500)
        }
        must("9111-5.2.2.4-no-cache-away", "it is not served when the origin is away") {
            get().origin(reply("Cache-Control: no-cache, stale-if-error=600", "ETag: \"a\""))
            get().origin(noReply()).status(504).content(.any)
        }
        must("9111-5.2.2.4-no-cache-case", "`No-Cache` is no-cache") {
            notReused("Cache-Control: max-age=60, No-Cache")
        }
    }

    @ListOf<Case> private static var revalidate: [Case] {
        for directive in ["must-revalidate", "proxy-revalidate"] {
            let section = directive == "must-revalidate" ? "5.2.2.2" : "5.2.2.8"
            may("9111-\(section)-fresh", "an answer with \(directive) is served while it is fresh")
            {
                stored("Cache-Control: max-age=60, \(directive)")
            }
            must("9111-\(section)-stale", "once it is stale it is validated (\(directive))") {
                get().origin(reply("Cache-Control: max-age=60, \(directive)", old, "ETag: \"a\""))
                get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
            }
            must("9111-\(section)-swr", "stale-while-revalidate does not win over \(directive)") {
                get().origin(
                    reply(
                        "Cache-Control: max-age=60, \(directive), stale-while-revalidate=600", old))
                get().origin(reply(fresh))
            }
            must("9111-\(section)-error", "stale-if-error does not win over \(directive)") {
                get().origin(
                    reply("Cache-Control: max-age=60, \(directive), stale-if-error=600", old))
                get().origin(reply(503)).status(503)
            }
            must(
                "9111-\(section)-configured", "nor do the file's stale times (\(directive))",
                in: .stale
            ) {
                get().origin(reply("Cache-Control: max-age=60, \(directive)", old))
                get().origin(reply(503)).status(503)
            }
        }
        must("9111-5.2.2.2-away", "when the origin is away an error is sent instead") {
            get().origin(
                reply("Cache-Control: max-age=60, must-revalidate, stale-if-error=600", old))
            get().origin(noReply()).status(504).content(.any)
        }
        must(
            "9111-5.2.2.10-s-maxage",
            "s-maxage forbids a stale answer, where no other directive allows it"
        ) {
            get().origin(reply("Cache-Control: s-maxage=60", old))
            get().origin(noReply()).status(504).content(.any)
        }
        must(
            "9111-5.2.2.10-strict",
            "with `stale: strict` s-maxage forbids what stale-while-revalidate allows", in: .strict
        ) {
            get().origin(reply("Cache-Control: s-maxage=60, stale-while-revalidate=600", old))
            get().origin(reply(fresh))
        }
        must(
            "9111-5.2.2.10-strict-error",
            "with `stale: strict` s-maxage forbids what stale-if-error allows", in: .strict
        ) {
            get().origin(reply("Cache-Control: s-maxage=60, stale-if-error=600", old))
            get().origin(reply(503)).status(503)
        }
        weir(
            "9111-5.2.2.10-permissive", "by default what is written wins over what s-maxage implies"
        ) {
            get().origin(reply("Cache-Control: s-maxage=60, stale-while-revalidate=600", old))
            get().behind(reply(fresh))
            get().content(of: 2)
        }
    }

    @ListOf<Case> private static var qualified: [Case] {
        must(
            "9111-5.2.2.4-qualified",
            "`no-cache=\"X\"`: the field X is not replayed without a validation"
        ) {
            get().origin(
                reply("Cache-Control: max-age=60, no-cache=\"X-Own\"", "X-Own: 1", "ETag: \"a\"")
            ).sees("X-Own: 1")
            get().lacks("X-Own").content(of: 1)
        }
        must("9111-5.2.2.7-qualified", "`private=\"X\"`: the field X is not stored") {
            get().origin(reply("Cache-Control: max-age=60, private=\"X-Own\"", "X-Own: 1")).sees(
                "X-Own: 1")
            get().lacks("X-Own").content(of: 1)
        }
    }
}
