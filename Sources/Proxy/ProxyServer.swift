import Caching
public import EventLoop
public import Identity
public import Primitives
public import Settings
import Upstreams

/// The data plane of a process: its workers, each on a thread of its own.
public final class ProxyServer: Sendable {
    /// What the workers share.
    public let shared: SharedState
    /// The workers.
    public let workers: [Worker]
    /// The bound addresses, with the ports the kernel chose.
    public let addresses: [SocketAddress]

    private let current: Guarded<Blueprint>

    /// The settings the workers follow, or are about to.
    public var blueprint: Blueprint { current.withLock { $0 } }

    /// Why a server could not start.
    public enum StartError: Error, Sendable {
        /// The process has no descriptors left for a loop.
        case noDescriptors
        /// An address could not be listened on.
        case cannotListen(SocketAddress, ListenError)
    }

    /// Creates the workers and binds all addresses on the calling thread; nothing runs yet.
    ///
    /// - Parameters:
    ///   - settings: The configuration.
    ///   - log: Where access lines go; `nil`: nowhere.
    ///   - seed: Feeds hashes and random choices; tests fix it.
    ///   - kernel: The system calls of each loop.
    /// - Throws: `StartError` when the system refuses a descriptor or an address.
    public init(
        settings: ProxySettings, log: LogPipe?, seed: UInt64? = nil, kernel: Kernel = Kernel()
    ) throws(StartError) {
        var random = SeededRandom(seed: seed ?? SystemRandomNumberGenerator.seed())
        let blueprint = Blueprint(settings)
        current = Guarded(blueprint)
        shared = SharedState(
            settings, log: log, seed: KeyedHasher.Seed(random.next(), random.next()),
            now: kernel.now())
        var workers: [Worker] = []
        for _ in 0..<settings.workers {
            guard let loop = EventLoop(kernel: kernel) else { throw .noDescriptors }
            workers.append(
                Worker(loop: loop, shared: shared, blueprint: blueprint, seed: random.next()))
        }
        self.workers = workers
        var bound: [SocketAddress] = []
        for listener in settings.listeners {
            do {
                bound.append(try ProxyServer.bind(listener.address, workers, kernel))
            } catch {
                throw .cannotListen(listener.address, error)
            }
        }
        addresses = bound
    }

    /// Binds `address` on all workers. The first socket is alone on its port while it is bound, so that a second
    /// process by mistake is an error and not a silent half of the traffic.
    private static func bind(
        _ address: SocketAddress, _ workers: [Worker], _ kernel: Kernel
    ) throws(ListenError) -> SocketAddress {
        if case .unix = address {
            // One socket file, one listener: the first worker serves it.
            return try listen(workers[0], address, reusePort: false)
        }
        let probe = kernel.listen(on: address, backlog: 1, reusePort: false)
        guard probe >= 0 else { throw ListenError(number: -probe) }
        kernel.close(probe)
        var bound = address
        for worker in workers { bound = try listen(worker, bound, reusePort: true) }
        return bound
    }

    private static func listen(
        _ worker: Worker, _ address: SocketAddress, reusePort: Bool
    ) throws(ListenError) -> SocketAddress {
        // The loops were made by this thread and do not run yet.
        let result = worker.assumeIsolated { worker in
            Result { () throws(ListenError) in try worker.listen(on: address, reusePort: reusePort)
            }
        }
        return try result.get()
    }

    /// Starts the threads and accepts connections; credentials are judged by `keys` from the first one on.
    public func start(keys: CredentialKeys = CredentialKeys()) {
        for (index, worker) in workers.enumerated() {
            worker.assumeIsolated {
                $0.adopt(keys: keys)
                $0.startAccepting()
                // One queue for the process: its order and its bounds need no agreement of workers.
                if index == 0 { $0.startBackgroundWork() }
            }
            worker.loop.kernel.startTurning(worker.loop)
        }
    }

    /// Makes all workers judge credentials by `keys`.
    public func adopt(keys: CredentialKeys) async {
        for worker in workers { await worker.adopt(keys: keys) }
    }

    /// Whether a token named a key that is not known, on any worker, since this was asked last.
    public func wantsKeys() async -> Bool {
        var wanted = false
        for worker in workers where await worker.takeWantsKeys() { wanted = true }
        return wanted
    }

    /// Takes nothing new, lets what runs end, and cuts off what is left at `deadline`.
    ///
    /// - Parameters:
    ///   - deadline: When the requests that still run are cut off.
    ///   - control: The loop of the calling task, for waiting.
    /// - Returns: The number of connections that were cut off.
    public func drain(until deadline: MonotonicTime, on control: EventLoop) async -> Int {
        shared.beginDraining()
        shared.background.stop()
        for worker in workers { await worker.drain() }
        while shared.openConnections > 0 && control.now < deadline {
            await control.sleep(for: .milliseconds(20))
        }
        let left = shared.openConnections
        await workers.first?.returnLeases()
        for worker in workers { await worker.cutOff() }
        return left
    }

    /// Makes all workers follow `settings`, of which nothing needs a restart (`SettingsChange`).
    ///
    /// Connections stay. A request follows what its worker followed when it began, also if its worker is
    /// told a moment later than others.
    ///
    /// - Parameters:
    ///   - settings: The configuration.
    ///   - keys: The keys of its identity; `nil`: those there are.
    ///   - now: The calendar's time.
    public func adopt(
        _ settings: ProxySettings, keys: CredentialKeys? = nil, at now: WallTime
    ) async {
        let former = blueprint
        precondition(SettingsChange(from: former.settings, to: settings).needsRestart.isEmpty)
        let known = zip(former.settings.upstreams, shared.upstreams)
        let health = settings.upstreams.map { upstream in
            known.first { $0.0.name == upstream.name && $0.0.servers == upstream.servers }?.1
                ?? UpstreamHealth(name: upstream.name, servers: upstream.servers.count)
        }
        let blueprint = Blueprint(settings, after: former)
        current.withLock { $0 = blueprint }
        if settings.cacheMemory > 0 { shared.cache.resize(bytes: settings.cacheMemory) }
        shared.idempotency.resize(bytes: settings.idempotencyMemory)
        shared.noteReload(health, at: now)
        if settings.warm != former.settings.warm {
            shared.background.restart(
                concurrency: settings.warm?.concurrency ?? WarmSettings.standardConcurrency)
        }
        for worker in workers { await worker.adopt(blueprint, health: health, keys: keys) }
        // What was leased on other terms is theirs who lease on the new ones.
        if settings.limits != former.settings.limits { await workers.first?.returnLeases() }
    }

    /// Fetches the URLs of `cache.warm` again, if it is to happen after a purge; from any thread. What is still
    /// fresh is left alone.
    public func warmAfterPurge() {
        guard let warm = blueprint.settings.warm, warm.atPurge else { return }
        shared.background.add(warm.urls, .purge)
    }

    /// All workers' counters.
    public func metrics() async -> MetricsReport {
        let blueprint = blueprint
        var all: [WorkerMetrics] = []
        for worker in workers { all.append(await worker.metrics(by: blueprint)) }
        return MetricsReport(all, blueprint: blueprint, shared: shared)
    }
}

extension SystemRandomNumberGenerator {
    /// A word of the system's randomness.
    static func seed() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
