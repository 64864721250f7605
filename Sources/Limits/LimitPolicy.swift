public import HTTPModel
public import Primitives

/// The limits of one route, compiled: built once per snapshot of the settings, then only read.
///
/// **What is counted together.** A key is made of the limit's name, its algorithm and the parts of `per`; not
/// of the tier, the rate or the route (unless `endpoint` is among the parts). So the same limit on two
/// routes is one limit, two limits never share a key, and a client whose tier or rate changes keeps what
/// was counted; each algorithm says how it carries that over.
public struct LimitPolicy: Sendable {
    /// The most limits a route may have.
    public static var limitsMax: Int { LimitBounds.limitsMax }

    let limits: [CompiledLimit]
    let rates: [CompiledRate]
    /// Endpoint, names of tiers and prepared texts.
    let bytes: [UInt8]
    private let endpoint: ByteRange
    private let names: [String]

    /// Compiles limits.
    ///
    /// - Parameters:
    ///   - limits: The limits of the route in order. A name that comes again, and what is beyond
    ///     `limitsMax`, is left out; the configuration refuses both.
    ///   - endpoint: What tells this route from others in the keys of `per: endpoint`: its pattern or name.
    public init(limits: [LimitDefinition], endpoint: String) {
        var builder = LimitPolicyBuilder()
        self.endpoint = builder.append(endpoint.utf8)
        for definition in limits { builder.add(definition) }
        self.limits = builder.limits
        rates = builder.rates
        bytes = builder.bytes
        names = builder.names
    }

    /// Whether there is no limit.
    public var isEmpty: Bool { limits.isEmpty }
    /// The number of limits.
    public var count: Int { limits.count }
    /// The name of a limit.
    public func name(of limit: Int) -> String { names[limit] }

    /// Decides one request: all limits let it pass and are charged, or none is.
    ///
    /// Limits whose tier is unlimited, or that skip anonymous requests, do not apply. Shadow limits apply,
    /// are charged as if alone, and do not refuse. No allocation.
    ///
    /// - Parameters:
    ///   - table: The table of the process.
    ///   - address: The client's address, cut to the prefix that is counted as one.
    ///   - user: The user; `nil` or empty: none.
    ///   - company: The company; `nil` or empty: none.
    ///   - tier: The tier; `nil` or unknown to a limit: its ordinary rate.
    ///   - method: The method, a part of `endpoint`. All methods without a case count as one.
    ///   - clock: The time.
    /// - Returns: What becomes of the request, and the state of every limit that applied.
    public func decide(
        in table: LimitTable, address: IPAddress, user: Span<UInt8>?, company: Span<UInt8>?,
        tier: Span<UInt8>?, method: Method, at clock: ClockReading
    ) -> LimitDecision {
        var decision = LimitDecision()
        decide(
            in: table, address: address, user: user, company: company, tier: tier, method: method,
            at: clock, into: &decision)
        return decision
    }

    /// The same, over what `decision` held: a decision is some hundred bytes, which need no copy.
    public func decide(
        in table: LimitTable, address: IPAddress, user: Span<UInt8>?, company: Span<UInt8>?,
        tier: Span<UInt8>?, method: Method, at clock: ClockReading,
        into decision: inout LimitDecision
    ) {
        decision.clear()
        if limits.isEmpty { return }
        var work = LimitWork(
            at: LimitMeter.Now(
                monotonic: min(clock.monotonic.nanoseconds, LimitBounds.timeMax),
                wall: clock.wall.nanoseconds))
        let hasUser = !(user?.isEmpty ?? true)
        let hasCompany = !(company?.isEmpty ?? true)
        var denying: Int?
        for index in limits.indices {
            let limit = limits[index]
            guard let rate = rate(of: limit, tier: tier) else { continue }
            let isAnonymous =
                (limit.parts.contains(.user) && !hasUser)
                || (limit.parts.contains(.company) && !hasCompany)
            if isAnonymous && limit.anonymous != .ip {
                if limit.anonymous == .deny && !limit.isShadow && denying == nil { denying = index }
                continue
            }
            var key = LimitKey(of: limit, seed: table.seed)
            if limit.parts.contains(.ip) || isAnonymous { key.append(address) }
            if limit.parts.contains(.user), hasUser, let user { key.append(.user, user) }
            if limit.parts.contains(.company), hasCompany, let company {
                key.append(.company, company)
            }
            if limit.parts.contains(.endpoint) {
                key.append(.endpoint, bytes.span(endpoint), method: method)
            }
            let digest = key.finish()
            let state = decision.append(
                LimitState(limit: index, of: limit, rate: rate, quota: rates[rate].quota))
            work.insert(
                LimitWork.Item(
                    digest: digest, rate: UInt16(truncatingIfNeeded: rate), state: state,
                    limit: UInt8(truncatingIfNeeded: index), shard: table.shard(of: digest),
                    isShadow: limit.isShadow))
        }
        if let denying {
            work.isDenied = true
            decision.outcome = .deniedAnonymous(limit: denying)
        }
        table.decide(&work, &decision, by: self, from: 0)
    }

    private func rate(of limit: CompiledLimit, tier: Span<UInt8>?) -> Int? {
        guard let tier, !limit.tiers.isEmpty else { return limit.rates.lowerBound }
        for index in limit.tiers where bytes.span(rates[index].tier).equals(tier) {
            return rates[index].isUnlimited ? nil : index
        }
        return limit.rates.lowerBound
    }
}
