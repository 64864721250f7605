import HTTPModel
import Primitives

/// The elements of all lines of a forwarding field, from the last to the first.
///
/// Lines are one list in their order (RFC 9110 §5.3). It is read from the right, because only the right
/// end was written by proxies that are trusted: quotes that a client left open on the left cannot
/// swallow what a proxy appended.
struct HopList: BitwiseCopyable {
    private let name: FieldName
    /// The line after the one that is being read.
    private var line: Int
    /// What is left of that line, before the comma last seen; `nil` when it is used up.
    private var rest: ByteRange?

    init(_ name: FieldName, in fields: borrowing FieldList) {
        self.name = name
        line = fields.count
    }

    /// The next element to the left, or `nil` when there is none. Empty elements count as elements.
    mutating func next(in fields: borrowing FieldList) -> ByteRange? {
        while rest == nil {
            guard line > 0 else { return nil }
            line -= 1
            if fields[line].name == name { rest = fields[line].valueRange }
        }
        guard let left = rest else { return nil }
        guard let comma = HopList.lastComma(in: fields.span(left)) else {
            rest = nil
            return left
        }
        rest = ByteRange(start: Int(left.start), count: comma)
        let start = Int(left.start) + comma + 1
        return ByteRange(start: start, count: left.end - start)
    }

    /// The index of the last comma outside a quoted-string, found from the right.
    private static func lastComma(in text: Span<UInt8>) -> Int? {
        var isQuoted = false
        var i = text.count - 1
        while i >= 0 {
            switch text[i] {
            case UInt8(ascii: "\""):
                if !isQuoted || !isEscaped(i, in: text) { isQuoted.toggle() }
            case UInt8(ascii: ",") where !isQuoted:
                return i
            default:
                break
            }
            i -= 1
        }
        return nil
    }

    /// Whether an odd number of backslashes stands before `index`.
    private static func isEscaped(_ index: Int, in text: Span<UInt8>) -> Bool {
        var i = index
        while i > 0 && text[i - 1] == UInt8(ascii: "\\") { i -= 1 }
        return (index - i) & 1 == 1
    }
}
