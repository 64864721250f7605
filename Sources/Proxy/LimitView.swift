public import Limits
public import Primitives

/// One limit as it stands to one request or key, for people and their programs.
public struct LimitView: Sendable, Equatable {
    /// What the limit says.
    public enum Verdict: Sendable, Equatable {
        /// The request passes.
        case pass
        /// It does not, until so long from now; `nil`: never, its cost is above what the limit can hold.
        case refuse(retryAfter: Nanoseconds?)
        /// It would be refused, but the limit only records.
        case shadowRefuse(retryAfter: Nanoseconds?)
        /// The rate is unlimited.
        case unlimited
        /// Not counted, for lack of parts of the key.
        case skipped
        /// Refused, for lack of parts of the key.
        case denied
        /// Redis counts it, and was not asked or gave no answer.
        case uncounted
    }

    /// How full a key is.
    public struct Level: Sendable, Equatable {
        /// Units that could be taken now.
        public let remaining: UInt32
        /// The rate's number, boosted or not.
        public let quota: UInt32
        /// Until nothing is counted any more if no request comes.
        public let resetAfter: Nanoseconds
        /// That moment.
        public let resetAt: WallTime
        /// How long a request that passes would wait before it goes on: a leaky bucket's queue.
        public let delay: Nanoseconds
        /// Whether an administrator has raised the rate for a time.
        public let isBoosted: Bool
    }

    /// The name.
    public let name: String
    /// The algorithm as the configuration writes it.
    public let algorithm: String
    /// `30 per 1 minute`, or `unlimited`.
    public let rate: String
    /// Where the rate comes from, when it is not the limit's own: `tier pro`, `override user:42`.
    public let rateSource: String?
    /// The counted key in words; `nil`: the request is not counted.
    public let key: String?
    /// Parts of the key that the request lacks, as the configuration writes them.
    public let missing: [String]
    /// Whether it only records this key.
    public let isShadow: Bool
    /// What the request is charged before its answer is known.
    public let cost: UInt32
    /// How the charge is corrected when the answer is known; `nil`: not at all.
    public let settlement: String?
    /// How full the key is; `nil`: the request is not counted.
    public let level: Level?
    /// What the limit says.
    public let verdict: Verdict
    /// Whether Redis counts this limit and was not asked: level and verdict are those of a key of which nothing is
    /// counted.
    public internal(set) var isAssumed = false
}

extension LimitView {
    /// Describes a limit of `policy`.
    ///
    /// - Parameters:
    ///   - limit: Its index.
    ///   - policy: The policy.
    ///   - state: What the decision said about it; `nil`: it does not apply.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of the policy's dimensions.
    ///   - methodName: The method as the request has it.
    ///   - answer: The cache's part in the answer.
    init(
        _ limit: Int, of policy: LimitPolicy, _ state: LimitState?,
        _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions,
        methodName: Span<UInt8>, answer: LimitAnswer
    ) {
        let definition = policy.definition(of: limit)
        let standing = policy.standing(of: limit, subject, dimensions)
        let text = ByteBuffer(capacity: 128)
        name = definition.name
        algorithm = definition.algorithm.words
        missing = standing.missing.map(\.text)
        cost = policy.cost(of: limit, answer)
        settlement = definition.settlement(answer)
        rateSource =
            switch standing.source {
            case .ordinary: nil
            case .tier: "tier \(subject.tier?.text ?? "")"
            case .override(let index):
                "override \(definition.overrides[index].scope.text):\(definition.overrides[index].value)"
            }
        guard let state else {
            rate = standing.effect == .unlimited ? "unlimited" : "not counted"
            key = nil
            isShadow = definition.mode == .shadow
            level = nil
            verdict =
                switch standing.effect {
                case .unlimited: .unlimited
                case .denies: .denied
                case .skips, .counts, .countsByAddress: .skipped
                }
            return
        }
        policy.appendRate(of: state, to: text)
        rate = text.readable.text
        text.removeAll()
        policy.appendKey(of: limit, subject, dimensions, methodName: methodName, to: text)
        key = text.readable.text
        isShadow = state.isShadow
        guard !state.isUntold else {
            level = nil
            verdict = .uncounted
            return
        }
        level = Level(
            remaining: state.remaining, quota: state.quota, resetAfter: state.resetAfter,
            resetAt: state.resetAt, delay: definition.algorithm.delays ? state.resetAfter : .zero,
            isBoosted: state.isBoosted)
        let wait: Nanoseconds? = state.nextAfter == .forever ? nil : state.nextAfter
        verdict =
            !state.refused
            ? .pass : state.isShadow ? .shadowRefuse(retryAfter: wait) : .refuse(retryAfter: wait)
    }
}

extension LimitDefinition {
    /// How a charge is corrected when the answer is known; `nil`: not at all.
    fileprivate func settlement(_ answer: LimitAnswer) -> String? {
        if algorithm == .concurrency { return "given back at the end of the request" }
        var words: [String] = []
        let cost =
            switch answer {
            case .hit: costs.hit
            case .stale: costs.stale
            case .miss: costs.miss
            }
        if cost == .header, let header = costs.header {
            words.append("then what `\(header)` of the answer says")
        }
        if !countedStatuses.isEmpty {
            let statuses = countedStatuses.map { range in
                range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
            }
            words.append("given back unless the status is \(statuses.joined(separator: ", "))")
        }
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }
}

extension LimitDefinition.Algorithm {
    /// Whether requests wait until what is counted has left.
    fileprivate var delays: Bool { if case .leakyBucket = self { true } else { false } }

    /// As the configuration writes it, with what it is made with.
    public var words: String {
        switch self {
        case .tokenBucket(let burst): burst.map { "token_bucket, burst \($0)" } ?? "token_bucket"
        case .slidingWindow(let subWindows): "sliding_window, \(subWindows) sub-windows"
        case .slidingLog: "sliding_log"
        case .fixedWindow(let phase): phase == .key ? "fixed_window, phase key" : "fixed_window"
        case .leakyBucket(let delay): "leaky_bucket, max_delay \(PlainText.duration(delay))"
        case .concurrency: "concurrency"
        }
    }
}

/// How people read numbers.
enum PlainText {
    /// `0 s`, `250 ms`, `1.5 s`, `12 s`, `4 min 59 s`, `25 h`, rounded up; from ten seconds on to whole ones.
    static func duration(_ time: Nanoseconds) -> String {
        if time == .forever { return "ever" }
        if time < .seconds(10) && time > .zero {
            let milliseconds = (time.count + 999_999) / 1_000_000
            if milliseconds < 1000 { return "\(milliseconds) ms" }
            let tenths = (milliseconds + 99) / 100
            return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        }
        let seconds = time.secondsRoundedUp
        if seconds < 120 { return "\(seconds) s" }
        let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")]
        return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
    }
}
