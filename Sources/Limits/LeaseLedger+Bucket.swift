/// Token buckets: what is outstanding is counted, so that it and the bucket's level are never more than the burst.
///
/// Between two events the level is `burst − max(debt, outstanding)`. Leases end together, in slots; what has ended is
/// not outstanding any more, but its tokens come back only as time passes.
extension LeaseLedger.Step {
    func tokenBucket(_ state: inout [Int64]) -> LeaseGrant {
        var bucket = Bucket(state, terms, now: now)
        let now = bucket.at
        let slot = (now / terms.slot + 5) * terms.slot
        let kept = bucket.settle(order)
        let granted = share((bucket.most - bucket.debt) / terms.length)
        bucket.lend(granted: granted, kept: kept, until: slot)
        let available = (bucket.most - bucket.debt) / terms.length
        let lacking = missing(granted)
        var wait: Int64 = 0
        if lacking > terms.capacity {
            wait = -1
        } else if lacking > available {
            wait = bucket.micros(bucket.debt + lacking * terms.length - bucket.most)
        }
        state = bucket.state
        return grant(
            granted, kept: kept, mark: slot, left: slot - now,
            available: available, wait: wait, reset: bucket.micros(bucket.debt))
    }

    /// A bucket and what is outstanding of it.
    private struct Bucket {
        let terms: LeaseTerms
        /// The moment.
        private(set) var at: Int64
        /// What is missing, in grains.
        private(set) var debt: Int64
        private var slots: [(end: Int64, units: Int64)] = []
        private var outstanding: Int64 = 0

        /// The debt of an empty bucket.
        var most: Int64 { terms.capacity * terms.length }

        init(_ state: [Int64], _ terms: LeaseTerms, now: Int64) {
            self.terms = terms
            at = now
            debt = 0
            guard state.count >= 4 else { return }
            at = state[0]
            debt = state[1]
            if state[2] != terms.length || state[3] != terms.detail {
                // At another rate the tokens that were missing are missing still.
                let tokens = debt / state[2] + (debt % state[2] > 0 ? 1 : 0)
                debt = min(tokens, terms.capacity) * terms.length
            }
            for place in stride(from: 4, to: state.count, by: 2) {
                slots.append((state[place], state[place + 1]))
                outstanding += state[place + 1]
            }
            advance(now: max(now, at))
        }

        private mutating func advance(now: Int64) {
            while let first = slots.first, first.end <= now {
                refill(to: first.end)
                outstanding -= first.units
                slots.removeFirst()
            }
            refill(to: now)
        }

        /// Tokens come back, but never so many that with those outstanding they are more than the burst.
        private mutating func refill(to moment: Int64) {
            if moment > at {
                let (grains, overflow) = (moment - at).multipliedReportingOverflow(by: terms.detail)
                debt = overflow ? 0 : max(debt - grains, 0)
                at = moment
            }
            debt = max(debt, min(outstanding, terms.capacity) * terms.length)
        }

        /// Takes what an order tells about its lease; returns the units that are kept.
        mutating func settle(_ order: LeaseOrder) -> Int64 {
            var kept: Int64 = 0
            for place in slots.indices where slots[place].end == order.mark {
                let told = min(
                    slots[place].units, Int64(order.spent) + Int64(order.back) + Int64(order.keep))
                slots[place].units -= told
                outstanding -= told
                let back = min(Int64(order.back), told)
                debt = max(debt - back * terms.length, 0)
                if Int64(order.keep) <= told - back { kept = Int64(order.keep) }
            }
            outstanding += kept
            debt = min(max(debt, min(outstanding, terms.capacity) * terms.length), most)
            return kept
        }

        /// Takes `granted` units out; they and those kept are outstanding until the end of `slot`.
        mutating func lend(granted: Int64, kept: Int64, until slot: Int64) {
            debt += granted * terms.length
            outstanding += granted
            guard kept + granted > 0 else { return }
            let place = slots.firstIndex { $0.end >= slot } ?? slots.count
            if place < slots.count && slots[place].end == slot {
                slots[place].units += kept + granted
            } else {
                slots.insert((slot, kept + granted), at: place)
            }
        }

        /// Grains as microseconds, rounded up.
        func micros(_ grains: Int64) -> Int64 { (grains + terms.detail - 1) / terms.detail }

        /// The numbers to be kept; none when they say the same as none.
        var state: [Int64] {
            let held = slots.filter { $0.units > 0 }
            if debt == 0 && held.isEmpty { return [] }
            return [at, debt, terms.length, terms.detail] + held.flatMap { [$0.end, $0.units] }
        }
    }
}
