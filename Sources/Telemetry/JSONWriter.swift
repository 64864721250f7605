public import Primitives

/// Writes nested JSON (RFC 8259) into a buffer, for people's questions; log lines have `JSONLine`.
///
///     var json = JSONWriter(to: buffer)
///     json.object { json in
///         json.field("limit", "analytics")
///         json.array("keys") { json in json.item("user=42") }
///     }
///
/// Texts may be any bytes: quotes, backslashes and controls are escaped and damaged UTF-8 becomes U+FFFD.
public struct JSONWriter: ~Copyable {
    private let output: ByteBuffer
    private var isFirst = true

    /// Begins to write at the end of `output`.
    public init(to output: ByteBuffer) { self.output = output }

    /// Writes an object as an item, or as the whole text.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        separate()
        enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a field that is an object.
    public mutating func object(_ key: String, _ body: (inout JSONWriter) -> Void) {
        name(key)
        enclose(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
    }

    /// Writes a field that is a list.
    public mutating func array(_ key: String, _ body: (inout JSONWriter) -> Void) {
        name(key)
        enclose(UInt8(ascii: "["), UInt8(ascii: "]"), body)
    }

    /// Writes a text as an item of a list.
    public mutating func item(_ text: String) {
        separate()
        quote(Array(text.utf8).span)
    }

    /// Writes a text field; `nil` writes none.
    public mutating func field(_ key: String, _ text: String?) {
        guard let text else { return }
        name(key)
        quote(Array(text.utf8).span)
    }

    /// Writes a text field of any bytes.
    public mutating func field(_ key: String, bytes text: Span<UInt8>) {
        name(key)
        quote(text)
    }

    /// Writes a number; `nil` writes none.
    public mutating func field(_ key: String, _ number: UInt64?) {
        guard let number else { return }
        name(key)
        output.append(decimal: number)
    }

    /// Writes a number; `nil` writes none.
    public mutating func field(_ key: String, _ number: Int?) {
        guard let number else { return }
        name(key)
        if number < 0 { output.append(UInt8(ascii: "-")) }
        output.append(decimal: UInt64(number.magnitude))
    }

    /// Writes a truth value.
    public mutating func field(_ key: String, _ value: Bool) {
        name(key)
        output.append(value ? "true" : "false")
    }

    /// Writes a duration in seconds, with as many decimals as it has.
    public mutating func field(_ key: String, seconds time: Nanoseconds) {
        name(key)
        output.append(seconds: time)
    }

    /// Writes a time as text by RFC 3339.
    public mutating func field(_ key: String, time: WallTime) {
        name(key)
        output.append(UInt8(ascii: "\""))
        output.append(timestamp: time)
        output.append(UInt8(ascii: "\""))
    }

    private mutating func enclose(
        _ open: UInt8, _ close: UInt8, _ body: (inout JSONWriter) -> Void
    ) {
        output.append(open)
        isFirst = true
        body(&self)
        isFirst = false
        output.append(close)
    }

    private mutating func name(_ key: String) {
        separate()
        quote(Array(key.utf8).span)
        output.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    private func quote(_ text: Span<UInt8>) {
        output.append(UInt8(ascii: "\""))
        output.append(jsonText: text, max: text.count)
        output.append(UInt8(ascii: "\""))
    }
}
