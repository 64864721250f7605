public import Primitives

/// The header fields that tell clients about limits, in the dialects that are switched on.
///
/// Every limit that applied is told but shadow ones; when none is, there are no fields but Retry-After. Numbers
/// come from the stored state, never from an expiry (standards S1, S2), so they stand still while nothing is
/// charged. No allocation once the buffer is large enough.
public struct RateLimitFields: Sendable, Equatable {
    /// Ways to say the same thing; clients know one or the other.
    public struct Dialects: OptionSet, Sendable, BitwiseCopyable {
        /// The bits of the set.
        public let rawValue: UInt8

        /// Creates a set from its bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// X-RateLimit-Limit, -Remaining and -Reset of the tightest limit.
        public static let xRateLimit = Dialects(rawValue: 1)
        /// RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-11, with all limits.
        public static let ietfDraft11 = Dialects(rawValue: 2)
        /// RateLimit-Limit, -Remaining and -Reset of draft-ietf-httpapi-ratelimit-headers-03: the tightest
        /// limit, and the policies of all.
        public static let ietfDraft03 = Dialects(rawValue: 4)
    }

    /// The dialects that are sent.
    public var dialects: Dialects
    /// Whether X-RateLimit-Reset is seconds from now instead of the Unix time.
    public var resetIsDelta: Bool
    /// By how much Retry-After may be longer than the wait, 0…1.
    public let retryAfterJitter: Double

    /// Chooses the dialects.
    ///
    /// - Parameters:
    ///   - dialects: What is sent.
    ///   - resetIsDelta: Whether X-RateLimit-Reset is seconds from now.
    ///   - retryAfterJitter: Clamped to 0…1.
    public init(
        _ dialects: Dialects = [.xRateLimit, .ietfDraft11], resetIsDelta: Bool = false,
        retryAfterJitter: Double = 0
    ) {
        self.dialects = dialects
        self.resetIsDelta = resetIsDelta
        // Written so that what is no number counts as 0.
        self.retryAfterJitter = retryAfterJitter > 0 ? min(retryAfterJitter, 1) : 0
    }

    /// Appends `Name: value` lines, each ended by CR LF; a refusal gets Retry-After too.
    ///
    /// - Parameters:
    ///   - decision: What was decided, by this policy.
    ///   - policy: The policy.
    ///   - clock: The time.
    ///   - jitter: A random word: where between none and all of `retryAfterJitter` this Retry-After lies.
    ///   - omitted: Dialects that are left out, because the answer has tighter fields of the origin's in them.
    ///   - buffer: Where the lines go.
    public func append(
        for decision: LimitDecision, of policy: LimitPolicy, at clock: ClockReading,
        jitter: UInt64, omitting omitted: Dialects, to buffer: ByteBuffer
    ) {
        if let tightest = decision.tightest {
            let told = dialects.subtracting(omitted)
            if told.contains(.xRateLimit) {
                appendXRateLimit(decision.states[tightest], of: policy, at: clock, to: buffer)
            }
            if told.contains(.ietfDraft11) { appendDraft11(decision, of: policy, to: buffer) }
            if told.contains(.ietfDraft03) {
                appendDraft03(decision, decision[tightest], of: policy, to: buffer)
            }
        }
        if !decision.isAdmitted, let seconds = retryAfterSeconds(of: decision, jitter: jitter) {
            buffer.append("Retry-After: ")
            buffer.append(decimal: seconds)
            buffer.append("\r\n")
        }
    }

    /// The value of Retry-After (RFC 9110 §10.2.3): the longest wait of all limits that refused, and a random
    /// part of `retryAfterJitter` times it, rounded up, at least 1; `nil` when none refused, or waiting does
    /// not help.
    ///
    /// - Parameters:
    ///   - decision: What was decided.
    ///   - jitter: A random word; the same one gives the same value.
    /// - Returns: Whole seconds.
    public func retryAfterSeconds(of decision: LimitDecision, jitter: UInt64) -> UInt64? {
        guard let seconds = decision.retryAfterSeconds else { return nil }
        guard retryAfterJitter > 0 else { return seconds }
        let wait = decision.longestRefusal
        // Below 2⁶² ns, as every wait: the sum is below 2⁶³.
        let extra = Double(wait.count) * retryAfterJitter * Double(jitter) * 0x1p-64
        let jittered = wait + Nanoseconds(UInt64(min(extra, 0x1p62)))
        return max(jittered.secondsRoundedUp, seconds)
    }

    @inline(__always)
    private func appendXRateLimit(
        _ state: LimitState, of policy: LimitPolicy, at clock: ClockReading, to buffer: ByteBuffer
    ) {
        policy.appendLimitField(of: state, to: buffer)
        buffer.append(decimal: UInt64(state.remainingShown))
        buffer.append("\r\nX-RateLimit-Reset: ")
        if resetIsDelta {
            // The shorter of the two: since the decision some time may have passed, and two clocks that are
            // read one after the other must not turn a whole second into the next.
            let left = min(state.resetAt - clock.wall, state.resetAfter)
            buffer.append(decimal: left.secondsRoundedUp)
        } else {
            buffer.append(decimal: Nanoseconds(state.resetAt.nanoseconds).secondsRoundedUp)
        }
        buffer.append("\r\n")
    }

    @inline(__always)
    private func appendDraft11(
        _ decision: LimitDecision, of policy: LimitPolicy, to buffer: ByteBuffer
    ) {
        if decision.count == 1 && !decision.states[0].isBoosted {
            // The most frequent case is told from one prepared text.
            policy.append(policy.rates[Int(decision.states[0].rate)].draft11, to: buffer)
            appendWindow(decision.states[0], of: policy, to: buffer)
        } else {
            appendSeveral(decision, of: policy, to: buffer)
        }
        buffer.append("\r\n")
    }

    @inline(never)
    private func appendSeveral(
        _ decision: LimitDecision, of policy: LimitPolicy, to buffer: ByteBuffer
    ) {
        var isFirst = true
        for index in 0..<decision.count where decision.states[index].isTold {
            buffer.append(isFirst ? "RateLimit-Policy: " : ", ")
            policy.appendPolicyItem(of: decision.states[index], to: buffer)
            isFirst = false
        }
        isFirst = true
        for index in 0..<decision.count where decision.states[index].isTold {
            buffer.append(isFirst ? "\r\nRateLimit: " : ", ")
            policy.append(
                policy.limits[Int(decision.states[index].limit)].remainingItem, to: buffer)
            appendWindow(decision.states[index], of: policy, to: buffer)
            isFirst = false
        }
    }

    /// Appends the numbers of a member of RateLimit: the `27;t=12` of `"analytics";r=27;t=12`.
    @inline(__always)
    private func appendWindow(
        _ state: LimitState, of policy: LimitPolicy, to buffer: ByteBuffer
    ) {
        buffer.append(decimal: UInt64(state.remainingShown))
        // Requests in flight have no window, only a guess when one of them will end.
        if state.mustWait || !policy.countsInFlight(Int(state.limit)) {
            buffer.append(";t=")
            buffer.append(decimal: state.windowShown.secondsRoundedUp)
        }
    }
}

extension LimitPolicy {
    /// Appends `X-RateLimit-Limit: 30` and the name of the next field.
    @inline(__always)
    fileprivate func appendLimitField(of state: LimitState, to buffer: ByteBuffer) {
        state.isBoosted
            ? appendBoostedField(of: state, to: buffer)
            : append(rates[Int(state.rate)].limitField, to: buffer)
    }

    @inline(never)
    private func appendBoostedField(of state: LimitState, to buffer: ByteBuffer) {
        buffer.append("X-RateLimit-Limit: ")
        buffer.append(decimal: UInt64(state.quota))
        buffer.append("\r\nX-RateLimit-Remaining: ")
    }
}

extension LimitState {
    /// Whether the next such request would have to wait, and waiting would help.
    var mustWait: Bool { (refused || remaining == 0) && nextAfter < .forever }

    /// The effective window as clients are told: where they have to wait, until when, so that Retry-After never
    /// lies before it; else until nothing is counted any more.
    var windowShown: Nanoseconds { mustWait ? nextAfter : resetAfter }
}
