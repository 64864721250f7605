import Primitives

/// The fields of draft-ietf-httpapi-ratelimit-headers-03, which many clients still read.
///
///     RateLimit-Limit: 30, 30;w=60, 10000;w=1     the tightest limit, then the policies of all
///     RateLimit-Remaining: 27
///     RateLimit-Reset: 12                         seconds from now
extension RateLimitFields {
    /// Appends the three fields. A policy needs a window in whole seconds there (§2.3): months, requests in
    /// flight and fractions of a second are not listed.
    func appendDraft03(
        _ decision: LimitDecision, _ tightest: LimitState, of policy: LimitPolicy,
        to buffer: ByteBuffer
    ) {
        buffer.append("RateLimit-Limit: ")
        buffer.append(decimal: UInt64(tightest.quota))
        for index in 0..<decision.count where decision[index].isTold {
            policy.appendQuotaPolicy(of: decision[index], to: buffer)
        }
        buffer.append("\r\nRateLimit-Remaining: ")
        buffer.append(decimal: UInt64(tightest.remainingShown))
        buffer.append("\r\nRateLimit-Reset: ")
        buffer.append(decimal: tightest.windowShown.secondsRoundedUp)
        buffer.append("\r\n")
    }
}

extension LimitPolicy {
    /// Appends a member of RateLimit-Policy: `"analytics";q=30;w=60`.
    func appendPolicyItem(of state: LimitState, to buffer: ByteBuffer) {
        let item = rates[Int(state.rate)].policyItem
        guard state.isBoosted else { return append(item, to: buffer) }
        append(item, number: state.quota, at: quotaStart(of: state), to: buffer)
    }

    /// Appends `, 30;w=60`, where the rate has a window of whole seconds.
    func appendQuotaPolicy(of state: LimitState, to buffer: ByteBuffer) {
        let bytes = bytes
        let item = bytes.span(rates[Int(state.rate)].policyItem)
        let end = Self.end(ofNumberIn: item, from: quotaStart(of: state))
        let window = item.extracting(droppingFirst: end)
        guard window.starts(with: ";w=") else { return }
        buffer.append(", ")
        buffer.append(decimal: UInt64(state.quota))
        buffer.append(window)
    }

    /// Appends a prepared text with another number in place of the one at `start`: a rate that was raised for
    /// a time.
    func append(_ text: ByteRange, number: UInt32, at start: Int, to buffer: ByteBuffer) {
        let bytes = bytes
        let text = bytes.span(text)
        buffer.append(text.extracting(first: start))
        buffer.append(decimal: UInt64(number))
        buffer.append(text.extracting(droppingFirst: Self.end(ofNumberIn: text, from: start)))
    }

    /// Where the digits that begin at `start` end.
    private static func end(ofNumberIn text: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < text.count && ASCII.isDigit(text[end]) { end += 1 }
        return end
    }

    /// Where the number stands in a limit's member of RateLimit-Policy: behind `;q=`, as that of RateLimit behind
    /// `;r=`.
    private func quotaStart(of state: LimitState) -> Int {
        Int(limits[Int(state.limit)].remainingItem.count)
    }
}
