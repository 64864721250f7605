/// Windows: a lease is charged in the window, or sub-window, of its grant, ends with it, and is given back to it.
extension LeaseLedger.Step {
    func fixedWindow(_ state: inout [Int64]) -> LeaseGrant {
        var end: Int64
        if terms.length > 0 {
            end = now + terms.length - (now + terms.length - terms.detail) % terms.length
        } else {
            end = now + Int64(CalendarMonth.left(at: UInt64(now) * 1000) / 1000)
        }
        var count: Int64 = 0
        if let stored = state.first, stored > now {
            count = state[1]
            if mark == stored { count -= min(count, back) }
            end = max(end, stored)
        }
        let granted = share(max(terms.capacity - count, 0))
        count += granted
        state = count > 0 ? [end, count] : []
        let available = max(terms.capacity - count, 0)
        let lacking = missing(granted)
        return grant(
            granted, mark: end, left: end - now, available: available,
            wait: lacking > terms.capacity ? -1 : lacking > available ? end - now : 0,
            reset: count > 0 ? end - now : 0)
    }

    func slidingWindow(_ state: inout [Int64]) -> LeaseGrant {
        let (step, ring) = (terms.length, terms.detail)
        var index = now / step
        var counts = remaining(state)
        // A clock that went back does not charge before what is charged already.
        index = max(index, counts.last?.index ?? 0)
        var counted = counts.reduce(0) { $0 + $1.units }
        let granted = share(max(terms.capacity - counted, 0))
        if granted > 0 {
            counted += granted
            if counts.last?.index == index {
                counts[counts.count - 1].units += granted
            } else {
                counts.append((index, granted))
            }
        }
        let available = max(terms.capacity - counted, 0)
        let lacking = missing(granted)
        var wait: Int64 = 0
        if lacking > terms.capacity {
            wait = -1
        } else if lacking > available {
            var need = counted + lacking - terms.capacity
            for count in counts {
                need -= count.units
                wait = (count.index + ring) * step - now
                if need <= 0 { break }
            }
        }
        state = counts.isEmpty ? [] : [step, ring] + counts.flatMap { [$0.index, $0.units] }
        return grant(
            granted, mark: index, left: min((index + 1) * step - now, step), available: available,
            wait: wait, reset: counts.last.map { ($0.index + ring) * step - now } ?? 0)
    }

    /// The sub-windows that still count, without what is given back.
    private func remaining(_ state: [Int64]) -> [(index: Int64, units: Int64)] {
        guard let step = state.first else { return [] }
        let isOther = step != terms.length || state[1] != terms.detail
        let current = now / step
        var counts: [(index: Int64, units: Int64)] = []
        for place in stride(from: 2, to: state.count, by: 2)
        where state[place] + state[1] > current {
            var units = state[place + 1]
            if state[place] == mark && !isOther { units -= min(units, back) }
            if units > 0 { counts.append((state[place], units)) }
        }
        // What was counted in other steps counts as if it came now.
        let counted = counts.reduce(0) { $0 + $1.units }
        return isOther && counted > 0 ? [(now / terms.length, counted)] : counts
    }
}
