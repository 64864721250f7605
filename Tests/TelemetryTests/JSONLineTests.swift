import Primitives
import Telemetry
import Testing

private func written(_ value: [UInt8]) -> String {
    let buffer = ByteBuffer(capacity: 64)
    var line = JSONLine(to: buffer)
    line.field("v", value.span)
    line.end()
    return buffer.readable.text
}

@Test func `a line has its fields in order and ends with one line feed`() throws {
    let buffer = ByteBuffer(capacity: 64)
    var random = SeededRandom(seed: 1)
    let trace = TraceContext(isSampled: true, using: &random)
    var line = JSONLine(to: buffer)
    line.field("timestamp", time: WallTime(nanoseconds: 1_700_000_000_123_456_789))
    line.field("level", "info")
    line.field("user_id", Array("42".utf8).span)
    line.field("company", Span<UInt8>?.none)
    line.field("client", IPAddress(high: 0x2001_0db8_0000_0000, low: 1))
    line.field("status", 200)
    line.field("latency_ms", milliseconds: Nanoseconds(12_045_999))
    line.field("hit", true)
    line.field("trace_id", traceOf: trace)
    line.end()
    let text = buffer.readable.text
    #expect(
        text.hasPrefix(
            "{\"timestamp\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"user_id\":\"42\","
                + "\"client\":\"2001:db8::1\",\"status\":200,\"latency_ms\":12.045,\"hit\":true,"))
    #expect(try JSONChecker.fields(of: text).map(\.key).count == 8)
    #expect(try JSONChecker.fields(of: text).last?.value.count == 32)
}

@Test func `an empty line is an empty object`() {
    let buffer = ByteBuffer(capacity: 64)
    JSONLine(to: buffer).end()
    #expect(buffer.readable.text == "{}\n")
}

@Test(arguments: [
    ("a\"b\\c", "{\"v\":\"a\\\"b\\\\c\"}\n"), ("a\r\nb\tc", "{\"v\":\"a\\r\\nb\\tc\"}\n"),
    ("\u{0}\u{1b}[31m\u{7f}", "{\"v\":\"\\u0000\\u001b[31m\\u007f\"}\n"),
    ("\u{85}\u{9b}\u{a0}", "{\"v\":\"\\u0085\\u009b\u{a0}\"}\n"),
    ("grüße 漢字 🦦", "{\"v\":\"grüße 漢字 🦦\"}\n"), ("", "{\"v\":\"\"}\n"),
])
func `text is escaped where it must be and nowhere else`(value: String, line: String) {
    #expect(written(Array(value.utf8)) == line)
}

@Test(
    arguments: [
        ([0x80], 1), ([0xC0, 0xAF], 2), ([0xC2], 1), ([0xE0, 0x80, 0x80], 3),
        ([0xED, 0xA0, 0x80], 3),
        ([0xF4, 0x90, 0x80, 0x80], 4), ([0xE2, 0x82], 1), ([0xF0, 0x9F, 0xA6], 1),
        ([0xFF, 0xFE], 2),
        ([0xE2, 0x28, 0xA1], 2), ([0xF5, 0x80], 2),
    ] as [([UInt8], Int)])
func `damaged UTF-8 is replaced as the standard library does it`(bytes: [UInt8], count: Int) throws
{
    let value = try JSONChecker.fields(of: written(bytes)).first?.value
    #expect(value == String(decoding: bytes, as: UTF8.self))
    #expect(value?.unicodeScalars.filter { $0 == "\u{FFFD}" }.count == count)
}

@Test func `whatever bytes come, the line is JSON and says the same`() throws {
    var random = SeededRandom(seed: 8259)
    let interesting: [UInt8] = [
        0x22, 0x5C, 0x0A, 0x7F, 0xC2, 0x9B, 0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0xED, 0xA0,
    ]
    for _ in 0..<5_000 {
        let bytes = (0..<random.below(24)).map { _ in
            random.below(2) == 0
                ? UInt8(random.below(256)) : interesting[random.below(interesting.count)]
        }
        let value = try JSONChecker.fields(of: written(bytes)).first?.value
        #expect(value == String(decoding: bytes, as: UTF8.self), "\(bytes)")
    }
}

@Test(arguments: ["a", "ü", "€", "🦦", "\"", "\u{1}"])
func `a long value is cut between characters`(unit: String) throws {
    for offset in 0..<5 {
        let text = String(repeating: "x", count: offset) + String(repeating: unit, count: 2_000)
        let value = try #require(try JSONChecker.fields(of: written(Array(text.utf8))).first?.value)
        #expect(value.hasSuffix("…"))
        #expect(text.hasPrefix(value.dropLast()))
        let kept = value.utf8.count - 3
        #expect(kept <= JSONLine.valueMax && kept > JSONLine.valueMax - 4)
    }
    let exact = String(repeating: unit, count: JSONLine.valueMax / unit.utf8.count)
    #expect(try JSONChecker.fields(of: written(Array(exact.utf8))).first?.value == exact)
}

@Test func `a warm line needs no more memory`() {
    let buffer = ByteBuffer(capacity: 4_096)
    let value = Array("\"some\u{1} text\"".utf8)
    for _ in 0..<100 {
        var line = JSONLine(to: buffer)
        line.field("v", value.span)
        line.end()
        buffer.removeAll()
    }
    #expect(buffer.capacity == 4_096)
}
