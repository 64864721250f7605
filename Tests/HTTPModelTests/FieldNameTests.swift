import HTTPModel
import Primitives
import Testing

private func recognise(_ name: String) -> FieldName {
    let bytes = Array(name.utf8)
    return FieldName(recognising: bytes.span)
}

@Test(arguments: FieldName.allCases)
func `a known name is recognised in any letter case`(name: FieldName) {
    guard name != .other else { return }
    let text = String(describing: name.text)
    #expect(recognise(text) == name)
    #expect(recognise(text.lowercased()) == name)
    #expect(recognise(text.uppercased()) == name)
    #expect(String(describing: name.lowercased) == text.lowercased())
    var random = SeededRandom(seed: UInt64(name.rawValue))
    for _ in 0..<20 {
        let mixed = text.map { random.below(2) == 0 ? $0.lowercased() : $0.uppercased() }.joined()
        #expect(recognise(mixed) == name)
    }
}

@Test(arguments: FieldName.allCases)
func `a name that differs in one byte is another name`(name: FieldName) {
    let text = Array(String(describing: name.text).utf8)
    for i in text.indices {
        for byte in [text[i] ^ 1, text[i] ^ 0x80, 0x5F, 0] where byte != text[i] {
            var changed = text
            changed[i] = byte
            #expect(FieldName(recognising: changed.span) != name)
        }
        #expect(FieldName(recognising: text.span.extracting(0..<i)) != name || name == .other)
    }
    // `-` with bit 0x20 cleared is CR: the first look folds it, the comparison must not.
    let folded = text.map { $0 == 0x2D ? 0x0D : $0 }
    if folded != text { #expect(FieldName(recognising: folded.span) == .other) }
}

@Test(arguments: ["", "x", "hos", "hosts", "x-custom", "content_length", "transfer-encodinG ", "é"])
func `other names are other`(name: String) {
    #expect(recognise(name) == .other)
}

@Test func `all names fit one word`() {
    #expect(FieldName.allCases.allSatisfy { $0.rawValue < 64 })
    var set: FieldNameSet = []
    for name in FieldName.allCases {
        #expect(!set.contains(name))
        set.insert(name)
        #expect(set.contains(name))
        #expect(set.intersects([name]))
    }
    set.removeAll()
    #expect(FieldName.allCases.allSatisfy { !set.contains($0) })
    #expect(!set.intersects([.host, .via]))
}

@Test func `a literal has its names and no others`() {
    let set: FieldNameSet = [.other, .host, .te, .via, .host, .accept, .xWeirDebug]
    let names: [FieldName] = [.other, .host, .te, .via, .accept, .xWeirDebug]
    for name in FieldName.allCases { #expect(set.contains(name) == names.contains(name)) }
}
