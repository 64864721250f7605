import HTTP1
import HTTPModel
import Primitives
import Testing

struct GoodRequest: Sendable, CustomTestStringConvertible {
    let id: String
    let text: String
    let target: String
    var authority = "h"
    var framing = BodyFraming.none
    var keepsAlive = true
    var testDescription: String { id }
}

struct BadRequest: Sendable, CustomTestStringConvertible {
    let id: String
    let text: String
    let error: RequestError
    var testDescription: String { id }
}

private let h = "\r\nHost: h\r\n"

private let good: [GoodRequest] = [
    .init(id: "9112-3-simple", text: "GET / HTTP/1.1\(h)\r\n", target: "/"),
    .init(id: "9112-3-query", text: "GET /a?b=c HTTP/1.1\(h)\r\n", target: "/a?b=c"),
    .init(id: "9112-2.2-empty-lines", text: "\r\n\r\nGET / HTTP/1.1\(h)\r\n", target: "/"),
    .init(
        id: "9112-3.2.2-absolute", text: "GET http://o.example:81/x?y HTTP/1.1\(h)\r\n",
        target: "/x?y", authority: "o.example:81"),
    .init(
        id: "9112-3.2.2-absolute-https", text: "GET HTTPS://o HTTP/1.1\(h)\r\n", target: "/",
        authority: "o"),
    .init(
        id: "9112-3.2.2-absolute-query-only", text: "GET http://o?q HTTP/1.1\(h)\r\n",
        target: "/?q", authority: "o"),
    .init(id: "9112-3.2.4-asterisk", text: "OPTIONS * HTTP/1.1\(h)\r\n", target: "*"),
    .init(
        id: "9112-3.2.4-absolute-asterisk", text: "OPTIONS http://o:1 HTTP/1.1\(h)\r\n",
        target: "*", authority: "o:1"),
    .init(
        id: "target-normalised", text: "GET /a/%2e%2e/%62?%63=%2f HTTP/1.1\(h)\r\n",
        target: "/b?c=%2F"),
    .init(
        id: "http10-no-host", text: "GET / HTTP/1.0\r\n\r\n", target: "/", authority: "",
        keepsAlive: false),
    .init(
        id: "http10-keep-alive", text: "GET / HTTP/1.0\(h)Connection: Keep-Alive\r\n\r\n",
        target: "/"),
    .init(
        id: "http10-length", text: "POST / HTTP/1.0\(h)Content-Length: 3\r\n\r\nabc", target: "/",
        framing: .length(3), keepsAlive: false),
    .init(
        id: "9112-9.3-close", text: "GET / HTTP/1.1\(h)Connection: x, CLOSE\r\n\r\n", target: "/",
        keepsAlive: false),
    .init(
        id: "9112-9.3-close-wins",
        text: "GET / HTTP/1.1\(h)Connection: keep-alive\r\nConnection: close\r\n\r\n",
        target: "/", keepsAlive: false),
    .init(
        id: "length-zero", text: "POST / HTTP/1.1\(h)Content-Length: 0\r\n\r\n", target: "/",
        framing: .length(0)),
    .init(
        id: "length-leading-zeros", text: "POST / HTTP/1.1\(h)Content-Length: 007\r\n\r\n",
        target: "/", framing: .length(7)),
    .init(
        id: "length-greatest",
        text: "POST / HTTP/1.1\(h)Content-Length: 9223372036854775807\r\n\r\n",
        target: "/", framing: .length(9_223_372_036_854_775_807)),
    .init(
        id: "chunked", text: "POST / HTTP/1.1\(h)Transfer-Encoding: Chunked\r\n\r\n", target: "/",
        framing: .chunked),
    .init(
        id: "chunked-white-space",
        text: "POST / HTTP/1.1\(h)Transfer-Encoding: \t chunked \t\r\n\r\n",
        target: "/", framing: .chunked),
    .init(
        id: "host-port", text: "GET / HTTP/1.1\r\nhOST:a.b-c_d:8080\r\n\r\n", target: "/",
        authority: "a.b-c_d:8080"),
    .init(
        id: "host-empty-port", text: "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", target: "/",
        authority: "a"),
    .init(
        id: "host-ipv6", text: "GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", target: "/",
        authority: "[2001:db8::1]:80"),
    .init(id: "method-other", text: "PROPFIND / HTTP/1.1\(h)\r\n", target: "/"),
    .init(
        id: "field-empty-value", text: "GET / HTTP/1.1\(h)X-Empty:\r\nX-Tab:\ta\tb \r\n\r\n",
        target: "/"),
    .init(id: "field-obs-text", text: "GET / HTTP/1.1\(h)X-Text: caf\u{E9}\r\n\r\n", target: "/"),
    .init(
        id: "field-token-bytes", text: "GET / HTTP/1.1\(h)!#$%&'*+-.^_`|~09az: 1\r\n\r\n",
        target: "/"),
]

private let bad: [BadRequest] = [
    .init(id: "bare-lf-line", text: "GET / HTTP/1.1\nHost: h\r\n\r\n", error: .bareLF),
    .init(id: "bare-lf-end", text: "GET / HTTP/1.1\(h)\n", error: .bareLF),
    .init(id: "bare-lf-value", text: "GET / HTTP/1.1\(h)A: b\nc\r\n\r\n", error: .bareLF),
    .init(id: "bare-cr-value", text: "GET / HTTP/1.1\(h)A: b\rc\r\n\r\n", error: .bareCR),
    .init(id: "bare-cr-cr", text: "GET / HTTP/1.1\(h)\r\r\n", error: .bareCR),
    .init(id: "nul-value", text: "GET / HTTP/1.1\(h)A: b\0\r\n\r\n", error: .controlByte),
    .init(id: "nul-name", text: "GET / HTTP/1.1\(h)A\0: b\r\n\r\n", error: .controlByte),
    .init(id: "del-value", text: "GET / HTTP/1.1\(h)A: \u{7F}\r\n\r\n", error: .controlByte),
    .init(id: "tls-hello", text: "\u{16}\u{3}\u{1}", error: .controlByte),
    .init(
        id: "empty-lines", text: "\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\(h)\r\n", error: .emptyLines),
    .init(id: "obs-fold", text: "GET / HTTP/1.1\(h)A: b\r\n c\r\n\r\n", error: .obsoleteFold),
    .init(
        id: "obs-fold-tab", text: "GET / HTTP/1.1\(h)A: b\r\n\tc: d\r\n\r\n", error: .obsoleteFold),
    .init(
        id: "fold-after-request-line", text: "GET / HTTP/1.1\r\n Host: h\r\n\r\n",
        error: .obsoleteFold),
    .init(
        id: "space-before-colon", text: "GET / HTTP/1.1\(h)A : b\r\n\r\n", error: .spaceBeforeColon),
    .init(
        id: "space-before-colon-known", text: "POST / HTTP/1.1\(h)Content-Length : 3\r\n\r\n",
        error: .spaceBeforeColon),
    .init(
        id: "tab-before-colon", text: "GET / HTTP/1.1\(h)Transfer-Encoding\t: chunked\r\n\r\n",
        error: .spaceBeforeColon),
    .init(id: "name-empty", text: "GET / HTTP/1.1\(h): b\r\n\r\n", error: .malformedFieldName),
    .init(
        id: "name-no-colon", text: "GET / HTTP/1.1\(h)Accept\r\n\r\n", error: .malformedFieldName),
    .init(
        id: "name-not-token", text: "GET / HTTP/1.1\(h)A(b): c\r\n\r\n", error: .malformedFieldName),
    .init(
        id: "name-beyond-ascii", text: "GET / HTTP/1.1\(h)\u{E9}: c\r\n\r\n",
        error: .malformedFieldName),
    .init(id: "line-double-space", text: "GET  / HTTP/1.1\(h)\r\n", error: .malformedTarget),
    .init(id: "line-space-end", text: "GET / HTTP/1.1 \(h)\r\n", error: .malformedRequestLine),
    .init(
        id: "line-space-in-target", text: "GET /a b HTTP/1.1\(h)\r\n", error: .forbiddenTargetByte),
    .init(id: "line-tab", text: "GET\t/ HTTP/1.1\(h)\r\n", error: .malformedMethod),
    .init(id: "line-tab-version", text: "GET /\tHTTP/1.1\(h)\r\n", error: .malformedRequestLine),
    .init(id: "line-leading-space", text: " GET / HTTP/1.1\(h)\r\n", error: .malformedMethod),
    .init(id: "line-no-version", text: "GET /\r\n\r\n", error: .malformedRequestLine),
    .init(id: "line-no-target", text: "GET HTTP/1.1\(h)\r\n", error: .malformedRequestLine),
    .init(id: "line-method-only", text: "GET\r\n\r\n", error: .malformedMethod),
    .init(id: "method-small", text: "get / HTTP/1.1\(h)\r\n", error: .malformedMethod),
    .init(id: "method-not-token", text: "G@T / HTTP/1.1\(h)\r\n", error: .malformedMethod),
    .init(
        id: "method-too-long", text: String(repeating: "A", count: 33) + " / HTTP/1.1\(h)\r\n",
        error: .methodTooLong),
    .init(id: "connect", text: "CONNECT h:443 HTTP/1.1\(h)\r\n", error: .methodNotAllowed),
    .init(id: "trace", text: "TRACE / HTTP/1.1\(h)\r\n", error: .methodNotAllowed),
    .init(
        id: "http2-preface", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", error: .unsupportedVersion),
    .init(id: "version-12", text: "GET / HTTP/1.2\(h)\r\n", error: .unsupportedVersion),
    .init(id: "version-09", text: "GET / HTTP/0.9\(h)\r\n", error: .unsupportedVersion),
    .init(id: "version-small", text: "GET / http/1.1\(h)\r\n", error: .malformedRequestLine),
    .init(
        id: "version-three-digits", text: "GET / HTTP/1.10\(h)\r\n", error: .malformedRequestLine),
    .init(id: "version-letter", text: "GET / HTTP/1.x\(h)\r\n", error: .malformedRequestLine),
    .init(id: "target-relative", text: "GET a HTTP/1.1\(h)\r\n", error: .malformedTarget),
    .init(id: "target-asterisk-get", text: "GET * HTTP/1.1\(h)\r\n", error: .malformedTarget),
    .init(id: "target-asterisk-more", text: "OPTIONS *a HTTP/1.1\(h)\r\n", error: .malformedTarget),
    .init(id: "target-scheme", text: "GET ftp://o/ HTTP/1.1\(h)\r\n", error: .malformedTarget),
    .init(id: "target-userinfo", text: "GET http://u:p@o/ HTTP/1.1\(h)\r\n", error: .invalidHost),
    .init(id: "target-no-authority", text: "GET http:///x HTTP/1.1\(h)\r\n", error: .invalidHost),
    .init(id: "target-fragment", text: "GET /a#b HTTP/1.1\(h)\r\n", error: .forbiddenTargetByte),
    .init(id: "target-escape", text: "GET /%zz HTTP/1.1\(h)\r\n", error: .malformedEscape),
    .init(id: "target-above-root", text: "GET /a/../.. HTTP/1.1\(h)\r\n", error: .targetAboveRoot),
    .init(id: "host-missing", text: "GET / HTTP/1.1\r\nA: b\r\n\r\n", error: .missingHost),
    .init(id: "host-missing-no-field", text: "GET / HTTP/1.1\r\n\r\n", error: .missingHost),
    .init(id: "host-missing-absolute", text: "GET http://o/ HTTP/1.1\r\n\r\n", error: .missingHost),
    .init(id: "host-repeated", text: "GET / HTTP/1.1\(h)host: h\r\n\r\n", error: .repeatedHost),
    .init(id: "host-repeated-10", text: "GET / HTTP/1.0\(h)Host: i\r\n\r\n", error: .repeatedHost),
    .init(id: "host-list", text: "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", error: .invalidHost),
    .init(id: "host-empty", text: "GET / HTTP/1.1\r\nHost:\r\n\r\n", error: .invalidHost),
    .init(id: "host-path", text: "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", error: .invalidHost),
    .init(
        id: "host-port-letters", text: "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", error: .invalidHost),
    .init(
        id: "host-port-great", text: "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", error: .invalidHost),
    .init(
        id: "host-port-long", text: "GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n", error: .invalidHost),
    .init(id: "host-ipv6-open", text: "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", error: .invalidHost),
    .init(
        id: "host-invalid-absolute", text: "GET http://o/ HTTP/1.1\r\nHost: @\r\n\r\n",
        error: .invalidHost),
    .init(
        id: "length-repeated-equal",
        text: "POST / HTTP/1.1\(h)Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
        error: .repeatedContentLength),
    .init(
        id: "length-repeated-conflict",
        text: "POST / HTTP/1.1\(h)Content-Length: 3\r\nA: b\r\ncontent-length: 4\r\n\r\n",
        error: .repeatedContentLength),
    .init(
        id: "length-list", text: "POST / HTTP/1.1\(h)Content-Length: 3, 3\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-plus", text: "POST / HTTP/1.1\(h)Content-Length: +3\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-minus", text: "POST / HTTP/1.1\(h)Content-Length: -3\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-hex", text: "POST / HTTP/1.1\(h)Content-Length: 0x3\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-empty", text: "POST / HTTP/1.1\(h)Content-Length:\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-space", text: "POST / HTTP/1.1\(h)Content-Length: 1 2\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-too-great",
        text: "POST / HTTP/1.1\(h)Content-Length: 9223372036854775808\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "te-and-length",
        text: "POST / HTTP/1.1\(h)Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        error: .conflictingFraming),
    .init(
        id: "te-and-length-other-order",
        text: "POST / HTTP/1.1\(h)Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\n",
        error: .conflictingFraming),
    .init(
        id: "te-http10", text: "POST / HTTP/1.0\(h)Transfer-Encoding: chunked\r\n\r\n",
        error: .transferEncodingInHTTP10),
    .init(
        id: "te-unknown-before",
        text: "POST / HTTP/1.1\(h)Transfer-Encoding: gzip, chunked\r\n\r\n",
        error: .unknownTransferCoding),
    .init(
        id: "te-unknown-lines",
        text: "POST / HTTP/1.1\(h)Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
        error: .unknownTransferCoding),
    .init(
        id: "te-not-last", text: "POST / HTTP/1.1\(h)Transfer-Encoding: chunked, gzip\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-missing", text: "POST / HTTP/1.1\(h)Transfer-Encoding: identity\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-repeated", text: "POST / HTTP/1.1\(h)Transfer-Encoding: chunked, chunked\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-repeated-lines",
        text: "POST / HTTP/1.1\(h)Transfer-Encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-empty", text: "POST / HTTP/1.1\(h)Transfer-Encoding:\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-empty-member", text: "POST / HTTP/1.1\(h)Transfer-Encoding: ,chunked\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-parameter", text: "POST / HTTP/1.1\(h)Transfer-Encoding: chunked;q=1\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-like", text: "POST / HTTP/1.1\(h)Transfer-Encoding: xchunked\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "te-quoted", text: "POST / HTTP/1.1\(h)Transfer-Encoding: \"chunked\"\r\n\r\n",
        error: .invalidTransferEncoding),
    .init(
        id: "connection-too-long",
        text: "GET / HTTP/1.1\(h)Connection: \(String(repeating: "a", count: 1025))\r\n\r\n",
        error: .connectionTooLong),
]

@Test(arguments: good)
func `a good request is read`(request: GoodRequest) throws {
    let facts = try #require(parseRequest(request.text).facts)
    #expect(facts.target == request.target)
    #expect(facts.authority == request.authority)
    #expect(facts.framing == request.framing)
    #expect(facts.keepsAlive == request.keepsAlive)
    let whole = facts.path + (facts.query.map { "?" + $0 } ?? "")
    #expect(whole == facts.target)
}

@Test(arguments: bad)
func `a bad request is refused with its reason`(request: BadRequest) {
    #expect(parseRequest(request.text) == .refused(request.error))
}

@Test func `every reason but the bounds has a case in the table`() {
    let bounds: Set<RequestError> = [.headTooLarge, .tooManyFields, .targetTooLong]
    let seen = Set(bad.map(\.error)).union(bounds)
    #expect(RequestError.allCases.filter { !seen.contains($0) } == [])
}

@Test func `reasons are short, distinct and safe inside quotes`() {
    let reasons = RequestError.allCases.map { String(describing: $0.reason) }
    #expect(Set(reasons).count == reasons.count)
    for reason in reasons {
        #expect(reason.utf8.allSatisfy { $0 >= 32 && $0 < 127 && $0 != 34 && $0 != 92 })
        #expect(reason.utf8.count <= 40)
    }
}

@Test func `each kind of refusal has its status`() {
    #expect(RequestError.targetTooLong.status == 414)
    #expect(RequestError.headTooLarge.status == 431 && RequestError.tooManyFields.status == 431)
    #expect(RequestError.methodNotAllowed.status == 405)
    #expect(RequestError.unknownTransferCoding.status == 501)
    #expect(RequestError.unsupportedVersion.status == 505)
    #expect(RequestError.bareLF.status == 400 && RequestError.conflictingFraming.status == 400)
}

@Test func `fields are recorded as they were sent, without white space around the value`() throws {
    let text = "GET / HTTP/1.1\r\nHost: h\r\nX-A:\t one  two \t\r\nx-b:\r\nAccept: */*\r\n\r\n"
    let facts = try #require(parseRequest(text).facts)
    #expect(facts.fields == ["Host: h", "X-A: one  two", "x-b: ", "Accept: */*"])
}

@Test func `bounds are exact`() {
    let head = "GET /abcd HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n"
    let n = head.utf8.count
    func outcome(_ bytes: Int, _ fields: Int, _ target: Int) -> RequestOutcome {
        parseRequest(
            head, bounds: HeadBounds(headerBytes: bytes, fields: fields, targetBytes: target))
    }
    #expect(outcome(n, 2, 5).facts != nil)
    #expect(outcome(n - 1, 2, 5) == .refused(.headTooLarge))
    #expect(outcome(n, 1, 5) == .refused(.tooManyFields))
    #expect(outcome(n, 2, 4) == .refused(.targetTooLong))
    #expect(outcome(19, 2, 5) == .refused(.targetTooLong))
    #expect(outcome(20, 2, 5) == .refused(.headTooLarge))
    // Nothing is refused before the bound is reached.
    let part = String(head.dropLast(1))
    let bounds = HeadBounds(headerBytes: n, fields: 2, targetBytes: 5)
    #expect(parseRequest(part, bounds: bounds) == .needsMore)
    #expect(parseRequest("", bounds: bounds) == .needsMore)
}

@Test func `every byte of a name that is not known is judged, at every length`() {
    for count in 1...40 {
        // No known name consists of `q` alone.
        for place in [0, count / 2, count - 1] {
            for byte in UInt8(0x20)...UInt8.max where byte != 0x3A && byte != 0x7F {
                var name = [UInt8](repeating: 0x71, count: count)
                name[place] = byte
                let bytes =
                    Array("GET / HTTP/1.1\r\nHost: a\r\n".utf8) + name + Array(": v\r\n\r\n".utf8)
                let outcome = parseRequest(bytes)
                if ASCII.isToken(byte) {
                    let spelt = name.span.text
                    #expect(outcome.facts?.fields.last == "\(spelt): v")
                } else if byte == 0x20 {
                    #expect(outcome == .refused(place == 0 ? .obsoleteFold : .spaceBeforeColon))
                } else {
                    #expect(outcome == .refused(.malformedFieldName))
                }
            }
        }
    }
}

@Test func `every byte of a host is judged, at every length`() {
    for count in 1...40 {
        for place in [0, count / 2, count - 1] {
            for byte in UInt8(0x21)...UInt8.max where byte != 0x3A && byte != 0x7F {
                var host = [UInt8](repeating: 0x61, count: count)
                host[place] = byte
                let bytes =
                    Array("GET / HTTP/1.1\r\nHost: ".utf8) + host + Array("\r\n\r\n".utf8)
                let isGood =
                    ASCII.isAlpha(byte) || ASCII.isDigit(byte) || "-._~".utf8.contains(byte)
                let outcome = parseRequest(bytes)
                if isGood {
                    let authority = host.span.text
                    #expect(outcome.facts?.authority == authority)
                } else {
                    #expect(outcome == .refused(.invalidHost))
                }
            }
        }
    }
}
