public import EventLoop
import Primitives
public import Settings

/// Tries to connect to the servers of one upstream that are not known to be reachable, so that readiness is
/// true at the start and comes back after an outage without a request that fails first.
///
/// A reachable server is left alone: requests tell how it is.
public final class ReachabilityProbe {
    private let settings: UpstreamSettings
    private let health: UpstreamHealth
    private let loop: EventLoop
    private var isStopped = false

    /// Prepares a probe that reports to `health`.
    public init(_ settings: UpstreamSettings, health: UpstreamHealth, loop: EventLoop) {
        self.settings = settings
        self.health = health
        self.loop = loop
    }

    /// Probes once a second, until `stop`.
    public func start() {
        for server in settings.servers.indices {
            loop.start { [self] in
                while !isStopped {
                    if health.servers[server] != .reachable { await probe(server) }
                    await loop.sleep(for: .seconds(1))
                }
            }
        }
    }

    /// Ends the probing; one that is under way still reports.
    public func stop() { isStopped = true }

    private func probe(_ server: Int) async {
        let deadline = loop.now + settings.connectTimeout
        for address in await Server.addresses(of: settings.servers[server], loop, until: deadline) {
            if let stream = try? await ByteStream.connect(
                to: address, loop: loop, deadline: deadline)
            {
                stream.close()
                health.note(server: server, isReachable: true)
                return
            }
        }
        health.note(server: server, isReachable: false)
    }
}
