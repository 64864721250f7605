import BinaryKit
import Foundation
import Testing

private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

@Test func `every case ends as the table says, and the document agrees`() throws {
    let cases = Table.all.filter { item in Table.wanted.map { item.id.contains($0) } ?? true }
    let results = try Table.run(cases)
    #expect(results.count == cases.count)
    for result in results {
        guard let contradiction = result.contradiction else { continue }
        Issue.record("\(result.item.id) (\(result.item.says)): \(contradiction)")
    }
    // A part of the table makes no document.
    guard Table.wanted == nil, results.allSatisfy({ $0.contradiction == nil }) else { return }
    let file = root.appendingPathComponent("docs/conformance.md")
    let text = Document.text(results)
    if ProcessInfo.processInfo.environment["WEIR_WRITE_DOCS"] != nil {
        try Data(text.utf8).write(to: file)
    }
    let agrees = try String(contentsOf: file, encoding: .utf8) == text
    #expect(
        agrees, "docs/conformance.md is not of this run; `make conformance` writes it")
}

@Test func `the table is large enough, names each case once and leaves no must undone`() {
    let all = Table.all
    #expect(all.count >= 250)
    #expect(Set(all.map(\.id)).count == all.count)
    for item in all {
        #expect(!item.script.isEmpty && !item.says.isEmpty, "\(item.id)")
        #expect(item.document == "weir" || Int(item.document) != nil, "\(item.id)")
        if case .left = item.standing { #expect(item.kind != .must, "\(item.id)") }
    }
}

@Test func `cases that comments in the sources name are in the table`() throws {
    let ids = Table.all.map(\.id)
    let sources = root.appendingPathComponent("Sources")
    let files = try #require(FileManager.default.enumerator(atPath: sources.path))
    let name = /`((?:9111|9110|9112|9211|9213|5861|8246|9875|10008)-[0-9a-z.\-]*)…?`/
    for case let file as String in files where file.hasSuffix(".swift") {
        let text = try String(contentsOf: sources.appendingPathComponent(file), encoding: .utf8)
        for match in text.matches(of: name) {
            let prefix = String(match.1)
            #expect(ids.contains { $0.hasPrefix(prefix) }, "\(file) names \(prefix)")
        }
    }
}
