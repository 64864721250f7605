/// A window that moves in steps of `period / subWindows`; the oldest step is counted in full
/// (standards A4, the conservative variant).
///
///     sub-windows   | n−B | … | n−1 |  n  |      ring of B + 1 counters, index modulo B + 1
///                     ↑ partly outside the window, counted in full
///
/// **Guarantee**: never more than `quota` requests in *any* interval of `period`. The price: an admissible
/// request may have to wait up to one sub-window longer, so somebody who always pushes gets B/(B+1) of the
/// quota. The sub-window's length is rounded up to a whole nanosecond, which admits less, never more.
///
/// A key takes B + 1 counters of 1, 2 or 4 bytes, the least that holds the largest quota of all tiers: 64
/// bytes for up to 255 requests in 60 sub-windows. When a tier brings another period, all that is still
/// counted counts as if it came now.
struct SlidingWindow: Sendable, BitwiseCopyable {
    /// Requests in any `period`.
    let quota: UInt32
    /// Counters in the ring, one more than sub-windows.
    let ring: UInt64
    /// The length of a sub-window in nanoseconds.
    let step: UInt64
    /// The width of a counter as a power of two, in bits: 3, 4 or 5.
    let counterShift: UInt8

    /// Creates the meter of `quota` per `period` nanoseconds in `subWindows` steps.
    ///
    /// `quotaMax` is the largest quota of any tier: it decides the width of the counters.
    init(quota: UInt32, period: UInt64, subWindows: Int) {
        let quotaMax = UInt32.max  // HELPER A
        self.quota = max(quota, 1)
        let steps = UInt64(min(max(subWindows, 1), LimitBounds.subWindowsMax))
        ring = steps + 1
        step = (min(max(period, 1), LimitBounds.periodMax) + steps - 1) / steps
        counterShift = quotaMax <= 0xFF ? 3 : quotaMax <= 0xFFFF ? 4 : 5
    }

    /// The words of a key's counters.
    var counterWords: Int { (Int(ring) << Int(counterShift) + 63) >> 6 }

    /// Whether `units` more would fit.
    func admits(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> Bool {
        // What is stored is an upper bound of what still counts.
        entry.amount < quota || view(of: entry, counters: counters, at: now).counted < quota
    }

    /// Takes `units` back.
    func refund(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, mark: UInt64,
        at now: UInt64
    ) {
        // HELPER A
    }

    /// Counts `units`. The entry's `detail` must name a block of `counterWords` words.
    func charge(
        _ entry: inout LimitEntry, counters: inout CounterSlab, units: UInt32, at now: UInt64
    ) -> UInt64 {
        let block = CounterSlab.Block(entry.detail)
        var index = now / step
        if entry.amount > 0 && storedStep(of: entry) == step {
            index = max(index, entry.position)
            let passed = min(index - entry.position, ring)
            var slot = (entry.position + 1) % ring
            for _ in 0..<passed {
                entry.amount -= counters.take(block, slot, shift: counterShift)
                slot = slot + 1 == ring ? 0 : slot + 1
            }
            counters.add(1, block, index % ring, shift: counterShift)
            entry.amount += 1
        } else {
            let before = view(of: entry, counters: counters, at: now).counted
            counters.clear(block, words: counterWords)
            counters.add(before + 1, block, index % ring, shift: counterShift)
            entry.amount = before + 1
        }
        entry.position = index
        entry.until = (index + ring) * step - 1
        return index
    }

    /// How full the window is: what is left, when the newest request stops to count, and, when nothing is
    /// left, when enough of the oldest ones do.
    func level(
        _ entry: LimitEntry, counters: borrowing CounterSlab, units: UInt32,
        at clock: LimitMeter.Now
    ) -> LimitMeter.Level {
        let now = clock.monotonic
        let view = view(of: entry, counters: counters, at: now)
        guard view.counted > 0 else {
            return LimitMeter.Level(
                remaining: quota, resetAfter: 0, resetAt: clock.wall(at: now), nextAfter: 0)
        }
        let reset = entry.until + 1 - now
        guard view.counted >= quota else {
            return LimitMeter.Level(
                remaining: quota - view.counted, resetAfter: reset,
                resetAt: clock.wall(at: now + reset), nextAfter: 0)
        }
        // From the oldest that counts up: it stops to count when one more sub-window has passed.
        let block = CounterSlab.Block(entry.detail)
        var rest = view.counted
        var passed = view.passed
        var slot = view.oldest
        while passed < ring && rest >= quota {
            let empty = min(counters.emptyRun(block, slot, shift: counterShift), ring - slot)
            if empty == 0 { rest -= counters.value(block, slot, shift: counterShift) }
            passed += max(empty, 1)
            slot = slot + max(empty, 1) == ring ? 0 : slot + max(empty, 1)
        }
        return LimitMeter.Level(
            remaining: 0, resetAfter: reset, resetAt: clock.wall(at: now + reset),
            nextAfter: (entry.position + passed) * view.step - now)
    }

    /// A key's counters at one moment.
    private struct View {
        /// The requests that still count.
        var counted: UInt32 = 0
        /// Sub-windows that have begun since the newest one that was charged.
        var passed: UInt64 = 0
        /// Where the oldest sub-window that counts stands in the ring.
        var oldest: UInt64 = 0
        /// The length of the sub-windows.
        var step: UInt64
    }

    /// The sub-window's length with which the entry was charged last: `until` was made from it.
    private func storedStep(of entry: LimitEntry) -> UInt64 {
        let own = (entry.position &+ ring) &* step
        return entry.until &+ 1 == own ? step : (entry.until &+ 1) / (entry.position &+ ring)
    }

    /// The counters as they are at `now`.
    private func view(
        of entry: LimitEntry, counters: borrowing CounterSlab, at now: UInt64
    ) -> View {
        guard entry.amount > 0 && now <= entry.until else { return View(step: step) }
        var view = View(counted: entry.amount, step: storedStep(of: entry))
        let index = now / view.step
        // The oldest sub-window stands after the newest one in the ring.
        view.oldest = (entry.position + 1) % ring
        guard index > entry.position else { return view }
        // As `now` is not past `until`, fewer have passed than the ring holds.
        view.passed = index - entry.position
        let block = CounterSlab.Block(entry.detail)
        var left = min(view.passed, ring)
        while left > 0 {
            let slot = view.oldest
            let empty = min(
                counters.emptyRun(block, slot, shift: counterShift), ring - slot, left)
            if empty == 0 { view.counted -= counters.value(block, slot, shift: counterShift) }
            left -= max(empty, 1)
            view.oldest = slot + max(empty, 1) == ring ? 0 : slot + max(empty, 1)
        }
        return view
    }
}
