import Glibc
import Limits
import Primitives

/// Replicas that lease one limit from one Redis, in virtual time: the table and the script's twin are the real ones,
/// the network takes 0.1 to 0.5 ms each way, and requests come at random, to some replicas far more than to others.
struct Fleet {
    private struct Replica {
        let table = LeaseTable()
        /// Nanoseconds between two requests, on average.
        let pause: Double
        var isAsking = false
        var waiting = 0
    }

    private enum Event {
        case request(Int)
        case sweep(Int)
        case order(LeaseOrder, Int, sent: UInt64)
        case grant(LeaseGrant, LeaseOrder, Int, sent: UInt64)
    }

    private let terms: LeaseTerms
    private var replicas: [Replica]
    private var ledger = LeaseLedger()
    private var events = EventHeap<Event>()
    private var random = SeededRandom(seed: 1)
    private var now: UInt64 = 0
    private let key = Array("weir:l:{everything}:everything".utf8)
    private let digest = Digest128(high: 0, low: 0)

    /// When each unit was spent, in nanoseconds.
    private(set) var spent: [UInt64] = []
    /// Requests, those that waited for Redis, and orders.
    private(set) var requests = 0
    private(set) var waited = 0
    private(set) var orders = 0

    /// Creates a fleet that is asked for `demand` requests a second in all; the load of replicas falls with their
    /// number: of three, 62, 25 and 13 of 100.
    init(_ terms: LeaseTerms, replicas count: Int, demand: Double) {
        self.terms = terms
        let shares = (0..<count).map { 1 / Double($0 + 1) + 1 / Double(4 * count) }
        let sum = shares.reduce(0, +)
        replicas = shares.map { Replica(pause: 1e9 * sum / ($0 * demand)) }
        for replica in 0..<count {
            plan(.request(replica), after: pause(of: replica))
            plan(.sweep(replica), after: UInt64(random.below(100_000_000)))
        }
    }

    /// Runs for some time.
    mutating func run(milliseconds: UInt64) {
        while let (time, event) = events.next(), time < milliseconds * 1_000_000 {
            now = time
            handle(event)
        }
    }

    private mutating func plan(_ event: Event, after time: UInt64) {
        events.add(event, at: now + time)
    }

    private mutating func pause(of replica: Int) -> UInt64 {
        UInt64(-log(random.unit()) * replicas[replica].pause)
    }

    private mutating func transit() -> UInt64 { UInt64(100_000 + random.below(400_000)) }

    private mutating func handle(_ event: Event) {
        switch event {
        case .request(let replica):
            requests += 1
            ask(replica, isNew: true)
            plan(.request(replica), after: pause(of: replica))
        case .sweep(let replica):
            for told in replicas[replica].table.sweep(0, at: clock) { send(told.order, replica) }
            plan(.sweep(replica), after: 100_000_000)
        case .order(let order, let replica, let sent):
            let grant = ledger.exchange(
                order, key, terms, replicas: UInt32(replicas.count), at: Int64(now / 1000))
            plan(.grant(grant, order, replica, sent: sent), after: transit())
        case .grant(let grant, let order, let replica, let sent):
            replicas[replica].table.receive(
                digest, grant, to: order, sent: MonotonicTime(nanoseconds: sent),
                replicas: UInt32(replicas.count), at: clock, random: &random)
            guard order.need > 0 else { return }
            replicas[replica].isAsking = false
            let waiting = replicas[replica].waiting
            replicas[replica].waiting = 0
            for _ in 0..<waiting { ask(replica, isNew: false) }
        }
    }

    private var clock: MonotonicTime { MonotonicTime(nanoseconds: now) }

    private mutating func ask(_ replica: Int, isNew: Bool) {
        switch replicas[replica].table.take(digest, 1, at: clock).taking {
        case .taken(_, let isLow):
            spent.append(now)
            if isLow { order(replica, need: 0) }
        case .lacking:
            if isNew { waited += 1 }
            replicas[replica].waiting += 1
            guard !replicas[replica].isAsking else { return }
            replicas[replica].isAsking = true
            order(replica, need: UInt32(replicas[replica].waiting))
        case .refused: break
        }
    }

    private mutating func order(_ replica: Int, need: UInt32) {
        let order = replicas[replica].table.order(
            digest, key: key, terms: terms, need: need, at: clock)
        if let order { send(order, replica) }
    }

    private mutating func send(_ order: LeaseOrder, _ replica: Int) {
        orders += 1
        plan(.order(order, replica, sent: now), after: transit())
    }
}

/// Events by their time: a binary heap.
struct EventHeap<Event> {
    private var entries: [(time: UInt64, event: Event)] = []

    mutating func add(_ event: Event, at time: UInt64) {
        entries.append((time, event))
        var place = entries.count - 1
        while place > 0, entries[place].time < entries[(place - 1) / 2].time {
            entries.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func next() -> (time: UInt64, event: Event)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if entries.isEmpty { return first }
        entries[0] = last
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < entries.count && entries[child].time < entries[least].time {
                least = child
            }
            if least == place { return first }
            entries.swapAt(place, least)
            place = least
        }
    }
}
