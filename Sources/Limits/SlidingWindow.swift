/// A window that moves in steps of `period / subWindows`; the oldest step is counted in full
/// (standards A4, the conservative variant).
///
///     sub-windows   | n−B | … | n−1 |  n  |      ring of B + 1 counters, index modulo B + 1
///                     ↑ partly outside the window, counted in full
///
/// **Guarantee**: never more than `quota` units in *any* interval of `period`. What is given back is taken
/// out of its own sub-window, so the bound holds for what was not given back.
///
/// **Worst case**, for the client: an admissible request may have to wait up to one sub-window longer, so
/// somebody who always pushes gets B/(B+1) of the quota.
///
/// **Error**: the sub-window's length is rounded up to a whole nanosecond, which admits less, never more.
///
/// **Memory** a key: the entry of 40 bytes and B + 1 counters. They begin with 1 byte each and get 2 or 4 when
/// a sub-window holds more than 255 or 65,535: with 60 sub-windows 64, 128 or 256 bytes. Where there is no
/// room for wider ones the request does not pass; a charge after the fact is then counted as far as it fits.
///
/// When a tier brings another period, all that is still counted counts as if it came now.
struct SlidingWindow: LimitAlgorithm {
    /// Units in any `period`.
    let quota: UInt32
    private let slots: Divisor
    private let steps: Divisor

    /// Counters in the ring, one more than sub-windows.
    var ring: UInt64 { slots.value }
    /// The length of a sub-window in nanoseconds.
    var step: UInt64 { steps.value }

    /// Creates the meter of `quota` per `period` nanoseconds in `subWindows` steps.
    init(quota: UInt32, period: UInt64, subWindows: Int) {
        self.quota = max(quota, 1)
        let count = UInt64(min(max(subWindows, 1), LimitBounds.subWindowsMax))
        slots = Divisor(count + 1)
        steps = Divisor((min(max(period, 1), LimitBounds.periodMax) + count - 1) / count)
    }

    /// The words of the counters a key begins with.
    var counterWords: Int { CounterSlab.CounterWidth.byte.words(for: ring) }

    /// Whether `units` more would fit. If so the counters are wide enough for them afterwards.
    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> Bool {
        let now = now.monotonic
        guard units > 0 else { return true }
        // What is stored is an upper bound of what still counts.
        if UInt64(entry.amount) + UInt64(units) > UInt64(quota) {
            let counted = view(of: entry, counters: counters, at: now).counted
            guard UInt64(counted) + UInt64(units) <= UInt64(quota) else { return false }
        }
        return hasRoom(entry, counters, for: units)
            || makeRoom(&entry, &counters, for: units, at: now)
    }

    /// Counts `units`, or as many of them as fit into the counters. The entry's `detail` must name a block.
    ///
    /// - Returns: The index of the sub-window.
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32,
        at now: LimitMeter.Now
    ) -> UInt64 {
        let now = now.monotonic
        let view = view(of: entry, counters: counters, at: now)
        if view.counted == 0 || view.step != step {
            begin(&entry, &counters, with: view.counted, adding: units, at: now)
        } else if view.passed > 0 {
            let block = CounterSlab.Block(entry.detail)
            let parts = parts(of: view.passed, from: oldest(entry))
            entry.amount -= counters.take(block, parts.0) + counters.take(block, parts.1)
            entry.position += view.passed
        }
        let slot = slots.remainder(entry.position)
        let held = counters.value(CounterSlab.Block(entry.detail), slot)
        if !isWide(entry, for: UInt64(held) + UInt64(units)) {
            _ = widen(&entry, &counters, for: UInt64(held) + UInt64(units))
        }
        let block = CounterSlab.Block(entry.detail)
        let added = min(units, block.width.max - held, UInt32.max - entry.amount)
        counters.add(added, block, slot)
        entry.amount += added
        entry.until = (entry.position + ring) * step - 1
        return entry.position
    }

    /// Begins anew, or in other steps: what counts then counts as if it came now.
    @inline(never)
    private func begin(
        _ entry: inout LimitEntry, _ counters: inout CounterSlab, with counted: UInt32,
        adding units: UInt32, at now: UInt64
    ) {
        _ = widen(&entry, &counters, for: UInt64(counted) + UInt64(units))
        let block = CounterSlab.Block(entry.detail)
        if entry.amount > 0 { counters.clear(block, words: block.width.words(for: ring)) }
        entry.position = steps.quotient(now)
        entry.amount = min(counted, block.width.max)
        counters.add(entry.amount, block, slots.remainder(entry.position))
    }

    /// Takes `units` out of the sub-window `mark`, as far as it is in the ring and holds them.
    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: LimitMeter.Now
    ) {
        let now = now.monotonic
        guard entry.amount > 0, now <= entry.until, storedStep(of: entry) == step,
            mark <= entry.position, entry.position - mark < ring
        else { return }
        let block = CounterSlab.Block(entry.detail)
        let slot = slots.remainder(mark)
        let taken = min(units, counters.value(block, slot))
        counters.subtract(taken, block, slot)
        entry.amount -= taken
        guard entry.amount > 0 else {
            entry.until = min(entry.until, now)
            return
        }
        // The newest sub-window that holds something says when nothing counts any more.
        while counters.value(block, slots.remainder(entry.position)) == 0 {
            entry.position -= 1
            entry.until -= step
        }
    }

    /// How full the window is: what is left, when the newest units stop to count, and when enough of the
    /// oldest ones do.
    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32,
        at clock: LimitMeter.Now
    ) -> LimitMeter.Level {
        let now = clock.monotonic
        let view = view(of: entry, counters: counters, at: now)
        let end = view.counted > 0 ? entry.until + 1 : now
        var level = LimitMeter.Level(
            remaining: view.counted < quota ? quota - view.counted : 0, resetAfter: end - now,
            resetAt: clock.wall(at: end), nextAfter: 0)
        let units = max(units, 1)
        if units > quota {
            level.nextAfter = LimitMeter.Level.neverPasses
        } else if units > level.remaining {
            // From the oldest that counts up: it stops to count when one more sub-window has passed.
            let block = CounterSlab.Block(entry.detail)
            var need = view.counted - (quota - units)
            let first = slots.remainder(entry.position + 1 + view.passed)
            var passed = view.passed
            let parts = parts(of: ring - view.passed, from: first)
            passed += counters.reach(&need, block, parts.0)
            if need > 0 { passed += counters.reach(&need, block, parts.1) }
            level.nextAfter = (entry.position + passed) * view.step - now
        }
        return level
    }

    // MARK: Reading

    /// A key's counters at one moment.
    private struct View {
        /// The units that still count.
        var counted: UInt32 = 0
        /// Sub-windows that have begun since the newest one that was charged, fewer than the ring holds.
        var passed: UInt64 = 0
        /// The length of the sub-windows.
        var step: UInt64
    }

    /// The counters as they are at `now`.
    @inline(__always)
    private func view(
        of entry: LimitEntry, counters: borrowing CounterSlab, at now: UInt64
    ) -> View {
        guard entry.amount > 0 && now <= entry.until else { return View(step: step) }
        var view = View(counted: entry.amount, step: storedStep(of: entry))
        let begin = entry.position * view.step
        // Within the newest sub-window, or before it, which is a worker whose clock is late.
        if now < begin + view.step { return view }
        // As `now` is not past `until`, fewer have passed than the ring holds.
        let index = view.step == step ? steps.quotient(now) : now / view.step
        view.passed = index - entry.position
        let block = CounterSlab.Block(entry.detail)
        let parts = parts(of: view.passed, from: oldest(entry))
        view.counted -= counters.sum(block, parts.0) + counters.sum(block, parts.1)
        return view
    }

    /// The sub-window's length with which the entry was charged last: `until` was made from it.
    private func storedStep(of entry: LimitEntry) -> UInt64 {
        let own = (entry.position &+ ring) &* step
        return entry.until &+ 1 == own ? step : (entry.until &+ 1) / (entry.position &+ ring)
    }

    /// Where the oldest sub-window stands: after the newest one in the ring.
    private func oldest(_ entry: LimitEntry) -> UInt64 { slots.remainder(entry.position + 1) }

    /// `count` slots of the ring from `first` on, up to its end and from its beginning.
    private func parts(
        of count: UInt64, from first: UInt64
    ) -> (Range<UInt64>, Range<UInt64>) {
        let end = first + count
        return end <= ring ? (first..<end, 0..<0) : (first..<ring, 0..<(end - ring))
    }

    // MARK: Widening

    /// Whether the counters are certainly wide enough for `units` more.
    @inline(__always)
    private func hasRoom(
        _ entry: LimitEntry, _ counters: borrowing CounterSlab, for units: UInt32
    ) -> Bool {
        // No counter holds more than all together.
        if isWide(entry, for: UInt64(entry.amount) + UInt64(units)) { return true }
        // What is charged is the newest counter, or one that is empty; or the steps are others now.
        guard entry.until &+ 1 == (entry.position &+ ring) &* step else { return false }
        let newest = counters.value(
            CounterSlab.Block(entry.detail), slots.remainder(entry.position))
        return isWide(entry, for: UInt64(newest) + UInt64(units))
    }

    /// Makes the counters wide enough for `units` more at `now`; `false` when there is no room for that.
    @inline(never)
    private func makeRoom(
        _ entry: inout LimitEntry, _ counters: inout CounterSlab, for units: UInt32, at now: UInt64
    ) -> Bool {
        let view = view(of: entry, counters: counters, at: now)
        // What stands already in the counter that is charged.
        var sum = UInt64(units)
        if view.step != step {
            sum += UInt64(view.counted)
        } else if view.counted > 0 && view.passed == 0 {
            let block = CounterSlab.Block(entry.detail)
            sum += UInt64(counters.value(block, slots.remainder(entry.position)))
        }
        return widen(&entry, &counters, for: sum)
    }

    /// Whether a counter can hold `sum`.
    private func isWide(_ entry: LimitEntry, for sum: UInt64) -> Bool {
        sum <= UInt64(CounterSlab.Block(entry.detail).width.max)
    }

    /// Makes the counters wide enough for one to hold `sum`; `false` when there is no room for that.
    @inline(never)
    private func widen(
        _ entry: inout LimitEntry, _ counters: inout CounterSlab, for sum: UInt64
    ) -> Bool {
        if isWide(entry, for: sum) { return true }
        let block = CounterSlab.Block(entry.detail)
        let width = CounterSlab.CounterWidth(holding: sum)
        // The widest counters hold less than all units that may be charged after the fact.
        if width == block.width { return true }
        guard let wider = counters.allocate(words: width.words(for: ring), width: width) else {
            return false
        }
        for slot in 0..<ring { counters.add(counters.value(block, slot), wider, slot) }
        counters.release(block)
        entry.detail = wider.code
        return true
    }
}
