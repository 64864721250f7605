import EventLoop
import Foundation
import Testing

@Suite struct ReplaceFileTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "weir-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test func `a file is made, then replaced, for its owner alone, and nothing else is left`()
        throws
    {
        try inFolder { folder in
            let path = folder + "/file"
            for content in [[UInt8](repeating: 65, count: 200_000), [66], []] {
                try Host.replaceFile(path, content)
                #expect(try Host.readFile(path, limit: 1 << 20) == content)
            }
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
            #expect(mode as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test func `where it cannot be written the error is told, and the old file stays`() throws {
        try inFolder { folder in
            let path = folder + "/file"
            try Host.replaceFile(path, [1])
            // Something else stands where the new content is prepared.
            try FileManager.default.createDirectory(
                atPath: path + ".new", withIntermediateDirectories: false)
            #expect(throws: HostError.self) { try Host.replaceFile(path, [2]) }
            #expect(try Host.readFile(path, limit: 10) == [1])
            do throws(HostError) {
                try Host.replaceFile(folder + "/none/file", [1])
                Issue.record("written")
            } catch {
                #expect(error.isMissing)
            }
        }
    }
}
