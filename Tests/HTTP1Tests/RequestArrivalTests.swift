import HTTP1
import HTTPModel
import Primitives
import Testing

private let samples: [String] = [
    "GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nX-Long-Name: some value\r\n\r\n",
    "\r\nPOST /x%2f%41/../y HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
    "OPTIONS http://a.example HTTP/1.1\r\nhost: b\r\nConnection: close, x-a\r\nX-A: \t1\r\n\r\n",
    "PUT / HTTP/1.0\r\nContent-Length: 12\r\nUser-Agent: caf\u{E9}\r\n\r\nGET / HTTP",
    "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
]

@Test(arguments: samples.indices)
func `a head that arrives byte by byte is the head that arrives whole`(sample: Int) {
    let bytes = Array(samples[sample].utf8)
    let cuts = Array(0...bytes.count)
    #expect(parseRequest(bytes, cuts: cuts) == parseRequest(bytes))
}

@Test func `how a request is cut never changes what it says, good or bad`() {
    var random = SeededRandom(seed: 21)
    var heads = 0
    var refusals = 0
    for _ in 0..<30_000 {
        let bytes = mutated(&random)
        let bounds = HeadBounds(
            headerBytes: 40 + random.below(200), fields: 1 + random.below(5), targetBytes: 30)
        let whole = parseRequest(bytes, bounds: bounds)
        let cut = parseRequest(bytes, cuts: randomCuts(bytes.count, &random), bounds: bounds)
        #expect(whole == cut)
        switch whole {
        case .head(let facts):
            heads += 1
            #expect(facts.consumed <= bytes.count && facts.consumed > 0)
            #expect(facts.target.utf8.count > 0 && facts.target.hasPrefix(facts.path))
        case .refused: refusals += 1
        case .needsMore: break
        }
    }
    #expect(heads > 3000 && refusals > 3000)
}

/// A sample with a few bytes changed, removed, doubled or inserted.
private func mutated(_ random: inout SeededRandom) -> [UInt8] {
    var bytes = Array(samples[random.below(samples.count)].utf8)
    for _ in 0..<random.below(3) {
        let at = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[at] = UInt8(random.below(256))
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(bytes[at], at: at)
        default:
            let interesting: [UInt8] = [
                0, 9, 10, 13, 32, 35, 37, 44, 46, 47, 58, 63, 127, 128, 255,
            ]
            bytes.insert(interesting[random.below(interesting.count)], at: at)
        }
    }
    return bytes
}

@Test func `an accepted head holds no control byte but CRLF and tab`() {
    var random = SeededRandom(seed: 22)
    for _ in 0..<20_000 {
        let bytes = mutated(&random)
        guard let facts = parseRequest(bytes).facts else { continue }
        var previous: UInt8 = 0
        for byte in bytes[..<facts.consumed] {
            #expect(byte != 127 && (byte >= 32 || byte == 9 || byte == 10 || byte == 13))
            #expect((byte == 10) == (previous == 13))
            previous = byte
        }
        for field in facts.fields { #expect(!field.utf8.contains(10) && !field.utf8.contains(13)) }
    }
}

@Test func `pipelined requests are read one after the other by the same parser`() {
    let texts = [
        samples[0], "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    ]
    let stream = Array((texts + texts).joined().utf8)
    var parser = RequestParser(bounds: roomy)
    var head = RequestHead()
    var targets: [String] = []
    var queries: [String?] = []
    var at = 0
    while at < stream.count {
        let rest = Array(stream[at...])
        let outcome = parseRequest(rest, cuts: [3, 17], with: &parser, into: &head)
        guard let facts = outcome.facts else {
            Issue.record("\(outcome)")
            return
        }
        targets.append(facts.target)
        queries.append(facts.query)
        at += facts.consumed
    }
    #expect(targets == ["/a/b?c=d", "/2", "*", "/a/b?c=d", "/2", "*"])
    #expect(queries == ["c=d", nil, nil, "c=d", nil, nil])
    #expect(at == stream.count)
}

@Test func `random bytes never crash and never take more than there is`() {
    var random = SeededRandom(seed: 23)
    for _ in 0..<20_000 {
        let bytes = (0..<random.below(60)).map { _ in UInt8(random.below(256)) }
        if let facts = parseRequest(bytes).facts { #expect(facts.consumed <= bytes.count) }
        if let facts = parseResponse(bytes).facts { #expect(facts.consumed <= bytes.count) }
    }
}
