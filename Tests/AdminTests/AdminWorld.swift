import Admin
import Config
import EventLoop
import HTTPModel
import Primitives
import Proxy
import Settings
import TestKit

/// A proxy with its admin address in a simulated world, an origin that says `ok`, and their clients.
final class AdminWorld {
    let world = SimulatedWorld(seed: 1)
    let server: ProxyServer
    private let admin: AdminServer
    private let origin: SimulatedOrigin
    /// What the admin server told of the cache's switches.
    let changes = Probe<[CacheSwitches.Change]>([])

    static let proxyAddress = SocketAddress.tcp(IPAddress(v4: 0x0A01_0001), port: 8080)
    static let adminAddress = SocketAddress.tcp(IPAddress(v4: 0x0A01_0001), port: 9900)

    init(_ yaml: String, token: String? = nil) throws {
        let text = "listen: 10.1.0.1:8080\nupstream: http://10.2.0.1:8000\n" + yaml
        let settings = try Configuration.load(
            text: text, file: "proxy.yaml", environment: [:], processors: 2
        ).get()
        server = try ProxyServer(settings: settings, log: nil, seed: 1, kernel: world.kernel)
        server.start()
        admin = AdminServer(
            AdminSettings(address: AdminWorld.adminAddress, token: token), server: server,
            loop: world.makeLoop()
        ) { [changes] change in changes.update { $0.append(change) } }
        _ = try admin.start()
        let origin = SocketAddress.tcp(IPAddress(v4: 0x0A02_0001), port: 8000)
        self.origin = world.origin(at: origin) { peer in
            while try await peer.nextRequest() != nil {
                try await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            }
        }
    }

    /// Sends each request on a connection of its own, and returns the answers.
    func ask(
        _ requests: [String], at address: SocketAddress,
        from source: IPAddress = IPAddress(v4: 0xC000_0201)
    ) throws -> [SimulatedMessage] {
        let answers = Probe<[SimulatedMessage]>([])
        for request in requests {
            let client = world.client(from: source, to: address) { peer in
                try await peer.send(request)
                let answer = try await peer.readResponse(toHead: request.hasPrefix("HEAD "))
                answers.update { $0.append(answer) }
            }
            world.run(client)
            if let problem = client.problem { throw PeerFailure(problem) }
        }
        return answers.value
    }

    /// The statuses of requests to the proxy.
    func statuses(_ line: String, _ count: Int, _ fields: String = "") throws -> [Int] {
        let request = "\(line) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
        return try ask(Array(repeating: request, count: count), at: AdminWorld.proxyAddress)
            .map(\.status)
    }

    /// Asks the admin address.
    func admin(_ line: String, _ fields: String = "", body: String = "") throws -> SimulatedMessage
    {
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        return try ask(
            ["\(line) HTTP/1.1\r\nHost: a\r\n\(fields)\(length)\r\n\(body)"],
            at: AdminWorld.adminAddress)[0]
    }
}
