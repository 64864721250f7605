import Synchronization

/// What happened on the connections to one Redis; all only grow. May be read from any thread.
public struct RedisCounts: ~Copyable, Sendable {
    /// One of the numbers.
    public struct Count: ~Copyable, Sendable {
        // Relaxed: a number for people orders nothing.
        private let number = Atomic<UInt64>(0)
        /// Its value.
        public var value: UInt64 { number.load(ordering: .relaxed) }

        func add(_ n: UInt64 = 1) { number.add(n, ordering: .relaxed) }
    }

    /// Commands that were sent, answered or not.
    public let commands = Count()
    /// Calls whose deadline came before the reply.
    public let timeouts = Count()
    /// Calls that failed at once because the breaker was open or there was no connection.
    public let refused = Count()
    /// Replies that were errors of the server.
    public let errors = Count()
    /// Commands whose connection broke before the reply.
    public let lost = Count()
    /// Commands without a caller that were not taken: no connection, or too many waited.
    public let dropped = Count()
    /// Connections that were made.
    public let connects = Count()
    /// Connections that could not be made.
    public let connectFailures = Count()
    /// How often the breaker opened.
    public let opened = Count()

    init() {}
}
