import Primitives
import Testing

@testable import Limits

/// What leased limits promise, whatever goes wrong.
struct LeaseTests {
    @Test(arguments: leaseRates, [UInt64(1), 2, 3, 4])
    func `in no window is more admitted than the limit, whatever gets lost or dies`(
        rate: LeaseRate, seed: UInt64
    ) {
        var fleet = LeaseFleet(rate.terms, processes: 1 + Int(seed), seed: seed)
        // About twice as much is wanted as the limit has.
        let pause = rate.period.count / UInt64(rate.count) * 3
        fleet.run(8_000, pause: Int(min(max(pause, 1000), 2_000_000_000)), faults: true)
        #expect(!fleet.spent.isEmpty)
        expectBound(fleet, rate)
    }

    private func expectBound(_ fleet: LeaseFleet, _ rate: LeaseRate) {
        switch fleet.terms.kind {
        case .fixedWindow:
            var windows: [UInt64: UInt64] = [:]
            for spent in fleet.spent {
                windows[window(of: spent.time, fleet.terms), default: 0] += spent.units
            }
            let most = windows.values.max() ?? 0
            #expect(most <= UInt64(rate.count), "\(most) in a window")
        case .slidingWindow:
            var first = 0
            var sum: UInt64 = 0
            for spent in fleet.spent {
                sum += spent.units
                while fleet.spent[first].time + rate.period.count <= spent.time {
                    sum -= fleet.spent[first].units
                    first += 1
                }
                #expect(sum <= UInt64(rate.count), "\(sum) in the window before \(spent.time)")
            }
        case .tokenBucket:
            // For all a ≤ b: what was spent from a to b is at most the burst and what came back meanwhile, or: what
            // was spent up to b, less what came back up to then, is at most the burst above the same before a.
            var before = Double.infinity
            var total: Double = 0
            let start = fleet.spent[0].time
            let perNanosecond = Double(rate.count) / Double(rate.period.count)
            for spent in fleet.spent {
                let refilled = Double(spent.time - start) * perNanosecond
                before = min(before, total - refilled)
                total += Double(spent.units)
                let excess = total - refilled - before - Double(fleet.terms.capacity)
                // A microsecond's refill, by which the server's clock may be late, and rounding.
                #expect(
                    excess <= 1000 * perNanosecond + 1e-6, "\(excess) too many at \(spent.time)")
            }
        }
    }

    private func window(of time: UInt64, _ terms: LeaseTerms) -> UInt64 {
        guard terms.length > 0 else { return time + CalendarMonth.left(at: time) }
        return (time / 1000 - UInt64(terms.detail)) / UInt64(terms.length)
    }

    @Test(arguments: leaseRates.filter { $0.count < 1_000_000 })
    func `three processes with 80, 15 and 5 of 100 requests use nearly all of the limit`(
        rate: LeaseRate
    ) {
        var fleet = LeaseFleet(rate.terms, processes: 3, seed: 5)
        fleet.loads = [800, 150, 50]
        // Five times as much is wanted as the limit has.
        let pause = rate.period.count / UInt64(rate.count) / 2
        let begin = fleet.now
        fleet.run(20_000, pause: Int(min(max(pause, 1000), 100_000_000)), faults: false)
        let spent = fleet.spent.reduce(0) { $0 + $1.units }
        var usable = Double(fleet.now - begin) / Double(rate.period.count) * Double(rate.count)
        // Whoever always pushes gets B of B + 1 parts; of a month's quota all can be used at once.
        if fleet.terms.kind == .slidingWindow {
            usable *= Double(fleet.terms.detail - 1) / Double(fleet.terms.detail)
        } else if fleet.terms.length == 0 {
            usable = Double(rate.count)
        }
        #expect(Double(spent) >= 0.95 * usable, "\(spent) of \(usable)")
    }

    @Test func `what is idle goes back, and a process that leaves takes nothing along`() throws {
        let rate = leaseRates[0]
        let table = LeaseTable()
        var ledger = LeaseLedger()
        var random = SeededRandom(seed: 1)
        let key = Array("k".utf8)
        let digest = Digest128(high: 1, low: 1)
        var now: UInt64 = 1_000_000_000
        func clock() -> MonotonicTime { MonotonicTime(nanoseconds: now) }
        func send(_ order: LeaseOrder) -> LeaseGrant {
            let grant = ledger.exchange(
                order, key, rate.terms, replicas: 1, at: 1_790_812_800_000_000 + Int64(now / 1000))
            table.receive(
                digest, grant, to: order, sent: clock(), replicas: 1, at: clock(), random: &random)
            return grant
        }
        // A use of a hundred in a second, so that units are held ahead.
        for _ in 0..<20 {
            now += 10_000_000
            if case .taken = table.take(digest, 1, at: clock()).taking { continue }
            let order = try #require(
                table.order(digest, key: key, terms: rate.terms, need: 1, at: clock()))
            _ = send(order)
            #expect(table.take(digest, 1, at: clock()).taking.isTaken)
        }
        let held = table.take(digest, 0, at: clock()).level.remaining
        #expect(held > 0)
        now += 30_000_000
        #expect((0..<16).allSatisfy { table.sweep($0, at: clock()).isEmpty })
        now += 200_000_000
        let returns = (0..<16).flatMap { table.sweep($0, at: clock()) }
        #expect(returns.count == 1)
        let grant = send(try #require(returns.first).order)
        #expect(grant.available == 80)
        #expect(table.empty(at: clock()).isEmpty)
        now += 2_000_000_000
        _ = (0..<16).flatMap { table.sweep($0, at: clock()) }
        #expect(table.count == 0)
    }

    @Test func `where Redis has nothing a process refuses by itself, for a second at most`() throws
    {
        let terms = leaseRates[0].terms
        var lease = Lease(key: [], terms: terms, at: 0)
        var random = SeededRandom(seed: 3)
        var now: UInt64 = 1_000_000
        var asked: [UInt64] = []
        while now < 10_000_000_000 {
            switch lease.take(1, at: now) {
            case .taken: Issue.record("there was nothing to take")
            case .refused:
                let level = lease.level(1, at: now)
                #expect(level.nextAfter > 0 && level.nextAfter <= 10_000_000_000)
            case .lacking:
                asked.append(now)
                let asking = lease.order(need: 1, at: now)
                let order = try #require(asking)
                let left = Int64(10_000_000 - now / 1000)
                let grant = LeaseGrant(
                    granted: 0, kept: 0, mark: 7, left: left, available: 0, wait: left, reset: left)
                lease.receive(grant, to: order, sent: now, replicas: 3, at: now, random: &random)
            }
            now += 1_000_000
        }
        #expect(asked.count < 30)
        let pauses = zip(asked, asked.dropFirst()).map { $1 - $0 }
        #expect(pauses.allSatisfy { $0 <= 1_001_000_000 })
    }

    @Test func `an algorithm whose units cannot be debited in advance has no terms`() {
        let rate = LimitDefinition.Rate(count: 10, period: .seconds(1))
        #expect(LeaseTerms(.slidingLog, rate) == nil)
        #expect(LeaseTerms(.leakyBucket(maxDelay: .seconds(1)), rate) == nil)
        #expect(LeaseTerms(.concurrency, rate) == nil)
    }

    @Test func `answers that the script cannot have given are not taken`() {
        #expect(LeaseGrant([1, 0, 5, 10, 3, 0, 9] as [Int64])?.granted == 1)
        #expect(LeaseGrant([1, 0, 5, 10, 3, 0] as [Int64]) == nil)
        #expect(LeaseGrant([-1, 0, 5, 10, 3, 0, 9] as [Int64]) == nil)
        #expect(LeaseGrant([1, 0, 5, -10, 3, 0, 9] as [Int64]) == nil)
    }
}

extension LeaseTaking {
    fileprivate var isTaken: Bool { if case .taken = self { true } else { false } }
}
