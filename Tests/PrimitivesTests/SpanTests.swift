import Primitives
import Testing

struct SpanTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    // `#expect` takes calls apart and cannot hold a span, so the calls stand in functions.
    private func equals(_ text: String, _ literal: StaticString) -> Bool {
        bytes(text).span.equals(literal)
    }
    private func equalsIgnoringCase(_ text: String, _ literal: StaticString) -> Bool {
        bytes(text).span.equalsIgnoringCase(literal)
    }
    private func starts(_ text: String, with literal: StaticString) -> Bool {
        bytes(text).span.starts(with: literal)
    }
    private func equals(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.span.equals(b.span) }
    private func equalsIgnoringCase(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.span.equalsIgnoringCase(b.span)
    }

    @Test func `comparison with a literal is of all bytes`() {
        #expect(equals("chunked", "chunked"))
        #expect(!equals("chunke", "chunked"))
        #expect(!equals("chunkeds", "chunked"))
        #expect(!equals("Chunked", "chunked"))
        #expect(equals("", ""))
        #expect(equalsIgnoringCase("ChUnKeD", "chunked"))
        #expect(!equalsIgnoringCase("chunkeD ", "chunked"))
        // `@` and `` ` ``, `[` and `{` differ by the bit that letters differ by.
        #expect(!equalsIgnoringCase("@[", "`{"))
        #expect(starts("Host: a", with: "Host"))
        #expect(!starts("Hos", with: "Host"))
        #expect(starts("x", with: ""))
    }

    @Test func `comparison of spans finds a difference at every place`() {
        for length in 0...40 {
            let text = (0..<length).map { UInt8(truncatingIfNeeded: 97 + $0 % 26) }
            #expect(equals(text, Array(text)))
            #expect(equalsIgnoringCase(text, text.map { $0 - 32 }))
            #expect(!equals(text, text + [0]))
            for place in text.indices {
                var other = text
                other[place] ^= 0x80
                #expect(!equals(text, other))
                #expect(!equalsIgnoringCase(text, other))
            }
        }
    }

    @Test func `a byte is found at or after the start`() {
        let text = bytes("a,b,c")
        #expect(text.span.firstIndex(of: UInt8(ascii: ",")) == 1)
        #expect(text.span.firstIndex(of: UInt8(ascii: ","), from: 2) == 3)
        #expect(text.span.firstIndex(of: UInt8(ascii: ","), from: 3) == 3)
        #expect(text.span.firstIndex(of: UInt8(ascii: ","), from: 4) == nil)
        #expect(text.span.firstIndex(of: UInt8(ascii: ","), from: 5) == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("7", 7), ("00042", 42), ("18446744073709551615", UInt64.max),
            ("18446744073709551616", nil), ("99999999999999999999", nil), ("", nil), ("-1", nil),
            ("+1", nil), (" 1", nil), ("1 ", nil), ("1x", nil), ("0x1", nil), ("١", nil),
        ] as [(String, UInt64?)])
    func `a decimal number is digits and nothing else, within 64 bits`(
        text: String, value: UInt64?
    ) {
        #expect(bytes(text).span.decimalValue == value)
    }

    @Test(
        arguments: [
            ("", ""), (" ", ""), ("\t \t", ""), ("a", "a"), (" a b\t", "a b"), ("\r\na", "\r\na"),
        ])
    func `trimming takes spaces and tabs from both ends`(text: String, trimmed: String) {
        #expect(bytes(text).span.trimmed.text == trimmed)
    }

    @Test func `words are read least significant byte first, from any place`() {
        let text: [UInt8] = [9, 1, 2, 3, 4, 5, 6, 7, 0x88, 9]
        #expect(text.span.littleEndianWord(at: 1) == 0x8807_0605_0403_0201)
        #expect(text.span.littleEndianWord(at: 2) == 0x0988_0706_0504_0302)
    }

    @Test func `arrays lend ranges and append literals and numbers`() {
        var text: [UInt8] = []
        text.append("n=" as StaticString)
        text.append(decimal: 0)
        text.append(bytes(";m=").span)
        text.append(decimal: UInt64.max)
        #expect(text.span.text == "n=0;m=18446744073709551615")
        let range = ByteRange(start: 4, count: 2)
        #expect(text.span(range).text == "m=")
        #expect(range.end == 6 && range.indices == 4..<6 && !range.isEmpty)
        #expect(text.span(.empty).copied == [])
        #expect(ByteRange.empty.isEmpty)
    }
}

// As above: no span inside `#expect`.
private func same(_ bytes: [UInt8], _ literal: StaticString) -> Bool { bytes.span.equals(literal) }
private func sameIgnoringCase(_ bytes: [UInt8], _ literal: StaticString) -> Bool {
    bytes.span.equalsIgnoringCase(literal)
}

@Test func `comparisons agree with one byte by byte, whatever the byte that differs`() {
    let literal: StaticString = "x-ratelimit-remaining@[`{"
    let lower = Array("\(literal)".utf8)
    #expect(same(lower, literal))
    // Every byte in every place; only the other case of a letter may still be equal.
    for place in lower.indices {
        for byte in UInt8.min...UInt8.max {
            var changed = lower
            changed[place] = byte
            #expect(same(changed, literal) == (changed == lower))
            #expect(sameIgnoringCase(changed, literal) == (changed.map(ASCII.lower) == lower))
        }
    }
}

@Test func `comparisons with literals hold at every length`() {
    let literals: [StaticString] = [
        "", "a", "te", "via", "host", "range", "cookie", "trailer", "if-match", "forwarded",
        "keep-alive", "surrogate-key", "accept-encoding", "proxy-connection", "x-forwarded-proto",
        "proxy-authentication-info",
    ]
    for literal in literals {
        let lower = Array("\(literal)".utf8)
        let upper = Array("\(literal)".uppercased().utf8)
        #expect(same(lower, literal))
        #expect(sameIgnoringCase(lower, literal))
        #expect(sameIgnoringCase(upper, literal))
        #expect(same(upper, literal) == (upper == lower))
        for place in lower.indices {
            var changed = upper
            changed[place] ^= 1
            #expect(!sameIgnoringCase(changed, literal))
        }
        #expect(!sameIgnoringCase(lower + [97], literal))
        let starts = (lower + [97]).span.starts(with: literal)
        #expect(starts)
    }
}

@Test func `a marked byte is found as byte by byte, at every length and from every start`() {
    func first(_ bytes: [UInt8], from start: Int, to end: Int) -> Int {
        bytes.span.firstMarked(from: start, to: end) { $0 .== SIMD16(repeating: 7) }
    }
    var random = SeededRandom(seed: 3)
    for length in 0...40 {
        // None, one or several of them are there.
        for rarity in [1000, 30, 3] as [Int] {
            let bytes = (0..<length).map { _ in
                random.below(rarity) == 0 ? 7 : UInt8(truncatingIfNeeded: random.below(256))
            }
            for start in 0...length {
                for end in start...length {
                    let expected = (start..<end).first { bytes[$0] == 7 } ?? end
                    #expect(first(bytes, from: start, to: end) == expected)
                }
            }
        }
        // What is not there is never found, though it counts as 0.
        let bytes = [UInt8](repeating: 1, count: length)
        #expect(bytes.span.firstMarked(from: 0, to: length) { $0 .== SIMD16() } == length)
    }
}

@Test func `short words are equal when their bytes are`() {
    #expect(Array("abc".utf8).span.shortWord(from: 0, to: 3) == 0x0300_0000_0063_6261)
    let zeros: [UInt8] = [0, 0, 0]
    #expect(zeros.span.shortWord(from: 1, to: 1) == 0)
    let text = (1...20).map { UInt8($0) }
    for count in 0...7 {
        var expected = UInt64(count) << 56
        for i in 0..<count { expected |= UInt64(text[4 + i]) << UInt64(8 * i) }
        // In the middle, and with nothing around it.
        #expect(text.span.shortWord(from: 4, to: 4 + count) == expected)
        let alone = Array(text[4..<(4 + count)])
        #expect(alone.span.shortWord(from: 0, to: count) == expected)
    }
}

@Test func `a decimal number of any length is read as digit by digit`() {
    var random = SeededRandom(seed: 4)
    for length in 1...19 {
        for _ in 0..<20 {
            let digits = (0..<length).map { _ in 48 + UInt8(random.below(10)) }
            let value = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 48) }
            #expect(digits.span.decimalValue == value)
        }
        let nines = [UInt8](repeating: 57, count: length)
        for place in nines.indices {
            for byte in UInt8.min...UInt8.max where !ASCII.isDigit(byte) {
                var changed = nines
                changed[place] = byte
                #expect(changed.span.decimalValue == nil)
            }
        }
    }
}
