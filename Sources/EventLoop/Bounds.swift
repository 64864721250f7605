import Primitives

/// The bounds of the event loop.
enum Bounds {
    /// Events taken from epoll per turn: their list stays below the kilobyte that the stack may hold.
    static let eventsPerTurn = 64
    /// Jobs run per turn before epoll is asked again.
    static let jobsPerTurn = 4096
    /// Addresses taken of one host name.
    static let addressesPerName = 16
    /// Connections a listener accepts in a row before other tasks have their turn.
    static let acceptsPerTurn = 64
    /// How long a listener waits after an error that may last.
    static let acceptPause = Nanoseconds.milliseconds(50)
    /// Bytes asked for by one read.
    static let bytesPerRead = 16 << 10
    /// Bytes a pipe takes for a body that passes through it; less where the system allows less.
    static let pipeBytes = 256 << 10
    /// Lines waiting for the log's thread, in bytes.
    static let logBacklog = 8 << 20
}
