public import EventLoop
public import Identity
public import Primitives
import RedisClient
import Settings
import Telemetry
public import Upstreams

/// One thread of the proxy: an actor whose executor is its event loop.
///
/// Messages to a worker are calls of this actor; its connections are tasks on the same loop, which share its
/// context without a lock.
public actor Worker {
    /// The loop, whose thread the worker lives on.
    public nonisolated let loop: EventLoop

    private let context: WorkerContext
    private var listeners: [Listener] = []
    private let spareTasks = SpareTasks()

    /// Creates a worker; `seed` feeds its random choices.
    public init(loop: EventLoop, shared: SharedState, blueprint: Blueprint, seed: UInt64) {
        self.loop = loop
        context = WorkerContext(loop: loop, shared: shared, blueprint: blueprint, seed: seed)
    }

    /// Binds `address` and returns it with the port the kernel chose.
    public func listen(on address: SocketAddress, reusePort: Bool) throws(ListenError)
        -> SocketAddress
    {
        let listener = try Listener(address, loop: loop, reusePort: reusePort)
        listeners.append(listener)
        return listener.address
    }

    /// Starts to accept connections on all bound addresses.
    public func startAccepting() {
        context.startShrinking()
        for index in listeners.indices {
            Task(executorPreference: loop) { await self.accept(on: index) }
        }
    }

    /// Does the background work of the process from now on.
    func startBackgroundWork() {
        BackgroundRunner(context).start()
        context.startSweepingLeases()
    }

    /// Gives back all units that the process holds of leased limits, and waits for Redis to take them.
    func returnLeases() async { await context.leaseDesk?.empty() }

    private func accept(on index: Int) async {
        let listener = listeners[index]
        while let (descriptor, peer) = await listener.accept() {
            guard
                context.shared.admitConnection(
                    max: context.snapshot.blueprint.settings.http.connections)
            else {
                Task(executorPreference: loop) { await self.refuse(descriptor) }
                continue
            }
            let accepted = AcceptedConnection(descriptor: descriptor, peer: peer)
            if !spareTasks.serve(accepted) {
                // With the actor alone a resumed task would first visit the global thread pool.
                Task(executorPreference: loop) { await self.serve(accepted) }
            }
        }
    }

    /// Serves a connection, and then others for as long as this task is needed and young.
    private func serve(_ first: AcceptedConnection) async {
        let began = loop.now
        var next: AcceptedConnection? = first
        while let accepted = next {
            await serveOne(accepted)
            next = await spareTasks.next(age: loop.now - began)
        }
    }

    private func serveOne(_ accepted: AcceptedConnection) async {
        if let stream = ByteStream(accepted.descriptor, loop: loop) {
            context.metrics.accepted += 1
            await DownstreamConnection(
                worker: context, stream: stream, peer: Worker.address(of: accepted.peer)
            ).run()
        }
        context.shared.endConnection()
    }

    /// A peer on a Unix socket is this machine.
    private static func address(of peer: SocketAddress) -> IPAddress {
        if case .tcp(let address, _) = peer { address } else { IPAddress(v4: 0x7F00_0001) }
    }

    /// Answers 503, and reads on for a moment so that the client sees it before the end.
    private func refuse(_ descriptor: Int32) async {
        context.metrics.note(.tooManyConnections)
        guard let stream = ByteStream(descriptor, loop: loop) else { return }
        defer { stream.close() }
        let buffer = ByteBuffer(capacity: 256)
        buffer.append(Worker.tooManyConnections)
        try? await stream.write(buffer, patience: Bounds.refusalLinger)
        guard context.refusing < Bounds.refusalsLingering else { return }
        context.refusing += 1
        defer { context.refusing -= 1 }
        stream.closeWriting()
        let deadline = context.loop.now + Bounds.refusalLinger
        for _ in 0..<Bounds.refusalReads {
            buffer.removeAll()
            guard let n = try? await stream.read(into: buffer, until: deadline), n > 0 else {
                return
            }
        }
    }

    private static let tooManyConnections: StaticString = """
        HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 65\r\n\
        Retry-After: 1\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n\
        {"error":"Service Unavailable","detail":"too many connections"}\r\n
        """

    /// Closes the listeners and the connections that wait for a request. The others end after their answer.
    public func drain() {
        for listener in listeners { listener.close() }
        listeners.removeAll()
        spareTasks.end()
        context.connections.forEach { $0.drain() }
    }

    /// Closes what is still open, whatever it is doing.
    public func cutOff() {
        context.connections.forEach { $0.cutOff() }
        for pool in context.snapshot.pools { pool.close() }
        context.secondLevel?.close()
        context.redis?.close()
        context.pipes.close()
        context.flushLog()
    }

    /// Says what would become of a request, and under which configuration; changes nothing.
    func explain(_ asked: AskedRequest) async -> (explanation: Explanation, by: Blueprint) {
        await context.explain(asked)
    }

    /// A copy of the keys that limits refused most.
    func refusedKeys() -> HeavyHitters { context.refusedKeys.counted }

    /// Forgets that limits refused a key.
    func forgetRefusals(of key: Digest128) { context.refusedKeys.forget(key) }

    /// Hands the gathered log lines over.
    public func flushLog() { context.flushLog() }

    /// Judges by `keys` from now on.
    public func adopt(keys: CredentialKeys) { context.snapshot.credentials.keys = keys }

    /// Whether a token named a key that is not known since this was asked last.
    public func takeWantsKeys() -> Bool {
        defer { context.snapshot.credentials.wantsKeys = false }
        return context.snapshot.credentials.wantsKeys
    }

    /// Makes requests that begin from now on follow `blueprint`; those that run end by what they began with.
    ///
    /// - Parameters:
    ///   - blueprint: The configuration.
    ///   - health: Of its upstreams, by index.
    ///   - keys: The keys of its identity; `nil`: those there are.
    public func adopt(_ blueprint: Blueprint, health: [UpstreamHealth], keys: CredentialKeys?) {
        context.adopt(blueprint, health: health, keys: keys)
    }

    /// A copy of the worker's counters, by the routes and limits of `blueprint`; `nil`: of the one it follows.
    public func metrics(by blueprint: Blueprint? = nil) -> WorkerMetrics {
        context.metrics(by: blueprint ?? context.snapshot.blueprint)
    }
}
