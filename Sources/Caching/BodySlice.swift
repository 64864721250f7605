/// A part of a body: `count` bytes from byte `start` on, at least one.
public struct BodySlice: Sendable, BitwiseCopyable, Equatable {
    /// The number of the first byte.
    public let start: Int
    /// The number of bytes.
    public let count: Int

    /// Names the bytes from `start` up to and not including `end`, which is larger.
    public init(_ start: Int, _ end: Int) {
        precondition(start >= 0)
        precondition(end > start)
        self.start = start
        count = end - start
    }

    /// The number of the first byte behind it.
    public var end: Int { start + count }

    /// Whether all bytes of `other` are in it.
    public func contains(_ other: BodySlice) -> Bool { start <= other.start && other.end <= end }

    /// Whether the two overlap, or less than `gap` bytes are between them.
    func isNear(_ other: BodySlice, gap: Int) -> Bool {
        max(start, other.start) - min(end, other.end) < gap
    }

    /// The bytes of both and what is between them.
    func joined(_ other: BodySlice) -> BodySlice {
        BodySlice(min(start, other.start), max(end, other.end))
    }
}

/// Several parts of a body, none near another, in the order they were asked for. A plain value.
public struct BodySlices: Sendable, BitwiseCopyable {
    private var slices = InlineArray<16, BodySlice>(repeating: BodySlice(0, 1))
    /// How many there are.
    public private(set) var count = 0

    /// Creates a set of none.
    public init() {}

    /// The slice at `index`.
    public subscript(index: Int) -> BodySlice {
        precondition(index < count)
        return slices[index]
    }

    /// The positions.
    public var indices: Range<Int> { 0..<count }

    /// Adds a slice; those that it overlaps or nearly touches become one with it, at the first one's place: two
    /// parts would cost more than the bytes between them (RFC 9110 §15.3.7.2). At most 16 fit.
    mutating func add(_ slice: BodySlice) {
        var joined = slice
        var place = count
        var i = 0
        while i < count {
            guard slices[i].isNear(joined, gap: CacheBounds.rangeGap) else {
                i += 1
                continue
            }
            joined = joined.joined(slices[i])
            place = min(place, i)
            count -= 1
            for next in i..<count { slices[next] = slices[next + 1] }
            // It has grown: those before may touch it now.
            i = 0
        }
        place = min(place, count)
        for next in (place..<count).reversed() { slices[next + 1] = slices[next] }
        slices[place] = joined
        count += 1
    }
}
