import Limits
import Primitives
import Telemetry

/// One worker's keys that limits refused most: bounded, and at a fixed cost per refusal.
struct RefusedKeys {
    /// What was counted; a copy of it goes to the admin API.
    private(set) var counted = HeavyHitters()
    /// Where a key's words are written before they are kept.
    private let words = ByteBuffer(capacity: 512)

    /// Counts the keys of all limits that refused a request; shadow limits refuse nothing.
    mutating func note(
        _ decision: borrowing LimitDecision, of route: Route, _ subject: borrowing LimitSubject,
        _ dimensions: borrowing LimitDimensions, methodName: Span<UInt8>, at now: WallTime
    ) {
        for index in 0..<decision.count {
            let state = decision[index]
            guard state.refused && !state.isShadow else { continue }
            let limit = Int(state.limit)
            let group = UInt16(truncatingIfNeeded: route.limitIndices[limit])
            guard let slot = counted.note(state.key, group: group, at: now) else { continue }
            words.removeAll()
            route.limits.appendKey(
                of: limit, subject, dimensions, methodName: methodName, to: words)
            let text = words
            counted.setWords(text.readable, of: slot)
        }
    }

    /// Forgets a key that an administrator has reset.
    mutating func forget(_ key: Digest128) { counted.forget(key) }
}
