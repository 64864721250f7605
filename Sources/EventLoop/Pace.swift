public import Primitives

/// The least progress a peer must make: `bytesMin` bytes within `patience`, again and again.
///
/// Time counts only from the first wait on, so a peer that never makes us wait is never late.
public struct Pace: Sendable {
    private let patience: Nanoseconds
    private let bytesMin: Int
    private var bytes = 0
    private var started: MonotonicTime?

    /// Creates a pace of `bytesMin` bytes per `patience`.
    public init(patience: Nanoseconds, bytesMin: Int = 32 << 10) {
        self.patience = patience
        self.bytesMin = bytesMin
    }

    /// By when the next progress must have come.
    public mutating func deadline(from now: MonotonicTime) -> MonotonicTime {
        let from = started ?? now
        started = from
        return from + patience
    }

    /// Notes that `n` bytes went through.
    public mutating func note(_ n: Int) {
        bytes += n
        guard bytes >= bytesMin else { return }
        bytes = 0
        started = nil
    }
}
