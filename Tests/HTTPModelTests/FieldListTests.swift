import HTTPModel
import Primitives
import Testing

private func text(_ span: Span<UInt8>?) -> String? {
    guard let span else { return nil }
    return span.text
}

private func sample() -> FieldList {
    var list = FieldList()
    list.append(.host, Array("a.example".utf8).span)
    list.append(name: Array("x-Custom".utf8).span, value: Array("one".utf8).span)
    list.append(.via, "1.1 first")
    list.append(name: Array("VIA".utf8).span, value: Array("1.1 second".utf8).span)
    return list
}

@Test func `fields keep their order, spelling and values`() {
    let list = sample()
    #expect(list.count == 4)
    #expect(list.indices.map { list.name(at: $0).text } == ["Host", "x-Custom", "Via", "VIA"])
    #expect(
        list.indices.map { list.value(at: $0).text } == [
            "a.example", "one", "1.1 first", "1.1 second",
        ])
    #expect(list[3].name == .via && list[1].name == .other)
}

@Test func `known names are found by name, others by spelling in any case`() {
    let list = sample()
    #expect(text(list.first(.via)) == "1.1 first")
    #expect(list.firstIndex(of: .via) == 2 && list.count(of: .via) == 2)
    #expect(list.contains(.host) && !list.contains(.cookie))
    #expect(text(list.first(.cookie)) == nil && list.count(of: .cookie) == 0)
    #expect(list.containsAny(of: [.cookie, .host]) && !list.containsAny(of: [.cookie, .te]))
    #expect(text(list.first(named: Array("x-custom".utf8).span)) == "one")
    #expect(text(list.first(named: Array("x-customs".utf8).span)) == nil)
}

@Test func `a removed name is gone and the rest stays`() {
    var list = sample()
    list.remove(.via)
    #expect(list.indices.map { list.name(at: $0).text } == ["Host", "x-Custom"])
    #expect(!list.contains(.via) && list.contains(.host) && list.count(of: .via) == 0)
    list.remove(.cookie)
    #expect(list.count == 2)
    list.remove(.other)
    #expect(list.count == 1 && list.contains(.host))
}

@Test func `a list knows which names it has twice`() {
    var list = sample()
    #expect(list.repeats(.via) && !list.repeats(.host) && !list.repeats(.other))
    list.append(.host, "b.example")
    #expect(list.repeats(.host))
    list.remove(.via)
    #expect(!list.repeats(.via) && list.repeats(.host))
    list.removeAll()
    #expect(!list.repeats(.host))
}

@Test func `fields are recorded into room made once`() {
    var list = sample()
    for round in 1...3 {
        var room = list.withRoom(for: 2)
        for index in 0..<2 {
            room[4 + (round - 1) * 2 + index] = Field(
                line: .age, nameRange: ByteRange(start: round, count: 1),
                valueRange: ByteRange(start: index, count: 2))
        }
        list.record(2)
        #expect(list.count == 4 + 2 * round && list.count(of: .age) == 2 * round)
        #expect(list[3].name == .via && list.repeats(.age))
        #expect(Int(list[list.count - 1].nameRange.start) == round)
    }
}

@Test func `an emptied list forgets names and bytes`() {
    var list = sample()
    list.removeAll()
    #expect(list.count == 0 && list.bytes.isEmpty && !list.contains(.host))
    list.load(Array("Age: 5".utf8).span)
    list.record(name: ByteRange(start: 0, count: 3), value: ByteRange(start: 5, count: 1))
    #expect(text(list.first(.age)) == "5")
    let extra = list.appendBytes(Array("/x".utf8).span)
    #expect(list.span(extra).text == "/x" && text(list.first(.age)) == "5")
}

@Test func `a list agrees with a plain array of pairs`() {
    var random = SeededRandom(seed: 5)
    let names = ["Host", "via", "X-A", "x-a", "Accept", "Zzz"]
    for _ in 0..<500 {
        var list = FieldList()
        var model: [(String, String)] = []
        for step in 0..<random.below(20) {
            let name = names[random.below(names.count)]
            if random.below(5) == 0 {
                let known = FieldName(recognising: Array(name.utf8).span)
                list.remove(known)
                model.removeAll { FieldName(recognising: Array($0.0.utf8).span) == known }
            } else {
                list.append(name: Array(name.utf8).span, value: Array("v\(step)".utf8).span)
                model.append((name, "v\(step)"))
            }
        }
        #expect(list.indices.map { list.name(at: $0).text } == model.map(\.0))
        #expect(list.indices.map { list.value(at: $0).text } == model.map(\.1))
        let first = model.first { $0.0.lowercased() == "via" }
        #expect(text(list.first(.via)) == first?.1)
    }
}
