extension ReusedList where Element == UInt8 {
    /// Appends all bytes of `bytes`.
    public mutating func append(_ bytes: Span<UInt8>) {
        let start = count
        used += bytes.count
        if block.count < count { grow() }
        unsafe block.withUnsafeMutableBytes { block in
            unsafe bytes.withUnsafeBytes { source in
                // The block has `count` bytes by the line above, and a span of it would be a borrow during this mutation.
                unsafe UnsafeMutableRawBufferPointer(rebasing: block[start...])
                    .copyMemory(from: source)
            }
        }
    }

    @inline(never)
    private mutating func grow() {
        block.append(contentsOf: repeatElement(0, count: max(count, block.count * 2) - block.count))
    }
}
