import EventLoop
import HTTPModel
import Primitives
import Settings
import TestKit
import Upstreams

/// What one request did with a pool.
struct Leased: Sendable, Equatable {
    var name: String
    var isReused: Bool
    /// When it got its connection.
    var at: MonotonicTime
    /// The address of the server it got, by the body it answered.
    var server: String
}

/// A pool on a loop of its own, in a simulated world with origins that say who they are.
final class PoolWorld: Sendable {
    let leased = Probe<[Leased]>([])
    let failed = Probe<[String]>([])
    let settings: UpstreamSettings
    let health: UpstreamHealth

    /// The address of the `n`-th server.
    static func address(_ n: Int) -> SocketAddress {
        .tcp(IPAddress(v4: 0x0A02_0000 + UInt32(n)), port: 8000)
    }

    init(servers: [String] = ["10.2.0.1"], _ change: (inout UpstreamSettings) -> Void = { _ in }) {
        var settings = UpstreamSettings(
            name: "default",
            servers: servers.map {
                UpstreamSettings.Server(location: .host($0, port: 8000), authority: $0)
            })
        change(&settings)
        self.settings = settings
        health = UpstreamHealth(name: "default", servers: servers.count)
    }

    /// Makes the pool on `loop`.
    func pool(on loop: EventLoop, seed: UInt64 = 1) -> UpstreamPool {
        UpstreamPool(
            settings: settings, health: health, loop: loop, random: SeededRandom(seed: seed))
    }

    /// One exchange: leases, asks, holds the connection for `hold`, reads the answer and releases. Who asked may leave
    /// when the answer has been read.
    func exchange(
        _ name: String, _ pool: UpstreamPool, _ loop: EventLoop, hold: Nanoseconds,
        leaving: Bool = false
    ) async {
        do throws(UpstreamError) {
            let connection = try await pool.lease(watching: nil)
            let at = loop.now
            let request = ByteBuffer(capacity: 64)
            request.append("GET / HTTP/1.1\r\n\r\n")
            try? await connection.stream.write(request, patience: .seconds(1))
            await loop.sleep(for: hold)
            try await connection.readHead(for: .get, until: loop.now + .seconds(5))
            var server = ""
            while true {
                guard let part = try connection.decodedPart() else {
                    try await connection.readMore(pause: .seconds(5))
                    continue
                }
                guard case .data(let count) = part else { break }
                server += String(decoding: connection.input.prefix(count), as: UTF8.self)
                connection.input.consume(count)
            }
            let done = Leased(
                name: name, isReused: connection.isReused, at: at, server: server)
            leased.update { $0.append(done) }
            if leaving { connection.stream.abort() }
            pool.release(connection, reusable: true)
        } catch {
            failed.update { $0.append("\(name) \(error)") }
        }
    }
}

extension SimulatedWorld {
    /// Starts `n` origins that answer each request with their number.
    func numberedOrigins(_ n: Int) -> [SimulatedOrigin] {
        (1...n).map { number in
            origin(at: PoolWorld.address(number)) { peer in
                while try await peer.nextRequest() != nil {
                    try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(number)")
                }
            }
        }
    }
}
