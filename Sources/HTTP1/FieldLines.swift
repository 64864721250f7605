import HTTPModel
import Primitives

/// Where the name and the value of a field line stand.
struct FieldLine: BitwiseCopyable {
    var name: ByteRange
    var value: ByteRange

    /// Reads the line `start..<end` of `bytes`, which holds no control byte but tabs (RFC 9112 §5).
    ///
    /// The bytes of the name are not checked: a name that is recognised is right as it is.
    @inline(__always)
    init(_ bytes: Span<UInt8>, from start: Int, to end: Int) throws(HeadError) {
        let colon = bytes.firstIndex(of: 0x3A, from: start, to: end)
        guard colon > start && colon < end else {
            throw FieldLine.isSpace(bytes[start]) ? .obsoleteFold : .malformedFieldName
        }
        var low = colon + 1
        var high = end
        while low < high && FieldLine.isSpace(bytes[low]) { low += 1 }
        while high > low && FieldLine.isSpace(bytes[high - 1]) { high -= 1 }
        name = ByteRange(start: start, count: colon - start)
        value = ByteRange(start: low, count: high - low)
    }

    /// Checks that a name that is not recognised, in the same bytes, is a token (RFC 9110 §5.1).
    @inline(never)
    func checkName(_ bytes: Span<UInt8>) throws(HeadError) {
        let end = name.end
        guard !FieldLine.isSpace(bytes[Int(name.start)]) else { throw .obsoleteFold }
        // Nearly all names are letters and hyphens.
        for i in bytes.firstUnlikeName(from: Int(name.start), to: end)..<end
        where !ASCII.isToken(bytes[i]) {
            throw FieldLine.isSpace(bytes[i]) ? .spaceBeforeColon : .malformedFieldName
        }
    }

    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }
}

extension FieldList {
    /// Records the field lines of a scanned head, which are the list's own bytes too.
    ///
    /// - Parameters:
    ///   - head: The head, up to and with its empty line.
    ///   - firstEnd: Where its first line ends, which is not a field.
    ///   - count: The number of lines after the first.
    /// - Throws: What is wrong with the first bad line.
    mutating func recordLines(
        of head: Span<UInt8>, after firstEnd: Int, _ count: Int
    ) throws(HeadError) {
        let first = self.count
        var fields = withRoom(for: count)
        var start = firstEnd + 2
        for index in first..<(first + count) {
            // Every CR of a scanned head ends a line.
            let end = head.firstIndex(of: ASCII.cr, from: start, to: head.count)
            let line = try FieldLine(head, from: start, to: end)
            let name = FieldName(recognising: head, in: line.name)
            if name == .other { try line.checkName(head) }
            fields[index] = Field(line: name, nameRange: line.name, valueRange: line.value)
            start = end + 2
        }
        record(count)
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
