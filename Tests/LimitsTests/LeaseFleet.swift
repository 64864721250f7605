import Primitives

@testable import Limits

/// A fleet of processes that lease one key, and everything that can go wrong between them and Redis, in virtual time.
///
/// The processes' clocks have begun at other moments than the server's and run up to 400 millionths faster or slower.
/// Orders and answers take random times and get lost; processes are killed and start again with nothing.
struct LeaseFleet {
    /// One unit, or some, at the moment it was spent by the server's clock, in nanoseconds since 1970.
    struct Spent { var time: UInt64, units: UInt64 }

    private struct Process {
        var table = LeaseTable()
        /// Nanoseconds its monotonic clock is ahead, and its millionths.
        var offset: UInt64
        var drift: Int64
        /// Tells a process from the one before its death.
        var life = 0
        /// How often it asks, of 1000 chances.
        var eagerness: Int
        var isAsking = false
        var waiting: [UInt32] = []
    }

    private enum Event {
        case arrives(LeaseOrder, process: Int, life: Int, sent: MonotonicTime)
        case givenBack(Int, receipt: Int64, process: Int, life: Int)
        case answered(LeaseGrant?, LeaseOrder, process: Int, life: Int, sent: MonotonicTime)
    }

    let terms: LeaseTerms
    private(set) var ledger = LeaseLedger()
    private var processes: [Process] = []
    private var events: [(time: UInt64, event: Event)] = []
    private var random: SeededRandom
    /// Nanoseconds since 1970.
    private(set) var now: UInt64 = 1_790_812_800_000_000_000
    /// How often each process asks, of 1000 chances; `nil`: now more, now less.
    var loads: [Int]?
    private var hasFaults = true
    private(set) var spent: [Spent] = []
    private(set) var refused = 0
    private(set) var orders = 0
    private let key: [UInt8]
    private let digest = Digest128(high: 1, low: 1)

    init(_ terms: LeaseTerms, processes count: Int, seed: UInt64) {
        let key = Array("weir:l:{a}:a".utf8)
        self.key = key
        self.terms = terms.ofKey(key.span)
        var random = SeededRandom(seed: seed)
        for _ in 0..<count {
            processes.append(
                Process(
                    offset: UInt64(random.below(1_000_000_000_000)),
                    drift: Int64(random.below(801)) - 400, eagerness: 1 + random.below(1000)))
        }
        self.random = random
    }

    private func clock(_ process: Int) -> MonotonicTime {
        let process = processes[process]
        let elapsed = now - 1_790_812_800_000_000_000
        return MonotonicTime(
            nanoseconds: UInt64(
                Int64(elapsed + process.offset + 3_600_000_000_000)
                    + Int64(elapsed) / 1_000_000 * process.drift))
    }

    /// Lets `steps` of up to `pause` nanoseconds pass.
    mutating func run(_ steps: Int, pause: Int, faults: Bool) {
        hasFaults = faults
        for round in 0..<steps {
            let next = now + UInt64(random.below(pause) + 1)
            while let event = events.first, event.time <= next {
                events.removeFirst()
                now = event.time
                handle(event.event)
            }
            now = next
            let process = random.below(processes.count)
            if random.below(1000) < loads?[process] ?? processes[process].eagerness {
                for _ in 0...random.below(4) { ask(process, UInt32(1 + random.below(8) / 7)) }
            }
            if random.below(100) == 0 { processes[process].eagerness = 1 + random.below(1000) }
            sweep(random.below(processes.count), round)
            if faults && random.below(500) == 0 { kill(random.below(processes.count)) }
        }
    }

    private mutating func kill(_ process: Int) {
        processes[process].table = LeaseTable()
        processes[process].life += 1
        processes[process].isAsking = false
        processes[process].waiting = []
    }

    private mutating func sweep(_ process: Int, _ round: Int) {
        let now = clock(process)
        let returns =
            hasFaults && random.below(300) == 0
            ? processes[process].table.empty(at: now)
            : processes[process].table.sweep(round, at: now)
        for told in returns { send(told.order, process) }
    }

    private mutating func ask(_ process: Int, _ cost: UInt32) {
        let now = clock(process)
        let taking = processes[process].table.take(digest, cost, at: now).taking
        switch taking {
        case .taken(let receipt, let isLow):
            if random.below(20) > 0 {
                spent.append(Spent(time: self.now, units: UInt64(cost)))
            } else if terms.kind == .tokenBucket {
                // Another limit refuses. What is given back later adds to a bucket's bound.
                processes[process].table.putBack(digest, cost, receipt: receipt, at: now)
            } else {
                // The answer turns out not to count.
                let place = spent.count
                spent.append(Spent(time: self.now, units: UInt64(cost)))
                let life = processes[process].life
                insert(
                    .givenBack(place, receipt: receipt, process: process, life: life),
                    after: UInt64(random.below(3_000_000_000)))
            }
            if isLow { order(process, need: 0) }
        case .lacking:
            processes[process].waiting.append(cost)
            // Now and then another worker of the process asks, too.
            if !processes[process].isAsking || random.below(10) == 0 {
                processes[process].isAsking = true
                order(process, need: processes[process].waiting.reduce(0, +))
            }
        case .refused: refused += 1
        }
    }

    private mutating func order(_ process: Int, need: UInt32) {
        let order = processes[process].table.order(
            digest, key: key, terms: terms, need: need, at: clock(process))
        if let order {
            send(order, process)
        } else if need > 0 {
            processes[process].isAsking = false
        }
    }

    private mutating func send(_ order: LeaseOrder, _ process: Int) {
        orders += 1
        let life = processes[process].life
        let sent = clock(process)
        let delay = delay()
        if isLost() {
            insert(
                .answered(nil, order, process: process, life: life, sent: sent), after: 50_000_000)
        } else {
            insert(.arrives(order, process: process, life: life, sent: sent), after: delay)
        }
    }

    private mutating func isLost() -> Bool { hasFaults && random.below(50) == 0 }

    private mutating func delay() -> UInt64 {
        UInt64(random.below(hasFaults && random.below(20) == 0 ? 400_000_000 : 3_000_000))
    }

    private mutating func insert(_ event: Event, after delay: UInt64) {
        let time = now + delay
        let place = events.firstIndex { $0.time > time } ?? events.count
        events.insert((time, event), at: place)
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrives(let order, let process, let life, let sent):
            let grant = ledger.exchange(
                order, key, terms, replicas: UInt32(processes.count), at: Int64(now / 1000))
            let isLost = isLost()
            let delay = delay()
            insert(
                .answered(isLost ? nil : grant, order, process: process, life: life, sent: sent),
                after: delay)
        case .givenBack(let place, let receipt, let process, let life):
            guard life == processes[process].life else { return }
            processes[process].table.putBack(
                digest, UInt32(spent[place].units), receipt: receipt, at: clock(process))
            spent[place].units = 0
        case .answered(let grant, let order, let process, let life, let sent):
            guard life == processes[process].life else { return }
            if let grant {
                processes[process].table.receive(
                    digest, grant, to: order, sent: sent, replicas: UInt32(processes.count),
                    at: clock(process), random: &random)
            } else {
                processes[process].table.fail(digest, order)
            }
            guard order.need > 0 else { return }
            processes[process].isAsking = false
            let waiting = processes[process].waiting
            processes[process].waiting = []
            for cost in waiting { ask(process, cost) }
        }
    }
}
