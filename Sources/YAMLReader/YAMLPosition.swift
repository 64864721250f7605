/// A place in a YAML text, counted in Unicode scalars as libyaml counts them.
public struct YAMLPosition: Hashable, Comparable, Sendable {
    /// The line, from 1. Lines end at LF, CR, CR LF, NEL, LS or PS (YAML 1.1 §4.1.4).
    public var line: Int
    /// The column in its line, from 1.
    public var column: Int
    /// Scalars since the start of the text (a byte order mark is not counted), from 0.
    public var offset: Int

    /// Creates a position.
    public init(line: Int, column: Int, offset: Int) {
        self.line = line
        self.column = column
        self.offset = offset
    }

    /// The first place of a text.
    public static var start: YAMLPosition { YAMLPosition(line: 1, column: 1, offset: 0) }

    /// Orders by place in the text.
    public static func < (a: YAMLPosition, b: YAMLPosition) -> Bool { a.offset < b.offset }
}

/// A stretch of a YAML text, enough to underline it.
public struct YAMLRange: Hashable, Sendable {
    /// Its first scalar.
    public var start: YAMLPosition
    /// The place after its last scalar; block collections end where the next token begins.
    public var end: YAMLPosition

    /// Creates a range.
    public init(start: YAMLPosition, end: YAMLPosition) {
        self.start = start
        self.end = end
    }

    /// Returns how many scalars to underline: the part of the range in its first line, at least
    /// one.
    ///
    /// `lineLength` is the length of that line, for ranges that go on in the next one.
    public func underline(lineLength: Int) -> Int {
        let lineEnd = end.line == start.line ? end.column : lineLength + 1
        return max(1, lineEnd - start.column)
    }
}
