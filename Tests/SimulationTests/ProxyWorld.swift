import Caching
import Config
import EventLoop
import Identity
import Limits
import Primitives
import Proxy
import Settings
import TestKit
import Testing

/// The real proxy in a simulated world, between scripted clients and origins.
///
/// Its configuration is the text of a `proxy.yaml`; `listen` and `upstream` are added where the text
/// names none.
final class ProxyWorld {
    let world: SimulatedWorld
    let server: ProxyServer
    private var origins: [SimulatedOrigin] = []
    private var tasks: [PeerTask] = []

    /// Where the proxy listens.
    static let proxy = SocketAddress.tcp(IPAddress(v4: 0x0A01_0001), port: 8080)
    /// Where the origin listens, if the configuration does not say otherwise.
    static let origin = SocketAddress.tcp(IPAddress(v4: 0x0A02_0001), port: 8000)
    /// The address of the `n`-th client.
    static func client(_ n: Int) -> IPAddress { IPAddress(v4: 0x0A03_0000 + UInt32(n)) }
    /// A peer that the configurations of tests trust.
    static let trusted = IPAddress(v4: 0x0A04_0001)

    /// The settings of a `proxy.yaml`, to which `listen` and `upstream` are added where they are missing.
    static func settings(_ yaml: String) throws -> ProxySettings {
        var text = yaml
        if !yaml.contains("listen:") { text = "listen: 10.1.0.1:8080\n" + text }
        if !yaml.contains("upstream") { text = "upstream: http://10.2.0.1:8000\n" + text }
        return try Configuration.load(
            text: text, file: "proxy.yaml", environment: [:], processors: 1
        ).get()
    }

    /// - Parameters:
    ///   - yaml: The configuration.
    ///   - limits: Limits of all routes, in place of the text's.
    ///   - keys: By what credentials are judged.
    ///   - seed: Where the simulation's randomness begins.
    ///   - faults: What goes wrong on the network.
    /// - Throws: What is wrong with the configuration.
    init(
        _ yaml: String, limits: [LimitDefinition]? = nil, keys: CredentialKeys = CredentialKeys(),
        seed: UInt64 = 1, faults: FaultPlan = FaultPlan()
    ) throws {
        world = SimulatedWorld(seed: seed, faults: faults)
        var settings = try ProxyWorld.settings(yaml)
        if let limits { settings = settings.with(limits) }
        server = try ProxyServer(
            settings: settings, log: LogPipe(descriptor: 1, kernel: world.kernel), seed: seed,
            kernel: world.kernel)
        server.start(keys: keys)
    }

    /// Follows another configuration; what runs meanwhile runs on.
    func reload(_ yaml: String) throws {
        world.run(try reload([(after: .zero, yaml: yaml)]))
    }

    /// Follows one configuration after the other, each so long after the last one.
    @discardableResult
    func reload(_ plan: [(after: Nanoseconds, yaml: String)]) throws -> PeerTask {
        let plan = try plan.map { ($0.after, try ProxyWorld.settings($0.yaml)) }
        let server = server
        let task = world.task(on: world.peerLoop) { control in
            for (pause, settings) in plan {
                await control.sleep(for: pause)
                await server.adopt(settings, at: control.clock.wall)
            }
        }
        tasks.append(task)
        return task
    }

    /// Purges one thing after the other, each so long after the last one; `done` is told when it began and ended.
    func purge(
        _ plan: [(after: Nanoseconds, order: PurgeOrder)],
        done: @escaping @Sendable (PurgeOrder, MonotonicTime, MonotonicTime) -> Void
    ) {
        let server = server
        tasks.append(
            world.task(on: world.peerLoop) { control in
                for (pause, order) in plan {
                    await control.sleep(for: pause)
                    let began = control.now
                    _ = try server.purge(order, on: control)
                    done(order, began, control.now)
                }
            })
    }

    /// The text of `/metrics`.
    func metrics() -> String {
        let text = Probe("")
        let server = server
        let task = world.task(on: world.peerLoop) { control in
            let buffer = ByteBuffer(capacity: 4096)
            await server.metrics().append(to: buffer, at: control.now)
            text.value = String(decoding: buffer.readable.copied, as: UTF8.self)
        }
        world.run(task)
        return text.value
    }

    /// The access log as far as it is written.
    var log: [String] {
        let bytes = world.network.output[1] ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// An origin whose every connection runs `script`.
    @discardableResult
    func origin(
        at address: SocketAddress = ProxyWorld.origin, _ script: @escaping PeerScript
    ) -> SimulatedOrigin {
        let origin = world.origin(at: address, script)
        origins.append(origin)
        return origin
    }

    /// An origin that answers each request with the bytes that `answer` makes of it.
    @discardableResult
    func origin(
        at address: SocketAddress = ProxyWorld.origin,
        answering answer: @escaping @Sendable (SimulatedMessage) -> String
    ) -> SimulatedOrigin {
        origin(at: address) { peer in
            while let request = try await peer.nextRequest() {
                try await peer.send(answer(request))
            }
        }
    }

    /// A client of the proxy.
    @discardableResult
    func client(
        from source: IPAddress = ProxyWorld.client(1), _ script: @escaping PeerScript
    ) -> PeerTask {
        let task = world.client(from: source, to: ProxyWorld.proxy, script)
        tasks.append(task)
        return task
    }

    /// Starts to drain; the probe then holds the number of connections that were cut off.
    func drain(within bound: Nanoseconds = .seconds(30)) -> Probe<Int?> {
        let left = Probe<Int?>(nil)
        let server = server
        tasks.append(
            world.task(on: world.peerLoop) { control in
                left.value = await server.drain(until: control.now + bound, on: control)
            })
        return left
    }

    /// Runs until all clients are done.
    func run() {
        let tasks = tasks
        world.run { tasks.allSatisfy(\.isFinished) }
    }

    /// Runs to the end, drains, and looks what is left.
    ///
    /// - Parameter counting: Whether scripts must end well and drain must find nothing to cut off.
    /// - Returns: Everything that is wrong: scripts that failed, descriptors that stay open, and
    ///   connections, fetches and requests that were forgotten.
    func problems(ofScripts counting: Bool = true) -> [String] {
        run()
        let left = drain()
        run()
        for origin in origins { origin.close() }
        world.runUntilIdle()
        var found = world.problems()
        if counting {
            found += tasks.compactMap(\.problem)
            if left.value != 0 { found.append("drain left \(left.value ?? -1) connections") }
        } else {
            found += tasks.filter { !$0.isFinished }.compactMap(\.problem)
        }
        if server.shared.openConnections != 0 {
            found.append("\(server.shared.openConnections) connections are still counted")
        }
        let fills = server.shared.cache.statistics().fills
        if fills != 0 { found.append("\(fills) fetches for the cache never ended") }
        for pool in pools() where pool.open + pool.idle + pool.waiting != 0 {
            found.append("a pool holds \(pool.open) open, \(pool.waiting) waiting")
        }
        return found
    }

    /// Each worker's pools now.
    func pools() -> [PoolMetrics] {
        let pools = Probe<[PoolMetrics]>([])
        let server = server
        let task = world.task(on: world.peerLoop) { _ in
            for worker in server.workers {
                let metrics = await worker.metrics()
                pools.update { $0 += metrics.pools }
            }
        }
        world.run(task)
        return pools.value
    }

    /// The value of a metric now, by its name and labels as they stand in the text.
    func metric(_ name: String) -> Double? {
        for line in metrics().split(separator: "\n") where line.hasPrefix(name + " ") {
            return Double(line.dropFirst(name.count + 1))
        }
        return nil
    }
}

extension ProxySettings {
    /// The same with other limits, on all routes.
    fileprivate func with(_ limits: [LimitDefinition]) -> ProxySettings {
        let routes = routes.map { route in
            var route = route
            route.limits = Array(limits.indices)
            return route
        }
        return ProxySettings(
            listeners: listeners, admin: admin, workers: workers, limitKeys: limitKeys,
            upstreams: upstreams, identity: identity, limits: limits, cacheMemory: cacheMemory,
            routes: routes, http: http, headers: headers, log: log, drain: drain,
            compression: compression)
    }
}

/// A request without a body.
func get(_ target: String, _ fields: String..., method: String = "GET") -> String {
    let lines = fields.map { "\($0)\r\n" }.joined()
    return "\(method) \(target) HTTP/1.1\r\nHost: api.example.com\r\n\(lines)\r\n"
}

/// A request with a body of known length.
func post(_ target: String, _ body: String, _ fields: String...) -> String {
    let lines = fields.map { "\($0)\r\n" }.joined()
    return "POST \(target) HTTP/1.1\r\nHost: api.example.com\r\n\(lines)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

/// An answer with a body of known length.
func ok(_ body: String, _ fields: String..., status: String = "200 OK") -> String {
    let lines = fields.map { "\($0)\r\n" }.joined()
    return "HTTP/1.1 \(status)\r\n\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

extension SimulatedPeer {
    /// Sends a request and reads its answer.
    func ask(_ request: String) async throws -> SimulatedMessage {
        try await send(request)
        return try await readResponse(toHead: request.hasPrefix("HEAD "))
    }
}
