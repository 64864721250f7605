public import Primitives

/// One entry of `limits:` as the configuration gives it.
public struct LimitDefinition: Sendable, Equatable {
    /// `count` requests per `period`.
    public struct Rate: Sendable, Equatable {
        /// Requests, 1 to 10⁹.
        public var count: UInt32
        /// The window, 1 ms to 366 days.
        public var period: Nanoseconds

        /// Creates a rate.
        public init(count: UInt32, period: Nanoseconds) {
            self.count = count
            self.period = period
        }
    }

    /// How requests are counted (standards A1 to A4).
    public enum Algorithm: Sendable, Equatable {
        /// GCRA; at most `burst` at once.
        case tokenBucket(burst: UInt32)
        /// `subWindows` counters, the oldest counted in full: never above the limit in any window.
        case slidingWindow(subWindows: Int)
        /// One counter per aligned window.
        case fixedWindow
    }

    /// One dimension of the counted key.
    public enum Scope: String, Sendable, Equatable, CaseIterable {
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
    }

    /// What a limit does with a request that lacks its user or company.
    public enum Anonymous: String, Sendable, Equatable, CaseIterable {
        /// Counts it by address instead.
        case ip
        /// Does not count it.
        case skip
        /// Refuses it.
        case deny
    }

    /// Whether a limit refuses or only records.
    public enum Mode: String, Sendable, Equatable, CaseIterable {
        /// Refuses.
        case enforce
        /// Decides and records, and lets pass.
        case shadow
    }

    /// The name: part of every key, shown to clients.
    public var name: String
    /// The rate for requests of no special tier.
    public var rate: Rate
    /// The counted key; `[.global]` counts everybody together.
    public var per: [Scope]
    /// The algorithm.
    public var algorithm: Algorithm
    /// Rates by tier; `nil` as a value: unlimited.
    public var tiers: [String: Rate?]
    /// Without a user or company.
    public var anonymous: Anonymous
    /// Refuses or only records.
    public var mode: Mode

    /// Creates a definition.
    public init(
        name: String, rate: Rate, per: [Scope] = [.ip], algorithm: Algorithm,
        tiers: [String: Rate?] = [:], anonymous: Anonymous = .ip, mode: Mode = .enforce
    ) {
        self.name = name
        self.rate = rate
        self.per = per
        self.algorithm = algorithm
        self.tiers = tiers
        self.anonymous = anonymous
        self.mode = mode
    }
}
