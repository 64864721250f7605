public import HTTPModel
import Primitives

/// Reads fields that are a List of Strings (RFC 9651 §3.1, §3.3.3).
public enum StructuredStrings {
    /// The strings of all lines named `name` (in lower case), as one list.
    ///
    /// Parameters are skipped.
    /// - Returns: `nil` when there is no such line, or when the list is malformed or has a member that is no
    ///   String: the field then counts as absent (RFC 9651 §4.2).
    public static func list(named name: StaticString, of fields: borrowing FieldList) -> [[UInt8]]?
    {
        var joined: [UInt8] = []
        var isThere = false
        for i in fields.indices where fields.name(at: i).equalsIgnoringCase(name) {
            if isThere { joined.append(UInt8(ascii: ",")) }
            joined.append(fields.value(at: i))
            isThere = true
        }
        return isThere ? parse(joined.span) : nil
    }

    /// The strings of one list; `nil` when it is malformed or has another member than a String.
    static func parse(_ text: Span<UInt8>) -> [[UInt8]]? {
        var strings: [[UInt8]] = []
        var i = skip(text, from: 0)
        guard i < text.count else { return [] }
        while true {
            guard let string = string(text, &i), skipParameters(text, &i) else { return nil }
            strings.append(string)
            i = skip(text, from: i)
            if i == text.count { return strings }
            guard text[i] == UInt8(ascii: ",") else { return nil }
            i = skip(text, from: i + 1)
            // No list ends with a comma.
            guard i < text.count else { return nil }
        }
    }

    private static func skip(_ text: Span<UInt8>, from start: Int) -> Int {
        var i = start
        while i < text.count, text[i] == ASCII.space || text[i] == ASCII.tab { i += 1 }
        return i
    }

    /// A String at `i`: printable ASCII in quotes, with `\"` and `\\`.
    private static func string(_ text: Span<UInt8>, _ i: inout Int) -> [UInt8]? {
        let quote = UInt8(ascii: "\"")
        let escape = UInt8(ascii: "\\")
        guard i < text.count, text[i] == quote else { return nil }
        i += 1
        var string: [UInt8] = []
        while i < text.count {
            var byte = text[i]
            i += 1
            if byte == quote { return string }
            if byte == escape {
                guard i < text.count, text[i] == quote || text[i] == escape else { return nil }
                byte = text[i]
                i += 1
            }
            guard (0x20...0x7E).contains(byte) else { return nil }
            string.append(byte)
        }
        return nil
    }

    /// Skips `;name=value;name`; `false` when they are malformed.
    private static func skipParameters(_ text: Span<UInt8>, _ i: inout Int) -> Bool {
        while i < text.count, text[i] == UInt8(ascii: ";") {
            i += 1
            while i < text.count, text[i] == ASCII.space { i += 1 }
            let start = i
            while i < text.count, isKeyCharacter(text[i]) { i += 1 }
            guard i > start, !ASCII.isDigit(text[start]) else { return false }
            guard i < text.count, text[i] == UInt8(ascii: "=") else { continue }
            i += 1
            guard i < text.count else { return false }
            if text[i] == UInt8(ascii: "\"") {
                guard string(text, &i) != nil else { return false }
                continue
            }
            let value = i
            while i < text.count, !",; \t\"".utf8.contains(text[i]) { i += 1 }
            guard i > value else { return false }
        }
        return true
    }

    private static func isKeyCharacter(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || ASCII.isDigit(byte) || "_-.*".utf8.contains(byte)
    }
}
