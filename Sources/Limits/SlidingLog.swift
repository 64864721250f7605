/// The moments of the last units, in a ring (standards A5): exact.
///
///     | newest − 2 | newest − 1 | newest | … | oldest |      8 bytes each, position: after the newest
///
/// **Guarantee**: never more than `quota` units in *any* interval of `period`, and no request waits that could
/// pass. What is given back is taken out of the ring, so this holds for what was not given back.
///
/// **Error**: none.
///
/// **Memory** a key: the entry of 40 bytes and 8 bytes for each unit that may count at once, at most `quota` of
/// them, in a block that doubles as it fills: 32 bytes to 8 KiB. Where there is no room for a larger block
/// the request does not pass.
///
/// A charge after the fact that finds the ring full replaces the oldest moments: nobody waits longer than
/// one period for it. When a tier brings another rate the moments stay and count by the new period; those
/// that do not any more make room for new ones first.
struct SlidingLog: LimitAlgorithm {
    /// Units in any `period`, at most `LimitBounds.logMax`.
    let quota: UInt32
    /// The window in nanoseconds.
    let period: UInt64
    /// The period as entries remember it, in 42 bits; not 0.
    private let shape: UInt64

    /// Creates the meter of `quota` per `period` nanoseconds, both at least 1.
    init(quota: UInt32, period: UInt64) {
        self.quota = min(max(quota, 1), LimitBounds.logMax)
        self.period = min(max(period, 1), LimitBounds.periodMax)
        shape = (self.period &* 0x9E37_79B9_7F4A_7C15) >> 22 | 1
    }

    /// The words of the ring a key begins with.
    var counterWords: Int { min(Int(quota), 4) }

    /// Whether `units` more would fit. If so the ring has room for them afterwards.
    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> Bool {
        let now = now.monotonic
        guard units > 0 else { return true }
        guard units <= quota else { return false }
        let most = most(entry, at: now)
        // The one that would have to go must not count any more.
        let rank = quota - units
        if most > rank && counts(moment(rank, of: entry, counters), at: now) { return false }
        // Where the charge will write, and where it will look for what counts no more; both seldom are in the
        // processor's cache. Meanwhile the request's other limits are looked at, each behind a lock that waits for
        // writes and loads, but not for this.
        let block = CounterSlab.Block(entry.detail)
        let oldest = (entry.slot &- most) & (UInt32(1) << UInt32(block.exponent) - 1)
        counters.prefetch(block, Int(entry.slot))
        counters.prefetch(block, Int(oldest))
        return hasRoom(entry, for: most + units)
            || grow(&entry, &counters, for: counted(entry, counters, at: now) + units)
    }

    /// Writes the moment down `units` times.
    ///
    /// - Returns: The moment.
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> UInt64 {
        let now = now.monotonic
        let counted = counted(entry, counters, at: now)
        if now > entry.until { entry.amount = 0 }
        let (wanted, overflow) = counted.addingReportingOverflow(units)
        if overflow || !hasRoom(entry, for: wanted) {
            _ = grow(&entry, &counters, for: overflow ? .max : wanted)
        }
        let block = CounterSlab.Block(entry.detail)
        let size = UInt32(1) << UInt32(block.exponent)
        // The moments in the ring never fall. For a rate with a longer period, which `until` remembers, the
        // older ones count on.
        let newest = entry.amount > 0 ? newest(entry, counters) : now
        let longest = entry.amount > 0 ? max(period, entry.until + 1 - newest) : period
        let moment = max(now, newest)
        let written = min(units, size)
        var slot = entry.slot
        for _ in 0..<written {
            counters.setWord(moment, block, Int(slot))
            slot = (slot + 1) & (size - 1)
        }
        entry.amount = min(entry.amount + written, size)
        entry.until = moment + longest - 1
        entry.remember(
            slot: slot, counted: min(counted + written, size), shape: longest == period ? shape : 0)
        return moment
    }

    /// Takes `units` out that were written down at `mark`, as far as they are there.
    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: LimitMeter.Now
    ) {
        let now = now.monotonic
        let newer = count(of: entry, counters) { $0 > mark }
        let taken = min(units, count(of: entry, counters) { $0 >= mark } - newer)
        guard taken > 0 else { return }
        // The newer ones move up.
        let block = CounterSlab.Block(entry.detail)
        let mask = UInt32(1) << UInt32(block.exponent) - 1
        for rank in stride(from: newer, to: 0, by: -1) {
            let slot = entry.slot &- rank
            counters.setWord(
                counters.word(block, Int(slot & mask)), block, Int((slot &- taken) & mask))
        }
        // What still counts was among those that counted at the last charge.
        let isCounted = knows(entry) && counts(mark, at: now)
        entry.remember(
            slot: (entry.slot &- taken) & mask,
            counted: entry.counted - (isCounted ? min(entry.counted, taken) : 0),
            shape: entry.shape)
        entry.amount -= taken
        if entry.amount == 0 {
            entry.until = min(entry.until, now)
        } else if newer == 0 {
            // With the older moment the newest one, what is remembered holds on.
            entry.until -= mark - moment(0, of: entry, counters)
        }
    }

    /// How full the window is: what is left, when the newest unit stops to count, and when enough of the
    /// oldest ones do.
    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32, at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        let time = now.monotonic
        // After a charge of this moment the entry says how many count.
        let isCharged = knows(entry) && entry.amount > 0 && newest(entry, counters) == time
        let counted = isCharged ? entry.counted : counted(entry, counters, at: time)
        let end = counted > 0 ? newest(entry, counters) + period : time
        var level = LimitMeter.Level(
            remaining: counted < quota ? quota - counted : 0, resetAfter: end - time,
            resetAt: now.wall(at: end), nextAfter: 0)
        let units = max(units, 1)
        if units > quota {
            level.nextAfter = LimitMeter.Level.neverPasses
        } else if units > level.remaining {
            level.nextAfter = moment(quota - units, of: entry, counters) + period - time
        }
        return level
    }

    // MARK: The ring

    /// Whether a unit of `moment` still counts.
    private func counts(_ moment: UInt64, at now: UInt64) -> Bool { moment + period > now }

    /// Whether the entry was charged last by this period and nothing in it counts by a longer one.
    private func knows(_ entry: LimitEntry) -> Bool { entry.shape == shape }

    /// The newest moment of an entry that has one.
    private func newest(_ entry: LimitEntry, _ counters: borrowing CounterSlab) -> UInt64 {
        knows(entry) ? entry.until + 1 - period : moment(0, of: entry, counters)
    }

    /// No more units than so many still count. Unlike their number this is known without a look at the ring, which
    /// seldom is in the processor's cache.
    private func most(_ entry: LimitEntry, at now: UInt64) -> UInt32 {
        if now > entry.until { return 0 }
        return knows(entry) ? min(entry.counted, entry.amount) : entry.amount
    }

    /// The units that still count.
    private func counted(
        _ entry: LimitEntry, _ counters: borrowing CounterSlab, at now: UInt64
    ) -> UInt32 {
        guard entry.amount > 0 && now <= entry.until else { return 0 }
        // Mostly as many as after the last charge, or a few less.
        let counted = min(max(entry.counted, 1), entry.amount)
        return count(of: entry, counters, near: counted - 1) { counts($0, at: now) }
    }

    /// The moment of the newest unit but `rank`.
    private func moment(
        _ rank: UInt32, of entry: LimitEntry, _ counters: borrowing CounterSlab
    ) -> UInt64 {
        let block = CounterSlab.Block(entry.detail)
        let mask = UInt32(1) << UInt32(block.exponent) - 1
        return counters.word(block, Int((entry.slot &- 1 &- rank) & mask))
    }

    /// How many of the newest moments are so, all older ones being not: by steps from `rank` that double, then
    /// by halving.
    @inline(__always)
    private func count(
        of entry: LimitEntry, _ counters: borrowing CounterSlab, near rank: UInt32 = 0,
        where isSo: (UInt64) -> Bool
    ) -> UInt32 {
        var low: UInt32 = 0
        var high = entry.amount
        var rank = rank
        var step: UInt32 = 1
        while low < high {
            if isSo(moment(rank, of: entry, counters)) {
                low = rank + 1
                rank &+= step
            } else {
                high = rank
                rank &-= step
            }
            step &<<= 1
            if rank < low || rank >= high { rank = (low + high) / 2 }
        }
        return low
    }

    /// Whether the ring has place for `count` moments.
    private func hasRoom(_ entry: LimitEntry, for count: UInt32) -> Bool {
        count <= 1 << UInt32(CounterSlab.Block(entry.detail).exponent)
    }

    /// Makes the ring large enough for `count` moments that count, or for `quota` where that is less; `false` when
    /// there is no room for it.
    @inline(never)
    private func grow(
        _ entry: inout LimitEntry, _ counters: inout CounterSlab, for count: UInt32
    ) -> Bool {
        let block = CounterSlab.Block(entry.detail)
        let wanted = min(count, quota)
        if wanted <= 1 << UInt32(block.exponent) { return true }
        guard let larger = counters.allocate(words: Int(wanted)) else { return false }
        for rank in 0..<entry.amount {
            counters.setWord(
                moment(rank, of: entry, counters), larger, Int(entry.amount - 1 - rank))
        }
        counters.release(block)
        entry.detail = larger.code
        // The larger ring is not full: it has place for more than the smaller one could hold.
        entry.remember(slot: entry.amount, counted: entry.counted, shape: entry.shape)
        return true
    }
}

/// `position`: the period's shape in 42 bits, the count in 11, the slot in 11.
extension LimitEntry {
    /// The slot after the newest moment.
    fileprivate var slot: UInt32 { UInt32(truncatingIfNeeded: position & 0x7FF) }
    /// How many moments counted after the last charge, by the period of `shape`.
    fileprivate var counted: UInt32 { UInt32(truncatingIfNeeded: position >> 11 & 0x7FF) }
    /// The period by which all that is in the ring counts; 0: there are several.
    fileprivate var shape: UInt64 { position >> 22 }

    fileprivate mutating func remember(slot: UInt32, counted: UInt32, shape: UInt64) {
        position = shape << 22 | UInt64(counted) << 11 | UInt64(slot)
    }
}
