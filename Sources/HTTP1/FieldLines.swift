import HTTPModel
import Primitives

/// Where the name and the value of a field line stand.
struct FieldLine: BitwiseCopyable {
    var name: ByteRange
    var value: ByteRange

    /// Reads the line `start..<end` of `bytes`, which holds no control byte but tabs (RFC 9112 §5).
    ///
    /// The bytes of the name are not checked: a name that is recognised is right as it is.
    init(_ bytes: Span<UInt8>, from start: Int, to end: Int) throws(HeadError) {
        let colon = bytes.firstIndex(of: 0x3A, from: start, to: end)
        guard bytes[start] != ASCII.space && bytes[start] != ASCII.tab else { throw .obsoleteFold }
        guard colon > start && colon < end else { throw .malformedFieldName }
        var low = colon + 1
        var high = end
        while low < high && (bytes[low] == ASCII.space || bytes[low] == ASCII.tab) { low += 1 }
        while high > low && (bytes[high - 1] == ASCII.space || bytes[high - 1] == ASCII.tab) {
            high -= 1
        }
        name = ByteRange(start: start, count: colon - start)
        value = ByteRange(start: low, count: high - low)
    }

    /// Checks that the name is a token (RFC 9110 §5.1).
    static func checkName(_ name: Span<UInt8>) throws(HeadError) {
        for i in name.indices where !ASCII.isToken(name[i]) {
            let isSpace = name[i] == ASCII.space || name[i] == ASCII.tab
            throw isSpace ? .spaceBeforeColon : .malformedFieldName
        }
    }
}

extension FieldList {
    /// Records the field lines of a scanned head, which are the list's own bytes too.
    ///
    /// - Parameters:
    ///   - head: The head, up to and with its empty line.
    ///   - start: Where the line after the start line begins.
    ///   - limit: The most fields.
    mutating func recordLines(
        of head: Span<UInt8>, from start: Int, limit: Int
    ) throws(HeadError) {
        var lineStart = start
        let end = head.count - 2
        while lineStart < end {
            guard count < limit else { throw .tooManyFields }
            let lineEnd = head.firstIndex(of: ASCII.cr, from: lineStart, to: end)
            let line = try FieldLine(head, from: lineStart, to: lineEnd)
            record(name: line.name, value: line.value)
            if self[count - 1].name == .other {
                try FieldLine.checkName(head.extracting(line.name.indices))
            }
            lineStart = lineEnd + 2
        }
    }
}

/// Walks through a comma-separated list without quoted strings (RFC 9110 §5.6.1).
struct ListCursor {
    private var position = 0

    /// The next member of `list` without white space around it, maybe empty; `nil` after the last.
    mutating func next(in list: Span<UInt8>) -> Range<Int>? {
        guard position <= list.count else { return nil }
        var low = position
        var high = list.firstIndex(of: 0x2C, from: position, to: list.count)
        position = high + 1
        while low < high && (list[low] == ASCII.space || list[low] == ASCII.tab) { low += 1 }
        while high > low && (list[high - 1] == ASCII.space || list[high - 1] == ASCII.tab) {
            high -= 1
        }
        return low..<high
    }
}
