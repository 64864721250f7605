/// RFC 9111 §3: what is stored, and what of it.
extension Table {
    @ListOf<Case> static var storing: [Case] {
        whatIsStored
        statuses
        withAuthorization
        fieldsThatAreKept
        incomplete
    }

    /// Old enough for a heuristic lifetime of a day.
    private static let longUnmodified = "Last-Modified: {date-864000}"

    @ListOf<Case> private static var whatIsStored: [Case] {
        may("9111-3-max-age", "an answer with max-age is stored") {
            stored("Cache-Control: max-age=60")
        }
        may("9111-3-s-maxage", "an answer with s-maxage is stored") {
            stored("Cache-Control: s-maxage=60")
        }
        may("9111-3-expires", "an answer with Expires in the future is stored") {
            stored("Expires: {date+60}")
        }
        may("9111-3-public", "`public` marks an answer with a heuristic lifetime as cacheable") {
            stored("Cache-Control: public", longUnmodified)
        }
        may("9111-3-heuristic", "an answer with Last-Modified alone is stored") {
            stored(longUnmodified)
        }
        may("9111-3-validator-only", "an answer with nothing but an ETag is kept to be validated") {
            get().origin(reply("ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"")).originSees("If-None-Match: \"a\"")
        }
        must("9111-3-nothing-said", "an answer that says nothing of reuse is not reused") {
            notReused()
        }
        must("9111-3-no-store", "an answer with no-store is not stored") {
            notReused("Cache-Control: no-store, max-age=60")
        }
        must("9111-3-no-store-last", "no-store counts wherever it stands in the list") {
            notReused("Cache-Control: max-age=60, public, no-store")
        }
        must("9111-3-no-store-case", "the names of directives have no case: `No-Store`") {
            notReused("Cache-Control: No-Store, max-age=60")
        }
        must("9111-3-no-store-second-line", "no-store in a second line of Cache-Control counts") {
            notReused("Cache-Control: max-age=60", "Cache-Control: no-store")
        }
        must(
            "9111-3-no-store-validator",
            "nothing of an answer with no-store is kept, no validator either"
        ) {
            get().origin(reply("Cache-Control: no-store", "ETag: \"a\"", longUnmodified))
            get().origin(reply("Cache-Control: no-store"))
                .originLacks("if-none-match", "if-modified-since")
        }
        must("9111-3-private", "an answer with private is not stored by a shared cache") {
            notReused("Cache-Control: private, max-age=60")
        }
        must("9111-3-private-s-maxage", "private stands against storing beside s-maxage too") {
            notReused("Cache-Control: private, s-maxage=60")
        }
        must("9111-3-private-public", "the stricter of private and public counts") {
            notReused("Cache-Control: public, private, max-age=60")
        }
        must("9111-3-post", "an answer to POST does not answer a GET") {
            send("POST").body("x").origin(reply("Cache-Control: max-age=60"))
            get().origin(reply())
        }
        must("9111-3-put", "an answer to PUT does not answer a GET") {
            send("PUT").body("x").origin(reply("Cache-Control: max-age=60"))
            get().origin(reply())
        }
        must("9111-3-unknown-method", "an answer to a method that is not known is not stored") {
            send("FROB").origin(reply("Cache-Control: max-age=60"))
            send("FROB").origin(reply("Cache-Control: max-age=60"))
            get().origin(reply())
        }
        must("9111-3-options", "an answer to OPTIONS does not answer a GET") {
            send("OPTIONS").origin(reply("Cache-Control: max-age=60"))
            get().origin(reply())
        }
        must("9111-3-head-for-get", "an answer to HEAD does not answer a GET, which wants content")
        {
            head().origin(reply("Cache-Control: max-age=60"))
            get().origin(reply("Cache-Control: max-age=60"))
        }
        must("9111-3-post-again", "an answer to POST does not answer the next POST") {
            send("POST").body("x").origin(reply("Cache-Control: max-age=60"))
            send("POST").body("x").origin(reply("Cache-Control: max-age=60"))
        }
        must(
            "9111-3-interim",
            "an interim answer is not stored; the final one that follows is what counts"
        ) {
            get().origin(
                reply("Cache-Control: max-age=60").interim(
                    "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nCache-Control: no-store"
                ))
            get().status(200)
        }
    }

    @ListOf<Case> private static var statuses: [Case] {
        for status in [
            200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414, 418, 451,
            500, 501, 503,
        ] {
            may("9111-3-status-\(status)", "an answer of status \(status) with max-age is stored") {
                stored(status, "Cache-Control: max-age=60")
            }
        }
        may(
            "9111-3-status-unknown",
            "a final status that nobody knows is stored when max-age says so"
        ) {
            stored(299, "Cache-Control: max-age=60")
        }
        must("9111-3-status-304", "a 304 that nobody asked for is not stored") {
            get().origin(reply(304, "Cache-Control: max-age=60", "ETag: \"a\"")).content(.any)
            get().origin(reply("Cache-Control: max-age=60"))
        }
        for status in [200, 203, 204, 300, 301, 308] {
            may("9111-4.2.2-status-\(status)", "status \(status) may have a heuristic lifetime") {
                stored(status, longUnmodified)
            }
        }
        for status in [404, 405, 410, 414, 501] {
            may(
                "9111-4.2.2-status-\(status)", "status \(status) may have a heuristic lifetime",
                .left("an error is kept only for a time that somebody wrote")
            ) {
                stored(status, longUnmodified)
            }
        }
        for status in [
            201, 202, 299, 302, 303, 307, 400, 401, 403, 418, 429, 500, 502, 503, 504, 599,
        ] {
            must("9111-4.2.2-status-\(status)", "status \(status) has no heuristic lifetime") {
                notReused(status, longUnmodified)
            }
        }
        should(
            "9111-5.2.2.3-known",
            "must-understand lets a cache that knows the status ignore no-store"
        ) {
            stored("Cache-Control: must-understand, no-store, max-age=60")
        }
        must(
            "9111-5.2.2.3-unknown",
            "an answer with must-understand of a status that is not known is not stored"
        ) {
            notReused(299, "Cache-Control: must-understand, max-age=60")
        }
        must("9111-5.2.2.3-private", "must-understand takes nothing back from private") {
            notReused("Cache-Control: must-understand, private, max-age=60")
        }
    }

    @ListOf<Case> private static var withAuthorization: [Case] {
        must(
            "9111-3.5-authorization",
            "an answer to a request with Authorization is not used for another"
        ) {
            get("Authorization: Basic YTpi").origin(reply("Cache-Control: max-age=60"))
            get("Authorization: Basic YTpi").origin(reply("Cache-Control: max-age=60"))
            get().origin(reply("Cache-Control: no-store"))
        }
        must("9111-3.5-authorization-expires", "Expires does not allow to share it") {
            get("Authorization: Basic YTpi").origin(reply("Expires: {date+60}"))
            get("Authorization: Basic Yzpk").origin(reply("Expires: {date+60}"))
        }
        must(
            "9111-3.5-authorization-proxy-revalidate", "proxy-revalidate does not allow to share it"
        ) {
            get("Authorization: Basic YTpi")
                .origin(reply("Cache-Control: max-age=60, proxy-revalidate"))
            get("Authorization: Basic Yzpk")
                .origin(reply("Cache-Control: max-age=60, proxy-revalidate"))
        }
        for (word, directive) in [
            ("public", "public, max-age=60"), ("s-maxage", "s-maxage=60"),
            ("must-revalidate", "max-age=60, must-revalidate"),
        ] {
            may("9111-3.5-authorization-\(word)", "`\(directive)` allows to share it") {
                get("Authorization: Basic YTpi").origin(reply("Cache-Control: \(directive)"))
                get("Authorization: Basic Yzpk")
                get()
            }
        }
        must(
            "9111-3.5-authorization-s-maxage-0",
            "`s-maxage=0` allows to store it, and demands to ask each time"
        ) {
            get("Authorization: Basic YTpi").origin(
                reply("Cache-Control: s-maxage=0", "ETag: \"a\""))
            get("Authorization: Basic Yzpk").origin(reply(304, "ETag: \"a\""))
                .originSees("If-None-Match: \"a\"", "Authorization: Basic Yzpk")
        }
        must(
            "9111-3.5-authorization-stale",
            "what must-revalidate allowed to share is validated once it is stale"
        ) {
            get("Authorization: Basic YTpi")
                .origin(
                    reply("Cache-Control: max-age=60, must-revalidate", "Age: 100", "ETag: \"a\""))
            get("Authorization: Basic Yzpk").origin(reply(304, "ETag: \"a\""))
        }
        weir(
            "9111-3.5-authorization-later",
            "an answer that says nothing of sharing is not given to a request with Authorization"
        ) {
            get().origin(reply("Cache-Control: max-age=60"))
            get("Authorization: Basic YTpi").origin(reply("Cache-Control: max-age=60"))
        }
        may(
            "9111-3.5-authorization-later-public",
            "an answer with public is given to a request with Authorization"
        ) {
            get().origin(reply("Cache-Control: public, max-age=60"))
            get("Authorization: Basic YTpi")
        }
    }

    @ListOf<Case> private static var fieldsThatAreKept: [Case] {
        must("9111-3.1-all-fields", "all fields of an answer are kept, those nobody knows too") {
            get().origin(
                reply(
                    "Cache-Control: max-age=60", "Content-Type: text/x-test", "X-Unknown: a b",
                    "Content-Language: de"))
            get().sees("Content-Type: text/x-test", "X-Unknown: a b", "Content-Language: de")
        }
        must("9111-3.1-order", "lines of one name are kept in their order") {
            get().origin(
                reply("Cache-Control: max-age=60", "X-List: a", "X-List: b, c", "X-List: d"))
            get().sees("X-List: a, b, c, d")
        }
        must("9111-3.1-empty-value", "a field without a value is kept") {
            get().origin(reply("Cache-Control: max-age=60", "X-Empty:"))
            get().sees("X-Empty: ")
        }
        must("9111-3.1-connection-listed", "a field that Connection names is not replayed") {
            get().origin(
                reply(
                    "Cache-Control: max-age=60", "Connection: X-Hop, keep-alive", "X-Hop: 1",
                    "X-End: 2")
            ).lacks("X-Hop").sees("X-End: 2")
            get().lacks("X-Hop").sees("X-End: 2")
        }
        for name in ["Proxy-Authenticate", "Proxy-Authentication-Info", "Proxy-Authorization"] {
            must("9111-3.1-\(name.lowercased())", "\(name) is not stored") {
                get().origin(reply("Cache-Control: max-age=60", "\(name): Basic")).content(.any)
                get().lacks(name)
            }
        }
        for name in ["Keep-Alive", "Proxy-Connection", "TE", "Upgrade"] {
            must("9111-3.1-\(name.lowercased())", "the hop-by-hop field \(name) is not stored") {
                get().origin(reply("Cache-Control: max-age=60", "\(name): x")).lacks(name)
                get().lacks(name)
            }
        }
        must("9111-3.1-trailers", "fields of a trailer do not become fields of the head") {
            get().origin(reply("Cache-Control: max-age=60", "Trailer: X-Sum").trailers("X-Sum: 1"))
            get().lacks("X-Sum")
        }
    }

    @ListOf<Case> private static var incomplete: [Case] {
        must(
            "9111-3.3-cut-short",
            "an answer that ends before its Content-Length is not used for another"
        ) {
            get().origin(reply("Cache-Control: max-age=60").framed(.cutShort)).content(.cutShort)
            get().origin(reply("Cache-Control: max-age=60"))
        }
        must(
            "9111-3.3-cut-chunks",
            "an answer that ends before its last chunk is not used for another"
        ) {
            get().origin(reply("Cache-Control: max-age=60").framed(.cutChunks)).content(.cutShort)
            get().origin(reply("Cache-Control: max-age=60"))
        }
        may("9111-3.3-chunked", "a whole answer in chunks is stored") {
            get().origin(reply("Cache-Control: max-age=60").framed(.chunked))
            get()
        }
        may("9111-3.3-until-close", "an answer that ends with its connection is stored") {
            get().origin(reply("Cache-Control: max-age=60").framed(.untilClose))
            get()
        }
        may("9111-3.3-empty", "an answer with empty content is stored") {
            get().origin(reply("Cache-Control: max-age=60").content(""))
            get()
        }
    }
}
