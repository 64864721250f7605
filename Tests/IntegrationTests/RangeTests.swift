import Foundation
import Testing

extension Integration {
    /// Ranges of stored answers, byte for byte.
    struct RangeTests {
        /// 300 KB of which each piece says where it stands.
        private static let content = String(
            (0..<30_000).map { String(format: "%09d\n", $0) }.joined())

        private static func slice(_ range: Range<Int>) -> String {
            String(decoding: Array(content.utf8)[range], as: UTF8.self)
        }

        private func origin(requests: Board<[String?]> = Board([])) throws -> RawOrigin {
            try RawOrigin(answering: { request in
                requests.change { $0.append(request["range"]) }
                return response(
                    "200 OK",
                    [
                        "Cache-Control: max-age=60", "ETag: \"v1\"",
                        "Content-Type: text/plain; charset=utf-8",
                    ],
                    body: RangeTests.content)
            })
        }

        @Test func `single ranges of a large answer are cut out exactly`() throws {
            let origin = try origin()
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                #expect(try client.ask(request("/f")).text == RangeTests.content)
                let count = RangeTests.content.utf8.count
                for (value, range) in [
                    ("0-0", 0..<1), ("0-", 0..<count), ("-1", count - 1..<count),
                    ("65536-131071", 65536..<131_072), ("16383-16384", 16383..<16385),
                    ("100-299000", 100..<299_001), ("-299999", 1..<count),
                    ("299990-999999", 299_990..<count),
                ] {
                    let part = try client.ask(request("/f", ["Range: bytes=\(value)"]))
                    #expect(part.status == 206)
                    #expect(part.text == RangeTests.slice(range), "\(value)")
                    #expect(
                        part["content-range"]
                            == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(count)")
                    #expect(part["content-length"] == "\(range.count)")
                    #expect(part["content-type"] == "text/plain; charset=utf-8")
                    #expect(part["cache-status"]?.hasPrefix("weir; hit; ttl=") == true)
                }
                let none = try client.ask(request("/f", ["Range: bytes=\(count)-"]))
                #expect(none.status == 416)
                #expect(none["content-range"] == "bytes */\(count)")
                // The connection is in step: the next answer is read whole.
                #expect(try client.ask(request("/f")).text == RangeTests.content)
                #expect(origin.requests.count == 1)
            }
        }

        @Test func `several ranges are a multipart body, each part with its place`() throws {
            let origin = try origin()
            defer { origin.close() }
            try Weir.run(configuration(origin, "cache: {memory: 64MiB}")) { weir throws in
                let client = try weir.connect()
                _ = try client.ask(request("/f"))
                let count = RangeTests.content.utf8.count
                var boundaries: Set<String> = []
                for _ in 0..<3 {
                    let answer = try client.ask(
                        request("/f", ["Range: bytes=-10, 0-9, 100000-199999"]))
                    #expect(answer.status == 206)
                    #expect(answer["content-range"] == nil)
                    let prefix = "multipart/byteranges; boundary="
                    let type = try #require(answer["content-type"])
                    #expect(type.hasPrefix(prefix))
                    let boundary = String(type.dropFirst(prefix.count))
                    #expect(boundary.count == 32)
                    boundaries.insert(boundary)
                    var expected = ""
                    for range in [count - 10..<count, 0..<10, 100_000..<200_000] {
                        expected += "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        expected += "Content-Range: bytes \(range.lowerBound)-"
                        expected += "\(range.upperBound - 1)/\(count)\r\n\r\n"
                        expected += RangeTests.slice(range) + "\r\n"
                    }
                    #expect(answer.text == expected + "--\(boundary)--\r\n")
                }
                #expect(boundaries.count == 3)
                // More than anybody needs: the whole.
                let many = (0..<17).map { "\($0 * 1000)-\($0 * 1000)" }.joined(separator: ",")
                let whole = try client.ask(request("/f", ["Range: bytes=\(many)"]))
                #expect(whole.status == 200)
                #expect(whole.text == RangeTests.content)
                #expect(origin.requests.count == 1)
            }
        }

        @Test func `a request for several ranges that follows a fetch gets the whole`() throws {
            let (asked, release) = (Gate(), Gate())
            let origin = try RawOrigin { origin, connection in
                guard let request = try connection.readRequest() else { return }
                origin.note(request)
                try connection.send(
                    "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 300000\r\n\r\n"
                )
                try connection.send(RangeTests.slice(0..<100_000))
                asked.open()
                try release.pass()
                try connection.send(RangeTests.slice(100_000..<300_000))
                _ = try connection.readRequest()
            }
            defer { origin.close() }
            try Weir.run(configuration(origin, "workers: 2\ncache: {memory: 64MiB}")) {
                weir throws in
                let leader = Background { try weir.ask(request("/f")).text }
                try asked.pass()
                // These bytes are there.
                let early = try weir.ask(request("/f", ["Range: bytes=50000-59999"]))
                #expect(early.status == 206)
                #expect(early.text == RangeTests.slice(50_000..<60_000))
                #expect(early["cache-status"]?.contains("collapsed") == true)
                let several = Background {
                    try weir.ask(request("/f", ["Range: bytes=0-9,200000-200009"]))
                }
                release.open()
                let all = try several.value()
                // It followed, or came when all was stored.
                #expect(all.status == 200 ? all.text == RangeTests.content : all.status == 206)
                #expect(try leader.value() == RangeTests.content)
                #expect(origin.requests.count == 1)
            }
        }
    }
}
