public import Primitives

/// Writes one JSON object (RFC 8259) on one line into a buffer, field by field.
///
///     var line = JSONLine(to: buffer)
///     line.field("route", "analytics")
///     line.field("latency_ms", milliseconds: latency)
///     line.end()
///
/// Keys are literals of plain ASCII, written once each. Values may be any bytes: quotes, backslashes and
/// control characters are escaped, damaged UTF-8 becomes U+FFFD, and what is longer than `valueMax` is cut
/// and ends with `…`. So a client can neither break a line nor forge one. Nothing is allocated but what
/// the buffer needs to grow.
public struct JSONLine: ~Copyable {
    /// The most bytes of a text value that are written, before escaping.
    public static let valueMax = 1024

    private let output: ByteBuffer
    private var isFirst = true

    /// Begins a line in `output`.
    public init(to output: ByteBuffer) {
        self.output = output
        output.append(UInt8(ascii: "{"))
    }

    /// Ends the object and the line. Without it the line is incomplete.
    public consuming func end() {
        output.append("}\n")
    }

    /// Adds a text field.
    public mutating func field(_ key: StaticString, _ value: Span<UInt8>) {
        begin(key)
        output.append(UInt8(ascii: "\""))
        output.append(jsonText: value, max: JSONLine.valueMax)
        output.append(UInt8(ascii: "\""))
    }

    /// Adds a text field, unless there is no value.
    public mutating func field(_ key: StaticString, _ value: Span<UInt8>?) {
        if let value { field(key, value) }
    }

    /// Adds a text field; `value` is plain ASCII without quotes and backslashes.
    public mutating func field(_ key: StaticString, _ value: StaticString) {
        begin(key)
        output.append(UInt8(ascii: "\""))
        output.append(value)
        output.append(UInt8(ascii: "\""))
    }

    /// Adds a number.
    public mutating func field(_ key: StaticString, _ value: UInt64) {
        begin(key)
        output.append(decimal: value)
    }

    /// Adds a truth value.
    public mutating func field(_ key: StaticString, _ value: Bool) {
        begin(key)
        output.append(value ? "true" : "false")
    }

    /// Adds a list of `count` texts.
    public mutating func field(
        _ key: StaticString, count: Int, _ text: (Int) -> [UInt8]
    ) {
        begin(key)
        output.append(UInt8(ascii: "["))
        for index in 0..<count {
            output.append(index == 0 ? "\"" : ",\"")
            let value = text(index)
            output.append(jsonText: value.span, max: JSONLine.valueMax)
            output.append(UInt8(ascii: "\""))
        }
        output.append(UInt8(ascii: "]"))
    }

    /// Adds a duration as a number of milliseconds with three decimals.
    public mutating func field(_ key: StaticString, milliseconds value: Nanoseconds) {
        begin(key)
        output.append(milliseconds: value)
    }

    /// Adds a time as text by RFC 3339.
    public mutating func field(_ key: StaticString, time value: WallTime) {
        begin(key)
        output.append(UInt8(ascii: "\""))
        output.append(timestamp: value)
        output.append(UInt8(ascii: "\""))
    }

    /// Adds an address as text.
    public mutating func field(_ key: StaticString, _ value: IPAddress) {
        begin(key)
        output.append(UInt8(ascii: "\""))
        output.append(value)
        output.append(UInt8(ascii: "\""))
    }

    /// Adds the 32 digits of a trace id.
    public mutating func field(_ key: StaticString, traceOf value: TraceContext) {
        begin(key)
        output.append(UInt8(ascii: "\""))
        value.appendTraceID(to: output)
        output.append(UInt8(ascii: "\""))
    }

    private mutating func begin(_ key: StaticString) {
        output.append(isFirst ? "\"" : ",\"")
        output.append(key)
        output.append("\":")
        isFirst = false
    }
}
