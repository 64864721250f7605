extension ByteBuffer {
    /// Appends the text of an address.
    @inlinable
    @inline(__always)
    public func append(_ text: AddressText) {
        reserve(MemoryLayout<InlineArray<5, UInt64>>.size)
        // `reserve` made the room for all words: what they hold behind the text is written, and not kept.
        let place = unsafe base + writeIndex
        for index in text.words.indices {
            unsafe place.storeBytes(
                of: text.words[index].littleEndian, toByteOffset: 8 * index, as: UInt64.self)
        }
        writeIndex &+= text.count
    }
}
