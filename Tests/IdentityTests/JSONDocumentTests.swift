import Primitives
import Testing

@testable import Identity

private func reads(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var document = JSONDocument()
    return document.read(bytes.span)
}

private func reads(_ bytes: [UInt8]) -> Bool {
    var document = JSONDocument()
    return document.read(bytes.span)
}

@Test func `JSON objects are read`() {
    for text in [
        "{}", " { } ", #"{"a":1}"#, #"{"a":[],"b":{},"c":[[],{}]}"#,
        #"{"a":[1,-2,0,-0,0.5,1e5,1E-5,1.25e+10,true,false,null,"x"]}"#, "{\"a\"\t:\r\n1}",
        #"{"":""}"#, #"{"a":"\"\\\/\b\f\n\r\t\u0041\uD83D\uDE00"}"#, "{\"a\":\"\u{7F}é€😀\"}",
    ] {
        #expect(reads(text), "\(text)")
    }
}

@Test func `anything else is refused`() {
    for text in [
        "", " ", "[]", "1", "null", #""a""#, "{", "}", "{}{}", "{}x", "{,}", #"{"a"}"#, #"{"a":}"#,
        #"{"a":1,}"#, #"{"a":1 "b":2}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":01}"#, #"{"a":1.}"#,
        #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":-}"#, #"{"a":1e}"#, #"{"a":1e+}"#, #"{"a":0x1}"#,
        #"{"a":NaN}"#, #"{"a":Infinity}"#, #"{"a":tru}"#, #"{"a":truee}"#, #"{"a":True}"#,
        #"{"a":[1,]}"#, #"{"a":[1 2]}"#, #"{"a":[}"#, #"{"a":"}"#, #"{"a":"\x"}"#, #"{"a":"\u12"}"#,
        #"{"a":"\uD83D"}"#, #"{"a":"\uDE00"}"#, #"{"a":"\uD83D\u0041"}"#, #"{"a":"\uD83Dx"}"#,
        "{\"a\":\"\n\"}", "{\"a\":\"\u{0}\"}", "/**/{}", "{}//", "\u{FEFF}{}", "{\"a\":\u{A0}1}",
        #"{"a":1}}"#, #"{1:1}"#, #"{null:1}"#,
    ] {
        #expect(!reads(text), "\(text)")
    }
}

@Test func `text that is not UTF-8 is refused`() {
    for bad: [UInt8] in [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF],
        [0xE0, 0xA0], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF],
        [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFE], [0xFF],
        [0xE2, 0x82, 0x41], [0xF0, 0x9F, 0x41, 0x80],
    ] {
        #expect(!reads(Array(#"{"a":""#.utf8) + bad + Array(#""}"#.utf8)), "\(bad)")
    }
    for scalar in [0x80, 0x7FF, 0x800, 0xFFF, 0x1000, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF] {
        guard let scalar = Unicode.Scalar(UInt32(scalar)) else { continue }
        #expect(reads(#"{"a":"\#(Character(scalar))"}"#))
    }
}

@Test func `depth and number of values are bounded`() {
    func deep(_ depth: Int) -> String {
        #"{"a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            + "}"
    }
    #expect(reads(deep(IdentityBounds.jsonDepthMax - 1)))
    #expect(!reads(deep(IdentityBounds.jsonDepthMax)))
    #expect(!reads(deep(100_000)))
    #expect(!reads(String(repeating: #"{"a":"#, count: 100_000)))
    func wide(_ count: Int) -> String {
        #"{"a":["# + Array(repeating: "1", count: count).joined(separator: ",") + "]}"
    }
    #expect(reads(wide(IdentityBounds.jsonNodesMax - 3)))
    #expect(!reads(wide(IdentityBounds.jsonNodesMax - 2)))
    let names = (0..<IdentityBounds.jsonNodesMax).map { #""\#($0)":1"# }.joined(separator: ",")
    #expect(!reads("{\(names)}"))
}

@Test func `members are found by their decoded name and never inside another`() throws {
    let text = Array(
        #"{"x":{"a":"inner","b":[{"a":1}]},"\u0061":"outer","b":[1,"two",{"a":3}],"c":-1.5e3}"#.utf8
    )
    var document = JSONDocument()
    let isRead = document.read(text.span)
    #expect(isRead)
    #expect(document.hasUniqueNames())
    let a = try #require(document.string("a"))
    #expect(document.text(of: a).text == "outer")
    let x = try #require(document.member("x"))
    let inner = try #require(document.string("a", of: x))
    #expect(document.text(of: inner).text == "inner")
    let b = try #require(document.member("b"))
    var kinds: [JSONDocument.Kind] = []
    var element = document.firstElement(of: b)
    while let node = element {
        kinds.append(document.kind(of: node))
        element = document.element(after: node, of: b)
    }
    #expect(kinds == [.number, .string, .object])
    let c = try #require(document.member("c"))
    #expect(document.text(of: c).text == "-1.5e3")
    #expect(document.member("inner") == nil)
    #expect(document.string("c") == nil)
    // A document is used again: nothing of the text before is left.
    let next = Array(#"{"b":1}"#.utf8)
    let isNextRead = document.read(next.span)
    #expect(isNextRead)
    #expect(document.member("a") == nil)
}

@Test func `random damage never stops the reader`() {
    var random = SeededRandom(seed: 8259)
    let text = Array(
        #"{"iss":"a\u00e9\ud83d\ude00","exp":1.5e9,"n":[{"a":[null,true]},"é",-0.1],"o":{"p":{}}}"#
            .utf8)
    var read = 0
    for _ in 0..<20_000 {
        var bytes = text
        for _ in 0...random.below(3) {
            bytes[random.below(bytes.count)] = text[random.below(text.count)]
        }
        if random.below(3) == 0 { bytes.removeLast(random.below(bytes.count)) }
        var document = JSONDocument()
        guard document.read(bytes.span) else { continue }
        read += 1
        _ = document.hasUniqueNames()
        _ = document.member("exp")
        #expect(document.bytes.count <= bytes.count)
        #expect(document.nodes[JSONDocument.root].next == document.nodes.count)
    }
    #expect(read > 100)
}

@Test func `base64url has one text for each sequence of bytes`() {
    for (text, bytes) in [
        ("", []), ("AA", [0]), ("_w", [255]), ("AAA", [0, 0]), ("-_-_", [251, 255, 191]),
        ("TWFu", [77, 97, 110]),
    ] as [(String, [UInt8])] {
        #expect(decoded(text) == bytes)
        #expect(base64(bytes) == text)
    }
    for bad in [
        "A", "AAAAA", "AB", "A_", "AAB", "AA=", "AA==", "A A", " AA", "AA\n", "+A", "/A", "A.A",
        "é",
        "A\u{0}",
    ] {
        #expect(decoded(bad) == nil, "\(bad)")
    }
    var random = SeededRandom(seed: 4648)
    for _ in 0..<1_000 {
        let bytes = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
        #expect(decoded(base64(bytes)) == bytes)
        // Whatever is decoded is written the same way again.
        let letters = Array("ABCxyz019-_".utf8)
        let text = (0..<random.below(9)).map { _ in letters[random.below(letters.count)] }
        let string = text.span.text
        if let bytes = decoded(string) { #expect(base64(bytes) == string) }
    }
}

@Test func `ECDSA numbers get the shortest form that is positive`() {
    func der(_ r: [UInt8], _ s: [UInt8]) -> [UInt8]? {
        let raw =
            [UInt8](repeating: 0, count: 32 - r.count) + r
            + [UInt8](repeating: 0, count: 32 - s.count) + s
        return ECDSASignature.der(raw.span, length: 64)
    }
    #expect(der([1], [2]) == [0x30, 6, 2, 1, 1, 2, 1, 2])
    #expect(der([], []) == [0x30, 6, 2, 1, 0, 2, 1, 0])
    #expect(der([0x80], [0x7F, 0xFF]) == [0x30, 8, 2, 2, 0, 0x80, 2, 2, 0x7F, 0xFF])
    let full = [UInt8](repeating: 0xFF, count: 32)
    #expect(der(full, full) == [0x30, 70, 2, 33, 0] + full + [2, 33, 0] + full)
    let short = [UInt8](repeating: 1, count: 63)
    #expect(ECDSASignature.der(short.span, length: 64) == nil)
}
