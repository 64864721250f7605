import Primitives
import Testing

@testable import YAMLReader

private func read(_ text: String, bounds: YAMLBounds = YAMLBounds()) -> YAMLDocument {
    YAMLDocument(reading: Array(text.utf8), bounds: bounds)
}

/// The tree in one line: `{key: "text", list: ["a"]}`, plain scalars without quotes.
private func outline(_ node: YAMLNode?) -> String {
    guard let node else { return "nothing" }
    switch node.content {
    case .scalar(let text, .plain): return text
    case .scalar(let text, .quoted): return "\"\(text)\""
    case .scalar(let text, .block): return "|\(text)|"
    case .sequence(let items): return "[" + items.map(outline).joined(separator: ", ") + "]"
    case .mapping(let entries):
        let pairs = entries.map { "\($0.key): \(outline($0.value))" }
        return "{" + pairs.joined(separator: ", ") + "}"
    }
}

private func place(_ range: YAMLRange?) -> [Int] {
    guard let range else { return [] }
    return [range.start.line, range.start.column, range.underline(lineLength: 1000)]
}

@Test func `scalars, lists and mappings are read in the order of the text`() {
    let text = """
        zebra: 1
        apple: [a, "b", 'c', {x: y}]
        text: |
          two
          lines
        none:
        """
    let document = read(text)
    #expect(document.problems.isEmpty)
    let expected = "{zebra: 1, apple: [a, \"b\", \"c\", {x: y}], text: |two\nlines\n|, none: }"
    #expect(outline(document.root) == expected)
}

@Test func `scalars keep the text they were written with`() {
    let document = read("[no, 1e3, 0777, 12:30:45, ~, null, '~', 2026-10-01]")
    #expect(outline(document.root) == "[no, 1e3, 0777, 12:30:45, ~, null, \"~\", 2026-10-01]")
    guard case .sequence(let items)? = document.root?.content else {
        Issue.record("not a sequence")
        return
    }
    #expect(items.map(\.isNull) == [false, false, false, false, true, true, false, false])
}

@Test func `keys and values know their line, column and length`() {
    let document = read("a: 1\nböse:\n  - 'x y'\n  - {k: v}\n")
    guard case .mapping(let entries)? = document.root?.content,
        case .sequence(let items) = entries[1].value.content,
        case .mapping(let inner) = items[1].content
    else {
        Issue.record("another shape")
        return
    }
    #expect(place(entries[1].keyRange) == [2, 1, 4])
    #expect(place(items[0].range) == [3, 5, 5])
    #expect(place(inner[0].value.range) == [4, 9, 1])
    #expect(place(items[1].range) == [4, 5, 6])
}

@Test(arguments: ["\n", "\r\n", "\r", "\u{85}", "\u{2028}"])
func `lines are counted alike by the reader and by the source`(end: String) {
    let text = ["# one", "key: [", "  1,", "  two ]", ""].joined(separator: end)
    let document = read("\u{FEFF}" + text)
    #expect(document.problems.isEmpty)
    guard case .mapping(let entries)? = document.root?.content,
        case .sequence(let items) = entries[0].value.content
    else {
        Issue.record("another shape")
        return
    }
    #expect(place(items[1].range) == [4, 3, 3])
    let lines = YAMLText.lines(of: Array(("\u{FEFF}" + text).utf8))
    #expect(lines == ["# one", "key: [", "  1,", "  two ]", ""])
}

@Test(arguments: ["", "\n\n", "# only a comment\n", "---\n...\n"])
func `a text without content has no root, or an empty one`(text: String) {
    let document = read(text)
    #expect(document.problems.isEmpty)
    #expect(document.root?.isNull ?? true)
}

@Test func `equal keys are reported with both lines and the first one stays`() {
    let document = read("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    #expect(document.problems.map(\.kind) == [.duplicateKey, .duplicateKey])
    #expect(document.problems.map { $0.range.start.line } == [2, 3])
    #expect(document.problems[1].message == "the key `a` is already used at line 1")
    #expect(outline(document.root) == "{a: 1, b: {c: 1}}")
}

@Test func `anchors, aliases, tags and keys that are lists are refused, all in one run`() {
    let document = read("a: &x 1\nb: *x\nc: !!str 5\n? [1]\n: 2\nd: *unknown\n")
    #expect(document.problems.map(\.kind) == Array(repeating: .unsupported, count: 5))
    #expect(document.problems.map { $0.range.start.line } == [1, 2, 3, 4, 6])
}

@Test func `a second document is refused where it begins`() {
    let document = read("a: 1\n---\nb: 2\n")
    #expect(document.problems.map(\.kind) == [.unsupported])
    #expect(place(document.problems.first?.range).first == 2)
}

@Test(
    arguments: [
        ("a: [1, 2", 2, 1), ("a: 1\n b: 2", 2, 3), ("a: \"open", 1, 9), ("a: @b", 1, 4),
        ("- a\nb: 1", 2, 1), ("a: {b: 1]", 1, 9), ("%YAML 9.9\n---\na: 1", 1, 1),
    ] as [(String, Int, Int)])
func `a syntax error has its line and column and no tree`(text: String, line: Int, column: Int) {
    let document = read(text)
    #expect(document.root == nil)
    #expect(document.problems.map(\.kind) == [.syntax])
    #expect(document.problems.first?.range.start.line == line)
    #expect(document.problems.first?.range.start.column == column)
    #expect(document.problems.first?.message.hasPrefix("not valid YAML: ") == true)
}

@Test func `a tab in the indentation is called a tab`() {
    let problem = read("a:\n\tb: 1\n").problems.first
    #expect(problem?.message == "not valid YAML: a tab cannot be used here")
    #expect(place(problem?.range).prefix(2) == [2, 1])
}

@Test(
    arguments: [
        ([0x61, 0x3A, 0x20, 0xFF], 1, 4), ([0x61, 0x3A, 0x0A, 0x20, 0xC3, 0x28], 2, 2),
        ([0x61, 0x3A, 0x20, 0x00], 1, 4), ([0x61, 0x3A, 0x20, 0x1B], 1, 4),
        ([0xED, 0xA0, 0x80], 1, 1), ([0xFF, 0xFE, 0x61, 0x00], 1, 1),
    ] as [([UInt8], Int, Int)])
func `bytes that are not text are refused where they are`(bytes: [UInt8], line: Int, column: Int) {
    let document = YAMLDocument(reading: bytes)
    #expect(document.root == nil)
    #expect(document.problems.map(\.kind) == [.encoding])
    #expect(place(document.problems.first?.range).prefix(2) == [line, column])
}

@Test func `size, depth, values and problems are bounded`() {
    var bounds = YAMLBounds()
    bounds.bytes = 10
    #expect(read("a: 1234567", bounds: bounds).problems.isEmpty)
    #expect(read("a: 12345678", bounds: bounds).problems.map(\.kind) == [.tooLarge])
    bounds = YAMLBounds()
    bounds.depth = 3
    #expect(read("[[1]]", bounds: bounds).problems.isEmpty)
    #expect(read("[[[1]]]", bounds: bounds).problems.map(\.kind) == [.tooLarge])
    bounds.nodes = 4
    #expect(read("[1, 2, 3]", bounds: bounds).problems.isEmpty)
    #expect(read("[1, 2, 3, 4]", bounds: bounds).problems.map(\.kind) == [.tooLarge])
    bounds = YAMLBounds()
    bounds.problems = 5
    #expect(read(String(repeating: "a: 1\n", count: 100), bounds: bounds).problems.count == 5)
}

@Test func `deep nesting and a flood of brackets end in a problem`() {
    for text in ["[", "{", "- ", "? ", "a: [", "!a [", "&a "] {
        let document = read(String(repeating: text, count: 100_000))
        #expect(document.root == nil)
        #expect(!document.problems.isEmpty)
    }
}

@Test func `any bytes are read or refused, never more`() {
    let sample = Array("a: 1\nb: [x, \"y\", {c: 'd'}]\ne: |\n  t\nf: &g !h *i # j\n? k\n: l\n".utf8)
    let spice = Array("[]{}:,-?!&*'\"|>%@`#\t\n\r \\~$\u{0}".utf8)
    var random = SeededRandom(seed: 7)
    for _ in 0..<2000 {
        var bytes = sample
        for _ in 0...random.below(6) {
            let index = random.below(bytes.count)
            switch random.below(4) {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes.insert(spice[random.below(spice.count)], at: index)
            case 2: bytes.remove(at: index)
            default: bytes.append(contentsOf: bytes[index...])
            }
        }
        let document = YAMLDocument(reading: bytes)
        let lines = YAMLText.lines(of: bytes)
        for problem in document.problems {
            #expect(problem.range.start.line >= 1 && problem.range.start.line <= lines.count + 1)
            #expect(problem.range.start.column >= 1 && !problem.message.isEmpty)
        }
    }
}
