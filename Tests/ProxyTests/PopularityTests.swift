import Primitives
import Settings
import Testing

@testable import Proxy

private func page(_ name: String) -> WarmRequest {
    WarmRequest(host: "a.example", target: "/\(name)")
}

@Suite struct PopularityTests {
    @Test func `the share with the highest scores is popular, rounded up`() {
        var table = Popularity()
        table.add((1...25).map { (page("\($0)"), UInt64($0)) })
        #expect(table.top(0.1).map(\.request.target) == ["/25", "/24", "/23"])
        #expect(table.top(0).isEmpty && table.top(1).count == 25)
    }

    @Test func `scores fade, and what is not asked for is forgotten`() {
        var table = Popularity()
        table.add([(page("old"), 100)])
        for _ in 0..<100 { table.add([(page("new"), 2)]) }
        #expect(table.top(0.5).map(\.request.target) == ["/new"])
        #expect(table.scores.count == 2)
        for _ in 0..<1000 { table.add([]) }
        #expect(table.scores.isEmpty)
    }

    @Test func `beyond its bound the least leave`() {
        var table = Popularity(max: 3)
        table.add([(page("a"), 4), (page("b"), 3), (page("c"), 2), (page("d"), 9)])
        #expect(Set(table.scores.keys.map(\.target)) == ["/a", "/b", "/d"])
        table.restore([(page("e"), 5), (page("a"), 1000)])
        #expect(Set(table.scores.keys.map(\.target)) == ["/a", "/d", "/e"])
        // What is known already is known better.
        #expect(table.scores[page("a")] == 4)
    }
}

@Suite struct PopularKeysFileTests {
    private let keys: [(request: WarmRequest, score: Double)] = [
        (page("a?b=c&d"), 4711.9),
        (
            WarmRequest(
                host: "[::1]:80", target: "/",
                fields: [
                    .init(name: "accept-encoding", value: "gzip, br"),
                    .init(name: "accept", value: ""),
                ]), 0.2
        ),
    ]

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `what is written can be read`() throws {
        let read = try PopularKeysFile.read(PopularKeysFile.write(keys))
        #expect(read.map(\.request) == keys.map(\.request))
        #expect(read.map(\.score) == [4712, 1])
        #expect(try PopularKeysFile.read(PopularKeysFile.write([])).isEmpty)
    }

    @Test func `the file is text`() {
        let lines = text(PopularKeysFile.write(keys)).split(separator: "\n")
        #expect(lines[0] == "weir-popular 1")
        #expect(lines[1] == "4712\ta.example\t/a?b=c&d")
        #expect(lines[2] == "1\t[::1]:80\t/\taccept-encoding: gzip, br\taccept: ")
        #expect(lines[3].hasPrefix("end 2 ") && lines.count == 4)
    }

    @Test func `a file that was cut off anywhere is not used`() {
        let whole = PopularKeysFile.write(keys)
        for count in 0..<whole.count {
            #expect(throws: PopularKeysFile.Fault.self) {
                _ = try PopularKeysFile.read(Array(whole[..<count]))
            }
        }
    }

    @Test func `a file in which any byte is another one is not used`() {
        let whole = PopularKeysFile.write(keys)
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 1
            #expect(throws: PopularKeysFile.Fault.self, "byte \(index)") {
                _ = try PopularKeysFile.read(changed)
            }
        }
    }

    @Test(arguments: ["", "x", "weir-popular 2\nend 0 0\n", "{}"])
    func `other files are foreign`(text: String) {
        #expect(throws: PopularKeysFile.Fault.foreign) {
            _ = try PopularKeysFile.read(Array(text.utf8))
        }
    }
}
