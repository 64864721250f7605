public import Primitives

/// The header fields that tell clients about limits, in the dialects that are switched on.
///
/// Every limit that applied is told but shadow ones; when none is, there are no fields. Numbers come from
/// the stored state, never from an expiry (standards S1, S2). No allocation once the buffer is large enough.
public struct RateLimitFields: Sendable, Equatable {
    /// Whether X-RateLimit-Limit, -Remaining and -Reset of the tightest limit are sent.
    public var xRateLimit: Bool
    /// Whether RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-11 are sent.
    public var ietfDraft11: Bool
    /// Whether X-RateLimit-Reset is seconds from now instead of the Unix time.
    public var resetIsDelta: Bool

    /// Chooses the dialects.
    public init(xRateLimit: Bool = true, ietfDraft11: Bool = true, resetIsDelta: Bool = false) {
        self.xRateLimit = xRateLimit
        self.ietfDraft11 = ietfDraft11
        self.resetIsDelta = resetIsDelta
    }

    /// Appends `Name: value` lines, each ended by CR LF; a refusal gets Retry-After too.
    ///
    /// - Parameters:
    ///   - decision: What was decided, by this policy.
    ///   - policy: The policy.
    ///   - clock: The time of the decision.
    ///   - buffer: Where the lines go.
    public func append(
        for decision: LimitDecision, of policy: LimitPolicy, at clock: ClockReading,
        to buffer: ByteBuffer
    ) {
        if let tightest = decision.tightest {
            if xRateLimit { appendXRateLimit(decision[tightest], at: clock, to: buffer) }
            if ietfDraft11 { appendDraft11(decision, of: policy, to: buffer) }
        }
        if let seconds = decision.retryAfterSeconds {
            buffer.append("Retry-After: ")
            buffer.append(decimal: seconds)
            buffer.append("\r\n")
        }
    }

    private func appendXRateLimit(
        _ state: LimitState, at clock: ClockReading, to buffer: ByteBuffer
    ) {
        buffer.append("X-RateLimit-Limit: ")
        buffer.append(decimal: UInt64(state.quota))
        buffer.append("\r\nX-RateLimit-Remaining: ")
        buffer.append(decimal: UInt64(state.remainingShown))
        buffer.append("\r\nX-RateLimit-Reset: ")
        if resetIsDelta {
            buffer.append(decimal: state.resetAfter.secondsRoundedUp)
        } else {
            let reset = Nanoseconds((clock.wall + state.resetAfter).nanoseconds)
            buffer.append(decimal: reset.secondsRoundedUp)
        }
        buffer.append("\r\n")
    }

    private func appendDraft11(
        _ decision: LimitDecision, of policy: LimitPolicy, to buffer: ByteBuffer
    ) {
        var separator: StaticString = "RateLimit-Policy: "
        for index in 0..<decision.count where !decision[index].isShadow {
            buffer.append(separator)
            let rate = policy.rates[Int(decision[index].rate)]
            buffer.append(policy.bytes.span(rate.policyItem))
            separator = ", "
        }
        separator = "\r\nRateLimit: "
        for index in 0..<decision.count where !decision[index].isShadow {
            let state = decision[index]
            buffer.append(separator)
            buffer.append(policy.bytes.span(policy.limits[Int(state.limit)].fieldName))
            buffer.append(";r=")
            buffer.append(decimal: UInt64(state.remainingShown))
            buffer.append(";t=")
            // With nothing left, the time until something is; so Retry-After never lies before it.
            let window = state.remaining == 0 ? state.nextAfter : state.resetAfter
            buffer.append(decimal: window.secondsRoundedUp)
            separator = ", "
        }
        buffer.append("\r\n")
    }
}
