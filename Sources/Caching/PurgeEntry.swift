import Primitives

/// One place in the sequence of all purges.
///
/// As it is announced: `generation number line`, the first two in decimals, the line a record's or empty.
public struct PurgeEntry: Sendable, Equatable {
    /// Its place.
    public var position: PurgePosition
    /// The purge; `nil` where a generation begins.
    public var record: PurgeRecord?

    /// An entry whose record, if it has one, is `line`. One that cannot be read, since a later version wrote it, counts
    /// as a purge of everything.
    public init(at position: PurgePosition, line: Span<UInt8>) {
        self.position = position
        guard line.count > 0 else { return }
        record =
            PurgeRecord(line: line)
            ?? PurgeRecord(
                id: position.word, kind: .all, value: [], isSoft: false,
                time: WallTime(nanoseconds: 0))
    }

    /// Reads an announcement; `nil` when it is none.
    public init?(announced bytes: Span<UInt8>) {
        guard let first = bytes.firstIndex(of: ASCII.space),
            let second = bytes.firstIndex(of: ASCII.space, from: first + 1),
            let generation = bytes.extracting(0..<first).decimalValue,
            let sequence = bytes.extracting(first + 1..<second).decimalValue,
            let position = PurgePosition(checking: generation, sequence)
        else { return nil }
        self.init(at: position, line: bytes.extracting(second + 1..<bytes.count))
    }
}

/// A part of the sequence as Redis has it at one moment.
public struct PurgePage: Sendable, Equatable {
    /// The last entry's place.
    public var end: PurgePosition
    /// The number of the first entry that Redis still has.
    public var first: UInt64
    /// The entries from the number that was asked for on, in their order, not always up to the end.
    public var entries: [PurgeEntry]

    /// Puts a page together.
    public init(end: PurgePosition, first: UInt64, entries: [PurgeEntry]) {
        self.end = end
        self.first = first
        self.entries = entries
    }
}
