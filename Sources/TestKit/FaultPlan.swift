public import Primitives

/// What may go wrong in a simulated network, and how often. Without changes nothing does.
///
/// Probabilities are from 0 (never) to 1 (always). All faults keep the promises Linux makes: bytes
/// arrive in order, a short read has emptied the socket, a short write is followed by an edge when
/// there is space.
public struct FaultPlan: Sendable {
    /// How long a segment travels on TCP, drawn for each. Unix sockets take no time.
    public var latency = Nanoseconds(100_000)...Nanoseconds(100_000)
    /// Bytes that are under way and unread in one direction of a connection, drawn for each
    /// connection.
    public var window = (64 << 10)...(64 << 10)
    /// That a read gets only a part of what is there; the rest turns up a little later.
    public var shortRead = 0.0
    /// That a write takes only a part, or nothing, although there is space.
    public var shortWrite = 0.0
    /// That the bytes of a write arrive in pieces of 1 to 16 bytes.
    public var fragmentation = 0.0
    /// That a segment takes up to `delayMax` longer.
    public var delay = 0.0
    /// The longest `delay`.
    public var delayMax = Nanoseconds.milliseconds(50)
    /// That a connect is refused.
    public var refusal = 0.0
    /// That a connect is never answered.
    public var blackHole = 0.0
    /// That a write resets the connection, for both ends.
    public var reset = 0.0
    /// That after a write nothing arrives any more in its direction, for `freezeTime`.
    public var freeze = 0.0
    /// How long a frozen direction stays so.
    public var freezeTime = Nanoseconds.forever
    /// That an accept fails for lack of descriptors; the connection stays in the queue.
    public var acceptFailure = 0.0
    /// That a read, a write or an accept is interrupted by a signal (EINTR).
    public var interruption = 0.0

    /// A network without faults: 0.1 ms of latency, windows of 64 KiB.
    public init() {}

    /// Partial reads and writes, tiny segments, small windows, uneven latency: nothing gets lost.
    public static var ragged: FaultPlan {
        var plan = FaultPlan()
        plan.latency = Nanoseconds(10_000)...Nanoseconds(2_000_000)
        plan.window = 512...(64 << 10)
        plan.shortRead = 0.2
        plan.shortWrite = 0.2
        plan.fragmentation = 0.2
        plan.delay = 0.05
        plan.interruption = 0.02
        plan.acceptFailure = 0.05
        return plan
    }

    /// `ragged`, and connections that are refused, swallowed, reset or frozen.
    public static var hostile: FaultPlan {
        var plan = ragged
        plan.refusal = 0.05
        plan.blackHole = 0.02
        plan.reset = 0.02
        plan.freeze = 0.005
        return plan
    }
}
