import CLinux

/// The calls that can be made to fail by number.
public enum SystemCall: String, Sendable {
    /// `epoll_create1`.
    case createPoll
    /// `eventfd`.
    case createWake
    /// `epoll_ctl`.
    case register
    /// `epoll_ctl`, for a registered descriptor.
    case watchWriting
    /// `socket`, `bind` and `listen`.
    case listen
    /// `accept4`.
    case accept
    /// `socket` and `connect`.
    case connect
    /// `read`.
    case read
    /// `send` and `sendmsg`.
    case write
    /// `pipe2`.
    case createPipe

    /// The error an injected failure reports.
    var injectedError: Int32 {
        switch self {
        case .createPoll, .createWake, .accept, .createPipe: EMFILE
        case .register, .watchWriting: ENOSPC
        case .listen: EADDRINUSE
        case .connect: ENETUNREACH
        case .read: ECONNRESET
        case .write: EPIPE
        }
    }
}
