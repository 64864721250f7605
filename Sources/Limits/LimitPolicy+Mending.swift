import HTTPModel
public import Primitives

/// Looking at and mending single keys.
extension LimitPolicy {
    /// Whether a limit counts requests in flight, which end by themselves and are not reset.
    public func countsInFlight(_ limit: Int) -> Bool {
        extras(of: limits[limit])?.isConcurrency ?? false
    }

    /// Forgets what was counted about a key of a decision by this policy; `false` when nothing was, or when
    /// it is counted together with others for lack of room. Requests in flight are not forgotten.
    public func reset(_ state: LimitState, in table: LimitTable) -> Bool {
        !countsInFlight(Int(state.limit)) && table.forget(state.key)
    }

    /// Multiplies the rate of a key for a time; a factor of 1 ends a boost.
    ///
    /// - Parameters:
    ///   - state: A state of a decision by this policy.
    ///   - factor: 1 to 1000.
    ///   - time: How long.
    ///   - table: The table of the decision.
    ///   - clock: The time.
    /// - Returns: The boosted quota; `nil` when there is no room for another boost.
    public func boost(
        _ state: LimitState, by factor: UInt32, for time: Nanoseconds, in table: LimitTable,
        at clock: ClockReading
    ) -> UInt32? {
        let definition = definitions[Int(state.limit)]
        var rate = rateDefinitions[Int(state.rate)]
        rate.count = Self.product(max(rate.count, 1), factor)
        var algorithm = definition.algorithm
        switch algorithm {
        case .tokenBucket(let burst?):
            algorithm = .tokenBucket(burst: Self.product(burst, factor))
        case .slidingLog: rate.count = min(rate.count, LimitBounds.logMax)
        default: break
        }
        let boost = LimitBoost(
            digest: state.key, meter: LimitMeter(algorithm, rate), quota: rate.count,
            until: (clock.monotonic + time).nanoseconds)
        return table.boost(boost, isOver: factor <= 1) ? rate.count : nil
    }

    private static func product(_ a: UInt32, _ b: UInt32) -> UInt32 {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? .max : product
    }

    /// What people read of a state's limit: `token_bucket`, `sliding_window` …
    public func algorithm(of state: LimitState) -> StaticString {
        switch rates[Int(state.rate)].meter {
        case .tokenBucket: "token_bucket"
        case .slidingWindow: "sliding_window"
        case .slidingLog: "sliding_log"
        case .fixedWindow: "fixed_window"
        case .leakyBucket: "leaky_bucket"
        case .concurrency: "concurrency"
        }
    }

    /// Appends the rate that counted: `30 per 1 minute`.
    public func appendRate(of state: LimitState, to buffer: ByteBuffer) {
        let text = rates[Int(state.rate)].text
        if state.isBoosted {
            append(text, number: state.quota, at: 0, to: buffer)
        } else {
            append(text, to: buffer)
        }
    }

    /// Appends the key as people read it: `user=42, endpoint=GET /api/analytics/**`, `ip=192.0.2.7`,
    /// `everybody`.
    ///
    /// - Parameters:
    ///   - limit: Index of the limit.
    ///   - subject: Whom the request is counted as.
    ///   - dimensions: The values of `dimensions`.
    ///   - methodName: The method as the request has it.
    ///   - buffer: Where the text goes.
    public func appendKey(
        of limit: Int, _ subject: borrowing LimitSubject, _ dimensions: borrowing LimitDimensions,
        methodName: Span<UInt8>, to buffer: ByteBuffer
    ) {
        let start = buffer.count
        let compiled = limits[limit]
        let isAnonymous = lacksPart(compiled, subject, dimensions)
        if compiled.parts.contains(.ip) || isAnonymous {
            buffer.append("ip=")
            buffer.append(subject.counted)
        }
        if compiled.parts.contains(.user), let user = subject.user, !user.isEmpty {
            Self.appendPart("user=", user, since: start, to: buffer)
        }
        if compiled.parts.contains(.company), let company = subject.company, !company.isEmpty {
            Self.appendPart("company=", company, since: start, to: buffer)
        }
        if compiled.parts.contains(.endpoint) {
            Self.appendPart("endpoint=", methodName, since: start, to: buffer)
            buffer.append(" ")
            append(endpoint, to: buffer)
        }
        for index in extras(of: compiled)?.dimensions ?? 0..<0 {
            guard let value = dimensions[index] else { continue }
            let text = dimensionTexts[index]
            Self.appendPart("", text.span, since: start, to: buffer)
            buffer.append("=")
            buffer.append(value)
        }
        if buffer.count == start { buffer.append("everybody") }
    }

    private static func appendPart(
        _ name: StaticString, _ value: Span<UInt8>, since start: Int, to buffer: ByteBuffer
    ) {
        if buffer.count > start { buffer.append(", ") }
        buffer.append(name)
        buffer.append(value)
    }
}
