/// The ring counters of one shard: blocks of 1, 2, 4 … 1024 words in one array, reused by size.
///
///     | block | block | free → | block | … | never used yet |
///
/// A block is a ring of counters of 1, 2 or 4 bytes, or of moments of 8. A freed block goes on the list of its
/// size; a larger free one is halved when its own size has none. Halves are not joined again: keys begin with
/// small blocks, and all of them together take half of the array at most. The array grows by doubling and
/// never beyond `wordsMax`; then `allocate` says no.
struct CounterSlab: Sendable {
    /// A block: the width of its counters, the exponent of its size and the index of its first word; 0 is
    /// none. 30 bits.
    struct Block: Sendable, BitwiseCopyable {
        let code: UInt32

        init(_ code: UInt32) { self.code = code }
        init(width: CounterWidth, exponent: Int, start: Int) {
            code = width.rawValue << 28 | UInt32(exponent) << 24 | UInt32(start)
        }

        /// The width of its counters.
        var width: CounterWidth { CounterWidth(rawValue: code >> 28) }
        /// Its words are 2 to the power of this.
        var exponent: Int { Int(code >> 24 & 0xF) }
        /// Its first word.
        var start: Int { Int(code & 0xFF_FFFF) }
    }

    /// The width of a counter: 1, 2 or 4 bytes.
    struct CounterWidth: Sendable, BitwiseCopyable, Equatable {
        /// Its power of two, in bytes: 0…2.
        let rawValue: UInt32

        init(rawValue: UInt32) { self.rawValue = rawValue }
        /// The least one that holds `value`.
        init(holding value: UInt64) { rawValue = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : 2 }

        /// One byte: what a ring begins with.
        static var byte: CounterWidth { CounterWidth(rawValue: 0) }
        /// Its power of two, in bits: 3…5.
        var shift: UInt64 { UInt64(rawValue) &+ 3 }
        /// The largest count.
        var max: UInt32 { UInt32(truncatingIfNeeded: mask) }
        @inline(__always) fileprivate var mask: UInt64 { .max &>> (64 &- 1 &<< shift) }

        /// The words of a ring of `count` counters.
        func words(for count: UInt64) -> Int { Int((count << shift + 63) >> 6) }

        /// The sum of the counters in a word, which is below 2³².
        fileprivate func sum(_ word: UInt64) -> UInt32 {
            switch rawValue {
            case 0:
                let pairs = word & 0x00FF_00FF_00FF_00FF + (word >> 8) & 0x00FF_00FF_00FF_00FF
                return UInt32(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) >> 48)
            case 1:
                let pairs = word & 0x0000_FFFF_0000_FFFF + (word >> 16) & 0x0000_FFFF_0000_FFFF
                return UInt32(truncatingIfNeeded: pairs &+ pairs >> 32)
            default:
                return UInt32(truncatingIfNeeded: word &+ word >> 32)
            }
        }
    }

    /// Word 0 is nobody's, so that no block is 0.
    private(set) var words: [UInt64] = []
    private let wordsMax: Int
    /// The first free block of each size, 0: none. A free block's first word names the next one.
    private var free = InlineArray<11, UInt32>(repeating: 0)

    /// Creates a slab that grows up to `wordsMax` words.
    init(wordsMax: Int) { self.wordsMax = min(wordsMax, 0xFF_FFFF) }

    /// The memory in use, in bytes.
    var memoryBytes: Int { words.capacity * 8 }
    /// The most `memoryBytes` can be, apart from what the allocator rounds up.
    var memoryBytesMax: Int { wordsMax * 8 }

    /// A block of at least `count` words (1…1024), all 0; or `nil` when the slab is full.
    mutating func allocate(words count: Int, width: CounterWidth = .byte) -> Block? {
        let exponent = Self.exponent(for: count)
        var found = exponent
        while found < free.count && free[found] == 0 { found += 1 }
        guard found < free.count else { return extend(exponent, width) }
        let start = Int(free[found])
        free[found] = UInt32(truncatingIfNeeded: words[start])
        while found > exponent {
            found -= 1
            release(Block(width: .byte, exponent: found, start: start + 1 << found))
        }
        let block = Block(width: width, exponent: exponent, start: start)
        clear(block, words: 1 << exponent)
        return block
    }

    /// Gives a block back.
    mutating func release(_ block: Block) {
        words[block.start] = UInt64(free[block.exponent])
        free[block.exponent] = UInt32(block.start)
    }

    /// A block like `source` of another slab, with the same content; `nil` when the slab is full.
    mutating func adopt(_ source: Block, of other: borrowing CounterSlab) -> Block? {
        guard let block = allocate(words: 1 << source.exponent, width: source.width) else {
            return nil
        }
        for i in 0..<(1 << block.exponent) {
            words[block.start + i] = other.words[source.start + i]
        }
        return block
    }

    /// Sets the first `count` words of a block to 0.
    mutating func clear(_ block: Block, words count: Int) {
        for i in block.start..<(block.start + count) { words[i] = 0 }
    }

    // MARK: Counters

    /// The counter at `slot` of the block.
    @inline(__always)
    func value(_ block: Block, _ slot: UInt64) -> UInt32 {
        let bit = slot &<< block.width.shift
        let word = words[block.start &+ Int(bit &>> 6)]
        return UInt32(truncatingIfNeeded: (word &>> (bit & 63)) & block.width.mask)
    }

    /// Adds to the counter at `slot`, which must be wide enough for the sum.
    mutating func add(_ amount: UInt32, _ block: Block, _ slot: UInt64) {
        let bit = slot &<< block.width.shift
        words[block.start &+ Int(bit &>> 6)] &+= UInt64(amount) &<< (bit & 63)
    }

    /// Takes from the counter at `slot`, which must hold as much.
    mutating func subtract(_ amount: UInt32, _ block: Block, _ slot: UInt64) {
        let bit = slot &<< block.width.shift
        words[block.start &+ Int(bit &>> 6)] &-= UInt64(amount) &<< (bit & 63)
    }

    /// The sum of the counters at `slots`, a word at a time.
    func sum(_ block: Block, _ slots: Range<UInt64>) -> UInt32 {
        var sum: UInt32 = 0
        var bit = slots.lowerBound << block.width.shift
        let end = slots.upperBound << block.width.shift
        while bit < end {
            let word = words[block.start + Int(bit >> 6)] & Self.mask(from: bit, to: end)
            if word != 0 { sum &+= block.width.sum(word) }
            bit = (bit | 63) + 1
        }
        return sum
    }

    /// Sets the counters at `slots` to 0 and returns what their sum was.
    mutating func take(_ block: Block, _ slots: Range<UInt64>) -> UInt32 {
        var sum: UInt32 = 0
        var bit = slots.lowerBound << block.width.shift
        let end = slots.upperBound << block.width.shift
        while bit < end {
            let index = block.start + Int(bit >> 6)
            let mask = Self.mask(from: bit, to: end)
            let word = words[index]
            if word & mask != 0 {
                sum &+= block.width.sum(word & mask)
                words[index] = word & ~mask
            }
            bit = (bit | 63) + 1
        }
        return sum
    }

    /// The number of counters at the beginning of `slots` whose sum is `need` or more, `need` then being 0; or
    /// all of them, `need` then being what is still missing.
    func reach(_ need: inout UInt32, _ block: Block, _ slots: Range<UInt64>) -> UInt64 {
        if need == 0 { return 0 }
        let width = block.width
        var bit = slots.lowerBound << width.shift
        let end = slots.upperBound << width.shift
        while bit < end {
            var word = words[block.start + Int(bit >> 6)] & Self.mask(from: bit, to: end)
            var place = bit & ~63
            bit = (bit | 63) + 1
            if word == 0 { continue }
            let sum = width.sum(word)
            if sum < need {
                need -= sum
                continue
            }
            // In this word it is: from one counter that holds something to the next.
            while need > 0 {
                let zeros = (UInt64(word.trailingZeroBitCount) >> width.shift) << width.shift
                word >>= zeros
                need -= min(UInt32(truncatingIfNeeded: word & width.mask), need)
                word >>= 1 << width.shift
                place += zeros + 1 << width.shift
            }
            return place >> width.shift - slots.lowerBound
        }
        return slots.upperBound - slots.lowerBound
    }

    // MARK: Moments

    /// The word at `slot` of the block.
    func word(_ block: Block, _ slot: Int) -> UInt64 { words[block.start + slot] }

    /// Writes the word at `slot` of the block.
    mutating func setWord(_ value: UInt64, _ block: Block, _ slot: Int) {
        words[block.start + slot] = value
    }

    /// The bits of the word of `bit` from there on, but none from `end` on.
    private static func mask(from bit: UInt64, to end: UInt64) -> UInt64 {
        let rest = end - (bit & ~63)
        let lower = UInt64.max << (bit & 63)
        return rest >= 64 ? lower : lower & (1 << rest - 1)
    }

    private static func exponent(for count: Int) -> Int {
        precondition(count >= 1 && count <= 1024)
        return Int.bitWidth - (count - 1).leadingZeroBitCount
    }

    private mutating func extend(_ exponent: Int, _ width: CounterWidth) -> Block? {
        let start = max(words.count, 1)
        let end = start + 1 << exponent
        guard end <= wordsMax else { return nil }
        if words.capacity < end {
            words.reserveCapacity(min(max(words.capacity * 2, end, 64), wordsMax))
        }
        while words.count < end { words.append(0) }
        return Block(width: width, exponent: exponent, start: start)
    }
}
