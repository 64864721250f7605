/// RFC 9111 §2 and §4.1: which answers belong to a request.
extension Table {
    @ListOf<Case> static var keysAndVary: [Case] {
        keys
        varySelects
        varyForms
    }

    private static let fresh = "Cache-Control: max-age=60"

    @ListOf<Case> private static var keys: [Case] {
        must("9111-2-key-path", "another path is another answer") {
            get().at("/a").origin(reply(fresh))
            get().at("/b").origin(reply(fresh))
            get().at("/a")
        }
        must("9111-2-key-path-case", "the case of a path counts") {
            get().at("/a").origin(reply(fresh))
            get().at("/A").origin(reply(fresh))
        }
        must("9111-2-key-trailing-slash", "a final slash counts") {
            get().at("/a").origin(reply(fresh))
            get().at("/a/").origin(reply(fresh))
        }
        must("9111-2-key-query", "another query is another answer") {
            get().at("?a=1").origin(reply(fresh))
            get().at("?a=2").origin(reply(fresh))
            get().at("?a=1")
        }
        must("9111-2-key-no-query", "a query and none are different") {
            get().at("?a=1").origin(reply(fresh))
            get().origin(reply(fresh))
        }
        must("9111-2-key-host", "another host is another answer") {
            get().host("a.test").origin(reply(fresh))
            get().host("b.test").origin(reply(fresh))
            get().host("a.test")
        }
        may("9111-2-key-host-case", "a host's name has no case") {
            get().host("a.test").origin(reply(fresh))
            get().host("A.Test").content(of: 1)
        }
        must("9111-2-key-port", "another port is another answer") {
            get().host("a.test:8000").origin(reply(fresh))
            get().host("a.test:8001").origin(reply(fresh))
        }
        may(
            "9111-2-key-percent", "an unreserved character is the same whether it is encoded or not"
        ) {
            get().at("/%7Ea").origin(reply(fresh))
            get().at("/~a").content(of: 1)
        }
        must("9111-2-key-percent-slash", "an encoded slash is no slash") {
            get().at("/a%2Fb").origin(reply(fresh))
            get().at("/a/b").origin(reply(fresh))
        }
        may("9111-2-key-dot-segments", "`/x/../a` is `/a`") {
            get().at("/a").origin(reply(fresh))
            get().at("/x/../a").content(of: 1)
        }
        weir("9111-2-key-query-order", "the order of parameters counts") {
            get().at("?a=1&b=2").origin(reply(fresh))
            get().at("?b=2&a=1").origin(reply(fresh))
        }
    }

    @ListOf<Case> private static var varySelects: [Case] {
        may("9111-4.1-match", "a request with the same value is served") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 1")
        }
        must("9111-4.1-mismatch", "a request with another value is not") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A"))
        }
        may("9111-4.1-beside", "several variants stand beside each other") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 3").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 1").content(of: 1)
            get("X-A: 2").content(of: 2)
            get("X-A: 3").content(of: 3)
        }
        must("9111-4.1-star", "an answer with `Vary: *` matches nothing") {
            notReused(fresh, "Vary: *")
        }
        must("9111-4.1-star-among", "`*` among names too") {
            notReused(fresh, "Vary: X-A, *")
        }
        must("9111-4.1-star-second-line", "`*` in a second line too") {
            notReused(fresh, "Vary: X-A", "Vary: *")
        }
        may("9111-4.1-absent-absent", "a field that is absent in both matches") {
            get().origin(reply(fresh, "Vary: X-A"))
            get()
        }
        must("9111-4.1-absent-present", "absent then, present now: no match") {
            get().origin(reply(fresh, "Vary: X-A"))
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
        }
        must("9111-4.1-present-absent", "present then, absent now: no match") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A"))
            get().origin(reply(fresh, "Vary: X-A"))
        }
        must("9111-4.1-all-names", "all fields that Vary names must match") {
            get("X-A: 1", "X-B: 1").origin(reply(fresh, "Vary: X-A, X-B"))
            get("X-A: 1", "X-B: 2").origin(reply(fresh, "Vary: X-A, X-B"))
            get("X-A: 2", "X-B: 1").origin(reply(fresh, "Vary: X-A, X-B"))
            get("X-A: 1", "X-B: 1").content(of: 1)
        }
        must("9111-4.1-other-fields", "fields that Vary does not name do not matter") {
            get("X-A: 1", "X-C: 1").origin(reply(fresh, "Vary: X-A"))
            get("X-A: 1", "X-C: 2")
        }
        must("9111-4.1-latest", "of several that match the one with the latest Date is used") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A", "Date: {date-5}"))
            get("X-A: 2", "X-B: 1").origin(reply(fresh, "Vary: X-B", "Date: {date-20}"))
            get("X-A: 1", "X-B: 1").content(of: 1)
        }
        should(
            "9111-4.1-without-vary", "a later answer without Vary does not hide those that have it"
        ) {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A", "Date: {date-20}"))
            get("X-A: 2").origin(reply(fresh, "Date: {date-5}"))
            get("X-A: 1").content(of: 1)
        }
        must("9111-4.1-validate", "a variant that is stale is validated with its own ETag") {
            get("X-A: 2").origin(reply(fresh, "Vary: X-A", "ETag: \"two\""))
            get("X-A: 1").origin(reply(fresh, "Age: 100", "Vary: X-A", "ETag: \"one\""))
            get("X-A: 1").origin(reply(304, "ETag: \"one\"", "Vary: X-A", fresh))
                .originSees("If-None-Match ~ \"one\"").content(of: 2)
            get("X-A: 2").content(of: 1)
        }
        may("9111-4.1-head", "HEAD selects a variant too") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A", "X-Which: one"))
            get("X-A: 2").origin(reply(fresh, "Vary: X-A", "X-Which: two"))
            head("X-A: 1").sees("X-Which: one")
        }
    }

    @ListOf<Case> private static var varyForms: [Case] {
        must("9111-4.1-several-lines", "several lines of Vary are one list") {
            get("X-A: 1", "X-B: 1").origin(reply(fresh, "Vary: X-A", "Vary: X-B"))
            get("X-A: 1", "X-B: 2").origin(reply(fresh, "Vary: X-A", "Vary: X-B"))
        }
        must("9111-4.1-name-case", "names in Vary have no case") {
            get("X-Ab: 1").origin(reply(fresh, "vary: x-aB"))
            get("X-AB: 1")
            get("x-ab: 2").origin(reply(fresh, "vary: x-aB"))
        }
        must(
            "9111-4.1-value-case", "the case of a value counts where nothing is known of the field"
        ) {
            get("X-A: a").origin(reply(fresh, "Vary: X-A"))
            get("X-A: A").origin(reply(fresh, "Vary: X-A"))
        }
        must(
            "9111-4.1-value-order",
            "the order of a list's members counts where nothing is known of the field"
        ) {
            get("X-A: a, b").origin(reply(fresh, "Vary: X-A"))
            get("X-A: b, a").origin(reply(fresh, "Vary: X-A"))
        }
        must("9111-4.1-value-prefix", "a value is compared to its end") {
            get("X-A: a").origin(reply(fresh, "Vary: X-A"))
            get("X-A: ab").origin(reply(fresh, "Vary: X-A"))
        }
        may("9111-4.1-white-space", "white space around commas does not matter") {
            get("X-A: a,b").origin(reply(fresh, "Vary: X-A"))
            get("X-A:  a ,  b ")
        }
        may("9111-4.1-lines-joined", "two lines are the same as one with a comma") {
            get("X-A: a", "X-A: b").origin(reply(fresh, "Vary: X-A"))
            get("X-A: a, b")
        }
        must("9111-4.1-line-count", "a second line is no match for the first alone") {
            get("X-A: a").origin(reply(fresh, "Vary: X-A"))
            get("X-A: a", "X-A: b").origin(reply(fresh, "Vary: X-A"))
        }
        must("9111-4.1-quoted-space", "white space in quotes counts") {
            get("X-A: \"a  b\"").origin(reply(fresh, "Vary: X-A"))
            get("X-A: \"a b\"").origin(reply(fresh, "Vary: X-A"))
        }
        must("9111-4.1-moved-value", "a value of one field is not taken for that of another") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A, X-B"))
            get("X-B: 1").origin(reply(fresh, "Vary: X-A, X-B"))
        }
        may("9111-4.1-repeated-name", "a name that stands twice in Vary counts once") {
            get("X-A: 1").origin(reply(fresh, "Vary: X-A, X-A"))
            get("X-A: 1")
        }
        may("9111-4.1-empty", "an empty Vary names nothing") {
            get("X-A: 1").origin(reply(fresh, "Vary:"))
            get("X-A: 2")
        }
        must("9111-4.1-accept-encoding", "answers in other codings are kept apart") {
            get("Accept-Encoding: gzip").origin(
                reply(fresh, "Vary: Accept-Encoding", "Content-Encoding: gzip"))
            get("Accept-Encoding: identity").origin(reply(fresh, "Vary: Accept-Encoding"))
                .lacks("Content-Encoding")
            get("Accept-Encoding: gzip").content(of: 1).sees("Content-Encoding: gzip")
        }
        must("9111-4.1-cookie", "Vary: Cookie keeps the answers of different cookies apart") {
            get("Cookie: a=1").origin(reply(fresh, "Vary: Cookie"))
            get("Cookie: a=2").origin(reply(fresh, "Vary: Cookie"))
            get("Cookie: a=1").content(of: 1)
        }
        weir("9111-4.1-too-many", "an answer that varies by more than 16 fields is not stored") {
            notReused(fresh, "Vary: " + (1...17).map { "X-\($0)" }.joined(separator: ", "))
        }
    }
}
