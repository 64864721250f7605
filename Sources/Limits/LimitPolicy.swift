import HTTPModel
public import Primitives

/// The limits of one route, compiled: built once per snapshot of the settings, then only read.
///
/// **What is counted together.** A key is made of the limit's name, its algorithm and the parts of `per`; not
/// of the tier, the rate or the route (unless `endpoint` is among the parts). So the same limit on two
/// routes is one limit, two limits never share a key, and a client whose tier or rate changes keeps what
/// was counted; each algorithm says how it carries that over. For the same reason a table outlives the
/// settings: what was counted before a reload still counts where name and algorithm are unchanged.
///
/// A reference, because it is a dozen tables: a copy would count the references of all of them.
public final class LimitPolicy: Sendable {
    /// The most limits a route may have.
    public static var limitsMax: Int { LimitBounds.limitsMax }

    let limits: [CompiledLimit]
    private let extras: [CompiledLimit.Extras?]
    let rates: [CompiledRate]
    /// Endpoint, names of tiers and prepared texts.
    let bytes: [UInt8]
    /// The header fields and claims the limits count by: `LimitDimensions` has their values in this order.
    public let dimensions: [LimitDimension]
    /// Whether a cost depends on the cache's part in the answer, so that the cache is asked first.
    public let dependsOnAnswer: Bool
    let endpoint: ByteRange
    private let endpointDigest: Digest128
    /// The parts of all limits together.
    private let parts: LimitParts
    /// Whether the answer, or the end, of a request changes what it was charged: else `settle` and `finish` only
    /// forget it.
    public let isSettled: Bool
    /// Whether Redis counts a limit: then decisions may be left open (`awaitsRedis`).
    public let hasShared: Bool
    /// Whether a limit may delay requests.
    let delays: Bool
    /// The definitions the limits, and the rates, were compiled from: for administrators' questions.
    let definitions: [LimitDefinition]
    let rateDefinitions: [LimitDefinition.Rate]
    /// The rates as a script of Redis counts by them; `nil` where it cannot.
    let sharedRates: [SharedLimitRate?]
    /// The rates as they are leased; `nil` where they are not.
    let leaseTerms: [LeaseTerms?]
    /// Whether a limit is leased.
    public let hasLeased: Bool
    /// The limits' names in bytes.
    let sharedNames: [[UInt8]]
    /// The dimensions as the configuration writes them.
    let dimensionTexts: [[UInt8]]

    /// Compiles limits.
    ///
    /// - Parameters:
    ///   - limits: The limits of the route in order. A name that comes again, and what is beyond
    ///     `limitsMax`, is left out; the configuration refuses both.
    ///   - endpoint: What tells this route from others in the keys of `per: endpoint`: its pattern or name.
    public init(limits: [LimitDefinition], endpoint: String) {
        var builder = LimitPolicyBuilder()
        self.endpoint = builder.append(endpoint.utf8)
        endpointDigest = LimitKeys.digest(ofEndpoint: Array(endpoint.utf8).span)
        for definition in limits { builder.add(definition) }
        self.limits = builder.limits
        extras = builder.extras
        rates = builder.rates
        bytes = builder.bytes
        definitions = builder.definitions
        rateDefinitions = builder.rateDefinitions
        sharedRates = builder.sharedRates
        leaseTerms = builder.leaseTerms
        hasLeased = builder.limits.contains { $0.isLeased }
        sharedNames = builder.definitions.map { Array($0.name.utf8) }
        dimensions = builder.dimensions
        dimensionTexts = builder.dimensionTexts
        parts = builder.limits.reduce(into: []) { $0.formUnion($1.parts) }
        hasShared = builder.limits.contains { $0.isShared }
        delays = builder.definitions.contains { $0.algorithm.delays }
        isSettled = builder.extras.contains { extras in
            extras.map { $0.isSettled || $0.isConcurrency } ?? false
        }
        dependsOnAnswer = builder.extras.contains { $0?.costs.dependsOnAnswer ?? false }
    }

    /// Whether there is no limit.
    public var isEmpty: Bool { limits.isEmpty }
    /// The number of limits.
    public var count: Int { limits.count }
    /// The name of a limit.
    public func name(of limit: Int) -> String { definitions[limit].name }

    /// Decides one request: all limits let it pass and are charged, or none is.
    ///
    /// Limits whose tier is unlimited, or that skip anonymous requests, do not apply. Shadow limits apply,
    /// are charged as if alone, and do not refuse. No allocation. When the decision `isOpen` it must be
    /// settled (`settle`) and ended (`finish`); its `delay` must be waited for. When it `awaitsRedis` the limits
    /// that Redis counts are still to be asked (`LimitPolicy+Shared.swift`); those of the process are decided.
    ///
    /// - Parameters:
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`, in order.
    ///   - answer: The cache's part in the answer, as far as it is known; `miss` where there is no cache.
    ///   - table: The table of the process.
    ///   - clock: The time.
    ///   - isPeek: Whether only to look: nothing is charged, and nothing changes.
    ///   - decision: What becomes of the request, and the state of every limit that applied; what it held
    ///     is forgotten.
    public func decide(
        _ subject: borrowing LimitSubject, dimensions: borrowing LimitDimensions,
        answer: LimitAnswer = .miss, in table: LimitTable, at clock: ClockReading,
        isPeek: Bool = false, into decision: LimitDecision
    ) {
        decision.clear()
        if limits.isEmpty { return }
        let now = table.now(clock)
        let keys = LimitKeys(of: subject, parts, seed: table.seed)
        guard limits.count == 1 else {
            return decideSeveral(
                subject, dimensions, answer, keys, at: now, isPeek: isPeek, table, decision)
        }
        // The most frequent case: no order of locks, no vote.
        guard var item = begin(limits[0], subject, dimensions, answer, keys, table, decision)
        else { return }
        table.decide(alone: &item, mayCharge: !isPeek, decision, by: self, at: now)
    }

    @inline(never)
    private func decideSeveral(
        _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions,
        _ answer: LimitAnswer, _ keys: LimitKeys, at now: LimitMeter.Now, isPeek: Bool,
        _ table: LimitTable, _ decision: LimitDecision
    ) {
        var work = LimitWork(at: now, isPeek: isPeek)
        for limit in limits {
            guard let item = begin(limit, subject, dimensions, answer, keys, table, decision)
            else { continue }
            work.append(item)
        }
        work.isDenied = !decision.isAdmitted
        work.sort()
        if work.count > 0 { table.decide(&work, decision, by: self, from: 0) }
        if !decision.isAdmitted { decision.leaveUntold() }
    }

    /// Adds the state of a limit, if it applies, to the decision.
    ///
    /// - Returns: What the table has to decide; `nil` when the limit does not apply, or when Redis counts it.
    @inline(__always)
    private func begin(
        _ limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, _ answer: LimitAnswer, _ keys: LimitKeys,
        _ table: LimitTable, _ decision: LimitDecision
    ) -> LimitWork.Item? {
        let rate = rate(of: limit, subject, dimensions)
        if rates[rate].isUnlimited { return nil }
        let isAnonymous = lacksPart(limit, subject, dimensions)
        if isAnonymous && limit.anonymous != .ip {
            if limit.anonymous == .deny && !limit.isShadow { decision.deny(limit.index) }
            return nil
        }
        let key = key(of: limit, subject, dimensions, isAnonymous: isAnonymous, keys)
        let isShadow = isShadow(limit, subject, dimensions)
        let units = limit.costs[Int(answer.rawValue)]
        let state = decision.append(
            LimitState(
                key: key, limit: limit.index, rate: rate, quota: rates[rate].quota, cost: units,
                isShadow: isShadow))
        if limit.isShared {
            decision.leaveOpen(state)
            return nil
        }
        return LimitWork.Item(
            digest: key, units: units, rate: UInt16(truncatingIfNeeded: rate), state: state,
            limit: UInt8(truncatingIfNeeded: limit.index), shard: table.shard(of: key),
            isShadow: isShadow)
    }

    /// Appends a prepared text.
    func append(_ text: ByteRange, to buffer: ByteBuffer) { buffer.append(text, of: bytes) }

    /// What few limits have; `nil` for the others.
    func extras(of limit: CompiledLimit) -> CompiledLimit.Extras? {
        limit.hasExtras ? extras[limit.index] : nil
    }

    /// Whether a charge is corrected or given back later.
    @inline(__always)
    func keepsReceipt(of item: LimitWork.Item) -> Bool {
        // Such a request may be cancelled as a whole.
        if delays || dependsOnAnswer || hasShared { return true }
        guard let extras = extras(of: limits[Int(item.limit)]) else { return false }
        return extras.isSettled || extras.isConcurrency
    }

    /// Whether the request lacks a part of the limit's key.
    @inline(__always)
    func lacksPart(
        _ limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> Bool {
        if limit.parts.contains(.user) && subject.user?.isEmpty ?? true { return true }
        if limit.parts.contains(.company) && subject.company?.isEmpty ?? true { return true }
        return limit.parts.contains(.dimension) && lacksDimension(limit, dimensions)
    }

    @inline(never)
    private func lacksDimension(
        _ limit: CompiledLimit, _ dimensions: borrowing LimitDimensions
    ) -> Bool {
        for index in extras(of: limit)?.dimensions ?? 0..<0 where dimensions[index] == nil {
            return true
        }
        return false
    }

    /// The key of the request under a limit.
    @inline(__always)
    private func key(
        of limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, isAnonymous: Bool, _ keys: LimitKeys
    ) -> Digest128 {
        var key = keys.key(of: limit, isAnonymous: isAnonymous)
        if limit.parts.contains(.endpoint) {
            key = key ^ LimitKeys.digest(ofEndpoint: endpointDigest, method: subject.method)
        }
        if limit.parts.contains(.dimension) {
            key = key ^ digest(ofDimensions: dimensions, of: limit, keys)
        }
        return key
    }

    /// What header fields and claims add to a key.
    @inline(never)
    private func digest(
        ofDimensions values: borrowing LimitDimensions, of limit: CompiledLimit, _ keys: LimitKeys
    ) -> Digest128 {
        var sum = Digest128(high: 0, low: 0)
        let places = extras(of: limit)?.dimensions ?? 0..<0
        for index in places {
            // One that is absent adds nothing.
            guard let value = values[index] else { continue }
            sum = sum ^ keys.digest(ofDimension: value, at: index - places.lowerBound)
        }
        return sum
    }

    /// Whether a limit only records the request: always, or as its key is not in the share that is enforced. The
    /// share goes by a digest without a secret, so it is the same in all processes.
    @inline(__always)
    private func isShadow(
        _ limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> Bool {
        guard let bound = extras(of: limit)?.enforcedBelow else { return limit.isShadow }
        return publicKey(of: limit, subject, dimensions).high >= bound
    }

    /// The key by a digest without a secret: the same in all processes.
    @inline(never)
    func publicKey(
        of limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> Digest128 {
        let keys = LimitKeys(of: subject, limit.parts, seed: KeyedHasher.Seed(0, 0))
        let isAnonymous = lacksPart(limit, subject, dimensions)
        return key(of: limit, subject, dimensions, isAnonymous: isAnonymous, keys)
    }

    /// The rate that counts for the request; it may be unlimited.
    @inline(__always)
    func rate(
        of limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> Int {
        // Most limits have only one.
        limit.rates.count == 1
            ? limit.rates.lowerBound : chosenRate(of: limit, subject, dimensions)
    }

    @inline(never)
    private func chosenRate(
        of limit: CompiledLimit, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> Int {
        if let extras = extras(of: limit) {
            for override in extras.overrides where matches(override, subject, dimensions) {
                return override.rate
            }
        }
        guard let tier = subject.tier, !limit.tiers.isEmpty else { return limit.rates.lowerBound }
        let bytes = bytes
        for index in limit.tiers where bytes.span(rates[index].tier).equals(tier) {
            return index
        }
        return limit.rates.lowerBound
    }

    private func matches(
        _ override: CompiledOverride, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions
    ) -> Bool {
        let value = override.value
        switch override.part {
        case .ip: return override.network?.contains(subject.address) ?? false
        case .user: return subject.user?.equals(value.span) ?? false
        case .company: return subject.company?.equals(value.span) ?? false
        case .dimension: return dimensions[override.dimension]?.equals(value.span) ?? false
        default: return false
        }
    }
}
