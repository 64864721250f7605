import Limits
import Primitives

extension RateLimitFields {
    struct Dialects: OptionSet, Sendable, BitwiseCopyable {
        let rawValue: UInt8
        static let xRateLimit = Dialects(rawValue: 1)
        static let ietfDraft11 = Dialects(rawValue: 2)
        static let ietfDraft03 = Dialects(rawValue: 4)
    }
    var dialects: Dialects {
        (xRateLimit ? Dialects.xRateLimit : []).union(ietfDraft11 ? .ietfDraft11 : [])
    }
    func append(
        for decision: LimitDecision, of policy: LimitPolicy, at clock: ClockReading,
        jitter: UInt64, omitting: Dialects, to buffer: ByteBuffer
    ) {
        var fields = self
        if omitting.contains(.xRateLimit) { fields.xRateLimit = false }
        fields.append(for: decision, of: policy, at: clock, to: buffer)
    }
}
