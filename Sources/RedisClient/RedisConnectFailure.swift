import EventLoop
public import RedisWire
public import TLSEngine

/// Why a connection could not be made ready for commands.
public enum RedisConnectFailure: Error, Sendable, Equatable {
    /// The name has no address.
    case unresolved
    /// The system's error number.
    case refused(Int32)
    /// The deadline came first.
    case timedOut
    /// The server closed it.
    case closed
    /// TLS could not be agreed upon.
    case tls(TLSFailure)
    /// The peer does not speak the protocol.
    case malformed
    /// The sentinels know no master of the name.
    case unknownMaster
    /// The server that the sentinels name is not a master, or not yet.
    case notMaster
    /// The server refused AUTH, SELECT, or to work at all.
    case server(RedisServerError)

    /// The words for it in log and health.
    public var text: String {
        switch self {
        case .unresolved: "name not found"
        case .refused(let number): HostError(number: number).text
        case .timedOut: "timed out"
        case .closed: "closed by the server"
        case .tls(let failure): "TLS: \(failure.reason)"
        case .malformed: "not the protocol of Redis"
        case .unknownMaster: "the sentinels know no such master"
        case .notMaster: "not the master"
        case .server(let error): error.text
        }
    }

    /// What it comes to that a connection has ended for `reason`.
    init(endedBy reason: RedisError) {
        self =
            switch reason {
            case .timedOut: .timedOut
            case .malformed, .tooLarge: .malformed
            case .server(let error): .server(error)
            case .connect(let failure): failure
            case .closed, .overloaded, .unavailable: .closed
            }
    }

    init(_ error: StreamError) {
        self =
            switch error {
            case .closedByPeer, .aborted: .closed
            case .timedOut: .timedOut
            case .refused(let number): .refused(number)
            }
    }
}
