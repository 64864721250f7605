public import Primitives

extension LimitPolicy {
    /// Appends the body of the answer to a request that `decision` stopped; nothing for any other.
    ///
    /// JSON: `{"error":"Rate limit exceeded","detail":"30 per 1 minute","limit":"analytics","retry_after":12}`,
    /// or problem details (RFC 9457) with the type of draft-ietf-httpapi-ratelimit-headers-11. The limit is
    /// the one with the longest wait; `violated-policies` names all that refused, but shadow ones.
    ///
    /// - Parameters:
    ///   - decision: What was decided, by this policy.
    ///   - problemJSON: Whether the client asked for `application/problem+json`.
    ///   - buffer: Where the body goes.
    public func appendRefusalBody(
        for decision: LimitDecision, problemJSON: Bool, to buffer: ByteBuffer
    ) {
        switch decision.outcome {
        case .notLimited, .admitted: break
        case .deniedAnonymous(let limit):
            buffer.append(
                problemJSON
                    ? "{\"type\":\"about:blank\",\"title\":\"Identity required\",\"status\":403,"
                    : "{\"error\":\"Identity required\",")
            buffer.append("\"detail\":\"This limit serves identified clients only\",\"limit\":")
            buffer.append(bytes.span(limits[limit].jsonName))
            buffer.append("}")
        case .refused(let limit):
            if problemJSON {
                appendProblem(decision, limit: limit, to: buffer)
            } else {
                buffer.append("{\"error\":\"Rate limit exceeded\",\"detail\":\"")
                appendRate(of: limit, in: decision, to: buffer)
                buffer.append("\",\"limit\":")
                buffer.append(bytes.span(limits[limit].jsonName))
                appendRetryAfter(decision, to: buffer)
                buffer.append("}")
            }
        }
    }

    private func appendProblem(_ decision: LimitDecision, limit: Int, to buffer: ByteBuffer) {
        buffer.append(
            "{\"type\":\"https://iana.org/assignments/http-problem-types#quota-exceeded\"")
        buffer.append(
            ",\"title\":\"Request cannot be satisfied as assigned quota has been exceeded\"")
        buffer.append(",\"status\":429,\"detail\":\"")
        appendRate(of: limit, in: decision, to: buffer)
        buffer.append("\"")
        appendRetryAfter(decision, to: buffer)
        var separator: StaticString = ",\"violated-policies\":["
        for index in 0..<decision.count
        where decision[index].refused && !decision[index].isShadow {
            buffer.append(separator)
            buffer.append(bytes.span(limits[Int(decision[index].limit)].jsonName))
            separator = ","
        }
        buffer.append("]}")
    }

    /// `"retry_after":12`, or that waiting does not help.
    private func appendRetryAfter(_ decision: LimitDecision, to buffer: ByteBuffer) {
        if let seconds = decision.retryAfterSeconds {
            buffer.append(",\"retry_after\":")
            buffer.append(decimal: seconds)
        } else {
            buffer.append(",\"never\":\"the request costs more than the limit can ever hold\"")
        }
    }

    private func appendRate(of limit: Int, in decision: LimitDecision, to buffer: ByteBuffer) {
        for index in 0..<decision.count where Int(decision[index].limit) == limit {
            buffer.append(bytes.span(rates[Int(decision[index].rate)].text))
        }
    }
}
