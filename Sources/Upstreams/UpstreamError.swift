public import HTTPModel

/// Why an origin gave no answer.
public enum UpstreamError: UInt8, Error, Sendable, BitwiseCopyable, CaseIterable {
    /// No server's name could be resolved.
    case unresolved
    /// All connections are in use and none came free in time.
    case poolExhausted
    /// The connection was refused or could not be made.
    case connectFailed
    /// The connection was not made in time.
    case connectTimeout
    /// The connection was closed before the first byte of the answer.
    case closedBeforeAnswer
    /// The connection was closed inside the answer.
    case closedInsideAnswer
    /// The head of the answer did not come in time.
    case firstByteTimeout
    /// The body of the answer paused for too long.
    case idleTimeout
    /// What the origin sent is not HTTP/1.
    case malformedAnswer
    /// The origin switched protocols without being asked.
    case unexpectedUpgrade
    /// The client has gone.
    case aborted

    /// The status the client gets.
    public var status: Status {
        switch self {
        case .unresolved, .poolExhausted: 503
        case .connectTimeout, .firstByteTimeout, .idleTimeout: 504
        case .aborted: 499
        default: 502
        }
    }

    /// The reason in the answer's body, the log and the metrics.
    public var reason: StaticString {
        switch self {
        case .unresolved: "upstream name not resolved"
        case .poolExhausted: "upstream connections exhausted"
        case .connectFailed: "upstream connection failed"
        case .connectTimeout: "upstream connect timeout"
        case .closedBeforeAnswer: "upstream closed before answering"
        case .closedInsideAnswer: "upstream closed inside the answer"
        case .firstByteTimeout: "upstream first byte timeout"
        case .idleTimeout: "upstream idle timeout"
        case .malformedAnswer: "upstream answer malformed"
        case .unexpectedUpgrade: "upstream switched protocols unasked"
        case .aborted: "client closed request"
        }
    }
}
