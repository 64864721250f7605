import EventLoop
public import HTTPModel
public import TLSEngine

/// Why a fetch brought nothing.
public enum FetchError: Error, Sendable, Equatable {
    /// The host's name is not known.
    case unresolved
    /// The connection could not be made; the system's error number.
    case connectFailed(Int32)
    /// The deadline came first.
    case timedOut
    /// TLS could not be agreed upon, or broke.
    case tls(TLSFailure)
    /// The connection ended inside the answer, or before it.
    case closedEarly
    /// What came is not HTTP/1.
    case malformedAnswer
    /// Another status than 200; for a redirect also where to. None is followed.
    case status(Status, location: String?)
    /// The body is in a coding that was not asked for.
    case encoded
    /// The body is larger than 1 MiB.
    case tooLarge

    /// Whether another address of the same host may do better.
    var mayDependOnAddress: Bool {
        switch self {
        case .unresolved, .connectFailed, .timedOut, .tls, .closedEarly: true
        case .malformedAnswer, .status, .encoded, .tooLarge: false
        }
    }

    /// The reason, for people. It may hold words of the server, which are cut but not escaped.
    public var reason: String {
        switch self {
        case .unresolved: "the name is not resolved"
        case .connectFailed(let number): "no connection: \(HostError(number: number).text)"
        case .timedOut: "no complete answer in time"
        case .tls(let failure): "TLS: \(failure.reason)"
        case .closedEarly: "the connection ended before the answer did"
        case .malformedAnswer: "the answer is not HTTP/1"
        case .status(let status, let location?):
            "status \(status.code), a redirect to \(location), which is not followed"
        case .status(let status, nil): "status \(status.code)"
        case .encoded: "the answer is compressed, which was not asked for"
        case .tooLarge: "the answer is larger than 1 MiB"
        }
    }

    init(_ error: TLSStreamError) {
        switch error {
        case .stream(let error): self = FetchError(error)
        case .tls(let failure): self = .tls(failure)
        case .closedEarly: self = .closedEarly
        }
    }

    init(_ error: StreamError) {
        switch error {
        case .timedOut: self = .timedOut
        case .closedByPeer, .aborted: self = .closedEarly
        case .refused(let number): self = .connectFailed(number)
        }
    }
}
