import EventLoop
public import Limits
public import Primitives
import RedisWire
import Settings

/// One worker's orders for leases: those of a turn of the loop travel in one call, and whoever waits goes on when its
/// answer is there.
///
///     requests without units ─► ask ─┐
///     leases that run low ─► refill ─┼─► one EVALSHA at the end of the turn ─► table, and all that wait
///     idle or ending leases ─► sweep ┘
///
/// Of one key a single order is on its way that requests wait for. Those that come meanwhile look, when its answer is
/// there, whether the grant is enough for them, too: only what they still lack is in the next order. While the breaker
/// is open nothing is asked and nobody waits.
public final class LeaseDesk {
    /// Makes the texts of keys.
    public let keys: SharedKeyWriter
    private let client: RedisClient
    private let table: LeaseTable
    private let replicas: () -> Int
    private var random: SeededRandom
    /// What is asked for in the next call, by key.
    private var gathered: [Digest128: LeaseAsk] = [:]
    /// The keys with an order on its way that requests wait for.
    private var flying: Set<Digest128> = []
    private var willSend = false
    private var round = 0

    private static let script = RedisScript(LeaseScript.text)

    /// Asks through `client` for units that go to `table`.
    ///
    /// - Parameters:
    ///   - client: The way to the Redis of limits.
    ///   - table: The leases of the process.
    ///   - replicas: The processes that share what there is.
    ///   - random: Spreads the times in which nothing is asked.
    public init(
        _ client: RedisClient, table: LeaseTable, replicas: @escaping () -> Int,
        random: SeededRandom
    ) {
        self.client = client
        self.table = table
        self.replicas = replicas
        self.random = random
        keys = SharedKeyWriter(namespace: client.settings.namespace)
    }

    // MARK: Asking

    /// Asks for units that a request lacks; `wait` ends with the answer.
    public func ask(
        _ digest: Digest128, key: [UInt8], terms: LeaseTerms, units: UInt32
    ) -> LeaseAsk {
        let ask = gathered[digest] ?? LeaseAsk(key, terms)
        gathered[digest] = ask
        ask.need = UInt32(clamping: UInt64(ask.need) + UInt64(units))
        sendSoon()
        return ask
    }

    /// Asks for units ahead of need. Nobody waits.
    public func refill(_ digest: Digest128, key: [UInt8], terms: LeaseTerms) {
        guard gathered[digest] == nil && !flying.contains(digest) else { return }
        gathered[digest] = LeaseAsk(key, terms)
        sendSoon()
    }

    /// Waits for what becomes of `ask`.
    public func wait(for ask: LeaseAsk) async -> UnitsAnswer {
        let waiter = Waiter(client.loop)
        ask.waiters.append(waiter)
        while true {
            if let answer = ask.answer { return answer }
            // The call ends at its deadline at the latest.
            _ = await waiter.wait(until: .never)
        }
    }

    /// Puts the call behind all tasks that are ready now, so that each of them adds its own.
    private func sendSoon() {
        guard !willSend else { return }
        willSend = true
        client.loop.start { [self] in
            willSend = false
            sendGathered()
        }
    }

    private func sendGathered() {
        let ready = gathered.filter { !flying.contains($0.key) }
        if ready.isEmpty { return }
        for digest in ready.keys { gathered[digest] = nil }
        guard client.isAvailable else {
            // Is refused, and lets the client look whether Redis is back.
            client.send(RedisCommand("PING"))
            for ask in ready.values { ask.end(.none) }
            return
        }
        var orders: [LeaseTable.Return] = []
        for (digest, ask) in ready {
            let order = table.order(
                digest, key: ask.key, terms: ask.terms, need: ask.need, at: client.loop.now)
            if let order {
                if ask.need > 0 { flying.insert(digest) }
                orders.append(
                    LeaseTable.Return(digest: digest, key: ask.key, terms: ask.terms, order: order))
            } else {
                ask.end(.noRoom)
            }
        }
        send(orders) { [self] isAnswered, digest in
            guard let ask = ready[digest] else { return }
            if ask.need > 0 { flying.remove(digest) }
            ask.end(isAnswered ? .given : .none)
            // Of a lost answer nobody has units: who came meanwhile asks.
            guard isAnswered else { return sendSoon() }
            gathered.removeValue(forKey: digest)?.end(.given)
        }
    }

    // MARK: Giving back

    /// Gives back, or renews, what is idle or about to end, in a part of the table: called every few milliseconds by one
    /// worker of the process.
    public func sweep() {
        guard client.isAvailable else { return }
        send(table.sweep(round, at: client.loop.now)) { _, _ in }
        round += 1
    }

    /// Gives everything back, and waits until Redis has taken it, but not beyond its time.
    public func empty() async {
        let returns = table.empty(at: client.loop.now)
        if returns.isEmpty || !client.isAvailable { return }
        var left = returns.count
        let waiter = Waiter(client.loop)
        send(returns) { _, _ in
            left -= 1
            if left == 0 { waiter.wake() }
        }
        while left > 0 { _ = await waiter.wait(until: .never) }
    }

    // MARK: Calls

    private func send(
        _ orders: [LeaseTable.Return], _ done: @escaping (_ isAnswered: Bool, Digest128) -> Void
    ) {
        // Most sweeps find nothing.
        if orders.isEmpty { return }
        for call in calls(of: orders) { begin(call, done) }
    }

    /// The orders as they may travel together: of a cluster those with the same hash tag.
    private func calls(of orders: [LeaseTable.Return]) -> [[LeaseTable.Return]] {
        var groups = [[UInt8](): orders]
        if case .cluster = client.settings.topology {
            groups = Dictionary(grouping: orders) { order in
                let tag = order.key.drop { $0 != UInt8(ascii: "{") }
                return Array(tag.prefix { $0 != UInt8(ascii: "}") })
            }
        }
        return groups.values.flatMap { group in
            stride(from: 0, to: group.count, by: Bounds.leasesPerCall).map {
                Array(group[$0..<min($0 + Bounds.leasesPerCall, group.count)])
            }
        }
    }

    private func begin(
        _ orders: [LeaseTable.Return],
        _ done: @escaping (_ isAnswered: Bool, Digest128) -> Void
    ) {
        // The deadlines of leases are counted from before the call leaves.
        let sent = client.loop.now
        let replicas = UInt32(clamping: max(replicas(), 1))
        var arguments = [Self.digits(Int64(replicas))]
        for order in orders {
            let numbers = order.order.arguments(order.terms)
            for index in numbers.indices { arguments.append(Self.digits(numbers[index])) }
        }
        client.begin(
            Self.script, keys: orders.map(\.key), arguments: arguments, until: client.deadline
        ) { [self] result in
            let numbers = Self.numbers(result, count: orders.count * LeaseGrant.count)
            for (index, order) in orders.enumerated() {
                let place = index * LeaseGrant.count
                let grant = numbers.flatMap { LeaseGrant($0[place..<place + LeaseGrant.count]) }
                if let grant {
                    table.receive(
                        order.digest, grant, to: order.order, sent: sent, replicas: replicas,
                        at: client.loop.now, random: &random)
                } else {
                    table.fail(order.digest, order.order)
                }
                done(grant != nil, order.digest)
            }
        }
    }

    private static func digits(_ number: Int64) -> [UInt8] { Array(String(number).utf8) }

    /// The integers of an answer; `nil` when there is none, or not so many.
    private static func numbers(_ result: RedisResult, count: Int) -> [Int64]? {
        guard case .success(let reply) = result, let elements = reply.elements else { return nil }
        let numbers = elements.compactMap(\.integer)
        return numbers.count == count ? numbers : nil
    }
}

/// What becomes of asking for units.
public enum UnitsAnswer: Sendable, BitwiseCopyable {
    /// Redis has answered: the lease has what was to be had.
    case given
    /// Redis gave no answer.
    case none
    /// There is no room for another lease, and Redis was not asked.
    case noRoom
}

/// What requests of one turn ask for about a key.
public final class LeaseAsk {
    fileprivate let key: [UInt8]
    fileprivate let terms: LeaseTerms
    fileprivate var need: UInt32 = 0
    fileprivate var waiters: [Waiter] = []
    fileprivate private(set) var answer: UnitsAnswer?

    fileprivate init(_ key: [UInt8], _ terms: LeaseTerms) {
        self.key = key
        self.terms = terms
    }

    fileprivate func end(_ answer: UnitsAnswer) {
        self.answer = answer
        for waiter in waiters { waiter.wake() }
        waiters = []
    }
}
