import EventLoop
import Primitives
import Settings
import TLSEngine

extension RedisConnector {
    /// Agrees upon TLS over `stream` where the settings ask for it.
    func secure(
        _ stream: ByteStream, _ place: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> TLSStream? {
        guard let settings = settings.tls, case .host(let name, _) = place else { return nil }
        let server =
            IPAddress(parsing: Array(name.utf8).span).map(TLSServerName.address) ?? .name(name)
        let tls = TLSStream(stream, try engine(settings, server))
        do throws(TLSStreamError) {
            try await tls.handshake(until: deadline)
        } catch {
            switch error {
            case .stream(let error): throw RedisConnectFailure(error)
            case .tls(let failure): throw .tls(failure)
            case .closedEarly: throw .closed
            }
        }
        return tls
    }

    private func engine(
        _ settings: RedisSettings.TLS, _ server: TLSServerName
    ) throws(RedisConnectFailure) -> TLSClientEngine {
        do throws(TLSFailure) {
            // A context of its own for each connection: a renewed file of authorities counts at once.
            let context = try TLSClientContext(authorities: try authorities(settings))
            return try TLSClientEngine(context, server: server, at: loop.clock.wall)
        } catch {
            throw .tls(error)
        }
    }

    private func authorities(_ settings: RedisSettings.TLS) throws(TLSFailure) -> [UInt8] {
        guard let file = settings.authorityFile else { return [] }
        do throws(HostError) {
            return try Host.readFile(file, limit: Bounds.authorityBytes)
        } catch {
            throw TLSFailure(.setup, "\(file): \(error.text)")
        }
    }
}
