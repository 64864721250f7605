/// The ring counters of one shard: blocks of 1, 2, 4 … 512 words in one array, reused by size.
///
///     | block | block | free → | block | … | never used yet |
///
/// A freed block goes on the list of its size; a larger free one is halved when its own size has none.
/// Halves are not joined again: sizes change only with the configuration. The array grows by doubling and
/// never beyond `wordsMax`; then `allocate` says no.
struct CounterSlab: Sendable {
    /// A block: the exponent of its size and the index of its first word; 0 is none. 30 bits.
    struct Block: Sendable, BitwiseCopyable {
        let code: UInt32

        init(_ code: UInt32) { self.code = code }
        init(exponent: Int, start: Int) { code = UInt32(exponent) << 26 | UInt32(start) }

        var exponent: Int { Int(code >> 26) }
        var start: Int { Int(code & 0x3FF_FFFF) }
    }

    /// Word 0 is nobody's, so that no block is 0.
    private var words: [UInt64] = []
    private let wordsMax: Int
    /// The first free block of each size, 0: none. A free block's first word names the next one.
    private var free = InlineArray<10, UInt32>(repeating: 0)

    /// Creates a slab that grows up to `wordsMax` words.
    init(wordsMax: Int) { self.wordsMax = min(wordsMax, 0x3FF_FFFF) }

    /// The memory in use, in bytes.
    var memoryBytes: Int { words.capacity * 8 }
    /// The most `memoryBytes` can be, apart from what the allocator rounds up.
    var memoryBytesMax: Int { wordsMax * 8 }

    /// A block of at least `count` words (1…512), all 0; or `nil` when the slab is full.
    mutating func allocate(words count: Int) -> Block? {
        let exponent = Self.exponent(for: count)
        var found = exponent
        while found < free.count && free[found] == 0 { found += 1 }
        guard found < free.count else { return extend(exponent) }
        let start = Int(free[found])
        free[found] = UInt32(truncatingIfNeeded: words[start])
        while found > exponent {
            found -= 1
            release(Block(exponent: found, start: start + 1 << found))
        }
        let block = Block(exponent: exponent, start: start)
        clear(block, words: 1 << exponent)
        return block
    }

    /// Gives a block back.
    mutating func release(_ block: Block) {
        words[block.start] = UInt64(free[block.exponent])
        free[block.exponent] = UInt32(block.start)
    }

    /// Copies all words of `source` in another slab into `block`, which is of the same size.
    mutating func copy(_ source: Block, of other: borrowing CounterSlab, into block: Block) {
        precondition(source.exponent == block.exponent)
        for i in 0..<(1 << block.exponent) {
            words[block.start + i] = other.words[source.start + i]
        }
    }

    /// Sets the first `count` words of a block to 0.
    mutating func clear(_ block: Block, words count: Int) {
        for i in block.start..<(block.start + count) { words[i] = 0 }
    }

    /// The counter at `slot` of the block, counters being 2^`shift` bits wide.
    func value(_ block: Block, _ slot: UInt64, shift: UInt8) -> UInt32 {
        let bit = slot << UInt64(shift)
        let word = words[block.start + Int(bit >> 6)]
        return UInt32(truncatingIfNeeded: (word >> (bit & 63)) & Self.mask(shift))
    }

    /// How many counters from `slot` to the end of its word are 0, if all of them are; else 0.
    func emptyRun(_ block: Block, _ slot: UInt64, shift: UInt8) -> UInt64 {
        let bit = slot << UInt64(shift)
        let rest = words[block.start + Int(bit >> 6)] >> (bit & 63)
        return rest == 0 ? (64 - (bit & 63)) >> UInt64(shift) : 0
    }

    /// Sets the counter at `slot` to 0 and returns what it was.
    mutating func take(_ block: Block, _ slot: UInt64, shift: UInt8) -> UInt32 {
        let value = value(block, slot, shift: shift)
        let bit = slot << UInt64(shift)
        words[block.start + Int(bit >> 6)] &= ~(Self.mask(shift) << (bit & 63))
        return value
    }

    /// Adds to the counter at `slot`, which must be wide enough for the sum.
    mutating func add(_ amount: UInt32, _ block: Block, _ slot: UInt64, shift: UInt8) {
        let bit = slot << UInt64(shift)
        words[block.start + Int(bit >> 6)] &+= UInt64(amount) << (bit & 63)
    }

    private static func mask(_ shift: UInt8) -> UInt64 { 1 << (1 << UInt64(shift)) - 1 }

    private static func exponent(for count: Int) -> Int {
        precondition(count >= 1 && count <= 512)
        return Int.bitWidth - (count - 1).leadingZeroBitCount
    }

    private mutating func extend(_ exponent: Int) -> Block? {
        let start = max(words.count, 1)
        let end = start + 1 << exponent
        guard end <= wordsMax else { return nil }
        if words.capacity < end {
            words.reserveCapacity(min(max(words.capacity * 2, end, 64), wordsMax))
        }
        while words.count < end { words.append(0) }
        return Block(exponent: exponent, start: start)
    }
}
