public import Primitives

/// The keys of which there were most, in bounded memory: a set-associative Space-Saving sketch
/// (Metwally, Agrawal, El Abbadi 2005), each key with the words that people read.
///
///     digest → set (of 64) → 4 slots of 40 bytes, and 160 bytes of words each
///
/// A key is counted in one of four slots. When all four are taken by others, the one with the least count is
/// given to the new key, which takes that count over: it may have been there before, no more often than that.
/// So for every key in it `true count ≤ count ≤ true count + error`, and within each set a key with more than
/// a quarter of the set's hits is there for certain. Sixty-four sets in place of one make the cost of a hit
/// fixed: a few comparisons, no allocation once made.
///
/// 256 slots take 52 KB. One owner counts; copies are merged.
public struct HeavyHitters: Sendable {
    /// One key and how often it was hit.
    public struct Entry: Sendable, BitwiseCopyable, Equatable {
        /// The key.
        public var key: Digest128
        /// How often it was hit, at most; 0: nobody's slot.
        public var count: UInt64
        /// By how much `count` may be too high.
        public var error: UInt64
        /// When it was last hit.
        public var last: WallTime

        fileprivate static let none = Entry(
            key: Digest128(high: 0, low: 0), count: 0, error: 0, last: WallTime(nanoseconds: 0))
    }

    /// The most bytes of a key's words; what is longer is cut.
    public static let wordsMax = 160
    static let ways = 4

    private var entries: [Entry]
    private var words: [UInt8]
    private var wordCounts: [UInt8]
    /// By set: the largest count a key has left with. One that is not there was hit no more often.
    private var floors: [UInt64]

    /// Creates an empty sketch of `slots` slots, rounded up to four times a power of two.
    public init(slots: Int = 256) {
        var sets = 1
        while sets * HeavyHitters.ways < slots { sets *= 2 }
        let slots = sets * HeavyHitters.ways
        entries = Array(repeating: .none, count: slots)
        words = Array(repeating: 0, count: slots * HeavyHitters.wordsMax)
        wordCounts = Array(repeating: 0, count: slots)
        floors = Array(repeating: 0, count: sets)
    }

    /// The number of slots.
    public var slots: Int { entries.count }

    /// Counts a hit.
    ///
    /// - Returns: The slot whose words are now those of another key, to be written with `setWords`; `nil`
    ///   when the key had a slot.
    /// - Complexity: O(1), no allocation.
    public mutating func note(_ key: Digest128, at now: WallTime) -> Int? {
        let set = set(of: key)
        let first = set * HeavyHitters.ways
        var least = first
        for slot in first..<(first + HeavyHitters.ways) {
            if entries[slot].count > 0 && entries[slot].key == key {
                entries[slot].count += 1
                entries[slot].last = now
                return nil
            }
            if entries[slot].count < entries[least].count { least = slot }
        }
        floors[set] = max(floors[set], entries[least].count)
        entries[least] = Entry(
            key: key, count: floors[set] + 1, error: floors[set], last: now)
        wordCounts[least] = 0
        return least
    }

    /// Writes the words of the key in `slot`, at most `wordsMax` bytes of them.
    public mutating func setWords(_ text: Span<UInt8>, of slot: Int) {
        let count = min(text.count, HeavyHitters.wordsMax)
        let start = slot * HeavyHitters.wordsMax
        for i in 0..<count { words[start + i] = text[i] }
        wordCounts[slot] = UInt8(truncatingIfNeeded: count)
    }

    /// Forgets a key: its next hit is counted from where keys of its set that are unknown begin.
    public mutating func forget(_ key: Digest128) {
        let first = set(of: key) * HeavyHitters.ways
        for slot in first..<(first + HeavyHitters.ways) where entries[slot].key == key {
            entries[slot] = .none
            wordCounts[slot] = 0
        }
    }

    // The lowest bits choose a shard of the table the digest is made for: others are taken here.
    private func set(of key: Digest128) -> Int {
        Int(truncatingIfNeeded: key.high >> 40) & (floors.count - 1)
    }

    private func entry(of key: Digest128) -> Entry? {
        let first = set(of: key) * HeavyHitters.ways
        for slot in first..<(first + HeavyHitters.ways)
        where entries[slot].count > 0 && entries[slot].key == key {
            return entries[slot]
        }
        return nil
    }
}

// MARK: Reading

extension HeavyHitters {
    /// A key as it is shown.
    public struct Item: Sendable, Equatable {
        /// Key and counts.
        public var entry: Entry
        /// The key's words; cut inside a character where they were too long.
        public var words: [UInt8]
    }

    /// The `count` keys with the highest counts of all `sketches` together, which have the same number of
    /// slots; the highest first.
    ///
    /// A key that a sketch does not hold may have been in it before: the most it can have been hit there is
    /// added to its count and to its error, so the bounds hold for the sum.
    public static func top(_ count: Int, of sketches: [HeavyHitters]) -> [Item] {
        var items: [Item] = []
        var seen: Set<Digest128> = []
        for sketch in sketches {
            for slot in sketch.entries.indices where sketch.entries[slot].count > 0 {
                let entry = sketch.entries[slot]
                guard seen.insert(entry.key).inserted else { continue }
                let start = slot * wordsMax
                items.append(
                    Item(
                        entry: sum(of: entry, sketches),
                        words: Array(sketch.words[start..<(start + Int(sketch.wordCounts[slot]))])))
            }
        }
        items.sort { a, b in
            if a.entry.count != b.entry.count { return a.entry.count > b.entry.count }
            return (a.entry.error, a.entry.key.high) < (b.entry.error, b.entry.key.high)
        }
        return Array(items.prefix(max(count, 0)))
    }

    private static func sum(of known: Entry, _ sketches: [HeavyHitters]) -> Entry {
        var sum = known
        sum.count = 0
        sum.error = 0
        for sketch in sketches {
            if let entry = sketch.entry(of: known.key) {
                sum.count += entry.count
                sum.error += entry.error
                sum.last = max(sum.last, entry.last)
            } else {
                let floor = sketch.floors[sketch.set(of: known.key)]
                sum.count += floor
                sum.error += floor
            }
        }
        return sum
    }
}
