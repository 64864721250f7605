import HTTP1
import HTTPModel
import Primitives
import Testing

@Test func `a written request is the request that was read`() throws {
    let texts = [
        "GET /a?b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nAccept: */*\r\n\r\n",
        "MKCOL /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\nX-Empty: \r\n\r\n",
    ]
    for text in texts {
        var parser = RequestParser(bounds: roomy)
        var head = RequestHead()
        let bytes = Array(text.utf8)
        _ = try parser.parse(bytes.span, into: &head)
        let buffer = ByteBuffer(capacity: 64)
        HTTP1Writer.appendRequestLine(head, to: buffer)
        for i in head.fields.indices {
            HTTP1Writer.appendField(
                name: head.fields.name(at: i), value: head.fields.value(at: i), to: buffer)
        }
        HTTP1Writer.appendEndOfHead(to: buffer)
        #expect(buffer.readable.text == text)
    }
}

@Test(arguments: [
    ("GET /a/../b?c HTTP/1.1", "GET /b?c HTTP/1.1"), ("GET http://h/x HTTP/1.1", "GET /x HTTP/1.1"),
    ("PUT http://h HTTP/1.1", "PUT / HTTP/1.1"),
    ("OPTIONS http://h HTTP/1.1", "OPTIONS * HTTP/1.1"),
    ("GET http://h?q HTTP/1.0", "GET /?q HTTP/1.1"), ("POST /x HTTP/1.0", "POST /x HTTP/1.1"),
])
func `a request line leaves in origin-form`(line: String, written: String) throws {
    var parser = RequestParser(bounds: roomy)
    var head = RequestHead()
    let bytes = Array((line + "\r\nHost: h\r\n\r\n").utf8)
    _ = try parser.parse(bytes.span, into: &head)
    let buffer = ByteBuffer(capacity: 64)
    HTTP1Writer.appendRequestLine(head, to: buffer)
    #expect(buffer.readable.text == written + "\r\n")
}

@Test func `a written response is read back`() throws {
    for code in UInt64(200)...599 {
        guard let status = Status(code: code) else { continue }
        let buffer = ByteBuffer(capacity: 64)
        HTTP1Writer.appendStatusLine(status, to: buffer)
        HTTP1Writer.appendField(.contentLength, decimal: code, to: buffer)
        HTTP1Writer.appendField(.server, "weir", to: buffer)
        HTTP1Writer.appendField(.etag, Array("\"x\"".utf8).span, to: buffer)
        HTTP1Writer.appendEndOfHead(to: buffer)
        let facts = try #require(parseResponse(buffer.readable.copied).facts)
        #expect(facts.status == status && facts.reason == String(describing: status.reason))
        #expect(facts.fields == ["Content-Length: \(code)", "Server: weir", "ETag: \"x\""])
    }
}

@Test func `written chunks are read back as the same data`() {
    var random = SeededRandom(seed: 51)
    for _ in 0..<300 {
        let buffer = ByteBuffer(capacity: 64)
        var data: [UInt8] = []
        for _ in 0..<random.below(5) {
            let chunk = (0..<(1 + random.below(300))).map { _ in UInt8(random.below(256)) }
            HTTP1Writer.appendChunkHeader(size: chunk.count, to: buffer)
            buffer.append(chunk.span)
            HTTP1Writer.appendChunkEnd(to: buffer)
            data += chunk
        }
        var trailers = FieldList()
        if random.below(2) == 0 {
            HTTP1Writer.appendLastChunk(to: buffer)
        } else {
            trailers.append(name: Array("X-Sum".utf8).span, value: Array("42".utf8).span)
            HTTP1Writer.appendLastChunk(trailers: trailers, to: buffer)
        }
        let outcome = decode(buffer.readable.copied, .chunked)
        #expect(outcome.data == data && outcome.isComplete && outcome.consumed == buffer.count)
        #expect(outcome.trailers == (trailers.count == 0 ? [] : ["X-Sum: 42"]))
    }
}

@Test(arguments: [1, 15, 16, 255, 256, 4096, 65535, 1 << 32, (1 << 60) - 1, Int.max])
func `a chunk header is its size in hexadecimal digits`(size: Int) {
    let buffer = ByteBuffer(capacity: 64)
    HTTP1Writer.appendChunkHeader(size: size, to: buffer)
    #expect(buffer.readable.text == String(size, radix: 16) + "\r\n")
}

@Test func `the lines of a head pass but for those left out`() {
    var random = SeededRandom(seed: 9110)
    let names = ["Host", "Accept", "X-A", "X-B", "Cookie", "content-length", "X-Long-Name"]
    let ends = ["", "", "", " ", "\t "]
    for _ in 0..<2_000 {
        var head = "GET / HTTP/1.1\r\n"
        var fields = FieldList()
        var ranges: [(ByteRange, ByteRange)] = []
        var expected = ""
        for _ in 0..<random.below(16) {
            let name = names[random.below(names.count)]
            let value = String(repeating: "v", count: random.below(4))
            let end = value.isEmpty ? "" : ends[random.below(ends.count)]
            let start = head.utf8.count
            head += "\(name): \(value)\(end)\r\n"
            ranges.append(
                (
                    ByteRange(start: start, count: name.utf8.count),
                    ByteRange(start: start + name.utf8.count + 2, count: value.utf8.count)
                ))
            if ["Host", "content-length", "X-B"].contains(name) { continue }
            expected += "\(name): \(value)\r\n"
        }
        fields.load(Array((head + "\r\n").utf8).span)
        for (name, value) in ranges { fields.record(name: name, value: value) }
        let buffer = ByteBuffer(capacity: 64)
        HTTP1Writer.appendFields(of: fields, without: [.host, .contentLength], to: buffer) {
            !fields.name(at: $0).equals("X-B")
        }
        #expect(buffer.readable.text == expected)
    }
}
