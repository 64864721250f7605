import FoundationEssentials
import Testing

/// The folder of the repository.
private let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

/// The text of all tests.
private func tests() throws -> String {
    let manager = FileManager.default
    let folder = "\(root)/Tests"
    return try manager.contentsOfDirectory(atPath: folder).sorted().reduce(into: "") { text, name in
        guard let files = try? manager.contentsOfDirectory(atPath: "\(folder)/\(name)") else {
            return
        }
        for file in files where file.hasSuffix(".swift") {
            text += try String(contentsOfFile: "\(folder)/\(name)/\(file)", encoding: .utf8)
        }
    }
}

@Test func `every test that the manual of limits names is there`() throws {
    let manual = try String(contentsOfFile: "\(root)/docs/limits.md", encoding: .utf8)
    let tests = try tests()
    var named = 0
    var isTable = false
    for line in manual.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.hasSuffix("| test |") { isTable = true }
        if line.isEmpty { isTable = false }
        guard isTable, line.hasSuffix("` |") else { continue }
        let name = line.dropLast(3).split(separator: "`").last ?? ""
        named += 1
        #expect(tests.contains("func `\(name)`"), "\(name)")
    }
    #expect(named > 25)
}
