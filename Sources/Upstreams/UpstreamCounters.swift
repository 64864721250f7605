/// What happened in one pool since it was created.
public struct UpstreamCounters: Sendable {
    /// Connections made.
    public var connected: UInt64 = 0
    /// Exchanges begun on a connection that was open.
    public var reused: UInt64 = 0
    /// Connections that could not be made.
    public var failed: UInt64 = 0
    /// Requests that got no connection in time.
    public var exhausted: UInt64 = 0

    /// Creates empty counters.
    public init() {}

    /// Adds those of another worker.
    public mutating func add(_ other: UpstreamCounters) {
        connected += other.connected
        reused += other.reused
        failed += other.failed
        exhausted += other.exhausted
    }
}
