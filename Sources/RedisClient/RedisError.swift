public import RedisWire

/// Why a call has no reply.
public enum RedisError: Error, Sendable, Equatable {
    /// The breaker is open: nothing was sent, and nothing waited.
    case unavailable
    /// The deadline came first. The command may have run, or may run later.
    case timedOut
    /// There is no connection; nothing was sent.
    case connect(RedisConnectFailure)
    /// The connection broke after the command was sent. It may have run.
    case closed
    /// Too many commands wait already; nothing was sent.
    case overloaded
    /// The peer does not speak the protocol.
    case malformed
    /// The reply is beyond the bounds.
    case tooLarge
    /// The server's own refusal.
    case server(RedisServerError)

    /// The words for it in log and health: no key, no value, no password.
    public var text: String {
        switch self {
        case .unavailable: "unavailable"
        case .timedOut: "timed out"
        case .connect(let failure): "cannot connect: \(failure.text)"
        case .closed: "connection closed"
        case .overloaded: "too many commands wait"
        case .malformed: "not the protocol of Redis"
        case .tooLarge: "reply too large"
        case .server(let error): error.text
        }
    }
}
