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
struct HeadScanner: Sendable {
    /// Where the start line begins: after empty lines that were skipped.
    private(set) var headStart = 0
    /// Where the start line ends.
    private(set) var startLineEnd = 0
    private var lines = 0
    private var position = 0
    private var lineStart = 0
    private var emptyLines = 0

    /// The lines after the start line and before the empty one.
    var fieldLines: Int { lines - 1 }

    /// Looks at the bytes after those seen by earlier calls.
    ///
    /// - Parameters:
    ///   - input: The same bytes as in the last call, and more.
    ///   - bounds: The most bytes and fields a head may have.
    ///   - skipped: The most empty lines allowed before the head.
    /// - Returns: The index after the head, or `nil` when it has not all arrived.
    /// - Throws: The first bad byte, or the bound that was passed.
    mutating func scan(
        _ input: Span<UInt8>, bounds: HeadBounds, skipping skipped: Int
    ) throws(HeadError) -> Int? {
        precondition(input.count >= position)
        let limit = bounds.headerBytes
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
                } else {
                    guard lines <= bounds.fields else { throw .tooManyFields }
                    if lines == 0 { startLineEnd = i }
                    lines += 1
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

    /// Forgets the head that was found; the next one begins at index 0.
    mutating func reset() { self = HeadScanner() }

    private mutating func pause(
        at index: Int, of count: Int, _ limit: Int
    ) throws(HeadError) -> Int? {
        position = index
        if count - headStart < limit { return nil }
        throw lineStart == headStart ? .firstLineTooLong : .tooLarge
    }
}
