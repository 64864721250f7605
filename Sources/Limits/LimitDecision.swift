public import HTTPModel
public import Primitives

/// What the limits of a route say to one request. A value without references.
public struct LimitDecision: Sendable {
    /// What becomes of the request. Indices are those of the policy.
    public enum Outcome: Sendable, BitwiseCopyable, Equatable {
        /// No limit applied: there is none, or the tier is unlimited, or nobody is counted.
        case notLimited
        /// All limits let it pass; each was charged.
        case admitted
        /// A limit refused; none was charged. Of several, the one with the longest wait.
        case refused(limit: Int)
        /// The limit serves only requests with a user or company; none was charged.
        case deniedAnonymous(limit: Int)
    }

    /// What becomes of the request.
    public internal(set) var outcome = Outcome.notLimited
    private var states = InlineArray<8, LimitState>(repeating: LimitState())
    /// The number of limits that applied.
    public private(set) var count = 0

    /// The decision of no limit at all.
    public init() {}

    /// The state of a limit that applied, in the order of the policy.
    public subscript(index: Int) -> LimitState {
        precondition(index < count)
        return states[index]
    }

    /// Whether the request goes on.
    public var isAdmitted: Bool {
        switch outcome {
        case .notLimited, .admitted: true
        case .refused, .deniedAnonymous: false
        }
    }

    /// The status of the answer to a request that does not go on: 429, or 403 for lack of a user.
    public var refusalStatus: Status {
        if case .deniedAnonymous = outcome { 403 } else { 429 }
    }

    /// The value of Retry-After (RFC 9110 §10.2.3): the longest wait of all limits that refused, in seconds,
    /// rounded up, at least 1; `nil` when none refused, or waiting does not help.
    public var retryAfterSeconds: UInt64? {
        guard case .refused = outcome else { return nil }
        var longest = Nanoseconds.zero
        for index in 0..<count where states[index].refused && !states[index].isShadow {
            longest = max(longest, states[index].retryAfter)
        }
        return max(longest.secondsRoundedUp, 1)
    }

    /// The limit that clients are told about where there is room for only one, as an index of the
    /// decision: of those that refused, the one with the longest wait; else the one with the smallest part
    /// of its quota left. Shadow limits are not told; `nil` when there is no other.
    public var tightest: Int? {
        var best: Int?
        for index in 0..<count where !states[index].isShadow {
            guard let chosen = best else {
                best = index
                continue
            }
            if states[index].isTighter(than: states[chosen]) { best = index }
        }
        return best
    }

    /// Adds a state in the order of the policy.
    mutating func insert(_ state: LimitState) {
        var position = count
        while position > 0 && states[position - 1].limit > state.limit {
            states[position] = states[position - 1]
            position -= 1
        }
        states[position] = state
        count += 1
    }
}

/// What one limit says to one request, after it was charged or not.
public struct LimitState: Sendable, BitwiseCopyable, Equatable {
    /// Index of the limit in the policy.
    public internal(set) var limit: UInt8 = 0
    /// Index of the rate in the policy.
    var rate: UInt32 = 0
    /// Whether this limit alone would refuse the request.
    public internal(set) var refused = false
    /// Whether it only records.
    public internal(set) var isShadow = false
    /// Whether it was charged.
    public internal(set) var charged = false
    /// The requests per period for the tier of this request.
    public internal(set) var quota: UInt32 = 0
    /// Requests that would still pass right now. For a token bucket its tokens: up to the burst.
    public internal(set) var remaining: UInt32 = 0
    /// The period in which `quota` is counted.
    public internal(set) var period = Nanoseconds.zero
    /// The time until nothing is counted any more if no request comes: the bucket is full, the window ends.
    public internal(set) var resetAfter = Nanoseconds.zero
    /// The time until one more request would pass; zero when one would pass now.
    public internal(set) var nextAfter = Nanoseconds.zero

    init() {}

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
