import HTTP1
import HTTPModel
import Primitives
import Testing

@Test func `a body of a length ends after exactly that many bytes`() {
    let stream = Array("helloGET /".utf8)
    for cut in 0...stream.count {
        let outcome = decode(stream, .length(5), cuts: [cut])
        #expect(outcome.data.span.text == "hello" && outcome.isComplete && outcome.consumed == 5)
    }
    #expect(decode(Array("hell".utf8), .length(5), ends: true).error == .truncated)
}

@Test func `what is skipped of a body of a length counts as read`() throws {
    var decoder = BodyDecoder(.length(10))
    #expect(decoder.plainRest == 10)
    _ = try decoder.next(Array("abc".utf8).span)
    decoder.skip(4)
    #expect(decoder.plainRest == 3 && !decoder.isComplete)
    var cut = decoder
    #expect(throws: BodyError.truncated) { try cut.endOfInput() }
    decoder.skip(3)
    #expect(decoder.plainRest == 0 && decoder.isComplete)
    for framing in [BodyFraming.chunked, .untilClose, .none] {
        #expect(BodyDecoder(framing).plainRest == 0)
    }
}

@Test func `a message without a body takes nothing`() {
    for framing in [BodyFraming.none, .length(0)] {
        #expect(BodyDecoder(framing).isComplete)
        #expect(decode(Array("GET".utf8), framing, ends: true) == BodyOutcome(isComplete: true))
    }
}

@Test func `a body until close ends only with its connection`() {
    let stream = Array("anything".utf8)
    let open = decode(stream, .untilClose, cuts: [3])
    #expect(open.data == stream && !open.isComplete)
    let closed = decode(stream, .untilClose, cuts: [3], ends: true)
    #expect(closed.data == stream && closed.isComplete && closed.error == nil)
}

@Test(
    arguments: [
        ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("0\r\n\r\n", ""),
        ("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", "abc"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("00005\r\nhello\r\n000\r\n\r\n", "hello"), ("2;a=b\r\n\r\n\r\n0;x\r\n\r\n", "\r\n"),
        ("2 ; a=\"b;c\" \r\nok\r\n0\r\n\r\n", "ok"),
    ] as [(String, String)])
func `a chunked body is its data in any pieces`(stream: String, data: String) {
    let bytes = Array((stream + "NEXT").utf8)
    for cuts in [[], Array(0...bytes.count)] {
        let outcome = decode(bytes, .chunked, cuts: cuts)
        #expect(outcome.data.span.text == data)
        #expect(
            outcome.isComplete && outcome.consumed == stream.utf8.count && outcome.trailers == [])
    }
}

struct BadBody: Sendable, CustomTestStringConvertible {
    let id: String
    let stream: String
    let error: BodyError
    var testDescription: String { id }

    init(_ id: String, _ stream: String, _ error: BodyError) {
        self.id = id
        self.stream = stream
        self.error = error
    }
}

private let bad: [BadBody] = [
    .init("size-empty", "\r\n", .malformedChunkSize),
    .init("size-extension-only", ";a\r\n", .malformedChunkSize),
    .init("size-plus", "+5\r\nhello", .malformedChunkSize),
    .init("size-minus", "-5\r\n", .malformedChunkSize),
    .init("size-prefix", "0x5\r\nhello", .malformedChunkSize),
    .init("size-space-before", " 5\r\n", .malformedChunkSize),
    .init("size-space-after", "5 \r\nhello", .malformedChunkSize),
    .init("size-letter", "5g\r\n", .malformedChunkSize),
    .init("size-underscore", "1_0\r\n", .malformedChunkSize),
    .init("size-lf", "5\nhello", .malformedChunkSize),
    .init("size-overflow", "1000000000000000\r\n", .malformedChunkSize),
    .init("size-zeros", "0000000000000000\r\n", .malformedChunkSize),
    .init("size-comma", "5,5\r\n", .malformedChunkSize),
    .init("size-bare-cr", "5\rhello", .malformedChunkExtension),
    .init("extension-lf", "5;a\nb\r\n", .malformedChunkExtension),
    .init("extension-nul", "5;\0\r\n", .malformedChunkExtension),
    .init("extension-cr", "5;a\rb\r\n", .malformedChunkExtension),
    .init("data-long", "2\r\nabc\r\n", .malformedChunkEnd),
    .init("data-lf", "2\r\nab\n0\r\n\r\n", .malformedChunkEnd),
    .init("data-cr", "2\r\nab\r0\r\n\r\n", .malformedChunkEnd),
    .init("trailer-fold", "0\r\nA: b\r\n c\r\n\r\n", .malformedTrailer),
    .init("trailer-space", "0\r\nA : b\r\n\r\n", .malformedTrailer),
    .init("trailer-colon", "0\r\nA\r\n\r\n", .malformedTrailer),
    .init("trailer-lf", "0\r\nA: b\n\r\n", .malformedTrailer),
    .init("trailer-cr", "0\r\nA: b\rc\r\n\r\n", .malformedTrailer),
    .init("trailer-nul", "0\r\nA: \0\r\n\r\n", .malformedTrailer),
    .init("trailer-known", "0\r\nVia\0: b\r\n\r\n", .malformedTrailer),
]

@Test(arguments: bad)
func `a chunked body that two programs might read differently is refused`(body: BadBody) {
    let bytes = Array(body.stream.utf8)
    #expect(decode(bytes, .chunked).error == body.error)
    #expect(decode(bytes, .chunked, cuts: Array(0...bytes.count)).error == body.error)
}

@Test func `every body that is cut short is truncated`() {
    let bytes = Array("5;x\r\nhello\r\n0\r\nA: b\r\n\r\n".utf8)
    for count in 0..<bytes.count {
        let outcome = decode(Array(bytes[..<count]), .chunked, ends: true)
        #expect(outcome.error == .truncated && !outcome.isComplete)
    }
    #expect(decode(bytes, .chunked, ends: true).error == nil)
}

@Test func `trailers are collected, and those that would change the message are not`() {
    let lines =
        "X-Sum:  abc \r\nContent-Length: 5\r\nHost: evil\r\nTransfer-Encoding: x\r\nETag: \"e\"\r\n"
        + "Authorization: y\r\nx-empty:\r\nX-T: a\tb\r\n"
    let bytes = Array("2\r\nok\r\n0\r\n\(lines)\r\nNEXT".utf8)
    var random = SeededRandom(seed: 41)
    for _ in 0..<200 {
        let outcome = decode(bytes, .chunked, cuts: randomCuts(bytes.count, &random))
        #expect(outcome.trailers == ["X-Sum: abc", "ETag: \"e\"", "x-empty: ", "X-T: a\tb"])
        #expect(outcome.isComplete && outcome.consumed == bytes.count - 4)
    }
}

@Test func `trailers and extensions are bounded`() {
    func stream(_ body: String) -> BodyError? { decode(Array(body.utf8), .chunked).error }
    let long = String(repeating: "a", count: 8193)
    #expect(stream("0\r\nA: \(long)") == .trailersTooLarge)
    let many = String(repeating: "A: b\r\n", count: 65)
    #expect(stream("0\r\n\(many)\r\n") == .trailersTooLarge)
    #expect(stream("0\r\n\(many.dropLast(6))\r\n") == nil)
    let name = String(repeating: "a", count: 255)
    #expect(stream("1;\(name)\r\nx\r\n0\r\n\r\n") == nil)
    #expect(stream("1;a\(name)\r\nx\r\n0\r\n\r\n") == .chunkExtensionsTooLong)
    // One byte of data a chunk, each with an extension: cheap to send, dear to read.
    let chunk = "1;\(String(repeating: "a", count: 100))\r\nx\r\n"
    #expect(stream(String(repeating: chunk, count: 50)) == .chunkExtensionsTooLong)
    // Extensions that weigh less than the data may go on for ever.
    let honest =
        "c8;\(String(repeating: "s", count: 64))\r\n\(String(repeating: "d", count: 200))\r\n"
    #expect(stream(String(repeating: honest, count: 500) + "0\r\n\r\n") == nil)
}

/// Reads a whole chunked stream the obvious way; `nil` unless it is complete and right.
private func model(_ bytes: [UInt8]) -> (data: [UInt8], consumed: Int)? {
    var data: [UInt8] = []
    var at = 0
    func line() -> [UInt8]? {
        guard let end = (at..<bytes.count).first(where: { bytes[$0] == 13 || bytes[$0] == 10 }),
            bytes[end] == 13, end + 1 < bytes.count, bytes[end + 1] == 10
        else { return nil }
        defer { at = end + 2 }
        return Array(bytes[at..<end])
    }
    while true {
        guard let head = line(), head.allSatisfy({ $0 == 9 || ($0 >= 32 && $0 != 127) }) else {
            return nil
        }
        let digits = head.prefix { ASCII.hexValue($0) != nil }
        let rest = head.dropFirst(digits.count).drop { $0 == 32 || $0 == 9 }
        guard !digits.isEmpty, digits.count <= 15, head.count == digits.count || rest.first == 59
        else { return nil }
        let size = digits.reduce(0) { $0 * 16 + Int(ASCII.hexValue($1) ?? 0) }
        if size == 0 { break }
        guard size <= bytes.count - at - 2, bytes[at + size] == 13, bytes[at + size + 1] == 10
        else { return nil }
        data += bytes[at..<(at + size)]
        at += size + 2
    }
    guard let last = line(), last.isEmpty else { return nil }
    return (data, at)
}

@Test func `the decoder and a slow model agree on mutated streams in any pieces`() {
    var random = SeededRandom(seed: 42)
    var complete = 0
    for _ in 0..<30_000 {
        var bytes: [UInt8] = []
        for _ in 0..<random.below(4) {
            let size = 1 + random.below(20)
            bytes += Array(String(size, radix: 16).utf8)
            if random.below(3) == 0 { bytes += Array(" ;a=b".utf8) }
            bytes += [13, 10] + (0..<size).map { _ in UInt8(random.below(256)) } + [13, 10]
        }
        bytes += Array("0\r\n\r\nGET".utf8)
        for _ in 0..<random.below(2) {
            let interesting: [UInt8] = [0, 9, 10, 13, 32, 48, 57, 59, 65, 71]
            bytes[random.below(bytes.count)] = interesting[random.below(interesting.count)]
        }
        let whole = decode(bytes, .chunked)
        let cut = decode(bytes, .chunked, cuts: randomCuts(bytes.count, &random))
        #expect(whole == cut)
        if let (data, consumed) = model(bytes) {
            complete += 1
            #expect(whole.isComplete && whole.data == data && whole.consumed == consumed)
        } else {
            // The model knows no trailers.
            #expect(!whole.isComplete || !whole.trailers.isEmpty || whole.error != nil)
        }
    }
    #expect(complete > 10_000)
}

@Test func `body reasons are distinct`() {
    let reasons = BodyError.allCases.map { String(describing: $0.reason) }
    #expect(Set(reasons).count == reasons.count)
}
