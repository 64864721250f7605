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
struct SlidingLog: Sendable, BitwiseCopyable {
    /// Units in any `period`, at most `LimitBounds.logMax`.
    let quota: UInt32
    /// The window in nanoseconds.
    let period: UInt64

    /// Creates the meter of `quota` per `period` nanoseconds, both at least 1.
    init(quota: UInt32, period: UInt64) {
        self.quota = min(max(quota, 1), LimitBounds.logMax)
        self.period = min(max(period, 1), LimitBounds.periodMax)
    }

    /// The words of the ring a key begins with.
    var counterWords: Int { min(Int(quota), 4) }

    // Inlined, these four would make the decision of every other algorithm slower.

    /// Whether `units` more would fit. If so the ring has room for them afterwards.
    @inline(never)
    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> Bool {
        guard units > 0 else { return true }
        guard units <= quota else { return false }
        // The one that would have to go must not count any more.
        let rank = quota - units
        if now <= entry.until && entry.amount > rank
            && counts(moment(rank, of: entry, counters), at: now)
        {
            return false
        }
        return makeRoom(&entry, counters: &counters, units: units, at: now)
    }

    /// Writes the moment down `units` times.
    ///
    /// - Returns: The moment.
    @inline(never)
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> UInt64 {
        if now > entry.until { entry.amount = 0 }
        _ = makeRoom(&entry, counters: &counters, units: units, at: now)
        let block = CounterSlab.Block(entry.detail)
        let size = UInt32(1) << UInt32(block.exponent)
        // The moments in the ring never fall. For a rate with a longer period, which `until` remembers, the
        // older ones count on.
        let newest = entry.amount > 0 ? self.moment(0, of: entry, counters) : now
        let longest = entry.amount > 0 ? max(period, entry.until + 1 - newest) : period
        let moment = max(now, newest)
        let written = min(units, size)
        for _ in 0..<written {
            counters.setWord(moment, block, Int(entry.position))
            entry.position = (entry.position + 1) & UInt64(size - 1)
        }
        entry.amount = min(entry.amount + written, size)
        entry.until = moment + longest - 1
        return moment
    }

    /// Takes `units` out that were written down at `mark`, as far as they are there.
    @inline(never)
    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: UInt64
    ) {
        let newer = count(of: entry, counters) { $0 > mark }
        let taken = min(units, count(of: entry, counters) { $0 >= mark } - newer)
        guard taken > 0 else { return }
        // The newer ones move up.
        let block = CounterSlab.Block(entry.detail)
        let mask = UInt64(1) << UInt64(block.exponent) - 1
        for rank in stride(from: newer, to: 0, by: -1) {
            let slot = entry.position &- UInt64(rank)
            counters.setWord(
                counters.word(block, Int(slot & mask)), block,
                Int((slot &- UInt64(taken)) & mask))
        }
        entry.position = (entry.position &- UInt64(taken)) & mask
        entry.amount -= taken
        if entry.amount == 0 {
            entry.until = min(entry.until, now)
        } else if newer == 0 {
            entry.until -= mark - moment(0, of: entry, counters)
        }
    }

    /// How full the window is: what is left, when the newest unit stops to count, and when enough of the
    /// oldest ones do.
    @inline(never)
    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32, at now: LimitMeter.Now
    ) -> LimitMeter.Level {
        let time = now.monotonic
        let counted = counted(entry, counters, at: time)
        let end = counted > 0 ? moment(0, of: entry, counters) + period : time
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

    /// The units that still count.
    private func counted(
        _ entry: LimitEntry, _ counters: borrowing CounterSlab, at now: UInt64
    ) -> UInt32 {
        guard entry.amount > 0 && now <= entry.until else { return 0 }
        if counts(moment(entry.amount - 1, of: entry, counters), at: now) { return entry.amount }
        return count(of: entry, counters) { counts($0, at: now) }
    }

    /// The moment of the newest unit but `rank`.
    private func moment(
        _ rank: UInt32, of entry: LimitEntry, _ counters: borrowing CounterSlab
    ) -> UInt64 {
        let block = CounterSlab.Block(entry.detail)
        let mask = UInt64(1) << UInt64(block.exponent) - 1
        return counters.word(block, Int((entry.position &- 1 &- UInt64(rank)) & mask))
    }

    /// How many of the newest moments are so, all older ones being not: by halving.
    @inline(__always)
    private func count(
        of entry: LimitEntry, _ counters: borrowing CounterSlab, where isSo: (UInt64) -> Bool
    ) -> UInt32 {
        var low: UInt32 = 0
        var high = entry.amount
        while low < high {
            let middle = (low + high) / 2
            if isSo(moment(middle, of: entry, counters)) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// Makes the ring large enough for `units` more beside all that count; `false` when there is no room for
    /// that. It never gets larger than `quota` needs.
    private func makeRoom(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> Bool {
        let block = CounterSlab.Block(entry.detail)
        let size = UInt64(1) << UInt64(block.exponent)
        if UInt64(entry.amount) + UInt64(units) <= size { return true }
        let counted = counted(entry, counters, at: now)
        let wanted = min(UInt64(counted) + UInt64(units), UInt64(quota))
        if wanted <= size { return true }
        guard let larger = counters.allocate(words: Int(wanted)) else { return false }
        for rank in 0..<entry.amount {
            counters.setWord(
                moment(rank, of: entry, counters), larger, Int(entry.amount - 1 - rank))
        }
        counters.release(block)
        entry.detail = larger.code
        // The larger ring is not full: it has place for more than the smaller one could hold.
        entry.position = UInt64(entry.amount)
        return true
    }
}
