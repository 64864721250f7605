public import EventLoop
public import Primitives
import Settings
import Upstreams

/// One thread of the proxy: an actor whose executor is its event loop.
///
/// Messages to a worker are calls of this actor; its connections are tasks on the same loop, which share its
/// context without a lock.
public actor Worker {
    /// The loop, whose thread the worker lives on.
    public nonisolated let loop: EventLoop

    private let context: WorkerContext
    private var listeners: [Listener] = []

    /// Creates a worker; `seed` feeds its random choices.
    public init(loop: EventLoop, shared: SharedState, blueprint: Blueprint, seed: UInt64) {
        self.loop = loop
        context = WorkerContext(loop: loop, shared: shared, blueprint: blueprint, seed: seed)
    }

    /// Binds `address` and returns it with the port the kernel chose.
    public func listen(on address: SocketAddress, reusePort: Bool) throws(ListenError) -> SocketAddress {
        let listener = try Listener(address, loop: loop, reusePort: reusePort)
        listeners.append(listener)
        return listener.address
    }

    /// Starts to accept connections on all bound addresses.
    public func startAccepting() {
        for listener in listeners {
            let context = context
            loop.start {
                while let (descriptor, peer) = await listener.accept() {
                    Worker.admit(descriptor, peer, context)
                }
            }
        }
    }

    private static func admit(_ descriptor: Int32, _ peer: SocketAddress, _ context: WorkerContext) {
        guard let stream = ByteStream(descriptor, loop: context.loop) else { return }
        let shared = context.shared
        guard shared.admitConnection(max: context.blueprint.settings.http.connections) else {
            context.metrics.note(.tooManyConnections)
            context.loop.start { await refuse(stream, context) }
            return
        }
        context.metrics.accepted += 1
        let address: IPAddress
        // A peer on a Unix socket is this machine.
        if case .tcp(let ip, _) = peer { address = ip } else { address = IPAddress(v4: 0x7F00_0001) }
        context.loop.start {
            await DownstreamConnection(worker: context, stream: stream, peer: address).run()
            shared.endConnection()
        }
    }

    /// Answers 503, and reads on for a moment so that the client sees it before the end.
    private static func refuse(_ stream: ByteStream, _ context: WorkerContext) async {
        defer { stream.close() }
        let buffer = ByteBuffer(capacity: 256)
        buffer.append(tooManyConnections)
        try? await stream.write(buffer, patience: Bounds.refusalLinger)
        guard context.refusing < Bounds.refusalsLingering else { return }
        context.refusing += 1
        defer { context.refusing -= 1 }
        stream.closeWriting()
        let deadline = context.loop.now + Bounds.refusalLinger
        for _ in 0..<Bounds.refusalReads {
            buffer.removeAll()
            guard let n = try? await stream.read(into: buffer, until: deadline), n > 0 else { return }
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
        context.connections.forEach { $0.drain() }
    }

    /// Closes what is still open, whatever it is doing.
    public func cutOff() {
        context.connections.forEach { $0.cutOff() }
        for pool in context.pools { pool.close() }
        context.flushLog()
    }

    /// Hands the gathered log lines over.
    public func flushLog() { context.flushLog() }

    /// A copy of the worker's counters.
    public func metrics() -> WorkerMetrics {
        var metrics = context.metrics
        metrics.pools = context.pools.map { pool in
            PoolMetrics(
                counters: pool.counters, open: pool.openConnections, idle: pool.idleConnections,
                waiting: pool.waitingRequests)
        }
        return metrics
    }
}
