import EventLoop
public import Limits
import Primitives
import RedisWire
import Settings

/// One worker's questions to the Redis of limits: all decisions of a turn of the loop travel in one call.
///
///     requests of a turn ─► ask ─► batch ─► one EVALSHA at the end of the turn ─► answer ─► all that wait go on
///
/// A call leaves when all tasks have run that were ready in the turn, so that each of them adds its own. While two others
/// are on their way, one with few questions waits until one of them has ended and takes what comes meanwhile, as Nagle's
/// algorithm (RFC 896) does with segments: a call costs Redis as much as several decisions.
/// In a cluster a call may use keys of one slot alone: there is a batch for each slot, and a decision whose limits lie in
/// several slots is made slot by slot; when one refuses, those before it are given back what they were charged. Meanwhile
/// others may be refused that would have passed, and never the other way round.
///
/// A decision waits for one deadline from asking, `redis.timeout` (in a cluster for each slot), and not at all while the breaker is
/// open. Nothing is asked twice: a call that got no answer may have run, and then it has charged for requests that were
/// decided without it.
public final class SharedLimiter {
    /// The answer to a question: the levels of its limits begin at `place`.
    public struct Answer {
        /// What Redis says about the whole turn.
        public let reply: SharedLimitReply
        /// Where the question's levels begin.
        public let place: Int
    }

    /// Makes the texts of keys.
    public let keys: SharedKeyWriter
    private let client: RedisClient
    /// The batches that have not left, in their order.
    private var gathered: [SharedTurn] = []
    /// Those that are not full by slot, in a cluster; elsewhere all keys are in slot 0.
    private var bySlot: [Int: SharedTurn] = [:]
    /// For later turns.
    private var idle: [SharedTurn] = []
    /// Calls that have left and not ended.
    private var inFlight = 0
    private var willSend = false
    // What is gathered holds on to its limiter, so it is there when this runs.
    private lazy var sendAll: () -> Void = { [unowned self] in sendGathered() }

    /// Asks through `client`.
    public init(_ client: RedisClient) {
        self.client = client
        keys = SharedKeyWriter(namespace: client.settings.namespace)
    }

    /// The limits of a decision that one question can be about, a bit each, and their slot.
    public func nextSlot(
        of decision: LimitDecision, by policy: LimitPolicy, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> (states: UInt8, slot: Int) {
        guard client.isCluster else { return (decision.openStates, 0) }
        return policy.nextSlot(
            of: decision, subject, dimensions, keys: keys, slot: RedisSlot.of)
    }

    /// Adds a question to the batch that leaves next and waits for its answer.
    ///
    /// - Parameters:
    ///   - slot: The slot of its keys.
    ///   - add: Adds the question and returns where its levels will begin.
    /// - Returns: `nil` when there is no answer in time, or none that is understood.
    public func ask(slot: Int, _ add: (inout SharedLimitBatch) -> Int) async -> Answer? {
        let turn = currentTurn(slot)
        let place = add(&turn.batch)
        let waiter = turn.waiter(on: client.loop)
        // The call ends at its deadline at the latest.
        while !turn.isOver { _ = await waiter.wait(until: .never) }
        return turn.read().map { Answer(reply: $0, place: place) }
    }

    /// Adds a correction, whose answer nobody waits for. It is lost when Redis does not answer.
    public func add(
        _ correction: SharedCorrection, of policy: LimitPolicy,
        _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions
    ) {
        let slot =
            client.isCluster
            ? RedisSlot.of(keys.text(of: correction, by: policy, subject, dimensions)) : 0
        policy.add(correction, subject, dimensions, keys: keys, to: &currentTurn(slot).batch)
    }

    private func currentTurn(_ slot: Int) -> SharedTurn {
        sendSoon()
        if let newest = gathered.last, newest.slot == slot, !newest.batch.isFull { return newest }
        if let turn = bySlot[slot], !turn.batch.isFull { return turn }
        let turn = idle.popLast() ?? SharedTurn()
        turn.begin(slot, until: client.deadline, of: self)
        gathered.append(turn)
        if client.isCluster { bySlot[slot] = turn }
        return turn
    }

    private func sendSoon() {
        guard !willSend else { return }
        willSend = true
        client.loop.atEndOfTurn(sendAll)
    }

    private func sendGathered() {
        willSend = false
        // In a cluster a batch is about one slot, and small anyway.
        let isBusy = inFlight >= Bounds.callsInFlight && !client.isCluster
        var kept = 0
        for turn in gathered {
            if isBusy && turn.batch.levels < Bounds.fullCall {
                gathered[kept] = turn
                kept += 1
            } else {
                send(turn)
            }
        }
        gathered.removeSubrange(kept...)
        bySlot.removeAll(keepingCapacity: true)
    }

    private func send(_ turn: SharedTurn) {
        inFlight += 1
        // Nobody would wait for the answer when the calls before it took all the time.
        guard turn.deadline > client.loop.now else { return turn.end(.failure(.timedOut)) }
        client.begin(turn, until: turn.deadline)
    }

    /// Learns that a call has ended: what has waited goes.
    func callEnded() {
        inFlight -= 1
        if !gathered.isEmpty { sendSoon() }
    }

    /// Keeps what a turn has of memory, for a later one.
    func takeBack(_ turn: SharedTurn) {
        if idle.count < Bounds.idleTurns { idle.append(turn) }
    }
}
