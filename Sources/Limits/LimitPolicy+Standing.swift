import Primitives

/// How a limit stands to one request, whatever was counted: for people who ask why.
public struct LimitStanding: Sendable, Equatable {
    /// Where the rate comes from.
    public enum Source: Sendable, Equatable {
        /// The limit's own.
        case ordinary
        /// The tier's.
        case tier
        /// The override of this index in the definition.
        case override(Int)
    }

    /// What the limit does.
    public enum Effect: Sendable, Equatable {
        /// It counts the request.
        case counts
        /// It counts the request by address, for lack of a part of its key.
        case countsByAddress
        /// It does not count it: the rate is unlimited.
        case unlimited
        /// It does not count it, for lack of a part of its key.
        case skips
        /// It refuses it, for lack of a part of its key.
        case denies
    }

    /// Where the rate comes from.
    public let source: Source
    /// What the limit does.
    public let effect: Effect
    /// The parts of the key that the request lacks.
    public let missing: [LimitDefinition.Scope]
}

extension LimitPolicy {
    /// The definition a limit was compiled from.
    public func definition(of limit: Int) -> LimitDefinition { definitions[limit] }

    /// The limit's own rate, without tiers and overrides: `30 per 1 minute`.
    public func rateText(of limit: Int) -> String {
        let bytes = bytes
        return bytes.span(rates[limits[limit].rates.lowerBound].text).text
    }

    /// How a limit stands to a request.
    public func standing(
        of limit: Int, _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions
    ) -> LimitStanding {
        let compiled = limits[limit]
        let rate = rate(of: compiled, subject, dimensions)
        var source = LimitStanding.Source.ordinary
        if compiled.tiers.contains(rate) { source = .tier }
        if let index = extras(of: compiled)?.overrides.firstIndex(where: { $0.rate == rate }) {
            source = .override(index)
        }
        let isAnonymous = lacksPart(compiled, subject, dimensions)
        let effect: LimitStanding.Effect =
            if rates[rate].isUnlimited {
                .unlimited
            } else if !isAnonymous {
                .counts
            } else {
                switch compiled.anonymous {
                case .ip: .countsByAddress
                case .skip: .skips
                case .deny: compiled.isShadow ? .skips : .denies
                }
            }
        return LimitStanding(
            source: source, effect: effect, missing: missing(of: limit, subject, dimensions))
    }

    /// What a request with this answer is charged before its answer is known.
    public func cost(of limit: Int, _ answer: LimitAnswer) -> UInt32 {
        limits[limit].costs[Int(answer.rawValue)]
    }

    private func missing(
        of limit: Int, _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions
    ) -> [LimitDefinition.Scope] {
        var missing: [LimitDefinition.Scope] = []
        var next = extras(of: limits[limit])?.dimensions.lowerBound ?? 0
        for scope in definitions[limit].per {
            switch scope {
            case .user: if subject.user?.isEmpty ?? true { missing.append(scope) }
            case .company: if subject.company?.isEmpty ?? true { missing.append(scope) }
            case .header, .claim:
                if dimensions[next] == nil { missing.append(scope) }
                next += 1
            case .global, .ip, .endpoint: continue
            }
        }
        return missing
    }
}
