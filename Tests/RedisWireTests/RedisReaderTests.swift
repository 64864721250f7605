import Primitives
import RedisWire
import Testing

@Suite struct RedisReaderTests {
    /// All replies in `text`, fed in pieces of `size` bytes.
    private func replies(
        _ text: String, by size: Int = .max, bounds: ReplyBounds = ReplyBounds()
    ) throws -> [RedisReply] {
        let reader = RedisReader(bounds: bounds)
        let bytes = Array(text.utf8)
        var found: [RedisReply] = []
        var at = 0
        while at < bytes.count {
            let end = size < bytes.count - at ? at + size : bytes.count
            reader.feed(bytes.span.extracting(at..<end))
            at = end
            while let reply = try reader.next() { found.append(reply) }
        }
        #expect(reader.unfinishedBytes == 0)
        return found
    }

    private func bulk(_ text: String) -> RedisReply { .bulk(Array(text.utf8)) }

    private static let everything =
        "+OK\r\n-ERR unknown command\r\n:-9223372036854775808\r\n:42\r\n$-1\r\n*-1\r\n$0\r\n\r\n"
        + "$5\r\na\r\nb\n\r\n*0\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n-WRONGTYPE no\r\n+last\r\n"

    @Test(arguments: [1, 2, 3, 7, 16, 1000])
    func `replies of every type are read, however their bytes come`(size: Int) throws {
        #expect(
            try replies(Self.everything, by: size) == [
                .status(Array("OK".utf8)),
                .error(RedisServerError(line: Array("ERR unknown command".utf8))),
                .integer(.min), .integer(42), .null, .null, bulk(""), bulk("a\r\nb\n"),
                .array([]),
                .array([
                    .integer(1), .array([bulk("x"), .array([])]),
                    .error(RedisServerError(line: Array("WRONGTYPE no".utf8))),
                ]),
                .status(Array("last".utf8)),
            ])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "x\r\n", ":1x\r\n", "$abc\r\n", "$-2\r\n", "*-2\r\n",
        "*1\r\n?\r\n", "\r\n", "\u{0}\u{0}\u{0}\u{0}", "_\r\n", "%1\r\n+a\r\n+b\r\n",
        String(repeating: "*1\r\n", count: 9) + ":1\r\n",
    ])
    func `what is not RESP 2 fails, and so does everything after it`(text: String) throws {
        let reader = RedisReader()
        reader.feed(Array(text.utf8).span)
        #expect(throws: ReplyFailure.malformed) { try reader.next() }
        reader.feed(Array("+OK\r\n".utf8).span)
        #expect(throws: ReplyFailure.malformed) { try reader.next() }
    }

    @Test func `seven arrays inside of each other are read`() throws {
        var expected = RedisReply.integer(1)
        for _ in 0..<8 { expected = .array([expected]) }
        #expect(try replies(String(repeating: "*1\r\n", count: 8) + ":1\r\n") == [expected])
    }

    @Test func `a reply beyond its bytes fails before it is whole`() throws {
        var bounds = ReplyBounds()
        bounds.bytes = 1000
        #expect(
            try replies("$900\r\n\(String(repeating: "a", count: 900))\r\n", bounds: bounds)
                == [bulk(String(repeating: "a", count: 900))])
        let reader = RedisReader(bounds: bounds)
        reader.feed(Array("$1000000\r\n".utf8).span)
        #expect(try reader.next() == nil)
        reader.feed([UInt8](repeating: 97, count: 1000).span)
        #expect(throws: ReplyFailure.tooLarge) { try reader.next() }
    }

    @Test func `a reply of too many elements fails at once, also where arrays share them`() throws {
        var bounds = ReplyBounds()
        bounds.elements = 6
        let six = "*2\r\n*2\r\n:1\r\n:2\r\n*2\r\n:3\r\n:4\r\n"
        #expect(try replies(six + six, bounds: bounds).count == 2)
        for text in ["*7\r\n", "*2147483647\r\n", "*2\r\n*2\r\n:1\r\n:2\r\n*3\r\n"] {
            let reader = RedisReader(bounds: bounds)
            reader.feed(Array(text.utf8).span)
            #expect(throws: ReplyFailure.tooLarge) { try reader.next() }
        }
    }

    @Test(arguments: ["+", "-", ":", "$", "*", "*1\r\n+"])
    func `a line without an end fails`(begin: String) throws {
        let reader = RedisReader()
        reader.feed(Array(begin.utf8).span)
        let digits = [UInt8](repeating: UInt8(ascii: "1"), count: 16 << 10)
        #expect(throws: ReplyFailure.malformed) {
            for _ in 0..<8 {
                reader.feed(digits.span)
                _ = try reader.next()
            }
        }
    }

    @Test func `a long string is read in pieces`() throws {
        let text = String(repeating: "0123456789abcdef", count: 1 << 16)
        #expect(
            try replies("*2\r\n$\(text.count)\r\n\(text)\r\n:1\r\n", by: 16 << 10)
                == [.array([bulk(text), .integer(1)])])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `any bytes end in a failure or in replies, and never in more`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let valid = Array(Self.everything.utf8)
        for _ in 0..<500 {
            var bytes = valid
            for _ in 0...random.below(8) {
                let at = random.below(bytes.count)
                switch random.below(3) {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: at)
                default: bytes.insert(valid[random.below(valid.count)], at: at)
                }
            }
            let reader = RedisReader()
            reader.feed(bytes.span)
            var count = 0
            while let reply = try? reader.next(), count < 100 {
                withExtendedLifetime(reply) { count += 1 }
            }
            #expect(count <= bytes.count / 3)
        }
    }
}
