/// A list of plain values that keeps its block: emptying it writes one number, so that a warm one costs neither
/// memory nor work.
///
///     |  elements  |  of an earlier use  |
///     0          count                block's end
public struct ReusedList<Element: BitwiseCopyable & Sendable>: Sendable {
    @usableFromInline var block: [Element] = []
    @usableFromInline var used = 0

    /// The number of elements.
    @inlinable
    public var count: Int { used }

    /// Creates an empty list.
    public init() {}

    /// The positions of the elements.
    public var indices: Range<Int> { 0..<count }

    /// The element at `index`, below `count`.
    @inlinable
    @inline(__always)
    public subscript(index: Int) -> Element {
        precondition(index < count)
        return block[index]
    }

    /// Appends one element.
    @inlinable
    @inline(__always)
    public mutating func append(_ element: Element) {
        if count < block.count {
            block[count] = element
        } else {
            block.append(element)
        }
        used += 1
    }

    /// The elements, and behind them room for `more`, which holds `filler` or what was there before: for many that are
    /// made in one go, and then taken.
    @inlinable
    @inline(__always)
    @_lifetime(&self)
    public mutating func withRoom(for more: Int, filler: Element) -> MutableSpan<Element> {
        while block.count < used + more { block.append(filler) }
        return block.mutableSpan
    }

    /// Takes the next `more` elements of the room into the list.
    @inlinable
    @inline(__always)
    public mutating func take(_ more: Int) {
        precondition(more >= 0 && more <= block.count - used)
        used += more
    }

    /// Forgets all elements and keeps the block.
    @inlinable
    @inline(__always)
    public mutating func removeAll() { used = 0 }

    /// Forgets the elements that satisfy `condition`; the others keep their order.
    public mutating func removeAll(where condition: (Element) -> Bool) {
        var kept = 0
        for index in indices where !condition(block[index]) {
            block[kept] = block[index]
            kept += 1
        }
        used = kept
    }
}

extension ReusedList where Element == UInt8 {
    /// The bytes.
    public var span: Span<UInt8> {
        @inlinable @inline(__always) @_lifetime(borrow self) get {
            block.span.extracting(first: count)
        }
    }

    /// Lends the bytes of `range`.
    @inlinable
    @inline(__always)
    @_lifetime(borrow self)
    public borrowing func span(_ range: ByteRange) -> Span<UInt8> { span.extracting(range.indices) }

    /// Appends the UTF-8 bytes of a literal.
    public mutating func append(_ text: StaticString) { append(text.bytes) }
}
