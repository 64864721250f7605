import Primitives

/// Puts the parts of a policy together.
struct LimitPolicyBuilder {
    private(set) var limits: [CompiledLimit] = []
    private(set) var rates: [CompiledRate] = []
    private(set) var bytes: [UInt8] = []
    private(set) var names: [String] = []

    /// Adds bytes and says where they stand.
    mutating func append(_ text: some Sequence<UInt8>) -> ByteRange {
        let start = bytes.count
        bytes.append(contentsOf: text)
        return ByteRange(start: start, count: bytes.count - start)
    }

    /// Adds a limit, unless its name is there already or there are enough.
    mutating func add(_ definition: LimitDefinition) {
        guard limits.count < LimitBounds.limitsMax, !names.contains(definition.name) else { return }
        let fieldName = append(LimitTexts.structuredString(definition.name))
        let jsonName = append(LimitTexts.jsonString(definition.name))
        let tiers = definition.tiers.sorted { $0.key < $1.key }
        let quotaMax = tiers.reduce(definition.rate.count) { max($0, $1.value?.count ?? 0) }
        let first = rates.count
        add(definition.rate, tier: "", of: definition, quotaMax: quotaMax, name: fieldName)
        for (tier, rate) in tiers {
            add(rate, tier: tier, of: definition, quotaMax: quotaMax, name: fieldName)
        }
        limits.append(
            CompiledLimit(
                identity: Self.identity(definition, meter: rates[first].meter),
                parts: LimitParts(definition.per), anonymous: definition.anonymous,
                isShadow: definition.mode == .shadow, rates: first..<rates.count,
                jsonName: jsonName, fieldName: fieldName))
        names.append(definition.name)
    }

    private mutating func add(
        _ rate: LimitDefinition.Rate?, tier: String, of definition: LimitDefinition,
        quotaMax: UInt32, name: ByteRange
    ) {
        let counted = rate ?? definition.rate
        var item = Array(bytes[name.indices])
        item.append(contentsOf: LimitTexts.policyParameters(counted).utf8)
        rates.append(
            CompiledRate(
                meter: Self.meter(definition.algorithm, counted, quotaMax: quotaMax),
                isUnlimited: rate == nil, quota: max(counted.count, 1), period: counted.period,
                tier: append(tier.utf8), text: append(LimitTexts.rate(counted).utf8),
                policyItem: append(item)))
    }

    private static func meter(
        _ algorithm: LimitDefinition.Algorithm, _ rate: LimitDefinition.Rate, quotaMax: UInt32
    ) -> LimitMeter {
        let period = rate.period.count
        return switch algorithm {
        case .tokenBucket(let burst):
            .tokenBucket(TokenBucket(count: rate.count, period: period, burst: burst))
        case .slidingWindow(let subWindows):
            .slidingWindow(
                SlidingWindow(
                    quota: rate.count, period: period, subWindows: subWindows, quotaMax: quotaMax))
        case .fixedWindow: .fixedWindow(FixedWindow(quota: rate.count, period: period))
        }
    }

    /// What keys begin with: the name, the algorithm, and the shape of the counters, without which stored
    /// counters could be misread.
    private static func identity(_ definition: LimitDefinition, meter: LimitMeter) -> Digest128 {
        var hasher = KeyedHasher(seed: KeyedHasher.Seed(0, 0))
        hasher.append(UInt64(meter.tag.rawValue))
        if case .slidingWindow(let window) = meter {
            hasher.append(window.ring)
            hasher.append(UInt64(window.counterShift))
        }
        hasher.append(Array(definition.name.utf8).span)
        return hasher.finish()
    }
}
