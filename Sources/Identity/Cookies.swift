import HTTPModel
import Primitives

/// Reads Cookie fields as servers are told to write them (RFC 6265 §4.2.1).
enum Cookies {
    /// Where the value of the only cookie called `name` stands, in all lines taken together; names differ in case.
    ///
    /// - Returns: `nil` when there is none or several, of which somebody may have planted one, and when the value
    ///   is empty or has bytes beyond those a cookie may have. Quotes around a value are no part of it.
    static func only(_ name: Span<UInt8>, in fields: borrowing FieldList) -> ByteRange? {
        guard fields.contains(.cookie) else { return nil }
        var found: ByteRange?
        for index in fields.indices where fields[index].name == .cookie {
            let range = fields[index].valueRange
            let line = fields.span(range)
            var start = 0
            while start < line.count {
                let end = line.firstIndex(of: UInt8(ascii: ";"), from: start) ?? line.count
                if let value = value(of: name, in: line, start..<end) {
                    if found != nil { return nil }
                    found = ByteRange(
                        start: Int(range.start) + value.lowerBound, count: value.count)
                }
                start = end + 1
            }
        }
        guard let found, isValue(fields.span(found)) else { return nil }
        return found
    }

    /// The value of a pair if it has the name: its place in `line`.
    private static func value(
        of name: Span<UInt8>, in line: Span<UInt8>, _ pair: Range<Int>
    ) -> Range<Int>? {
        var start = pair.lowerBound
        var end = pair.upperBound
        while start < end && isSpace(line[start]) { start += 1 }
        while end > start && isSpace(line[end - 1]) { end -= 1 }
        let equals = start + name.count
        guard equals < end, line[equals] == UInt8(ascii: "="),
            line.extracting(start..<equals).equals(name)
        else { return nil }
        start = equals + 1
        let quote = UInt8(ascii: "\"")
        if end - start >= 2 && line[start] == quote && line[end - 1] == quote {
            return (start + 1)..<(end - 1)
        }
        return start..<end
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }

    /// Whether all bytes are cookie-octets, and there is one.
    private static func isValue(_ text: Span<UInt8>) -> Bool {
        for i in text.indices {
            switch text[i] {
            case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: continue
            default: return false
            }
        }
        return text.count > 0
    }
}
