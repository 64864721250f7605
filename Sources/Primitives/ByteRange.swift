/// A position and a length inside some buffer: what is stored instead of a slice.
public struct ByteRange: Hashable, Sendable, BitwiseCopyable {
    /// Index of the first byte.
    public var start: UInt32
    /// Number of bytes.
    public var count: UInt32

    /// Creates a range of `count` bytes from `start`. Both must fit 32 bits.
    public init(start: Int, count: Int) {
        self.start = UInt32(start)
        self.count = UInt32(count)
    }

    /// An empty range at the beginning.
    public static var empty: ByteRange { ByteRange(start: 0, count: 0) }

    /// Index of the first byte after the range.
    public var end: Int { Int(start) + Int(count) }
    /// The indices, as the standard library writes them.
    public var indices: Range<Int> { Int(start)..<end }
    /// Whether there is no byte in the range.
    public var isEmpty: Bool { count == 0 }
}
