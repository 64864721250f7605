public import HTTPModel
public import Primitives

/// What would become of a request now, and why: what `weir explain` and the admin API's `/explain` say.
///
/// It comes from the same code that judges live requests (`WorkerContext.judge`); nothing is charged, counted
/// or begun for it.
public struct Explanation: Sendable, Equatable {
    /// A route that was looked at.
    public struct RouteTrial: Sendable, Equatable {
        /// Its place in the configuration, from 0.
        public let index: Int
        /// Its name.
        public let name: String
        /// Its path pattern.
        public let pattern: String
        /// Its first condition that the request does not meet; `nil`: it matches.
        public let mismatch: Mismatch?
    }

    /// A condition of a route that a request does not meet.
    public enum Mismatch: Sendable, Equatable {
        /// The path pattern.
        case path
        /// The methods, which are these.
        case method([String])
        /// The host.
        case host(String)
        /// A header field: `x-beta`, or `x-beta: yes`.
        case header(String)
    }

    /// A part of who asks.
    public struct Part: Sendable, Equatable {
        /// The value; `nil`: none.
        public let value: String?
        /// Where it comes from, or why there is none.
        public let source: String
    }

    /// Who asks.
    public struct Identity: Sendable, Equatable {
        /// The client's address.
        public let address: Part
        /// What limits count in its place, when that is another: an IPv6 network.
        public let counted: String?
        /// The user.
        public let user: Part
        /// The company.
        public let company: Part
        /// The tier.
        public let tier: Part
        /// Whether the user was proven and not only said.
        public let userIsProven: Bool
        /// What the token or API key turned out to be.
        public let credential: String
    }

    /// What the limits said together.
    public enum Decision: Sendable, Equatable {
        /// The request did not come to its limits.
        case notReached
        /// No limit applies.
        case notLimited
        /// All limits let it pass.
        case admitted
        /// This one refuses; of several the one with the longest wait. `nil`: waiting does not help.
        case refused(limit: String, retryAfter: UInt64?)
        /// This one serves only requests with all parts of its key.
        case denied(limit: String)
        /// A limit refuses it, because Redis cannot count it at the moment.
        case uncounted(limit: String)
    }

    /// What the cache holds for the request.
    public struct Cache: Sendable, Equatable {
        /// The key; `nil`: none can be made.
        public let key: String?
        /// `hit`, `stale`, `miss` or `bypass`.
        public let state: String
        /// The reason, or how fresh the stored answer is.
        public let detail: String
        /// Whether the answer would be stored; `nil`: it comes from the cache.
        public let store: Storing?
        /// In which coding a stored answer would be sent; `nil`: the route has none.
        public var coding: String?
    }

    /// Whether the origin's answer would be stored.
    public struct Storing: Sendable, Equatable {
        /// Whether a plain `200` would, which says nothing about caching.
        public let plain: Bool
        /// For how long, or why not, and what the origin could say to change that.
        public let reason: String
    }

    /// What the client gets.
    public struct Outcome: Sendable, Equatable {
        /// What happens.
        public enum Action: String, Sendable, Equatable {
            /// The proxy answers with a reason of its own.
            case rejected
            /// A limit stops it.
            case refused
            /// The proxy answers for itself: OPTIONS, health.
            case answered
            /// The cache answers.
            case served
            /// The origin is asked.
            case forwarded
        }
        /// What happens.
        public let action: Action
        /// The status, where it is known already.
        public let status: Status?
        /// A few words.
        public let detail: String
    }

    /// Method and target as they were asked.
    public let request: String
    /// The other end of the connection.
    public let peer: IPAddress
    /// Routes in order, up to the one that matches; empty: it did not come to that.
    public internal(set) var routes: [RouteTrial] = []
    /// Who asks; `nil`: nobody looked.
    public internal(set) var identity: Identity?
    /// The route's limits, in order.
    public internal(set) var limits: [LimitView] = []
    /// What they said together.
    public internal(set) var decision = Decision.notReached
    /// The cache's part; `nil`: the route has none, or it did not come to that.
    public internal(set) var cache: Cache?
    /// What the client gets.
    public internal(set) var outcome: Outcome

    /// The route that matches.
    public var route: RouteTrial? {
        guard let last = routes.last, last.mismatch == nil else { return nil }
        return last
    }

    /// What the live path found out about routes; `tryRoutes` tells it in full.
    enum Routing: Sendable, Equatable {
        case notReached
        case none
        case matched(Int)
    }
    var routing = Routing.notReached

    init(_ asked: AskedRequest, outcome: Outcome) {
        request = asked.line
        peer = asked.peer
        self.outcome = outcome
    }
}
