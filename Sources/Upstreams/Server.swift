import Primitives
import Settings

/// What a worker knows of one origin server. A reference: its connections are taken and given back for every request,
/// where it stands.
final class Server {
    let settings: UpstreamSettings.Server
    let authority: [UInt8]
    /// Where it can be reached; empty until its name is resolved.
    var addresses: [SocketAddress] = []
    var nextAddress = 0
    /// Exchanges that run.
    var inFlight = 0
    /// Connections without an exchange, the last used at the end.
    var idle: [UpstreamConnection] = []
    /// Passed over until then, after a connection could not be made.
    var failedUntil = MonotonicTime(nanoseconds: 0)

    init(_ settings: UpstreamSettings.Server) {
        self.settings = settings
        authority = Array(settings.authority.utf8)
    }

    /// Load against weight, for choosing the lesser of two.
    func isLessLoaded(than other: Server) -> Bool {
        inFlight * other.settings.weight < other.inFlight * settings.weight
    }

    /// The next address in turn.
    func takeAddress() -> SocketAddress? {
        guard !addresses.isEmpty else { return nil }
        nextAddress = (nextAddress + 1) % addresses.count
        return addresses[nextAddress]
    }
}
