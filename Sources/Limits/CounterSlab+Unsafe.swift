import CProcessor

extension CounterSlab {
    /// Has the word at `slot` of the block brought into the cache while other work goes on.
    ///
    /// A hint: it reads and changes nothing.
    @inline(__always)
    func prefetch(_ block: Block, _ slot: Int) {
        unsafe words.withUnsafeBufferPointer { words in
            guard let first = words.baseAddress else { return }
            // A block lies within `words`, so the address does; the processor would ignore any other.
            unsafe weir_prefetch_for_write(first + block.start + slot)
        }
    }
}
