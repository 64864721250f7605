public import HTTPModel
public import Primitives

/// What the limits of a route say to one request.
///
/// A reference, because it is large: it is written once a request and then looked at in a dozen places, none of
/// which copies it. It belongs to one exchange and is used again for its next request.
public final class LimitDecision {
    /// What becomes of the request. Indices are those of the policy.
    public enum Outcome: Sendable, BitwiseCopyable, Equatable {
        /// No limit applied: there is none, or the tier is unlimited, or nobody is counted.
        case notLimited
        /// All limits let it pass; each was charged.
        case admitted
        /// A limit refused; none was charged. Of several, the one with the longest wait.
        case refused(limit: Int)
        /// The limit serves only requests that have all parts of its key; none was charged.
        case deniedAnonymous(limit: Int)
        /// Redis, which counts the limit, gives no answer, and the limit refuses without one; none was charged.
        case uncounted(limit: Int)
    }

    /// What becomes of the request.
    public internal(set) var outcome = Outcome.notLimited
    /// Those of the limits that applied come first. Inside the module they are looked at where they stand: `self[index]`
    /// is a copy.
    private(set) var states = InlineArray<8, LimitState>(repeating: LimitState())
    /// The number of limits that applied.
    public private(set) var count = 0
    /// How long an admitted request has to wait before it goes on.
    public private(set) var delay = Nanoseconds.zero
    private var longestWait: UInt64 = 0
    private var receipts = InlineArray<8, LimitReceipt>(repeating: LimitReceipt())
    private var receiptCount = 0
    /// The states that Redis has not been asked for yet, a bit each.
    private var open: UInt8 = 0
    /// Leased states for which units have to be asked for, a bit each.
    public internal(set) var lackingLeases: UInt8 = 0
    /// Leased states for which it is time to ask for more, a bit each.
    public internal(set) var lowLeases: UInt8 = 0

    /// The decision of no limit at all.
    public init() {}

    /// Makes it the decision of no limit at all, where it stands.
    public func clear() {
        precondition(receiptCount == 0, "a decision was cleared before it was settled")
        outcome = .notLimited
        count = 0
        longestWait = 0
        delay = .zero
        open = 0
        lackingLeases = 0
        lowLeases = 0
    }

    /// Whether the limits of the process let the request pass, and those that Redis counts are still to be asked.
    public var awaitsRedis: Bool { open != 0 && isAdmitted }

    /// The state of a limit that applied, in the order of the policy.
    public subscript(index: Int) -> LimitState {
        precondition(index < count)
        return states[index]
    }

    /// Whether the request goes on.
    public var isAdmitted: Bool {
        switch outcome {
        case .notLimited, .admitted: true
        case .refused, .deniedAnonymous, .uncounted: false
        }
    }

    /// Whether something was charged that waits for the answer or the end of the request:
    /// `LimitPolicy.settle` and `finish` are due.
    public var isOpen: Bool { receiptCount > 0 }

    /// The status of the answer to a request that does not go on: 429, 403 for lack of a user, or 503 when the
    /// limit cannot be counted.
    public var refusalStatus: Status {
        switch outcome {
        case .deniedAnonymous: 403
        case .uncounted: 503
        default: 429
        }
    }

    /// The value of Retry-After (RFC 9110 §10.2.3): the longest wait of all limits that refused, in seconds,
    /// rounded up, at least 1; `nil` when none refused, or waiting does not help.
    public var retryAfterSeconds: UInt64? {
        if case .uncounted = outcome { return 1 }
        guard case .refused = outcome, !neverPasses else { return nil }
        return max(Nanoseconds(longestWait).secondsRoundedUp, 1)
    }

    /// The longest wait of all limits that refused.
    var longestRefusal: Nanoseconds { Nanoseconds(longestWait) }

    /// Whether a limit refused that can never let a request of this cost pass.
    public var neverPasses: Bool { longestWait == LimitMeter.Level.neverPasses }

    /// The limit that clients are told about where there is room for only one, as an index of the
    /// decision: of those that refused, the one with the longest wait; else the one with the smallest part
    /// of its quota left. Shadow limits are not told; `nil` when there is no other.
    public var tightest: Int? {
        var best: Int?
        for index in 0..<count where states[index].isTold {
            if let best, !states[index].isTighter(than: states[best]) { continue }
            best = index
        }
        return best
    }

    /// Adds the state of a limit that applies, behind those before it in the policy; returns its index.
    func append(_ state: LimitState) -> UInt8 {
        states[count] = state
        count += 1
        if outcome == .notLimited { outcome = .admitted }
        return UInt8(truncatingIfNeeded: count - 1)
    }

    /// Refuses the request because it lacks a part of the limit's key; of several limits, by the first.
    func deny(_ limit: Int) {
        if isAdmitted { outcome = .deniedAnonymous(limit: limit) }
    }

    /// Records what became of one limit.
    func settle(_ item: LimitWork.Item, charged: Bool, level: LimitMeter.Level) {
        let index = Int(item.state)
        states[index].refused = !item.admits
        states[index].cost = item.units
        states[index].charged = charged ? item.units : 0
        show(level, at: index)
        if charged && !item.isShadow { delay = max(delay, Nanoseconds(level.delay)) }
        guard !item.admits && !item.isShadow else { return }
        if case .deniedAnonymous = outcome { return }
        if case .uncounted = outcome { return }
        if case .refused(let other) = outcome {
            if level.nextAfter < longestWait { return }
            // Of equals the first in the policy, whatever the order of the shards.
            if level.nextAfter == longestWait && other < Int(item.limit) { return }
        }
        longestWait = level.nextAfter
        outcome = .refused(limit: Int(item.limit))
    }

    /// Records that one limit let the request pass and was charged what it costs.
    func admit(_ index: Int, level: LimitMeter.Level) {
        states[index].refused = false
        states[index].charged = states[index].cost
        show(level, at: index)
    }

    /// Records the level of a state after its charge was corrected.
    func correct(_ index: Int, charged: UInt32, level: LimitMeter.Level) {
        states[index].charged = charged
        show(level, at: index)
    }

    /// Records that another rate counts for now.
    func boost(_ index: Int, quota: UInt32) {
        states[index].quota = quota
        states[index].isBoosted = true
    }

    private func show(_ level: LimitMeter.Level, at index: Int) {
        states[index].remaining = level.remaining
        states[index].resetAfter = Nanoseconds(level.resetAfter)
        states[index].resetAt = WallTime(nanoseconds: level.resetAt)
        states[index].nextAfter = Nanoseconds(level.nextAfter)
    }

    // MARK: Limits that Redis counts

    /// Leaves a state to be decided by Redis.
    func leaveOpen(_ state: UInt8) { open |= 1 << state }

    /// Notes that a state is decided.
    func close(_ state: Int) { open &= ~(1 << UInt8(truncatingIfNeeded: state)) }

    /// Takes the states out that Redis was to decide, a bit each.
    func takeOpen() -> UInt8 {
        defer { open = 0 }
        return open
    }

    /// The limits that Redis is to be asked about, as indices of the policy.
    public var limitsAwaitingRedis: [Int] {
        (0..<count).filter { open >> $0 & 1 == 1 }.map { Int(states[$0].limit) }
    }

    /// The states that Redis is to decide, a bit each.
    public var openStates: UInt8 { open }

    /// Takes states out that Redis has decided.
    func close(_ states: UInt8) { open &= ~states }

    /// Says nothing of the limits that Redis was to decide and is not asked for.
    public func leaveUntold() {
        let states = takeOpen()
        for index in 0..<count where states >> index & 1 == 1 { leaveUntold(index) }
    }

    /// Says nothing of a state.
    func leaveUntold(_ index: Int) { states[index].isUntold = true }

    /// Tells what is left after a correction whose answer nobody waits for.
    func correct(_ index: Int, charged: UInt32) {
        let before = Int64(states[index].charged)
        let left = Int64(states[index].remaining) + before - Int64(charged)
        states[index].charged = charged
        states[index].remaining = UInt32(clamping: min(left, Int64(UInt32.max)))
        if charged == 0 && states[index].remaining > 0 { states[index].nextAfter = .zero }
    }

    // MARK: Receipts

    /// Remembers a charge that is corrected or given back later.
    func keep(_ receipt: LimitReceipt) {
        receipts[receiptCount] = receipt
        receiptCount += 1
    }

    /// Forgets all charges that it remembers: they stay as they are.
    public func forgetReceipts() { receiptCount = 0 }

    /// A receipt, by its place; `nil` behind the last one.
    func receipt(_ index: Int) -> LimitReceipt? { index < receiptCount ? receipts[index] : nil }

    /// Removes a receipt; the last one takes its place.
    func dropReceipt(_ index: Int) {
        receiptCount -= 1
        receipts[index] = receipts[receiptCount]
    }
}

/// A charge that waits for the answer or the end of its request.
struct LimitReceipt: Sendable, BitwiseCopyable {
    /// Who was charged.
    var digest = Digest128(high: 0, low: 0)
    /// What `refund` wants to know.
    var mark: UInt64 = 0
    /// What was charged.
    var units: UInt32 = 0
    var rate: UInt16 = 0
    var limit: UInt8 = 0
    var state: UInt8 = 0
    var shard: UInt8 = 0
    var place = LimitShardState.Place.none
    /// By how much the rate was divided.
    var divisor: UInt8 = 1
    /// Whether Redis was charged: `mark` is a moment of its clock.
    var isShared = false
    /// Whether a lease was charged: `mark` is its receipt.
    var isLeased = false

    init() {}

    init(_ item: LimitWork.Item, mark: UInt64) {
        digest = item.digest
        self.mark = mark
        units = item.units
        rate = item.rate
        limit = item.limit
        state = item.state
        shard = item.shard
        place = item.place == .new ? .own : item.place
        divisor = item.divisor
    }

    /// The receipt of what a state's lease was charged.
    init(of state: LimitState, at index: Int, leased mark: Int64) {
        digest = state.key
        self.mark = UInt64(bitPattern: mark)
        units = state.charged
        rate = state.rate
        limit = state.limit
        self.state = UInt8(truncatingIfNeeded: index)
        isLeased = true
    }
}

/// What one limit says to one request, after it was charged or not.
public struct LimitState: Sendable, BitwiseCopyable, Equatable {
    /// Who is counted: a digest under the table's secret.
    public internal(set) var key = Digest128(high: 0, low: 0)
    /// Index of the limit in the policy.
    public internal(set) var limit: UInt8 = 0
    /// Index of the rate in the policy.
    var rate: UInt16 = 0
    /// Whether this limit alone would refuse the request.
    public internal(set) var refused = false
    /// Whether it only records.
    public internal(set) var isShadow = false
    /// Whether nothing is known of it: Redis counts it and was not asked, or gave no answer and need not.
    public internal(set) var isUntold = false
    /// Whether an administrator has raised its rate for a time.
    public internal(set) var isBoosted = false
    /// The units that were charged.
    public internal(set) var charged: UInt32 = 0
    /// The requests per period for the tier of this request.
    public internal(set) var quota: UInt32 = 0
    /// The units the request costs, as far as that was known when it was decided.
    public internal(set) var cost: UInt32 = 0
    /// Units that could still be taken right now. For a token bucket its tokens: up to the burst.
    public internal(set) var remaining: UInt32 = 0
    /// The time until nothing is counted any more if no request comes: the bucket is full, the window ends.
    public internal(set) var resetAfter = Nanoseconds.zero
    /// That moment, from the stored boundary.
    public internal(set) var resetAt = WallTime(nanoseconds: 0)
    /// The time until one more such request would pass; zero when one would pass now, `forever` when none
    /// ever can.
    public internal(set) var nextAfter = Nanoseconds.zero

    init() {}

    /// The state of a limit that is not yet decided.
    init(
        key: Digest128, limit index: Int, rate: Int, quota: UInt32, cost: UInt32, isShadow: Bool
    ) {
        self.key = key
        self.limit = UInt8(truncatingIfNeeded: index)
        self.rate = UInt16(truncatingIfNeeded: rate)
        self.quota = quota
        self.cost = cost
        self.isShadow = isShadow
    }

    /// Whether clients are told of it.
    var isTold: Bool { !isShadow && !isUntold }

    /// How long a refused request has to wait until this limit lets it pass; zero when it was not refused.
    public var retryAfter: Nanoseconds { refused ? nextAfter : .zero }

    /// `remaining` as clients are told: no more than the quota, which a burst may exceed.
    var remainingShown: UInt32 { min(remaining, quota) }

    fileprivate func isTighter(than other: LimitState) -> Bool {
        if refused != other.refused { return refused }
        if refused { return nextAfter > other.nextAfter }
        let own = UInt64(remainingShown) * UInt64(other.quota)
        let others = UInt64(other.remainingShown) * UInt64(quota)
        return own == others ? resetAfter > other.resetAfter : own < others
    }
}
