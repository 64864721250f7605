public import Primitives

/// One entry of `limits:` as the configuration gives it.
public struct LimitDefinition: Sendable, Equatable {
    /// The name: part of every key, shown to clients.
    public var name: String
    /// The rate for requests of no special tier; with `concurrency` the requests in flight at once.
    public var rate: Rate
    /// The counted key; `[.global]` counts everybody together.
    public var per: [Scope]
    /// The algorithm.
    public var algorithm: Algorithm
    /// Rates by tier; `nil` as a value: unlimited.
    public var tiers: [String: Rate?]
    /// Rates of single keys, before tiers; the first that matches counts.
    public var overrides: [Override]
    /// What a request costs.
    public var costs: Costs
    /// The statuses that are charged; empty: all.
    public var countedStatuses: [ClosedRange<UInt16>]
    /// For requests that lack a part of the key.
    public var anonymous: Anonymous
    /// Refuses or only records.
    public var mode: Mode
    /// Where requests are counted.
    public var consistency: Consistency
    /// What decides while Redis is away, for a limit that is counted there.
    public var onRedisFailure: RedisFailure

    /// Creates a definition.
    public init(
        name: String, rate: Rate, per: [Scope] = [.ip], algorithm: Algorithm,
        tiers: [String: Rate?] = [:], overrides: [Override] = [], costs: Costs = Costs(),
        countedStatuses: [ClosedRange<UInt16>] = [], anonymous: Anonymous = .ip,
        mode: Mode = .enforce, consistency: Consistency = .process,
        onRedisFailure: RedisFailure = .local
    ) {
        self.name = name
        self.rate = rate
        self.per = per
        self.algorithm = algorithm
        self.tiers = tiers
        self.overrides = overrides
        self.costs = costs
        self.countedStatuses = countedStatuses
        self.anonymous = anonymous
        self.mode = mode
        self.consistency = consistency
        self.onRedisFailure = onRedisFailure
    }
}

extension LimitDefinition {
    /// `count` requests per `period`, or per calendar month.
    public struct Rate: Sendable, Equatable {
        /// Requests, 1 to 10⁹.
        public var count: UInt32
        /// The window, 1 ms to 366 days; 31 days for a calendar month, zero for requests in flight.
        public var period: Nanoseconds
        /// Whether the window is a calendar month in UTC: with `fixedWindow` only.
        public var isMonthly: Bool

        /// Creates a rate.
        public init(count: UInt32, period: Nanoseconds) {
            self.count = count
            self.period = period
            isMonthly = false
        }

        private init(count: UInt32, period: Nanoseconds, isMonthly: Bool) {
            self.count = count
            self.period = period
            self.isMonthly = isMonthly
        }

        /// `count` requests per calendar month.
        public static func monthly(_ count: UInt32) -> Rate {
            Rate(count: count, period: .seconds(31 * 86_400), isMonthly: true)
        }

        /// `count` requests in flight at once.
        public static func inFlight(_ count: UInt32) -> Rate {
            Rate(count: count, period: .zero, isMonthly: false)
        }
    }

    /// How requests are counted (standards A1 to A5).
    public enum Algorithm: Sendable, Equatable {
        /// GCRA; at most `burst` at once, `nil`: as many as the rate's number.
        case tokenBucket(burst: UInt32?)
        /// `subWindows` counters, the oldest counted in full: never above the limit in any window.
        case slidingWindow(subWindows: Int)
        /// The moments of the last requests: exact in any window.
        case slidingLog
        /// One counter per window, aligned to the epoch, or with an offset for each key.
        case fixedWindow(phase: Phase)
        /// Requests leave at the rate; one that would wait longer than `maxDelay` is refused.
        case leakyBucket(maxDelay: Nanoseconds)
        /// Requests in flight at once.
        case concurrency
    }

    /// Where fixed windows begin.
    public enum Phase: String, Sendable, Equatable, CaseIterable {
        /// At multiples of the period since 1970, the same for all keys.
        case aligned
        /// At another moment for each key, so that clients do not begin again together.
        case key
    }

    /// One dimension of the counted key.
    public enum Scope: Hashable, Sendable {
        /// Everybody together.
        case global
        /// The client's address.
        case ip
        /// The identified user.
        case user
        /// The identified company.
        case company
        /// The route, method and path pattern.
        case endpoint
        /// The value of a header field; lower-case name.
        case header(String)
        /// The value of a claim of the verified token.
        case claim(String)

        /// The scopes that are single words.
        public static let words: [Scope] = [.global, .ip, .user, .company, .endpoint]

        /// As the configuration writes it: `ip`, `header:x-tenant`, `claim:org`.
        public var text: String {
            switch self {
            case .global: "global"
            case .ip: "ip"
            case .user: "user"
            case .company: "company"
            case .endpoint: "endpoint"
            case .header(let name): "header:\(name)"
            case .claim(let name): "claim:\(name)"
            }
        }
    }

    /// The rate of single keys.
    public struct Override: Sendable, Equatable {
        /// The part of the key it looks at: `ip`, `user`, `company`, `header` or `claim`.
        public var scope: Scope
        /// The value of that part; for `ip` the network's text.
        public var value: String
        /// The addresses, for `ip`.
        public var network: IPNetwork?
        /// The rate; `nil`: unlimited.
        public var rate: Rate?

        /// Creates an override.
        public init(scope: Scope, value: String, network: IPNetwork? = nil, rate: Rate?) {
            self.scope = scope
            self.value = value
            self.network = network
            self.rate = rate
        }
    }

    /// What a request costs, by the cache's part in its answer.
    public struct Costs: Sendable, Equatable {
        /// A cost.
        public enum Cost: Sendable, Equatable {
            /// So many units.
            case units(UInt32)
            /// What the answer's cost field says; the reserve when it says nothing.
            case header
        }

        /// Of a fresh stored answer, or one that another request was fetching.
        public var hit: Cost
        /// Of a stale stored answer.
        public var stale: Cost
        /// Of an answer of the origin.
        public var miss: Cost
        /// The field that names the cost, in lower case.
        public var header: String?
        /// What is charged before the field is known.
        public var reserve: UInt32

        /// Creates costs; without arguments each request costs 1.
        public init(
            hit: Cost = .units(1), stale: Cost = .units(1), miss: Cost = .units(1),
            header: String? = nil, reserve: UInt32 = 1
        ) {
            self.hit = hit
            self.stale = stale
            self.miss = miss
            self.header = header
            self.reserve = reserve
        }

        /// The same cost for every request.
        public init(_ units: UInt32) {
            self.init(hit: .units(units), stale: .units(units), miss: .units(units))
        }
    }

    /// What a limit does with a request that lacks a part of its key: user, company, header or claim.
    public enum Anonymous: String, Sendable, Equatable, CaseIterable {
        /// Counts it by address instead.
        case ip
        /// Does not count it.
        case skip
        /// Refuses it.
        case deny
    }

    /// Whether a limit refuses or only records.
    public enum Mode: Sendable, Equatable {
        /// Refuses.
        case enforce
        /// Decides and records, and lets pass.
        case shadow
        /// Refuses a stable share of the keys, 0…1, and records for the others.
        case share(Double)
    }
    /// Where requests are counted, and so how exact the count of a fleet is (standards A6).
    public enum Consistency: String, Sendable, Equatable, CaseIterable {
        /// In this process: every replica admits the rate.
        case process
        /// In Redis, each decision for itself: the fleet admits exactly what one process would.
        case strict
        /// In Redis, in units that are debited in advance and spent here: never more than `strict` admits.
        case leased
    }

    /// What becomes of requests under a limit in Redis that Redis gives no answer to.
    public enum RedisFailure: String, Sendable, Equatable, CaseIterable {
        /// They are counted in this process, by the rate divided by the replicas that live.
        case local
        /// They pass, uncounted.
        case allow
        /// They are refused.
        case deny
    }
}
