import Primitives

/// The pause before another attempt: exponential, with full jitter (standards A9).
///
///     pause = a random part of min(longest, first · 2^(attempt − 1))
struct Backoff: Sendable, Equatable {
    /// The most before the second attempt.
    var first: Nanoseconds
    /// The most before any.
    var longest: Nanoseconds

    /// The bound of the pause after `attempt` failed, 1 or more.
    func bound(afterAttempt attempt: Int) -> Nanoseconds {
        var bound = first
        for _ in 1..<max(attempt, 1) {
            if bound >= longest { break }
            bound = bound + bound
        }
        return min(bound, longest)
    }

    /// The pause after `attempt` failed: never zero, at most the bound.
    func pause(afterAttempt attempt: Int, _ random: inout SeededRandom) -> Nanoseconds {
        let bound = bound(afterAttempt: attempt)
        return Nanoseconds(max(1, UInt64(Double(bound.count) * random.unit())))
    }
}
