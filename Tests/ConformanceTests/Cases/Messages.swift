/// RFC 9110 §7 and §15.2, RFC 9112: what an intermediary does to messages, and which it must not store or pass on.
extension Table {
    private static let fresh = "Cache-Control: max-age=600"

    @ListOf<Case> static var messages: [Case] {
        intermediary
        requestFraming
        answerFraming
    }

    @ListOf<Case> private static var intermediary: [Case] {
        must("9110-7.6.2-max-forwards-0", "OPTIONS with `Max-Forwards: 0` is not forwarded") {
            send("OPTIONS", "Max-Forwards: 0").content(.any)
        }
        must("9110-7.6.2-max-forwards", "Max-Forwards of OPTIONS is counted down") {
            send("OPTIONS", "Max-Forwards: 5").origin(reply()).originSees("Max-Forwards: 4")
        }
        may("9110-7.6.2-other-methods", "Max-Forwards of other methods means nothing") {
            get("Max-Forwards: 0").origin(reply(fresh))
        }
        weir("9110-7.6.3-loop", "a request that has passed Weir many times is a loop: 508") {
            get("Via: " + Array(repeating: "1.1 weir", count: 16).joined(separator: ", "))
                .status(508).content(.any)
        }
        weir("9110-7.6.3-chain", "a Weir before another one is no loop") {
            get("Via: 1.1 weir").origin(reply(fresh)).originSees("Via: 1.1 weir, 1.1 weir")
        }
        must("9110-7.6.3-via-kept", "Via of others stays, ours comes last") {
            get("Via: 1.0 fred").origin(reply(fresh)).originSees("Via: 1.0 fred, 1.1 weir")
        }
        may(
            "9110-15.2-forwarded", "interim answers of the origin are passed on"
        ) {
            get().origin(
                reply(fresh).interim("HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload")
            )
            .interim(103)
        }
        must(
            "9110-10.1.1-continue",
            "`Expect: 100-continue` is answered with 100 or the final answer"
        ) {
            send("POST", "Expect: 100-continue").body("x").origin(reply()).status(200)
        }
        must("9110-10.1.1-unknown", "an expectation that nobody knows is answered 417") {
            get("Expect: wonders").status(417).content(.any)
        }
        must("9110-5.6.7-date-kept", "dates of other forms are passed on as they came") {
            get().origin(reply(fresh, "Last-Modified: {rfc850-864000}"))
            get().sees("Last-Modified: {rfc850-864000}")
        }
        must("9110-8.8.3-weak-kept", "a weak ETag stays weak") {
            get().origin(reply(fresh, "ETag: W/\"a\""))
            get().sees("ETag: W/\"a\"")
        }
        must(
            "9111-4.2.4-away",
            "a stale answer that nothing permits is not served when the origin is away"
        ) {
            get().origin(reply("Cache-Control: max-age=60", "Age: 100"))
            get().origin(noReply()).status(502).content(.any)
        }
    }

    /// A request that is refused before anything is asked.
    private static func refused(_ exchange: Exchange, _ status: Int = 400) -> Exchange {
        exchange.status(status).content(.any)
    }

    @ListOf<Case> private static var requestFraming: [Case] {
        must("9112-6.3-both-lengths", "Transfer-Encoding beside Content-Length is refused") {
            refused(send("POST", "Transfer-Encoding: chunked").body("0\r\n\r\n"))
        }
        must("9112-6.3-two-lengths", "two lengths that differ are refused") {
            refused(send("POST", "Content-Length: 3").body("0123"))
        }
        must("9112-6.3-bad-length", "a length that is no number is refused") {
            refused(send("POST", "Content-Length: +3"))
        }
        must("9112-6.1-not-chunked", "a request whose last coding is not chunked is refused") {
            refused(send("POST", "Transfer-Encoding: chunked, gzip"))
        }
        must("9112-5.1-space-before-colon", "white space before a colon is refused") {
            refused(get("X-Test : 1"))
        }
        must("9112-5.2-folding", "a folded line is refused") { refused(get("X-Test: 1\r\n 2")) }
        must("9112-2.2-bare-cr", "a bare CR in a field is refused") { refused(get("X-Test: a\rb")) }
        must("9110-5.5-nul", "a NUL in a field is refused") { refused(get("X-Test: a\0b")) }
        must("9112-3.2-two-hosts", "two Host fields are refused") {
            refused(get("Host: other.test"))
        }
        must("9112-3.2-bad-host", "a Host that is none is refused") {
            refused(get().host("a b"))
        }
    }

    @ListOf<Case> private static var answerFraming: [Case] {
        must(
            "9112-6.3-answer-two-lengths",
            "an answer of two lengths is no answer: 502, and nothing is stored"
        ) {
            get().origin(reply(fresh, "Content-Length: 3", "Content-Length: 5").content("abc"))
                .status(502).content(.any)
            get().origin(reply(fresh))
        }
        must("9112-6.3-answer-bad-length", "an answer with a length that is no number is no answer")
        {
            get().origin(reply(fresh, "Content-Length: 3x").content("abc")).status(502).content(
                .any)
            get().origin(reply(fresh))
        }
        must(
            "9112-5.2-answer-folding", "a folded line of an answer is refused, or becomes one line"
        ) {
            get().origin(reply(fresh, "X-Test: 1\r\n 2")).status(502).content(.any)
        }
        must(
            "9112-5.1-answer-space",
            "white space before a colon is taken away, or the answer is refused"
        ) {
            get().origin(reply(fresh, "X-Test : 1")).status(502).content(.any)
        }
        must("9112-6.1-answer-chunked", "Transfer-Encoding ends at Weir; the content does not") {
            get().origin(reply(fresh).content("0123456789").framed(.chunked))
            get().content("0123456789").sees("Content-Length: 10").lacks("Transfer-Encoding")
        }
    }
}
