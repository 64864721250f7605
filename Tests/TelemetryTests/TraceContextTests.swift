import Primitives
import Telemetry
import Testing

private let trace = "0af7651916cd43dd8448eb211c80319c"
private let span = "b7ad6b7169203331"

private func parsed(_ text: String) -> TraceContext? {
    TraceContext(parsing: Array(text.utf8).span)
}

private func text(_ context: TraceContext) -> String {
    let buffer = ByteBuffer(capacity: 64)
    context.append(to: buffer)
    return buffer.readable.text
}

@Test(arguments: [
    ("00-\(trace)-\(span)-01", "01"), ("00-\(trace)-\(span)-00", "00"),
    ("00-\(trace)-\(span)-ff", "03"), ("01-\(trace)-\(span)-01", "01"),
    ("cc-\(trace)-\(span)-01-what-comes", "01"), ("fe-\(trace)-\(span)-02-", "02"),
])
func `a valid traceparent is read and written as version 00`(field: String, flags: String) throws {
    let context = try #require(parsed(field))
    #expect(text(context) == "00-\(trace)-\(span)-\(flags)")
    #expect(context.isSampled == (flags != "00" && flags != "02"))
}

@Test(arguments: [
    "", "00", "ff-\(trace)-\(span)-01", "00-\(trace)-\(span)-01-", "00-\(trace)-\(span)-01x",
    "01-\(trace)-\(span)-01x", "00-\(trace)-\(span)-0", "0x-\(trace)-\(span)-01",
    "00-00000000000000000000000000000000-\(span)-01", "00-\(trace)-0000000000000000-01",
    "00-\(trace.uppercased())-\(span)-01", "00-\(trace)-\(span.uppercased())-01",
    "00-\(trace)-\(span)-0A",
    "00_\(trace)-\(span)-01", "00-\(trace)_\(span)-01", "00-\(trace)-\(span)_01",
    "00-\(trace)x-\(span)-01", " 00-\(trace)-\(span)-01",
])
func `an invalid traceparent is no context`(field: String) {
    #expect(parsed(field) == nil)
}

@Test func `a trace id with one half of zeros is valid`() {
    #expect(parsed("00-0000000000000000\(span)-\(span)-01") != nil)
    #expect(parsed("00-\(span)0000000000000000-\(span)-01") != nil)
}

@Test func `a child keeps trace and flags and has a span of its own`() throws {
    var random = SeededRandom(seed: 12)
    let parent = try #require(parsed("00-\(trace)-\(span)-01"))
    let child = parent.child(using: &random)
    #expect(child.traceHigh == parent.traceHigh && child.traceLow == parent.traceLow)
    #expect(child.isSampled)
    #expect(child.span != parent.span)
}

@Test func `new traces differ, can be read back, and say whether they are sampled`() {
    var random = SeededRandom(seed: 13)
    var seen: Set<String> = []
    for i in 0..<1_000 {
        let context = TraceContext(isSampled: i % 2 == 0, using: &random)
        let field = text(context)
        #expect(field.utf8.count == TraceContext.textCount)
        #expect(parsed(field) == context)
        #expect(context.isSampled == (i % 2 == 0))
        #expect(seen.insert(field).inserted)
    }
}
