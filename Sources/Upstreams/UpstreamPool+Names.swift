import EventLoop
import Primitives
import Settings

extension Server {
    /// The addresses that need no resolver; `nil` for a name.
    static func literalAddress(of server: UpstreamSettings.Server) -> SocketAddress? {
        switch server.location {
        case .unix(let path): return .unix(path)
        case .host(let name, let port):
            return IPAddress(parsing: Array(name.utf8).span).map { .tcp($0, port: port) }
        }
    }

    /// Where `server` can be reached now; none when its name is unknown.
    static func addresses(
        of server: UpstreamSettings.Server, _ loop: EventLoop, until deadline: MonotonicTime
    ) async -> [SocketAddress] {
        if let literal = literalAddress(of: server) { return [literal] }
        guard case .host(let name, let port) = server.location else { return [] }
        return await loop.resolve(name, until: deadline).map { .tcp($0, port: port) }
    }
}

extension UpstreamPool {
    /// Fills in the addresses that need no resolver, and keeps the others up to date.
    func setUpAddresses() {
        for server in servers.indices {
            if let literal = Server.literalAddress(of: servers[server].settings) {
                servers[server].addresses = [literal]
            } else {
                loop.start { [self] in await keepResolved(server) }
            }
        }
    }

    /// Resolves the name of `server` once. The last known addresses are kept when that fails.
    func resolve(_ server: Int, until deadline: MonotonicTime) async {
        let found = await Server.addresses(of: servers[server].settings, loop, until: deadline)
        if !found.isEmpty { servers[server].addresses = found }
    }

    private func keepResolved(_ server: Int) async {
        while !isClosed {
            await resolve(server, until: loop.now + Bounds.resolveInterval)
            await loop.sleep(for: Bounds.resolveInterval)
        }
    }
}
