// The only raw loads and literal reads of the module. Each is in bounds for the reason beside it.

/// The bytes of a literal: they live as long as the process.
struct LiteralBytes {
    private let text: StaticString

    init(_ text: StaticString) {
        precondition(text.hasPointerRepresentation)
        self.text = text
    }

    var count: Int { text.utf8CodeUnitCount }

    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count)
        // In bounds by the line above; a literal with pointer representation is never freed.
        return unsafe text.utf8Start[index]
    }
}

extension Span where Element == UInt8 {
    /// The eight bytes from `index` as a word, the first one least significant.
    public func littleEndianWord(at index: Int) -> UInt64 {
        precondition(index >= 0 && index <= count - 8)
        // Eight bytes are there by the line above; the load needs no alignment.
        return unsafe withUnsafeBytes {
            unsafe UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        }
    }

    /// A `String` of the bytes, with damaged UTF-8 replaced. For messages, never for the data plane.
    public var text: String {
        unsafe withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// A copy of the bytes.
    public var copied: [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }
}

extension Array where Element == UInt8 {
    /// Appends all bytes of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) {
        // `bytes` cannot overlap `self`: a span of it would be a borrow during this mutation.
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends the UTF-8 bytes of a literal, without building a `String`.
    public mutating func append(_ text: StaticString) {
        precondition(text.hasPointerRepresentation)
        unsafe append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
