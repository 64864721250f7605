import EventLoop
import Foundation
import Testing

@Suite struct FileStampTests {
    @Test func `a file's stamp changes when it is written or replaced, and only then`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "weir-stamp-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("keys.pem")
        try Data("one".utf8).write(to: file)
        let first = try Host.fileStamp(file.path)
        #expect(first.size == 3)
        #expect(first.isRegular)
        #expect(try Host.fileStamp(file.path) == first)
        try Data("longer".utf8).write(to: file)
        let second = try Host.fileStamp(file.path)
        #expect(second != first)
        #expect(second.size == 6)
        // A symbolic link shows what it points to, as orchestrators switch secrets.
        let other = folder.appendingPathComponent("other.pem")
        let link = folder.appendingPathComponent("link.pem")
        try Data("longer".utf8).write(to: other)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
        #expect(try Host.fileStamp(link.path) == second)
        try FileManager.default.removeItem(at: link)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: other)
        #expect(try Host.fileStamp(link.path).inode != second.inode)
        #expect(try !Host.fileStamp(folder.path).isRegular)
        #expect(throws: HostError.self) { try Host.fileStamp(folder.path + "/none") }
    }
}
