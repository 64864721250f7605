import Primitives

/// Whether the servers of one upstream can be reached, shared by all workers and the health endpoints.
public final class UpstreamHealth: Sendable {
    /// What is known of one server.
    public enum State: UInt8, Sendable {
        /// Nobody has tried yet.
        case unknown
        /// The last connection was made.
        case reachable
        /// The last connection could not be made.
        case unreachable
    }

    /// The upstream's name.
    public let name: String
    private let states: Guarded<[State]>

    /// Creates the record of `servers` untried servers.
    public init(name: String, servers: Int) {
        self.name = name
        states = Guarded(Array(repeating: .unknown, count: servers))
    }

    /// Notes how the last connection to `server` went.
    public func note(server: Int, isReachable: Bool) {
        states.withLock { $0[server] = isReachable ? .reachable : .unreachable }
    }

    /// The state of each server.
    public var servers: [State] { states.withLock { $0 } }

    /// Whether at least one server may be there: no request would be refused for lack of one.
    public var mayServe: Bool { states.withLock { $0.contains { $0 != .unreachable } } }
}
