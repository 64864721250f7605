import HTTP1
import HTTPModel
import Primitives
import Testing

struct GoodResponse: Sendable, CustomTestStringConvertible {
    let id: String
    let text: String
    var method = Method.get
    var status: Status = 200
    var reason = "OK"
    let framing: BodyFraming
    var keepsAlive = true
    var testDescription: String { id }
}

struct BadResponse: Sendable, CustomTestStringConvertible {
    let id: String
    let text: String
    let error: ResponseError
    var testDescription: String { id }
}

private let ok = "HTTP/1.1 200 OK\r\n"

private let good: [GoodResponse] = [
    .init(id: "length", text: "\(ok)Content-Length: 5\r\n\r\nhello", framing: .length(5)),
    .init(id: "length-zero", text: "\(ok)Content-Length: 0\r\n\r\n", framing: .length(0)),
    .init(id: "chunked", text: "\(ok)transfer-encoding: CHUNKED\r\n\r\n", framing: .chunked),
    .init(id: "until-close", text: "\(ok)\r\n", framing: .untilClose, keepsAlive: false),
    .init(
        id: "9110-8.6-length-lines", text: "\(ok)Content-Length: 5\r\ncontent-length: 5\r\n\r\n",
        framing: .length(5)),
    .init(
        id: "9110-8.6-length-list", text: "\(ok)Content-Length: 5, 05\r\n\r\n", framing: .length(5)),
    .init(
        id: "9112-6.3-head", text: "\(ok)Content-Length: 5\r\n\r\n", method: .head, framing: .none),
    .init(
        id: "9112-6.3-head-chunked", text: "\(ok)Transfer-Encoding: chunked\r\n\r\n", method: .head,
        framing: .none),
    .init(id: "9112-6.3-head-nothing", text: "\(ok)\r\n", method: .head, framing: .none),
    .init(
        id: "9112-6.3-204", text: "HTTP/1.1 204 No Content\r\n\r\n", status: 204,
        reason: "No Content", framing: .none),
    .init(
        id: "204-with-body", text: "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
        status: 204,
        reason: "No Content", framing: .none, keepsAlive: false),
    .init(
        id: "9112-6.3-304", text: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        status: 304,
        reason: "Not Modified", framing: .none),
    .init(
        id: "continue", text: "HTTP/1.1 100 Continue\r\n\r\n", status: 100, reason: "Continue",
        framing: .none),
    .init(
        id: "early-hints", text: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", status: 103,
        reason: "Early Hints",
        framing: .none),
    .init(
        id: "reason-empty", text: "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", reason: "",
        framing: .length(1)),
    .init(
        id: "reason-missing", text: "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", reason: "",
        framing: .length(1)),
    .init(
        id: "reason-words", text: "HTTP/1.1 599 Very  odd\r\nContent-Length: 1\r\n\r\n",
        status: 599, reason: "Very  odd",
        framing: .length(1)),
    .init(
        id: "close", text: "\(ok)Content-Length: 1\r\nConnection: close\r\n\r\n",
        framing: .length(1), keepsAlive: false),
    .init(
        id: "http10", text: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", framing: .length(1),
        keepsAlive: false),
    .init(
        id: "http10-keep-alive",
        text: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
        framing: .length(1)),
]

private let bad: [BadResponse] = [
    .init(
        id: "te-and-length", text: "\(ok)Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        error: .ambiguousFraming),
    .init(
        id: "te-http10", text: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        error: .ambiguousFraming),
    .init(
        id: "te-gzip-chunked", text: "\(ok)Transfer-Encoding: gzip, chunked\r\n\r\n",
        error: .unknownTransferCoding),
    .init(
        id: "te-gzip", text: "\(ok)Transfer-Encoding: gzip\r\n\r\n", error: .unknownTransferCoding),
    .init(
        id: "te-repeated", text: "\(ok)Transfer-Encoding: chunked, chunked\r\n\r\n",
        error: .unknownTransferCoding),
    .init(
        id: "length-conflict", text: "\(ok)Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        error: .invalidContentLength),
    .init(
        id: "length-list-conflict", text: "\(ok)Content-Length: 5, 6\r\n\r\n",
        error: .invalidContentLength),
    .init(id: "length-sign", text: "\(ok)Content-Length: +5\r\n\r\n", error: .invalidContentLength),
    .init(id: "length-empty", text: "\(ok)Content-Length:\r\n\r\n", error: .invalidContentLength),
    .init(id: "length-head", text: "\(ok)Content-Length: -1\r\n\r\n", error: .invalidContentLength),
    .init(id: "fold", text: "\(ok)A: b\r\n c\r\n\r\n", error: .obsoleteFold),
    .init(id: "space-before-colon", text: "\(ok)A : b\r\n\r\n", error: .spaceBeforeColon),
    .init(id: "name", text: "\(ok)A\r\n\r\n", error: .malformedFieldName),
    .init(id: "bare-lf", text: "HTTP/1.1 200 OK\n\n", error: .bareLF),
    .init(id: "bare-cr", text: "HTTP/1.1 200 O\rK\r\n\r\n", error: .bareCR),
    .init(id: "nul", text: "\(ok)A: \0\r\n\r\n", error: .controlByte),
    .init(id: "empty-line", text: "\r\n\(ok)\r\n", error: .malformedStatusLine),
    .init(id: "status-two-digits", text: "HTTP/1.1 20 OK\r\n\r\n", error: .malformedStatusLine),
    .init(id: "status-four-digits", text: "HTTP/1.1 2000 OK\r\n\r\n", error: .malformedStatusLine),
    .init(id: "status-letters", text: "HTTP/1.1 2x0 OK\r\n\r\n", error: .malformedStatusLine),
    .init(id: "status-low", text: "HTTP/1.1 099 OK\r\n\r\n", error: .invalidStatus),
    .init(id: "status-no-space", text: "HTTP/1.1 200OK\r\n\r\n", error: .malformedStatusLine),
    .init(id: "status-double-space", text: "HTTP/1.1  200 OK\r\n\r\n", error: .malformedStatusLine),
    .init(id: "version", text: "HTTP/2.0 200 OK\r\n\r\n", error: .unsupportedVersion),
    .init(id: "not-http", text: "ICY/1.1x 200 OK\r\n\r\n", error: .malformedStatusLine),
    .init(id: "short", text: "HTTP/1.1\r\n\r\n", error: .malformedStatusLine),
    .init(
        id: "connection-too-long",
        text: "\(ok)Connection: \(String(repeating: "a", count: 1025))\r\n\r\n",
        error: .connectionTooLong),
]

@Test(arguments: good)
func `a good response is read`(response: GoodResponse) throws {
    let facts = try #require(parseResponse(response.text, for: response.method).facts)
    #expect(facts.status == response.status)
    #expect(facts.reason == response.reason)
    #expect(facts.framing == response.framing)
    #expect(facts.keepsAlive == response.keepsAlive)
}

@Test(arguments: bad)
func `a bad response is refused with its reason`(response: BadResponse) {
    #expect(parseResponse(response.text) == .refused(response.error))
}

@Test func `every reason of a response but the bounds has a case in the table`() {
    let seen = Set(bad.map(\.error)).union([.headTooLarge, .tooManyFields])
    #expect(ResponseError.allCases.filter { !seen.contains($0) } == [])
    let reasons = ResponseError.allCases.map { String(describing: $0.reason) }
    #expect(Set(reasons).count == reasons.count)
}

@Test func `equal lengths become one field`() throws {
    let text = "\(ok)Content-Length: 5\r\nA: b\r\ncontent-length: 5, 5\r\n\r\n"
    let facts = try #require(parseResponse(text).facts)
    #expect(facts.fields == ["A: b", "Content-Length: 5"])
}

@Test func `bounds of a response are exact`() {
    let text = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"
    let bytes = Array(text.utf8)
    func outcome(_ size: Int, _ fields: Int) -> ResponseOutcome {
        parseResponse(bytes, bounds: HeadBounds(headerBytes: size, fields: fields, targetBytes: 1))
    }
    #expect(outcome(bytes.count, 2).facts != nil)
    #expect(outcome(bytes.count - 1, 2) == .refused(.headTooLarge))
    #expect(outcome(bytes.count, 1) == .refused(.tooManyFields))
    #expect(outcome(10, 2) == .refused(.headTooLarge))
}

@Test func `how a response is cut never changes what it says`() {
    var random = SeededRandom(seed: 31)
    let texts = good.map(\.text) + bad.map(\.text)
    for _ in 0..<20_000 {
        var bytes = Array(texts[random.below(texts.count)].utf8)
        if random.below(2) == 0 { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
        let whole = parseResponse(bytes)
        #expect(whole == parseResponse(bytes, cuts: randomCuts(bytes.count, &random)))
        if let facts = whole.facts { #expect(facts.consumed <= bytes.count) }
    }
}

@Test func `an informational response leaves the final one for the next call`() throws {
    let stream = Array(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
    var parser = ResponseParser(bounds: roomy)
    var head = ResponseHead()
    let first = try parser.parse(stream.span, for: .get, into: &head)
    #expect(first == 28 && head.status == 103 && head.keepsAlive)
    let second = try parser.parse(stream.span.extracting(28...), for: .get, into: &head)
    #expect(second == 38 && head.status == 200 && head.framing == .length(2))
    #expect(head.span(head.reason).text == "OK")
}
