import Caching
import Compression
import HTTPModel
import Primitives

/// What it costs to encode a stored answer once, and to find what was encoded on each hit.
func measureEncoding(_ rounds: Rounds) {
    measureChoice(rounds)
    let body = jsonText(2_000_000)
    for (name, format) in [
        ("gzip 1", CompressionFormat.gzip(level: 1)), ("gzip 6", .gzip(level: 6)),
        ("gzip 9", .gzip(level: 9)), ("br 1", .brotli(quality: 1)), ("br 5", .brotli(quality: 5)),
        ("br 9", .brotli(quality: 9)),
    ] {
        let work = "encoding, JSON, \(name)"
        guard rounds.wants(work) else { continue }
        var count = 0
        let (median, all) = rounds.time(1) { count = encodedCount(body, format) }
        let megabytes = Double(body.count) / 1e6
        Report.say(
            work, median / 1e6 / megabytes, unit: "ms/MB", rounds: all.map { $0 / 1e6 / megabytes })
        Report.say(work + ": of its size", Double(count) * 100 / Double(body.count), unit: "%")
    }
}

/// What a hit on an encoded answer does beyond a plain one: read Accept-Encoding, look into the slot.
private func measureChoice(_ rounds: Rounds) {
    let work = "encoding, choice on a hit"
    guard rounds.wants(work) else { return }
    var request = FieldList()
    request.append(.acceptEncoding, "gzip, deflate, br, zstd")
    let rules = CacheRules(CachePolicy(), compression: CompressionPolicy())
    let stored = storedText()
    let pieces = 100_000
    var found = 0
    rounds.say(work, bound: 250, pieces: pieces) {
        for _ in 0..<pieces {
            if let coding = rules.coding(for: request), stored.variant(in: coding) == nil {
                found += 1
            }
        }
    }
    guard found > 0 else { Report.fail("no coding was chosen") }
}

private func storedText() -> StoredResponse {
    var response = ResponseHead()
    response.fields.append(.contentType, "text/plain")
    let clock = ClockReading(
        monotonic: MonotonicTime(nanoseconds: 1), wall: WallTime(nanoseconds: 1))
    let head = CachedHead(
        passing: response, times: FetchTimes(requested: clock.monotonic, received: clock))
    return StoredResponse(head: head, body: [])
}

/// Encodes as the proxy does, 32 KiB at a time; the bytes that come out.
private func encodedCount(_ body: [UInt8], _ format: CompressionFormat) -> Int {
    guard var encoder = try? StreamEncoder(format, sizeHint: body.count) else {
        Report.fail("no memory for an encoder")
    }
    let output = ByteBuffer(capacity: 1 << 20)
    var start = 0
    while start < body.count {
        let end = min(body.count, start + (32 << 10))
        guard encoder.encode(body.span.extracting(start..<end), into: output) == .needsMore else {
            Report.fail("the encoder failed")
        }
        start = end
    }
    guard encoder.finish(into: output) == .done else { Report.fail("the encoder failed") }
    return output.count
}

/// Rows as an API answers them, drawn by a fixed seed.
private func jsonText(_ count: Int) -> [UInt8] {
    var random = SeededRandom(seed: 7)
    var text: [UInt8] = []
    var row = 0
    while text.count < count {
        row += 1
        let region = ["emea", "apac", "amer"][random.below(3)]
        let line =
            "{\"id\":\(row),\"name\":\"customer-\(random.below(5000))\","
            + "\"revenue\":\(random.below(1_000_000)).\(random.below(100)),"
            + "\"region\":\"\(region)\",\"active\":\(random.below(10) < 7)},\n"
        text.append(contentsOf: line.utf8)
    }
    return text
}
