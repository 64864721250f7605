import HTTPModel
import Limits
import Primitives

/// Requests of many clients in turn, against one policy and table; only this thread's.
struct Traffic: ~Copyable {
    let policy: LimitPolicy
    let table: LimitTable
    let clients: Int
    /// The address of the first one.
    private let first: Int
    /// Six digits per client: users are `u000000`, companies `c000000`.
    private let names: [UInt8]
    private let dimensions = LimitDimensions()
    private var decision = LimitDecision()
    private var next = 0
    /// The time, which every request moves by a microsecond.
    var clock = ClockReading(
        monotonic: MonotonicTime(nanoseconds: 3_600_000_000_000),
        wall: WallTime(nanoseconds: 1_790_812_800_000_000_000))
    /// How many requests passed.
    private(set) var admitted = 0

    init(_ policy: LimitPolicy, _ table: LimitTable, clients: Int, from first: Int = 0) {
        self.policy = policy
        self.table = table
        self.clients = clients
        self.first = first
        var names: [UInt8] = []
        for client in 0..<clients {
            for prefix in [UInt8(ascii: "u"), UInt8(ascii: "c")] {
                names.append(prefix)
                var rest = first + client
                var digits: [UInt8] = []
                for _ in 0..<6 {
                    digits.append(48 + UInt8(rest % 10))
                    rest /= 10
                }
                names.append(contentsOf: digits.reversed())
            }
        }
        self.names = names
    }

    /// Moves both clocks.
    mutating func advance(_ nanoseconds: UInt64) {
        clock.monotonic.nanoseconds &+= nanoseconds
        clock.wall.nanoseconds &+= nanoseconds
    }

    /// `count` requests of the clients in turn: decided, and ended where something waits for that.
    @inline(never)
    mutating func ask(_ count: Int) {
        for _ in 0..<count {
            let client = next
            next = next + 1 == clients ? 0 : next + 1
            decide(client)
            if decision.isAdmitted { admitted += 1 }
            if decision.isOpen { policy.finish(decision, in: table, at: clock) }
        }
    }

    /// The same, with an answer of `status` for each.
    @inline(never)
    mutating func askAndSettle(_ count: Int, status: Status) {
        for _ in 0..<count {
            let client = next
            next = next + 1 == clients ? 0 : next + 1
            decide(client)
            if decision.isAdmitted { admitted += 1 }
            policy.settle(
                decision, in: table, status: status, answer: .miss, at: clock
            ) { _ in nil }
            if decision.isOpen { policy.finish(decision, in: table, at: clock) }
        }
    }

    /// One request of every client that does not end: what is in flight stays so.
    mutating func hold() -> [LimitDecision] {
        var held: [LimitDecision] = []
        for client in 0..<clients {
            decide(client)
            held.append(decision)
            decision = LimitDecision()
        }
        return held
    }

    /// Ends what was held.
    func release(_ held: [LimitDecision]) {
        for decision in held { policy.finish(decision, in: table, at: clock) }
    }

    @inline(__always)
    private mutating func decide(_ client: Int) {
        advance(1000)
        let names = names
        let all = names.span
        let address = IPAddress(v4: UInt32(truncatingIfNeeded: first + client))
        let subject = LimitSubject(
            address: address, counted: address, method: .get,
            user: all.extracting(client * 14..<(client * 14 + 7)),
            company: all.extracting((client * 14 + 7)..<(client * 14 + 14)), tier: nil)
        policy.decide(subject, dimensions: dimensions, in: table, at: clock, into: decision)
    }
}
