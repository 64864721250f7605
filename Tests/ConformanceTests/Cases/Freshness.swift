/// RFC 9111 §4.2 and §5.2: how long an answer is fresh, and how old it is.
extension Table {
    @ListOf<Case> static var freshness: [Case] {
        precedence
        expires
        syntax
        heuristic
    }

    @ListOf<Case> private static var precedence: [Case] {
        must("9111-4.2.1-s-maxage-first", "s-maxage counts before max-age, when it is longer") {
            stored("Cache-Control: max-age=1, s-maxage=3600", "Age: 100")
        }
        must("9111-4.2.1-s-maxage-shorter", "s-maxage counts before max-age, when it is shorter") {
            notReused("Cache-Control: s-maxage=60, max-age=3600", "Age: 100")
        }
        must("9111-4.2.1-max-age-over-expires", "max-age counts before Expires, when it is longer")
        {
            stored("Cache-Control: max-age=3600", "Expires: {date-100}")
        }
        must("9111-4.2.1-max-age-shorter", "max-age counts before Expires, when it is shorter") {
            notReused("Cache-Control: max-age=60", "Age: 100", "Expires: {date+3600}")
        }
        must("9111-5.3-s-maxage-over-expires", "s-maxage counts before Expires") {
            stored("Cache-Control: s-maxage=3600", "Expires: 0")
        }
        must("9111-4.2.1-max-age-0", "max-age=0 is stale at once") {
            notReused("Cache-Control: max-age=0")
        }
        must("9111-4.2.1-s-maxage-0", "s-maxage=0 is stale at once, whatever max-age says") {
            notReused("Cache-Control: max-age=60, s-maxage=0")
        }
        must("9111-4.2.1-conflict", "of max-age and no-cache the stricter counts") {
            notReused("Cache-Control: max-age=60, no-cache")
        }
        must("9111-4.2-expiry", "an answer is asked for again once its time is over") {
            get().origin(reply("Cache-Control: max-age=1"))
            get().after(.milliseconds(1300)).origin(reply("Cache-Control: max-age=60"))
        }
        must("9111-4.2-age-counts", "the age on arrival is a part of the time") {
            notReused("Cache-Control: max-age=60", "Age: 60")
        }
        may("9111-4.2-age-below", "an answer younger than its lifetime is fresh") {
            stored("Cache-Control: max-age=3600", "Age: 3500")
        }
    }

    @ListOf<Case> private static var expires: [Case] {
        may("9111-4.2.1-expires-future", "Expires after Date is fresh for the time between them") {
            stored("Expires: {date+3600}", "Date: {date}")
        }
        must("9111-4.2.1-expires-past", "Expires before Date is stale") {
            notReused("Expires: {date-1}", "Date: {date}")
        }
        must("9111-4.2.1-expires-equal", "Expires equal to Date is stale") {
            notReused("Expires: {date}", "Date: {date}")
        }
        must(
            "9111-4.2.1-expires-old-date",
            "an answer with an old Date whose Expires has passed is stale"
        ) {
            notReused("Expires: {date-60}", "Date: {date-3600}")
        }
        must("9111-4.2.1-expires-no-date", "without Date the time of receipt stands for it") {
            get().origin(reply("Expires: {date+3600}").withoutDate())
            get()
        }
        must("9111-5.3-zero", "`Expires: 0` is in the past") { notReused("Expires: 0") }
        must("9111-5.3-minus-one", "`Expires: -1` is in the past") { notReused("Expires: -1") }
        must(
            "9111-5.3-words",
            "an Expires that is no date is in the past, whatever Last-Modified says"
        ) {
            notReused("Expires: tomorrow", "Last-Modified: {date-864000}")
        }
        must("9111-5.3-empty", "an empty Expires is in the past") { notReused("Expires:") }
        must("9111-5.3-number", "a number of seconds is no date") { notReused("Expires: 3600") }
        should("9111-4.2-zone", "a date in another zone than GMT is invalid, and in the past") {
            notReused("Expires: Fri, 01 Jan 2038 00:00:00 CET")
        }
        must("9111-4.2-rfc850", "the form of RFC 850 is read") { stored("Expires: {rfc850+3600}") }
        must("9111-4.2-rfc850-past", "the form of RFC 850 is read when it is in the past") {
            notReused("Expires: {rfc850-3600}", "Last-Modified: {date-864000}")
        }
        must("9111-4.2-asctime", "the form of asctime is read") {
            stored("Expires: {asctime+3600}")
        }
        must("9111-4.2-asctime-past", "the form of asctime is read when it is in the past") {
            notReused("Expires: {asctime-3600}", "Last-Modified: {date-864000}")
        }
        should("9111-4.2-date-case", "dates are read whatever their case") {
            stored("Expires: fRI, 01 jAN 2038 00:00:00 gmt")
        }
        must("9111-4.2-far-future", "a date far in the future is no overflow") {
            stored("Expires: Fri, 31 Dec 9999 23:59:59 GMT")
        }
        should("9111-4.2.1-two-expires", "of two Expires the first counts, or the answer is stale")
        {
            notReused("Expires: {date-60}", "Expires: {date+3600}")
        }
    }

    @ListOf<Case> private static var syntax: [Case] {
        must("9111-5.2-name-case", "names of directives have no case: `MAX-AGE`") {
            stored("Cache-Control: MAX-AGE=60")
        }
        must("9111-5.2-several-lines", "several lines of Cache-Control are one list") {
            notReused("Cache-Control: max-age=60", "Cache-Control: no-cache")
        }
        must("9111-5.2-empty-members", "empty members of the list mean nothing") {
            stored("Cache-Control: , ,max-age=60,, ,")
        }
        must("9111-5.2-no-space", "a list needs no white space, and may have tabs") {
            stored("Cache-Control: public,\tmax-age=60,no-transform")
        }
        must("9111-5.2.3-unknown", "directives that nobody knows are ignored") {
            stored("Cache-Control: foo, max-age=60, bar=1, baz=\"a, b\"")
        }
        must("9111-5.2.3-similar", "a name that only begins like a directive is another one") {
            stored("Cache-Control: no-storey, max-age=60, no-cached, private1")
        }
        must("9111-5.2.3-similar-max-age", "`xmax-age` and `max-age-x` are not max-age") {
            notReused("Cache-Control: xmax-age=60, max-age-x=60")
        }
        must("9111-5.2-quoted-directive", "a directive inside quotes is none") {
            notReused("Cache-Control: foo=\"max-age=3600\"")
        }
        should("9111-5.2-quoted-no-store", "no-store inside quotes is none") {
            stored("Cache-Control: foo=\"a, no-store, b\", max-age=60")
        }
        should("9111-5.2-quoted-escape", "an escaped quote does not end quotes") {
            stored("Cache-Control: foo=\"a\\\", no-store, b\", max-age=60")
        }
        should("9111-5.2-quoted-value", "`max-age=\"60\"` is read as `max-age=60`") {
            stored("Cache-Control: max-age=\"60\"")
        }
        for (word, value) in [
            ("letters", "abc"), ("minus", "-1"), ("fraction", "1.5"), ("unit", "60s"),
            ("empty", ""),
            ("plus", "+60"), ("hex", "0x60"), ("inner-space", "6 0"),
        ] {
            should("9111-4.2.1-invalid-\(word)", "`max-age=\(value)` is no number, and stale") {
                notReused("Cache-Control: max-age=\(value)", "Last-Modified: {date-864000}")
            }
        }
        should("9111-4.2.1-no-argument", "max-age without a number is stale") {
            notReused("Cache-Control: max-age", "Last-Modified: {date-864000}")
        }
        should("9111-4.2.1-invalid-s-maxage", "an invalid s-maxage is stale, whatever max-age says")
        {
            notReused("Cache-Control: s-maxage=x, max-age=60")
        }
        should("9111-4.2.1-duplicate", "of two max-age the first counts, or the answer is stale") {
            notReused("Cache-Control: max-age=0, max-age=3600")
        }
        weir("9111-4.2.1-duplicate-first", "of two max-age the first counts") {
            stored("Cache-Control: max-age=3600, max-age=0")
        }
        should("9111-4.2.1-duplicate-lines", "the same holds over two lines") {
            notReused("Cache-Control: max-age=0", "Cache-Control: max-age=3600")
        }
        must("9111-1.2.2-leading-zeros", "zeros in front change nothing") {
            stored("Cache-Control: max-age=000060")
        }
        for (word, value) in [
            ("31-bits", "2147483648"), ("32-bits", "4294967296"),
            ("64-bits", "18446744073709551616"), ("100-digits", String(repeating: "9", count: 100)),
        ] {
            must(
                "9111-1.2.2-overflow-\(word)",
                "a max-age beyond what is counted (\(word)) is very long"
            ) {
                get().origin(reply("Cache-Control: max-age=\(value)", "Age: 1000"))
                get().ttl(2_147_000_000...2_147_483_648)
            }
        }
        must("9111-1.2.2-overflow-age", "an Age beyond what is counted is very old") {
            notReused("Cache-Control: max-age=3600", "Age: 99999999999999999999")
        }
    }

    @ListOf<Case> private static var heuristic: [Case] {
        must("9111-4.2.2-explicit", "no heuristic where an explicit time is there, and over") {
            notReused("Cache-Control: max-age=60", "Age: 100", "Last-Modified: {date-864000}")
        }
        should("9111-4.2.2-tenth", "the lifetime is a tenth of the time since Last-Modified") {
            get().origin(reply("Last-Modified: {date-10000}"))
            get().ttl(980...1000)
        }
        should("9111-4.2.2-tenth-over", "after that tenth the origin is asked") {
            get().origin(reply("Last-Modified: {date-1000}", "Age: 200"))
            get().origin(reply(304)).originSees("If-Modified-Since: {date-1000}")
        }
        weir("9111-4.2.2-cap", "the lifetime is a day at most") {
            get().origin(reply("Last-Modified: {date-100000000}"))
            get().ttl(86300...86400)
        }
        must("9111-4.2.2-future", "a Last-Modified in the future gives no lifetime") {
            notReused("Last-Modified: {date+3600}")
        }
        must("9111-4.2.2-invalid", "a Last-Modified that is no date gives no lifetime") {
            notReused("Last-Modified: yesterday")
        }
        may("9111-4.2.2-public", "public opens the heuristic to a status without it") {
            get().origin(reply(302, "Cache-Control: public", "Last-Modified: {date-864000}"))
            get().status(302)
        }
        may("9111-4.2.2-query", "a query is no reason against a heuristic lifetime") {
            get().at("?a=1").origin(reply("Last-Modified: {date-864000}"))
            get().at("?a=1")
        }
    }

    /// RFC 9111 §4.2.3 and §5.1.
    @ListOf<Case> static var age: [Case] {
        must("9111-4-age-sent", "a stored answer has an Age") {
            get().origin(reply("Cache-Control: max-age=60"))
            get().age(0...30)
        }
        must("9111-4.2.3-age-value", "the age on arrival is counted") {
            get().origin(reply("Cache-Control: max-age=3600", "Age: 100"))
            get().age(100...130).ttl(3460...3500)
        }
        must("9111-4-age-replaced", "there is one Age, not that of the origin beside ours") {
            get().origin(reply("Cache-Control: max-age=3600", "Age: 100"))
            get().age(100...130)
            get().age(100...130)
        }
        must("9111-4.2.3-apparent", "without Age the age is the time since Date") {
            get().origin(reply("Cache-Control: max-age=3600", "Date: {date-200}"))
            get().age(200...230)
        }
        must("9111-4.2.3-apparent-stale", "an old Date makes stale") {
            notReused("Cache-Control: max-age=60", "Date: {date-200}")
        }
        must("9111-4.2.3-greater-date", "the greater of Age and the time since Date counts: Date") {
            get().origin(reply("Cache-Control: max-age=3600", "Date: {date-200}", "Age: 50"))
            get().age(200...230)
        }
        must("9111-4.2.3-greater-age", "the greater of Age and the time since Date counts: Age") {
            get().origin(reply("Cache-Control: max-age=3600", "Date: {date-50}", "Age: 200"))
            get().age(200...230)
        }
        must("9111-4.2.3-future-date", "a Date in the future gives no negative age") {
            get().origin(reply("Cache-Control: max-age=3600", "Date: {date+600}"))
            get().age(0...30)
        }
        must("9111-4.2.3-resident", "the time in the store is counted") {
            get().origin(reply("Cache-Control: max-age=3600", "Age: 10"))
            get().after(.milliseconds(2100)).age(12...40)
        }
        must("9111-4.2.3-delay", "the time the origin took is counted") {
            get().origin(reply("Cache-Control: max-age=3600", "Age: 10").after(.milliseconds(1100)))
            get().age(11...40)
        }
        should("9111-5.1-list", "of a list the first member of Age counts") {
            get().origin(reply("Cache-Control: max-age=3600", "Age: 100, 7200"))
            get().age(100...130)
        }
        should(
            "9111-5.1-list-stale", "of a list the first member of Age counts, when it makes stale"
        ) {
            notReused("Cache-Control: max-age=3600", "Age: 7200, 0")
        }
        should("9111-5.1-lines", "of two lines the first Age counts") {
            get().origin(reply("Cache-Control: max-age=3600", "Age: 100", "Age: 7200"))
            get().age(100...130)
        }
        for (word, value) in [("word", "abc"), ("minus", "-100"), ("fraction", "7200.5")] {
            should("9111-5.1-invalid-\(word)", "`Age: \(value)` is invalid and ignored") {
                get().origin(reply("Cache-Control: max-age=3600", "Age: \(value)"))
                get().age(0...30)
            }
        }
        must("9111-4.2.3-validated", "a 304 makes an answer young again") {
            get().origin(reply("Cache-Control: max-age=60", "Age: 100", "ETag: \"a\""))
            get().origin(reply(304, "ETag: \"a\"", "Cache-Control: max-age=60"))
            get().age(0...30)
        }
    }
}
