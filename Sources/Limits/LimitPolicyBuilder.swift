import Primitives

/// Puts the parts of a policy together.
struct LimitPolicyBuilder {
    private(set) var limits: [CompiledLimit] = []
    private(set) var extras: [CompiledLimit.Extras?] = []
    private(set) var rates: [CompiledRate] = []
    private(set) var dimensions: [LimitDimension] = []
    private(set) var bytes: [UInt8] = []
    private(set) var definitions: [LimitDefinition] = []
    private(set) var rateDefinitions: [LimitDefinition.Rate] = []
    private(set) var dimensionTexts: [[UInt8]] = []

    /// The rates as a script of Redis counts by them.
    var sharedRates: [SharedLimitRate?] {
        zip(limits, definitions).flatMap { limit, definition in
            let own = rateDefinitions[limit.rates]
            let longest = own.map(\.period).max() ?? .zero
            return own.map { SharedLimitRate(definition.algorithm, $0, longest: longest) }
        }
    }

    /// The rates as they are leased; `nil` where they are not.
    var leaseTerms: [LeaseTerms?] {
        zip(limits, definitions).flatMap { limit, definition in
            rateDefinitions[limit.rates].map {
                definition.isLeased ? LeaseTerms(definition.algorithm, $0) : nil
            }
        }
    }

    /// Adds bytes and says where they stand.
    mutating func append(_ text: some Sequence<UInt8>) -> ByteRange {
        let start = bytes.count
        bytes.append(contentsOf: text)
        return ByteRange(start: start, count: bytes.count - start)
    }

    /// Adds a limit, unless its name is there already or there are enough.
    mutating func add(_ definition: LimitDefinition) {
        guard limits.count < LimitBounds.limitsMax,
            !definitions.contains(where: { $0.name == definition.name })
        else { return }
        let fieldName = LimitTexts.structuredString(definition.name)
        let remainingItem = append(LimitTexts.remainingItem(name: fieldName))
        let jsonName = append(LimitTexts.jsonString(definition.name))
        let tiers = definition.tiers.sorted { $0.key < $1.key }
        let first = rates.count
        add(definition.rate, tier: "", of: definition, name: fieldName)
        for (tier, rate) in tiers { add(rate, tier: tier, of: definition, name: fieldName) }
        let own = addDimensions(of: definition)
        var overrides: [CompiledOverride] = []
        for override in definition.overrides {
            overrides.append(compile(override, dimensions: own, rate: rates.count))
            add(override.rate, tier: "", of: definition, name: fieldName)
        }
        let hasExtras = Self.needsExtras(definition)
        extras.append(
            hasExtras
                ? CompiledLimit.Extras(definition, dimensions: own, overrides: overrides) : nil)
        limits.append(
            CompiledLimit(
                index: limits.count,
                identity: Self.identity(definition, meter: rates[first].meter),
                parts: definition.per.reduce(into: []) { $0.insert(LimitParts($1)) },
                anonymous: definition.anonymous, isShadow: definition.mode == .shadow,
                isShared: definition.isShared, isLeased: definition.isLeased,
                rates: first..<rates.count, tiers: (first + 1)..<(first + 1 + tiers.count),
                costs: definition.costs.reserved(
                    isConcurrency: definition.algorithm == .concurrency),
                jsonName: jsonName, remainingItem: remainingItem, hasExtras: hasExtras))
        definitions.append(definition)
    }

    private mutating func addDimensions(of definition: LimitDefinition) -> Range<Int> {
        let first = dimensions.count
        for scope in definition.per {
            switch scope {
            case .header(let name): dimensions.append(.header(Array(name.utf8)))
            case .claim(let name): dimensions.append(.claim(name))
            case .global, .ip, .user, .company, .endpoint: continue
            }
            dimensionTexts.append(Array(scope.text.utf8))
        }
        precondition(dimensions.count <= LimitBounds.dimensionsMax)
        return first..<dimensions.count
    }

    private func compile(
        _ override: LimitDefinition.Override, dimensions own: Range<Int>, rate: Int
    ) -> CompiledOverride {
        let dimension: LimitDimension? =
            switch override.scope {
            case .header(let name): .header(Array(name.utf8))
            case .claim(let name): .claim(name)
            default: nil
            }
        return CompiledOverride(
            part: LimitParts(override.scope),
            dimension: own.first { dimensions[$0] == dimension } ?? own.lowerBound,
            network: override.network, value: Array(override.value.utf8), rate: rate)
    }

    private mutating func add(
        _ rate: LimitDefinition.Rate?, tier: String, of definition: LimitDefinition, name: [UInt8]
    ) {
        let counted = rate ?? definition.rate
        let isConcurrency = definition.algorithm == .concurrency
        let item =
            name + LimitTexts.policyParameters(counted, isConcurrency: isConcurrency).utf8
        let text =
            isConcurrency ? "\(counted.count) in flight at once" : LimitTexts.rate(counted)
        rateDefinitions.append(counted)
        rates.append(
            CompiledRate(
                meter: LimitMeter(definition.algorithm, counted), isUnlimited: rate == nil,
                quota: max(counted.count, 1), period: counted.period,
                tier: append(tier.utf8), text: append(text.utf8), policyItem: append(item),
                limitField: append(LimitTexts.limitField(quota: max(counted.count, 1)).utf8),
                draft11: append(LimitTexts.draft11(policyItem: item, name: name)),
                refusal: append(LimitTexts.refusal(by: definition.name, detail: text))))
    }

    private static func needsExtras(_ definition: LimitDefinition) -> Bool {
        if case .share = definition.mode { return true }
        return definition.algorithm == .concurrency || !definition.overrides.isEmpty
            || !definition.countedStatuses.isEmpty || definition.costs.dependsOnAnswer
            || definition.per.contains { LimitParts($0) == .dimension }
    }

    /// What keys begin with: the name, the algorithm, and the shape of the counters, without which stored
    /// counters could be misread.
    private static func identity(_ definition: LimitDefinition, meter: LimitMeter) -> Digest128 {
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(0, 0))
        hasher.append(meter.tag.rawValue)
        if case .slidingWindow(let window) = meter { hasher.append(window.ring) }
        hasher.append(Array(definition.name.utf8).span)
        for scope in definition.per {
            switch scope {
            case .header, .claim: hasher.append(Array("\0\(scope.text)".utf8).span)
            case .global, .ip, .user, .company, .endpoint: continue
            }
        }
        return hasher.finish()
    }
}

extension LimitMeter {
    /// The meter of `rate`.
    init(_ algorithm: LimitDefinition.Algorithm, _ rate: LimitDefinition.Rate) {
        let period = rate.period.count
        self =
            switch algorithm {
            case .tokenBucket(let burst):
                .tokenBucket(
                    TokenBucket(count: rate.count, period: period, burst: burst ?? rate.count))
            case .slidingWindow(let subWindows):
                .slidingWindow(
                    SlidingWindow(quota: rate.count, period: period, subWindows: subWindows))
            case .slidingLog: .slidingLog(SlidingLog(quota: rate.count, period: period))
            case .fixedWindow(let phase):
                .fixedWindow(
                    FixedWindow(
                        quota: rate.count, period: period, isMonthly: rate.isMonthly,
                        hasPhase: phase == .key))
            case .leakyBucket(let delay):
                .leakyBucket(
                    LeakyBucket(count: rate.count, period: period, maxDelay: delay.count))
            case .concurrency: .concurrency(Concurrency(quota: max(rate.count, 1)))
            }
    }
}

extension LimitDefinition {
    /// Whether Redis counts it. Requests in flight are counted by the process that has them.
    var isShared: Bool { consistency != .process && algorithm != .concurrency }

    /// Whether its units are leased; an algorithm that cannot be leased is counted decision by decision.
    var isLeased: Bool { consistency == .leased && LeaseTerms(algorithm, rate) != nil }
}

extension LimitDefinition.Algorithm {
    /// Whether requests may have to wait.
    var delays: Bool { if case .leakyBucket = self { true } else { false } }
}

extension LimitDefinition.Costs {
    /// Whether the cost is known only with the answer.
    var dependsOnAnswer: Bool { !(hit == stale && stale == miss && miss != .header) }

    /// What is charged before the answer is known, by the cache's part in it.
    fileprivate func reserved(isConcurrency: Bool) -> InlineArray<3, UInt32> {
        isConcurrency
            ? [1, 1, 1] : [hit.units ?? reserve, stale.units ?? reserve, miss.units ?? reserve]
    }

    /// The cost of a request that was answered with `answer`.
    func cost(of answer: LimitAnswer) -> Cost {
        switch answer {
        case .hit: hit
        case .stale: stale
        case .miss: miss
        }
    }
}

extension LimitDefinition.Costs.Cost {
    /// The units, or `nil` when a field says them.
    var units: UInt32? { if case .units(let units) = self { units } else { nil } }
}
