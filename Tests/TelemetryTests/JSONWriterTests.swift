import Primitives
import Telemetry
import Testing

@Suite struct JSONWriterTests {
    @Test func `objects and lists nest, and commas stand between what they separate`() {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(to: buffer)
        json.object { json in
            json.field("a", "x")
            json.object("b") { _ in }
            json.array("c") { json in
                json.object { $0.field("d", -1) }
                json.item("e")
            }
            json.field("f", true)
            json.field("g", UInt64.max)
            json.field("h", seconds: .milliseconds(1500))
            json.field("i", nil as String?)
        }
        #expect(
            buffer.readable.text
                == #"{"a":"x","b":{},"c":[{"d":-1},"e"],"f":true,"g":18446744073709551615,"h":1.5}"#
        )
    }

    @Test func `no text ends a string, a line or UTF-8`() {
        let buffer = ByteBuffer(capacity: 64)
        var json = JSONWriter(to: buffer)
        let bytes: [UInt8] = [0x22, 0x5C, 0x0A, 0x1B, 0xFF, 0xC3]
        json.object { $0.field("a\"", bytes: bytes.span) }
        #expect(buffer.readable.text == #"{"a\"":"\"\\\n\u001b"# + "\u{FFFD}\u{FFFD}\"}")
    }
}
