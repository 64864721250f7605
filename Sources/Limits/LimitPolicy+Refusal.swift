public import Primitives

extension LimitPolicy {
    /// Appends the body of the answer to a request that `decision` stopped; nothing for any other.
    ///
    /// JSON: `{"error":"Rate limit exceeded","detail":"30 per 1 minute","limit":"analytics","retry_after":12}`,
    /// or problem details (RFC 9457) with the type of draft-ietf-httpapi-ratelimit-headers-11. The limit is
    /// the one with the longest wait; when several refused, `limits` names them all, as `violated-policies`
    /// always does. Shadow limits are not named. To a request that costs more than a limit can ever hold it
    /// says so, with `cost` in place of `retry_after`.
    ///
    /// - Parameters:
    ///   - decision: What was decided, by this policy.
    ///   - problemJSON: Whether the client asked for `application/problem+json`.
    ///   - retryAfter: The seconds of Retry-After where they are not those of the decision, but jittered.
    ///   - buffer: Where the body goes.
    public func appendRefusalBody(
        for decision: LimitDecision, problemJSON: Bool, retryAfter: UInt64? = nil,
        to buffer: ByteBuffer
    ) {
        if decision.isAdmitted { return }
        buffer.append("{")
        switch decision.outcome {
        case .notLimited, .admitted: break
        case .deniedAnonymous(let limit): appendDenial(limit, problemJSON: problemJSON, to: buffer)
        case .uncounted(let limit):
            appendUncounted(
                limit, retryAfter: retryAfter ?? 1, problemJSON: problemJSON, to: buffer)
        case .refused:
            appendRefusal(
                decision, retryAfter: retryAfter ?? decision.retryAfterSeconds,
                problemJSON: problemJSON, to: buffer)
        }
        buffer.append("}")
    }

    private func appendRefusal(
        _ decision: LimitDecision, retryAfter: UInt64?, problemJSON: Bool, to buffer: ByteBuffer
    ) {
        guard let tightest = decision.tightest else { return }
        let state = decision[tightest]
        if let retryAfter, !problemJSON, !state.isBoosted, !decision.neverPasses {
            append(rates[Int(state.rate)].refusal, to: buffer)
            buffer.append(decimal: retryAfter)
        } else {
            appendTitle(problemJSON: problemJSON, to: buffer)
            appendReason(state, decision, retryAfter: retryAfter, to: buffer)
        }
        if problemJSON {
            appendNames(",\"violated-policies\":[", decision, to: buffer)
        } else if decision.count > 1 && decision.refusals > 1 {
            appendNames(",\"limits\":[", decision, to: buffer)
        }
    }

    /// Which limit refused, and what helps.
    private func appendReason(
        _ state: LimitState, _ decision: LimitDecision, retryAfter: UInt64?, to buffer: ByteBuffer
    ) {
        appendDetail(state, never: decision.neverPasses, to: buffer)
        buffer.append(",\"limit\":")
        append(limits[Int(state.limit)].jsonName, to: buffer)
        if decision.neverPasses {
            buffer.append(",\"cost\":")
            buffer.append(decimal: UInt64(state.cost))
        } else if let retryAfter {
            buffer.append(",\"retry_after\":")
            buffer.append(decimal: retryAfter)
        }
    }

    /// What the body begins with.
    private func appendTitle(problemJSON: Bool, to buffer: ByteBuffer) {
        guard problemJSON else { return buffer.append("\"error\":\"Rate limit exceeded\",") }
        buffer.append(
            "\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\",")
        buffer.append(
            "\"title\":\"Request cannot be satisfied as assigned quota has been exceeded\",")
        buffer.append("\"status\":429,")
    }

    private func appendDenial(_ limit: Int, problemJSON: Bool, to buffer: ByteBuffer) {
        buffer.append(
            problemJSON
                ? "\"type\":\"about:blank\",\"title\":\"Identity required\",\"status\":403,"
                : "\"error\":\"Identity required\",")
        buffer.append("\"detail\":\"This limit serves identified clients only\",\"limit\":")
        append(limits[limit].jsonName, to: buffer)
    }

    private func appendUncounted(
        _ limit: Int, retryAfter: UInt64, problemJSON: Bool, to buffer: ByteBuffer
    ) {
        if problemJSON {
            buffer.append("\"type\":\"https://iana.org/assignments/http-problem-types")
            buffer.append("#temporary-reduced-capacity\",")
            buffer.append(
                "\"title\":\"Request cannot be satisfied due to temporary server capacity")
            buffer.append(" constraints\",\"status\":503,")
        } else {
            buffer.append("\"error\":\"Rate limit unavailable\",")
        }
        buffer.append("\"detail\":\"This limit cannot be counted at the moment\",\"limit\":")
        append(limits[limit].jsonName, to: buffer)
        buffer.append(",\"retry_after\":")
        buffer.append(decimal: retryAfter)
        if problemJSON {
            buffer.append(",\"violated-policies\":[")
            append(limits[limit].jsonName, to: buffer)
            buffer.append("]")
        }
    }

    /// `"detail":"30 per 1 minute"`, or that waiting does not help.
    private func appendDetail(_ state: LimitState, never: Bool, to buffer: ByteBuffer) {
        buffer.append("\"detail\":\"")
        if never {
            buffer.append("this request costs ")
            buffer.append(decimal: UInt64(state.cost))
            buffer.append(", more than the limit can ever hold: ")
        }
        appendRate(of: state, to: buffer)
        buffer.append("\"")
    }

    /// The names of all limits that refused, in the order of the policy.
    private func appendNames(
        _ key: StaticString, _ decision: LimitDecision, to buffer: ByteBuffer
    ) {
        var separator = key
        for index in 0..<decision.count
        where decision[index].refused && !decision[index].isShadow {
            buffer.append(separator)
            append(limits[Int(decision[index].limit)].jsonName, to: buffer)
            separator = ","
        }
        buffer.append("]")
    }
}

extension LimitDecision {
    /// How many limits refused, apart from shadow ones.
    fileprivate var refusals: Int {
        var number = 0
        for index in 0..<count where self[index].refused && !self[index].isShadow { number += 1 }
        return number
    }
}
