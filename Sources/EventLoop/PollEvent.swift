/// What epoll tells of one descriptor.
public struct PollEvent: Sendable, BitwiseCopyable {
    /// The word that was registered with the descriptor.
    public var token: UInt64
    /// What happened.
    public var readiness: Readiness

    /// Creates an event.
    public init(token: UInt64, readiness: Readiness) {
        self.token = token
        self.readiness = readiness
    }
}

/// A set of conditions of a descriptor, in epoll's own bits.
public struct Readiness: OptionSet, Sendable, BitwiseCopyable {
    /// The bits, as `epoll_event.events` has them.
    public let rawValue: UInt32

    /// Creates a set from epoll's bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Something can be read, or accepted.
    public static let readable = Readiness(rawValue: 0x001)
    /// Something can be written, or a connect has ended.
    public static let writable = Readiness(rawValue: 0x004)
    /// An error is pending.
    public static let failed = Readiness(rawValue: 0x008)
    /// Both directions are closed.
    public static let hungUp = Readiness(rawValue: 0x010)
    /// The peer will send no more.
    public static let peerClosed = Readiness(rawValue: 0x2000)
}
