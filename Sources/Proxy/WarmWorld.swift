public import EventLoop
public import RedisClient

/// What an operator wants to read of popular keys, once.
public enum WarmEvent: Sendable, Equatable {
    /// Keys of an earlier process are fetched.
    case loaded(file: String, keys: Int)
    /// The file cannot be used; nothing of it is.
    case ignored(file: String, reason: String)
    /// The file cannot be written; told once until it can be again.
    case notWritten(file: String, reason: String)
}

/// What a `Warmer` asks of the world around it; tests answer instead.
public struct WarmWorld {
    /// The bytes of a file, at most so many.
    public var read: (_ path: String, _ limit: Int) throws(HostError) -> [UInt8]
    /// Puts bytes in a file's place in one step.
    public var write: (_ path: String, _ bytes: [UInt8]) throws(HostError) -> Void
    /// The popularity in Redis; `nil`: there is none.
    public var shared: SharedPopularity?
    /// Is told what an operator wants to read.
    public var note: (WarmEvent) -> Void

    /// Creates a world of the machine's files, and of the Redis of `client`.
    public init(_ client: RedisClient? = nil, note: @escaping (WarmEvent) -> Void) {
        shared = client.map { SharedPopularity($0, kept: Bounds.popularKeys) }
        read = Host.readFile
        write = Host.replaceFile
        self.note = note
    }
}
