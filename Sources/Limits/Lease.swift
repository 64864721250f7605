import Primitives

/// What a process holds of one leased key, and what it knows about it.
///
///     take ─► units, until the deadline        ┐ nanoseconds, no network
///     lacking ─► order ─► Redis ─► receive     │ one order on its way from each worker that needs one
///     sweep ─► order ─► Redis                  ┘ what is idle, or is about to end, goes back
///
/// **Safety**: every unit here was debited in Redis before. It is spent at most once, before its deadline, or told
/// to be given back and then not spent. An order whose answer is lost counts as carried out where that is the
/// worse case: what it gave back is not spent, what it told is not told again, what it was granted is not had.
///
/// **Deadline**: counted from the moment the order was sent, on the monotonic clock, and shorter by a thousandth,
/// for clocks that run apart. Units with different deadlines are all held to the earliest.
struct Lease: Sendable {
    let key: [UInt8]
    /// The terms of the last order: a reload, or another tier, may bring others.
    var terms: LeaseTerms
    /// Units that may be spent before `deadline`.
    private(set) var units: UInt32 = 0
    /// Monotonic nanoseconds.
    private(set) var deadline: UInt64 = 0
    /// The lease as Redis names it.
    private var mark: Int64 = 0
    /// When the order was sent that brought it.
    private var asked: UInt64 = 0
    /// Bucket: units of `mark` that Redis takes for outstanding and was told nothing about.
    private var outstanding: UInt32 = 0
    /// Bucket: counts the orders, after which a unit that was told as spent cannot be put back.
    private var generation: Int64 = 0
    /// Windows: units of a lease that has ended, to be given back to its window.
    private var leftover: (mark: Int64, units: UInt32) = (0, 0)
    /// Orders that have no answer yet.
    private var flying = 0
    /// Whether one of them asks only ahead of need.
    private var isRefilling = false
    /// The earliest deadline of units that came while another order was on its way.
    private var bound = UInt64.max
    /// With fewer units more are asked for ahead of need.
    private var lowWater: UInt32 = 0

    /// Units that Redis had left at its last answer.
    private var available: UInt32 = 0
    /// Until when requests without units are refused by what Redis said last.
    private var deniedUntil: UInt64 = 0
    private var denials: UInt64 = 0
    /// When a refused request may pass, and when nothing is counted any more, as Redis said last.
    private var retryAt: UInt64 = 0
    private var resetAt: UInt64 = 0

    /// Units that requests wanted since `measured`.
    private var wanted: UInt64 = 0
    private var measured: UInt64
    /// Units a nanosecond that requests want.
    private var rate: Double = 0
    private var used: UInt64

    init(key: [UInt8], terms: LeaseTerms, at now: UInt64) {
        self.key = key
        self.terms = terms
        measured = now
        used = now
    }

    // MARK: Spending

    /// Takes `cost` units if they are there.
    @inline(__always)
    mutating func take(_ cost: UInt32, at now: UInt64) -> LeaseTaking {
        if cost <= units && now < deadline {
            units -= cost
            wanted += UInt64(cost)
            used = now
            let isLow = units < lowWater && !isRefilling
            return .taken(receipt: receipt, isLow: isLow)
        }
        if cost == 0 { return .taken(receipt: receipt, isLow: false) }
        if now < deniedUntil { return .refused }
        return .lacking
    }

    /// Takes `cost` units if they are there, and tells what is known then.
    @inline(__always)
    mutating func spend(_ cost: UInt32, at now: UInt64) -> (taking: LeaseTaking, level: LeaseLevel)
    {
        let taking = take(cost, at: now)
        return (taking, level(cost, at: now))
    }

    /// Notes that a request of `cost` waits for an order.
    mutating func wait(_ cost: UInt32, at now: UInt64) {
        wanted += UInt64(cost)
        used = now
    }

    private var receipt: Int64 { terms.kind == .tokenBucket ? generation : mark }

    /// Puts units back that were taken and not spent after all, as far as nobody was told that they were.
    mutating func putBack(_ count: UInt32, receipt: Int64, at now: UInt64) {
        if receipt == self.receipt && now < deadline {
            units += count
        } else if terms.kind != .tokenBucket {
            leave(count, of: receipt)
        }
    }

    /// What is known for whoever asks for `cost`.
    @inline(__always)
    func level(_ cost: UInt32, at now: UInt64) -> LeaseLevel {
        let held = now < deadline ? units : 0
        let (sum, overflow) = held.addingReportingOverflow(now < resetAt ? available : 0)
        let remaining = now < deniedUntil ? held : overflow ? .max : sum
        let next =
            cost <= held || now >= deniedUntil
            ? 0 : retryAt == .max ? UInt64.max : max(retryAt, deniedUntil) - now
        return LeaseLevel(
            remaining: remaining, resetAfter: resetAt > now ? resetAt - now : 0, nextAfter: next)
    }

    /// Drops what may not be spent any more.
    private mutating func expire(at now: UInt64) {
        guard units > 0 && now >= deadline else { return }
        if terms.kind != .tokenBucket { leave(units, of: mark) }
        units = 0
    }

    private mutating func leave(_ count: UInt32, of mark: Int64) {
        if leftover.mark != mark { leftover = (mark, 0) }
        leftover.units += count
    }

    // MARK: Asking

    /// What is told and asked now; `need` units are waited for. `nil` when nothing is to be asked for.
    mutating func order(need: UInt32, at now: UInt64) -> LeaseOrder? {
        expire(at: now)
        measure(at: now)
        var order = LeaseOrder()
        order.need = min(need, LeaseBounds.unitsMax)
        order.want = min(order.need + wantedAhead(at: now), LeaseBounds.unitsMax)
        guard order.want > 0 else { return nil }
        tell(&order, keep: true)
        if need == 0 { isRefilling = true }
        return order
    }

    /// Units to hold for the time ahead, beyond those that are held.
    private func wantedAhead(at now: UInt64) -> UInt32 {
        var horizon = terms.horizon(at: rate)
        var spread = 0.0
        // What a window's end leaves unspent is asked for in vain, and what is short of it is one more order: to its
        // end twice the spread of random arrivals is asked for, too.
        let end = now < deadline ? deadline - now : terms.life
        if terms.kind != .tokenBucket && end <= horizon {
            horizon = end
            spread = 2 * (rate * Double(horizon)).squareRoot()
        }
        let most = min(Double(terms.capacity), Double(LeaseBounds.unitsMax))
        let ahead = UInt32(min(rate * Double(horizon) + spread, most))
        return ahead > units ? ahead - units : 0
    }

    /// Writes into an order what Redis is to know.
    private mutating func tell(_ order: inout LeaseOrder, keep: Bool) {
        if terms.kind == .tokenBucket {
            if flying == 0 {
                order.mark = mark
                order.spent = outstanding - min(units, outstanding)
                if keep { order.keep = units } else { order.back = units }
                outstanding = 0
                generation += 1
            }
        } else if leftover.units > 0 {
            (order.mark, order.back) = leftover
            leftover = (0, 0)
        } else if !keep {
            (order.mark, order.back) = (mark, units)
        }
        if !keep && order.back > 0 && order.mark == mark { units = 0 }
        flying += 1
    }

    private mutating func measure(at now: UInt64) {
        let passed = now - min(measured, now)
        guard passed >= LeaseBounds.rateMemory / 100 else { return }
        let weight = min(Double(passed) / Double(LeaseBounds.rateMemory), 1)
        rate += (Double(wanted) / Double(passed) - rate) * weight
        wanted = 0
        measured = now
    }

    // MARK: Answers

    /// Takes the answer to an order that was sent at `sent`.
    mutating func receive(
        _ grant: LeaseGrant, to order: LeaseOrder, sent: UInt64, replicas: UInt32, at now: UInt64,
        random: inout SeededRandom
    ) {
        landed(order)
        expire(at: now)
        let life = min(
            UInt64(grant.left).multipliedReportingOverflow(by: 1000).partialValue,
            LeaseBounds.lifeMax)
        let end = sent + life - life / LeaseBounds.clockShare
        if terms.kind == .tokenBucket {
            addToBucket(grant, order, until: end)
        } else if order.asks {
            addToWindow(grant, until: end, sent: sent)
        }
        available = grant.available
        resetAt = now &+ UInt64(grant.reset) &* 1000
        // No fair part can be had when less is left than one unit for each share.
        let isPlenty = UInt64(available) >= 2 * UInt64(max(replicas, 1))
        // What is used while an order is on its way.
        let transit = min(rate * Double(LeaseBounds.transit), Double(LeaseBounds.unitsMax))
        lowWater = isPlenty ? min(units / 2, UInt32(transit) + 1) : 0
        guard order.need > 0 else { return }
        if grant.granted >= order.need {
            denials = 0
            deniedUntil = 0
        } else {
            deny(grant, replicas: replicas, at: now, random: &random)
        }
    }

    /// Notes that the answer to an order is lost.
    mutating func fail(_ order: LeaseOrder) {
        landed(order)
        if flying == 0 { bound = .max }
    }

    private mutating func landed(_ order: LeaseOrder) {
        flying -= 1
        precondition(flying >= 0)
        if order.asks && order.need == 0 { isRefilling = false }
    }

    private mutating func addToBucket(_ grant: LeaseGrant, _ order: LeaseOrder, until end: UInt64) {
        let isKept = order.keep > 0 && grant.kept == order.keep
        // Redis did not know of units it was to keep: they were about to end.
        if order.keep > 0 && !isKept && grant.granted > 0 { units = 0 }
        if isKept {
            deadline = min(end, bound)
        } else if grant.granted > 0 {
            deadline = units > 0 ? min(deadline, end) : end
        }
        if flying > 0 && grant.granted > 0 { bound = min(bound, end) }
        if flying == 0 { bound = .max }
        units += grant.granted
        let sum = grant.granted + grant.kept
        guard sum > 0 else { return }
        if grant.mark == mark {
            outstanding += sum
        } else if grant.mark > mark {
            // Of the older lease no more is told: it counts until its slot ends.
            mark = grant.mark
            outstanding = sum
        }
    }

    private mutating func addToWindow(_ grant: LeaseGrant, until end: UInt64, sent: UInt64) {
        if grant.mark == mark {
            units += grant.granted
            deadline = max(deadline, end)
        } else if sent >= asked {
            if units > 0 { leave(units, of: mark) }
            mark = grant.mark
            units = grant.granted
            deadline = end
            asked = sent
        } else if grant.granted > 0 {
            leave(grant.granted, of: grant.mark)
        }
    }

    private mutating func deny(
        _ grant: LeaseGrant, replicas: UInt32, at now: UInt64, random: inout SeededRandom
    ) {
        let most = terms.denialMax(replicas: replicas)
        var time = min(terms.denialMin << min(denials, 20), most)
        // A random part, so that replicas do not come together.
        time = time / 2 + UInt64(random.below(Int(time / 2) + 1))
        if terms.kind != .tokenBucket && grant.wait > 0 {
            time = min(time, UInt64(grant.wait) &* 1000)
        }
        denials += 1
        deniedUntil = now + time
        retryAt = grant.wait < 0 ? .max : now &+ UInt64(grant.wait) &* 1000
    }

    /// Lets the next request without units ask, whatever Redis said last.
    mutating func askAgain() {
        denials = 0
        deniedUntil = 0
    }

    // MARK: Giving back

    /// What is to be told without a request that asks: units that are idle, that are about to end, or all.
    mutating func returning(all: Bool, at now: UInt64) -> LeaseOrder? {
        expire(at: now)
        measure(at: now)
        guard flying == 0 else { return nil }
        var order = LeaseOrder()
        // The next order of a lease that is used carries it.
        if leftover.units > 0 && (all || isIdle(at: now)) {
            tell(&order, keep: true)
            return order
        }
        guard units > 0 else { return nil }
        let isEnding =
            terms.kind == .tokenBucket && deadline - now < UInt64(terms.slot) * 1000
        if isEnding && !all && !isIdle(at: now) {
            order.want = min(wantedAhead(at: now), LeaseBounds.unitsMax)
            tell(&order, keep: true)
            return order
        }
        guard all || isIdle(at: now) else { return nil }
        tell(&order, keep: false)
        lowWater = 0
        return order
    }

    /// Whether its units are not used: not for some times the pause that is usual.
    private func isIdle(at now: UInt64) -> Bool {
        // Of random arrivals one pause in 3,000 is so long.
        let pause = rate > 0 ? 8 / rate : 0
        let allowed = max(UInt64(min(pause, 1e9)), LeaseBounds.idleMin)
        return now - min(used, now) > allowed
    }

    /// Whether nothing is lost when it is forgotten.
    func isForgettable(at now: UInt64) -> Bool {
        flying == 0 && leftover.units == 0 && (units == 0 || now >= deadline)
            && now >= deniedUntil
    }

    /// Whether it has not been used for a second.
    func isUnused(at now: UInt64) -> Bool { now - min(used, now) > 1_000_000_000 }
}

/// What became of taking units from a lease.
public enum LeaseTaking: Sendable, BitwiseCopyable, Equatable {
    /// They are taken. `isLow`: more should be asked for ahead of need.
    case taken(receipt: Int64, isLow: Bool)
    /// There are not so many here: Redis has to be asked.
    case lacking
    /// Redis had not so many when it was asked last, a moment ago.
    case refused
}

/// What is known of a leased key.
public struct LeaseLevel: Sendable, BitwiseCopyable, Equatable {
    /// Units held here and left in Redis when it answered last.
    public var remaining: UInt32
    /// Nanoseconds until nothing is counted any more.
    public var resetAfter: UInt64
    /// Nanoseconds until the units that were refused may be there; `UInt64.max`: never.
    public var nextAfter: UInt64
}
