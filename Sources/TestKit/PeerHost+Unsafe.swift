import EventLoop
import Primitives

/// The actor on whose loop scripts run, as the proxy's connections run on a worker.
actor PeerHost {
    nonisolated let loop: EventLoop
    private let network: SimulatedNetworkReference
    private var listeners: [Listener] = []

    // The loop outlives the actor, which holds it.
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe loop.asUnownedSerialExecutor()
    }

    init(loop: EventLoop, network: SimulatedNetworkReference) {
        self.loop = loop
        self.network = network
    }

    // MARK: Scripts

    nonisolated func start(
        _ task: PeerTask, _ body: @escaping @Sendable (EventLoop) async throws -> Void
    ) {
        Task(executorPreference: loop) { await self.run(task, body) }
    }

    private func run(
        _ task: PeerTask, _ body: @Sendable (EventLoop) async throws -> Void
    ) async {
        do {
            try await body(loop)
            task.finish(nil)
        } catch {
            task.finish(error)
        }
    }

    nonisolated func startClient(
        _ task: PeerTask, from source: IPAddress, to address: SocketAddress,
        patience: Nanoseconds, _ script: @escaping PeerScript
    ) {
        Task(executorPreference: loop) {
            await self.runClient(task, source, address, patience, script)
        }
    }

    private func runClient(
        _ task: PeerTask, _ source: IPAddress, _ address: SocketAddress, _ patience: Nanoseconds,
        _ script: PeerScript
    ) async {
        do {
            network.it.nextSource = source
            let stream = try await ByteStream.connect(
                to: address, loop: loop, deadline: loop.now + patience)
            let peer = SimulatedPeer(stream, network: network.it, patience: patience)
            defer { peer.close() }
            try await script(peer)
            task.finish(nil)
        } catch {
            task.finish(error)
        }
    }

    // MARK: Origins

    func listen(
        at address: SocketAddress, patience: Nanoseconds, on origin: SimulatedOrigin,
        _ script: @escaping PeerScript
    ) throws -> SocketAddress {
        let listener = try Listener(address, loop: loop, reusePort: true)
        let index = listeners.count
        listeners.append(listener)
        origin.setClose { [self] in assumeIsolated { $0.listeners[index].close() } }
        Task(executorPreference: loop) {
            await self.serve(index, patience: patience, origin, script)
        }
        return listener.address
    }

    private func serve(
        _ index: Int, patience: Nanoseconds, _ origin: SimulatedOrigin,
        _ script: @escaping PeerScript
    ) async {
        while let (descriptor, remote) = await listeners[index].accept() {
            guard let stream = ByteStream(descriptor, loop: loop) else { continue }
            let peer = SimulatedPeer(
                stream, remote: remote, network: network.it, patience: patience)
            let number = origin.begin()
            let key = hold(peer)
            Task(executorPreference: loop) { await self.converse(key, number, origin, script) }
        }
    }

    private var peers: [Int: SimulatedPeer] = [:]
    private var nextKey = 0

    private func hold(_ peer: SimulatedPeer) -> Int {
        nextKey += 1
        peers[nextKey] = peer
        return nextKey
    }

    private func converse(
        _ key: Int, _ number: Int, _ origin: SimulatedOrigin, _ script: PeerScript
    ) async {
        guard let peer = peers.removeValue(forKey: key) else { return }
        defer { peer.close() }
        do {
            try await script(peer)
            origin.end(number, nil)
        } catch {
            origin.end(number, error)
        }
    }
}

/// The network as the peers' actors hold it.
struct SimulatedNetworkReference: @unchecked Sendable {
    // Sendable: everything of a simulation runs on one thread, which the network checks.
    let it: SimulatedNetwork
}
