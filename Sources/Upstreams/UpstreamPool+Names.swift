import EventLoop
import Primitives
import Settings

extension UpstreamPool {
    /// Fills in the addresses that need no resolver, and keeps the others up to date.
    func setUpAddresses() {
        for server in servers.indices {
            switch servers[server].settings.location {
            case .unix(let path):
                servers[server].addresses = [.unix(path)]
            case .host(let name, let port):
                if let literal = IPAddress(parsing: Array(name.utf8).span) {
                    servers[server].addresses = [.tcp(literal, port: port)]
                } else {
                    loop.start { [self] in await keepResolved(server) }
                }
            }
        }
    }

    /// Resolves the name of `server` once. The last known addresses are kept when that fails.
    func resolve(_ server: Int, until deadline: MonotonicTime) async {
        guard case .host(let name, let port) = servers[server].settings.location else { return }
        let found = await loop.resolve(name, until: deadline)
        guard !found.isEmpty else { return }
        servers[server].addresses = found.map { .tcp($0, port: port) }
    }

    private func keepResolved(_ server: Int) async {
        while !isClosed {
            await resolve(server, until: loop.now + Bounds.resolveInterval)
            await loop.sleep(for: Bounds.resolveInterval)
        }
    }
}
