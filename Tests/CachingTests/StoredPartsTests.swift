import HTTPModel
import Primitives
import Testing

@testable import Caching

/// Parts of answers: what is read of a 206, and what comes of several (RFC 9110 §14.4, RFC 9111 §3.4).
@Suite struct StoredPartsTests {
    @Test(arguments: [
        ("bytes 0-4/26", "0-4/26"), ("BYTES 25-25/26", "25-25/26"), ("bytes 0-25/26", "0-25/26"),
        ("bytes 0-26/26", "-"), ("bytes 5-4/26", "-"), ("bytes 0-4/*", "-"), ("bytes */26", "-"),
        ("bytes=0-4/26", "-"), ("bytes 0-4", "-"), ("bytes 0-4/", "-"), ("bytes -4/26", "-"),
        ("bytes 0-/26", "-"), ("lines 0-4/26", "-"), ("", "-"), ("bytes", "-"), ("bytes ", "-"),
        ("bytes 0-4/99999999999999999999", "-"), ("bytes 0-4/18446744073709551615", "-"),
        ("bytes 0-4/9223372036854775807", "0-4/9223372036854775807"),
    ])
    func `Content-Range`(value: String, expected: String) {
        let bytes = bytes(value)
        let range = ContentRange(bytes.span)
        let words = range.map { "\($0.slice.start)-\($0.slice.end - 1)/\($0.length)" } ?? "-"
        #expect(words == expected)
    }

    @Test func `a 206 whose length is another than its range says is no part`() {
        func isPart(_ status: Status, _ framing: BodyFraming) -> Bool {
            ContentRange(
                of: response(status, [("Content-Range", "bytes 0-4/26")], framing: framing))
                != nil
        }
        #expect(isPart(206, .length(5)))
        #expect(!isPart(206, .length(6)))
        #expect(!isPart(206, .chunked))
        #expect(!isPart(206, .untilClose))
        #expect(!isPart(200, .length(5)))
    }

    @Test(
        arguments: [
            ([(0, 10)], "10-99"), ([(90, 100)], "0-89"), ([(40, 50)], "0-99"),
            ([(0, 10), (50, 100)], "10-49"), ([(0, 10), (20, 30), (50, 100)], "10-49"),
            ([(10, 20), (50, 100)], "0-49"), ([(0, 10), (50, 60)], "10-99"),
        ] as [([(Int, Int)], String)])
    func `the gap reaches from the first to the last missing byte`(
        slices: [(Int, Int)], expected: String
    ) {
        let gap = BodyParts(slices.map { BodySlice($0.0, $0.1) }, of: 100).gap
        #expect("\(gap.start)-\(gap.end - 1)" == expected)
    }

    // MARK: Combining

    private func part(
        _ slice: Range<Int>, of content: [UInt8], etag: String = "\"v1\"", at seconds: Double = 0,
        step: Int = 1000
    ) -> StoredResponse {
        let head = cachedHead(
            request(),
            response(
                200, [("Cache-Control", "max-age=60"), ("ETag", etag)],
                framing: .length(UInt64(content.count))), times: times(seconds))
        let segments = stride(from: slice.lowerBound, to: slice.upperBound, by: step).map {
            Array(content[$0..<min($0 + step, slice.upperBound)])
        }
        return StoredResponse(
            head: head, body: segments,
            parts: BodyParts([BodySlice(slice.lowerBound, slice.upperBound)], of: content.count))
    }

    private let content = (0..<600).map { UInt8($0 % 251) }

    @Test func `parts with another validator, a weak one or another length are not combined`() {
        let first = part(0..<100, of: content)
        #expect(part(100..<200, of: content).combined(with: first) != nil)
        #expect(part(100..<200, of: content, etag: "\"v2\"").combined(with: first) == nil)
        #expect(part(100..<200, of: Array(content.dropLast())).combined(with: first) == nil)
        let weak = part(0..<100, of: content, etag: "W/\"v1\"")
        #expect(part(100..<200, of: content, etag: "W/\"v1\"").combined(with: weak) == nil)
    }

    @Test func `the fields are those of the latest, and beyond 64 pieces nothing is combined`() {
        let old = part(0..<100, of: content, at: 0)
        let new = part(300..<400, of: content, at: 5)
        #expect(new.combined(with: old)?.head === new.head)
        #expect(old.combined(with: new)?.head === new.head)
        var all = part(0..<1, of: content)
        for i in 1..<64 { all = part(i * 2..<i * 2 + 1, of: content).combined(with: all) ?? all }
        #expect(all.parts?.slices.count == 64)
        #expect(part(200..<201, of: content).combined(with: all) == nil)
        #expect(part(1..<2, of: content).combined(with: all)?.parts?.slices.count == 63)
    }

    @Test func `random parts become the whole, byte for byte`() throws {
        var random = SeededRandom(seed: 34)
        for round in 0..<300 {
            var there = Set<Int>()
            var all: StoredResponse?
            for step in 0..<60 {
                let start = random.below(content.count)
                let end = min(content.count, start + 1 + random.below(120))
                let new = part(
                    start..<end, of: content, at: Double(step), step: 1 + random.below(50))
                there.formUnion(start..<end)
                let combined = all.map { new.combined(with: $0) } ?? new
                let stored = try #require(combined, "round \(round)")
                all = stored
                #expect(stored.isWhole == (there.count == content.count))
                #expect(stored.bodyCount == there.count)
                let slices = stored.parts?.slices ?? [BodySlice(0, content.count)]
                #expect(slices.reduce(0) { $0 + $1.count } == there.count)
                for slice in slices {
                    #expect(
                        Array(stored.segments(of: slice).joined())
                            == Array(content[slice.start..<slice.end]))
                }
                if stored.isWhole { break }
                let number = random.below(content.count - 1)
                let asked = request("/", [("Range", "bytes=\(number)-\(number + 1)")])
                #expect(
                    stored.canAnswer(asked)
                        == (there.contains(number) && there.contains(number + 1))
                )
                #expect(!stored.canAnswer(request()))
            }
        }
    }
}
