import HTTPModel
import Identity
import Limits
public import Primitives
import Routes
import Settings

/// A subject that an administrator asks about: parts of the keys of limits.
public struct KeySubject: Sendable, Equatable {
    /// The client's address.
    public var ip: IPAddress?
    /// The user.
    public var user: String?
    /// The company.
    public var company: String?
    /// The tier.
    public var tier: String?
    /// Values of header fields, by lower-case name.
    public var headers: [String: String] = [:]
    /// Values of claims, by name.
    public var claims: [String: String] = [:]
    /// The method, a part of `endpoint`.
    public var method = "GET"

    /// Creates a subject without parts.
    public init() {}

    /// Whether it names anybody.
    public var isEmpty: Bool {
        ip == nil && user == nil && company == nil && tier == nil && headers.isEmpty
            && claims.isEmpty
    }
}

/// What one limit has counted about a subject.
public struct KeyState: Sendable {
    /// The limit as it would stand to a request of cost 1 or its reserve.
    public let view: LimitView
    /// The route whose endpoint is counted; `nil`: the limit does not count by endpoint.
    public let route: String?
    /// Parts of the key that were not given and without which nothing can be said.
    public let needs: [String]
    /// The policy and the decision's word on the limit.
    let policy: LimitPolicy
    let state: LimitState?
    /// The key in Redis; `nil`: it is counted in this process.
    public let sharedKey: [UInt8]?

    /// The key's digest; `nil`: it is not counted, or not known.
    public var digest: Digest128? { needs.isEmpty ? state?.key : nil }
    /// Whether the limit counts requests in flight, which end by themselves.
    public var countsInFlight: Bool {
        state.map { policy.countsInFlight(Int($0.limit)) } ?? false
    }
}

/// Looks at single keys of the limit table, and mends them. May be used on any thread.
public struct KeyView {
    private let blueprint: Blueprint
    private let table: LimitTable
    private let keys: SharedKeyWriter?

    /// Looks at what the limits of `blueprint` have counted in the table of the process.
    public init(_ blueprint: Blueprint, _ shared: SharedState) {
        self.blueprint = blueprint
        table = shared.limits
        keys = (blueprint.settings.redis?.limits.namespace).map(SharedKeyWriter.init)
    }

    /// What every limit has counted about a subject. A limit that counts by endpoint is asked for every
    /// route that uses it, any other one once.
    ///
    /// - Parameters:
    ///   - subject: The parts of the keys.
    ///   - limit: Only this limit; `nil`: all.
    ///   - route: Only the routes of this name; `nil`: all.
    ///   - clock: The time.
    /// - Returns: The states, in the order of the routes and their limits.
    public func states(
        of subject: KeySubject, limit: String? = nil, route: String? = nil, at clock: ClockReading
    ) -> [KeyState] {
        var found: [KeyState] = []
        var seen: Set<String> = []
        for (settings, compiled) in zip(blueprint.settings.routes, blueprint.routes)
        where !compiled.limits.isEmpty && (route == nil || route == settings.match.name) {
            for state in states(of: subject, compiled.limits, settings.match.name, at: clock) {
                let name = state.view.name
                guard limit == nil || limit == name else { continue }
                let endpoint = state.route == nil ? "" : " " + settings.match.path
                if seen.insert(name + endpoint).inserted { found.append(state) }
            }
        }
        return found
    }

    /// The states of one route's limits.
    private func states(
        of subject: KeySubject, _ policy: LimitPolicy, _ route: String, at clock: ClockReading
    ) -> [KeyState] {
        let user = Array((subject.user ?? "").utf8)
        let company = Array((subject.company ?? "").utf8)
        let tier = Array((subject.tier ?? blueprint.settings.identity.defaultTier ?? "").utf8)
        let method = Array(subject.method.utf8)
        let address = subject.ip ?? IPAddress(v4: 0)
        let lent = LimitSubject(
            address: address, counted: blueprint.identity.counted(address),
            method: Method(method.span), user: user.isEmpty ? nil : user.span,
            company: company.isEmpty ? nil : company.span, tier: tier.isEmpty ? nil : tier.span)
        let dimensions = dimensions(of: subject, policy)
        let decision = LimitDecision()
        policy.decide(
            lent, dimensions: dimensions, in: table, at: clock, isPeek: true, into: decision)
        decision.leaveUntold()
        var states: [KeyState] = []
        for limit in 0..<policy.count {
            let state = decision.state(of: limit)
            let definition = policy.definition(of: limit)
            let view = LimitView(
                limit, of: policy, state, lent, dimensions, methodName: method.span, answer: .miss)
            states.append(
                KeyState(
                    view: view, route: definition.per.contains(.endpoint) ? route : nil,
                    needs: KeyView.needs(view, definition, subject), policy: policy, state: state,
                    sharedKey: definition.consistency == .process
                        ? nil : keys?.key(of: limit, by: policy, lent, dimensions)))
        }
        return states
    }

    private func dimensions(of subject: KeySubject, _ policy: LimitPolicy) -> LimitDimensions {
        var dimensions = LimitDimensions()
        for dimension in policy.dimensions {
            let value: String? =
                switch dimension {
                case .header(let name): subject.headers[name.span.text]
                case .claim(let name): subject.claims[name]
                }
            guard let value else {
                dimensions.append(nil)
                continue
            }
            let bytes = Array(value.utf8)
            dimensions.append(bytes.span)
        }
        return dimensions
    }

    /// Parts that were not given, without which the key cannot be made.
    private static func needs(
        _ view: LimitView, _ definition: LimitDefinition, _ subject: KeySubject
    ) -> [String] {
        guard view.key != nil, subject.ip == nil else { return [] }
        var needs = view.missing
        if definition.per.contains(.ip) { needs.append("ip") }
        return needs
    }

    // MARK: Mending

    /// Forgets what was counted about a key; `false` when nothing was, or when it counts requests in flight.
    ///
    /// Of a key that is counted in Redis it forgets what this process knows; what it holds of a lease stays.
    public func reset(_ state: KeyState) -> Bool {
        guard state.needs.isEmpty, let decided = state.state else { return false }
        if state.sharedKey != nil { table.leases.noteReset(decided.key) }
        return state.policy.reset(decided, in: table)
    }

    /// Multiplies the rate of a key for a time; a factor of 1 ends that.
    ///
    /// - Returns: The quota that counts now; `nil` when too many keys are boosted, or this is not counted.
    public func boost(
        _ state: KeyState, by factor: UInt32, for time: Nanoseconds, at clock: ClockReading
    ) -> UInt32? {
        guard state.needs.isEmpty, let decided = state.state else { return nil }
        return state.policy.boost(decided, by: factor, for: time, in: table, at: clock)
    }

    // MARK: What there is

    /// The names of header fields that limits count by.
    public var headers: Set<String> {
        names { if case .header(let name) = $0 { name } else { nil } }
    }

    /// The names of claims that limits count by.
    public var claims: Set<String> {
        names { if case .claim(let name) = $0 { name } else { nil } }
    }

    private func names(_ pick: (LimitDefinition.Scope) -> String?) -> Set<String> {
        var names: Set<String> = []
        for limit in blueprint.settings.limits {
            let scopes = limit.per + limit.overrides.map(\.scope)
            names.formUnion(scopes.compactMap(pick))
        }
        return names
    }
}
