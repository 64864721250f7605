import Primitives

/// What is wrong with a head whatever its kind; requests and responses name it in their own errors.
enum HeadError: UInt8, Error, BitwiseCopyable {
    case bareCR, bareLF, controlByte
    case emptyLines, firstLineTooLong, tooLarge, tooManyFields
    case obsoleteFold, malformedFieldName, spaceBeforeColon
}

/// Finds the end of a head, CRLF CRLF, and refuses bytes that no part of a head may hold.
///
/// It remembers how far it looked, so a head that arrives byte by byte costs as much as one that arrives
/// whole; and errors come in the order of the bytes, so how a head was cut never changes the outcome.
/// After success every byte of the head is visible, a space, a tab, beyond ASCII, or part of a CRLF.
struct HeadScanner: Sendable, BitwiseCopyable {
    /// Where the start line begins: after empty lines that were skipped.
    private(set) var headStart = 0
    private var position = 0
    private var lineStart = 0
    private var emptyLines = 0

    /// Looks at the bytes after those seen by earlier calls.
    ///
    /// - Parameters:
    ///   - input: The same bytes as in the last call, and more.
    ///   - limit: The most bytes a head may have.
    ///   - skipped: The most empty lines allowed before the head.
    /// - Returns: The index after the head, or `nil` when it has not all arrived.
    mutating func scan(
        _ input: Span<UInt8>, limit: Int, skipping skipped: Int
    ) throws(HeadError) -> Int? {
        precondition(input.count >= position)
        var i = position
        while true {
            let end = min(input.count, headStart + limit)
            i = input.firstControl(from: i, to: end)
            guard i < end else { return try pause(at: i, of: input.count, limit) }
            switch input[i] {
            case ASCII.tab:
                i += 1
            case ASCII.cr:
                guard i + 1 < end else { return try pause(at: i, of: input.count, limit) }
                guard input[i + 1] == ASCII.lf else { throw .bareCR }
                if i == lineStart {
                    if lineStart != headStart { return i + 2 }
                    guard emptyLines < skipped else { throw .emptyLines }
                    emptyLines += 1
                    headStart = i + 2
                }
                i += 2
                lineStart = i
            case ASCII.lf:
                throw .bareLF
            default:
                throw .controlByte
            }
        }
    }

    private mutating func pause(
        at index: Int, of count: Int, _ limit: Int
    ) throws(HeadError) -> Int? {
        position = index
        if count - headStart < limit { return nil }
        throw lineStart == headStart ? .firstLineTooLong : .tooLarge
    }
}

extension Span where Element == UInt8 {
    /// The index of the first control byte (0…31 or 127) from `start` and before `end`, or `end`.
    func firstControl(from start: Int, to end: Int) -> Int {
        var i = start
        while i + 8 <= end {
            let word = littleEndianWord(at: i)
            // The lowest marked byte of each is right; marks above it may come from a borrow.
            let below32 = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let is127 = (delete &- 0x0101_0101_0101_0101) & ~delete
            let marks = (below32 | is127) & 0x8080_8080_8080_8080
            if marks != 0 { return i + marks.trailingZeroBitCount >> 3 }
            i += 8
        }
        while i < end {
            if self[i] < 32 || self[i] == 127 { return i }
            i += 1
        }
        return end
    }

    /// The index of the first `byte` from `start` and before `end`, or `end`.
    func firstIndex(of byte: UInt8, from start: Int, to end: Int) -> Int {
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        var i = start
        while i + 8 <= end {
            let difference = littleEndianWord(at: i) ^ pattern
            let marks = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if marks != 0 { return i + marks.trailingZeroBitCount >> 3 }
            i += 8
        }
        while i < end {
            if self[i] == byte { return i }
            i += 1
        }
        return end
    }
}
