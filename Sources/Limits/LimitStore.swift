import Primitives

/// The entries of one shard: open addressing with linear probing over one array, and their ring counters.
///
///     | entry | – | entry | entry | – | … |      a hit is one or two cache lines
///                 ↑ hand: looks at a few entries per added key and removes the idle ones
///
/// Both arrays begin empty and grow by doubling up to what `keysMax` needs. Removal moves later entries of
/// the same run back, so there are no tombstones and a look-up stays short for ever.
struct LimitStore: Sendable {
    private var entries: [LimitEntry] = []
    /// Entries in use.
    private(set) var count = 0
    /// The ring counters of sliding windows and logs.
    var counters: CounterSlab
    private let keysMax: Int
    private var hand = 0
    /// The earliest end of the entries the hand has met since it began its round; 0 when entries came, went or
    /// moved meanwhile.
    private var earliest: UInt64 = 0
    /// The same of its last whole round: with no charge given back, no entry is idle before this.
    private var noneIdleBefore: UInt64 = 0

    /// Creates a store of up to `keysMax` entries and `counterWordsMax` words of counters.
    init(keysMax: Int, counterWordsMax: Int) {
        self.keysMax = keysMax
        counters = CounterSlab(wordsMax: counterWordsMax)
    }

    /// The memory in use, in bytes.
    var memoryBytes: Int {
        entries.capacity * MemoryLayout<LimitEntry>.stride + counters.memoryBytes
    }
    /// The most that `memoryBytes` can be, apart from what the allocator rounds up.
    var memoryBytesMax: Int {
        slotsMax * MemoryLayout<LimitEntry>.stride + counters.memoryBytesMax
    }

    /// Four fifths are used when the store is full: a search for a key that is absent looks at 13 slots.
    private var slotsMax: Int { keysMax + keysMax / 4 + 1 }

    /// The entry at a position that `find` or `insert` gave, valid until the next `insert` or `remove`.
    subscript(position: Int) -> LimitEntry {
        get { entries[position] }
        set { entries[position] = newValue }
    }

    /// Whether the entry at `position` lets `units` pass.
    @inline(__always)
    mutating func admits(
        _ position: Int, _ units: UInt32, by algorithm: some LimitAlgorithm, at now: LimitMeter.Now
    ) -> Bool {
        algorithm.admits(&entries[position], counters: &counters, units: units, at: now)
    }

    /// Looks at the entry at `position`, charges it if it lets `units` pass and `mayCharge`, and tells how full it
    /// is then.
    @inline(__always)
    mutating func take(
        _ position: Int, _ units: UInt32, mayCharge: Bool, by algorithm: some LimitAlgorithm,
        at now: LimitMeter.Now, admits: inout Bool, mark: inout UInt64
    ) -> LimitMeter.Level {
        algorithm.take(
            &entries[position], counters: &counters, units: units, mayCharge: mayCharge, at: now,
            admits: &admits, mark: &mark)
    }

    /// Charges the entry at `position` if that is decided, which writes `mark`, and tells how full it is then.
    @inline(__always)
    mutating func settle(
        _ position: Int, _ units: UInt32, charge: Bool, by algorithm: some LimitAlgorithm,
        at now: LimitMeter.Now, mark: inout UInt64
    ) -> LimitMeter.Level {
        if charge && units > 0 {
            mark = algorithm.charge(
                &entries[position], counters: &counters, units: units, at: now)
        }
        return algorithm.level(entries[position], counters: counters, units: units, at: now)
    }

    /// Charges the entry at `position`, whatever is left.
    mutating func charge(
        _ position: Int, _ units: UInt32, by algorithm: some LimitAlgorithm, at now: LimitMeter.Now
    ) {
        // Room for it is made where there is some; what it cost is charged either way.
        if algorithm.counterWords > 0 { _ = admits(position, units, by: algorithm, at: now) }
        algorithm.charge(&entries[position], counters: &counters, units: units, at: now)
    }

    /// Changes what the entry at `position` was charged.
    mutating func correct(
        _ position: Int, _ receipt: LimitReceipt, to units: UInt32, by meter: LimitMeter,
        at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        if units < receipt.units {
            meter.refund(
                &entries[position], counters: &counters, units: receipt.units - units,
                mark: receipt.mark, at: now)
        } else if units > receipt.units {
            charge(position, units - receipt.units, by: meter, at: now)
        }
        return meter.level(entries[position], counters: counters, units: 1, at: now)
    }

    /// The position of the entry of `digest`, or `nil`.
    @inline(__always)
    func find(_ digest: Digest128) -> Int? {
        guard count > 0 else { return nil }
        var position = home(digest)
        while true {
            let entry = entries[position]
            if entry.digest == digest && !entry.isNone { return position }
            if entry.isNone { return nil }
            position = after(position)
        }
    }

    /// The same, when the entry probably stands at `position`.
    @inline(__always)
    func find(_ digest: Digest128, near position: UInt32) -> Int? {
        let position = Int(position)
        if position < entries.count && entries[position].digest == digest
            && !entries[position].isNone
        {
            return position
        }
        return find(digest)
    }

    /// Adds an entry that says the same as none, with the counters that `algorithm` needs.
    ///
    /// Idle entries that the hand meets are removed.
    ///
    /// - Returns: Its position, or `nil` when there is no room for it. `digest` must be absent.
    mutating func insert(
        _ digest: Digest128, by algorithm: some LimitAlgorithm, now: UInt64
    ) -> Int? {
        sweep(LimitBounds.sweepSteps, now: now)
        if count >= keysMax { sweepFurther(now: now) }
        guard count < keysMax else { return nil }
        let words = algorithm.counterWords
        var entry = LimitEntry(digest: digest, hasCounters: words > 0, now: now)
        if words > 0 {
            var block = counters.allocate(words: words)
            if block == nil {
                sweepFurther(now: now)
                block = counters.allocate(words: words)
            }
            guard let block else { return nil }
            entry.detail = block.code
        }
        if (count + 1) * 5 > entries.count * 4 { grow() }
        count += 1
        forgetRound()
        return place(entry)
    }

    /// Gives the entry at `position` what `source`, of another store, counted and still counts.
    ///
    /// - Returns: `false` when there is no room for its counters; then the entry is as it was.
    mutating func inherit(
        _ source: LimitEntry, from other: borrowing CounterSlab, at position: Int
    ) -> Bool {
        var entry = source
        entry.digest = entries[position].digest
        if entry.hasCounters {
            let adopted = counters.adopt(CounterSlab.Block(source.detail), of: other)
            guard let adopted else { return false }
            counters.release(CounterSlab.Block(entries[position].detail))
            entry.detail = adopted.code
        }
        entries[position] = entry
        return true
    }

    /// Removes the entry at `position` and gives its counters back.
    mutating func remove(at position: Int) {
        if entries[position].hasCounters {
            counters.release(CounterSlab.Block(entries[position].detail))
        }
        count -= 1
        forgetRound()
        var hole = position
        var next = after(hole)
        while !entries[next].isNone {
            // An entry may move back as far as its home, not beyond.
            let home = home(entries[next].digest)
            if distance(from: home, to: next) >= distance(from: hole, to: next) {
                entries[hole] = entries[next]
                hole = next
            }
            next = after(next)
        }
        entries[hole] = .none
    }

    /// Looks at the next `steps` slots and removes entries that are idle at `now`.
    mutating func sweep(_ steps: Int, now: UInt64) {
        guard count > 0 else { return }
        for _ in 0..<steps {
            if hand >= entries.count {
                hand = 0
                noneIdleBefore = earliest
                earliest = .max
            }
            if entries[hand].isNone {
                hand += 1
            } else if entries[hand].until < now {
                // Another entry may have moved here: the next step looks at it.
                remove(at: hand)
            } else {
                earliest = min(earliest, entries[hand].until)
                hand += 1
            }
        }
    }

    /// Looks further when there is no room: but not in a store that was looked through in vain, until the first of
    /// its entries becomes idle. What becomes idle earlier, as something was given back, the few steps that
    /// every new key makes will find. So a flood through a full store costs little.
    private mutating func sweepFurther(now: UInt64) {
        if now >= noneIdleBefore { sweep(LimitBounds.sweepStepsWhenFull, now: now) }
    }

    private mutating func forgetRound() {
        earliest = 0
        noneIdleBefore = 0
    }

    /// Where the search for `digest` begins: its lower half scaled to the number of slots.
    private func home(_ digest: Digest128) -> Int {
        Int(truncatingIfNeeded: digest.low.multipliedFullWidth(by: UInt64(entries.count)).high)
    }

    private func after(_ position: Int) -> Int {
        position + 1 == entries.count ? 0 : position + 1
    }

    private func distance(from a: Int, to b: Int) -> Int {
        b >= a ? b - a : b - a + entries.count
    }

    private mutating func place(_ entry: LimitEntry) -> Int {
        var position = home(entry.digest)
        while !entries[position].isNone { position = after(position) }
        entries[position] = entry
        return position
    }

    private mutating func grow() {
        let old = entries
        let slots = min(max(old.count * 2, 16), slotsMax)
        entries = Array(repeating: .none, count: slots)
        hand = 0
        forgetRound()
        for entry in old where !entry.isNone { _ = place(entry) }
    }
}
