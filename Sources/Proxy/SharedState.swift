public import Caching
public import EventLoop
import Identity
public import Limits
public import Primitives
public import RedisClient
public import Settings
import Synchronization
public import Upstreams

/// What the workers of a process share: two sharded tables, a few counters, and nothing else.
public final class SharedState: Sendable {
    /// All limits' counters.
    public let limits: LimitTable
    /// Stored answers, and the fetches that are under way.
    public let cache: MemoryStore
    /// First answers by Idempotency-Key.
    public let idempotency: IdempotencyStore
    /// What operators may turn, and what was purged.
    public let switches = CacheSwitches()
    /// The other processes that share the Redis; `nil`: none is configured.
    public let fleet: FleetState?
    /// Work that no client waits for.
    public let background: BackgroundWork
    /// How the keys of credentials stand.
    public let keys: KeyHealth
    /// The breakers of Redis; `nil` without one.
    public let redis: RedisHealths?
    /// Where log lines go.
    public let log: LogPipe?
    /// When the process started.
    public let started: ClockReading

    private let configuration: Guarded<ConfigurationState>
    private let loops = Guarded<[EventLoop]>([])
    private let connections = Atomic<Int>(0)
    private let bodies = Atomic<Int>(0)
    private let draining = Atomic<Bool>(false)

    /// Creates the state for `settings`.
    public init(_ settings: ProxySettings, log: LogPipe?, seed: KeyedHasher.Seed, now: ClockReading)
    {
        limits = LimitTable(keys: settings.limitKeys, seed: seed)
        cache = MemoryStore(bytes: settings.cacheMemory, seed: seed)
        fleet = settings.redis.map { _ in FleetState(seed: seed) }
        idempotency = IdempotencyStore(bytes: settings.idempotencyMemory)
        background = BackgroundWork(
            concurrency: settings.warm?.concurrency ?? WarmSettings.standardConcurrency,
            // Spreads pauses; no secret.
            seed: now.wall.nanoseconds ^ now.monotonic.nanoseconds)
        redis = settings.redis.map(RedisHealths.init)
        keys = KeyHealth(verifiesTokens: settings.identity.jwt != nil)
        configuration = Guarded(
            ConfigurationState(
                upstreams: settings.upstreams.map {
                    UpstreamHealth(name: $0.name, servers: $0.servers.count)
                }, loaded: now.wall))
        self.log = log
        started = now
    }

    /// The processes that share the Redis of limits and live, this one too.
    public var liveReplicas: Int { fleet?.liveReplicas ?? 1 }

    /// The configuration that is followed, and what became of reloads.
    public var configurationState: ConfigurationState { configuration.withLock { $0 } }

    /// Which servers can be reached, by upstream.
    public var upstreams: [UpstreamHealth] { configuration.withLock { $0.upstreams } }

    /// Notes that another configuration is followed from now on.
    func noteReload(_ upstreams: [UpstreamHealth], at now: WallTime) {
        configuration.withLock { state in
            state.upstreams = upstreams
            state.generation += 1
            state.loaded = now
        }
    }

    /// Notes that a configuration could not be followed.
    public func noteFailedReload() { configuration.withLock { $0.failedReloads += 1 } }

    /// Client connections of all workers.
    public var openConnections: Int { connections.load(ordering: .relaxed) }

    // Relaxed: the count alone matters, it orders nothing.
    /// Counts a new connection; `false` (and not counted) when there are `max` already.
    func admitConnection(max: Int) -> Bool {
        if connections.add(1, ordering: .relaxed).newValue <= max { return true }
        connections.subtract(1, ordering: .relaxed)
        return false
    }

    func endConnection() { connections.subtract(1, ordering: .relaxed) }

    /// Bytes of requests' content that is held: by requests that wait for their verdict or their answer, and
    /// by fetches for the cache.
    public var heldBodies: Int { bodies.load(ordering: .relaxed) }

    /// Counts content that is to be held; `false` (and not counted) when there would be too much.
    func holdBody(_ count: Int) -> Bool {
        if bodies.add(count, ordering: .relaxed).newValue <= Bounds.heldBodies { return true }
        bodies.subtract(count, ordering: .relaxed)
        return false
    }

    /// Counts content that is held already, also beyond the bound.
    func keepBody(_ count: Int) { bodies.add(count, ordering: .relaxed) }

    func releaseBody(_ count: Int) { bodies.subtract(count, ordering: .relaxed) }

    /// Whether the process is on its way out: it serves what it has and takes nothing new.
    public var isDraining: Bool { draining.load(ordering: .acquiring) }

    /// Makes `isDraining` true for good.
    public func beginDraining() { draining.store(true, ordering: .releasing) }

    /// Purges stored answers here and in all processes, and lets them be swept on `loop`, whose thread calls.
    public func purge(_ record: PurgeRecord, on loop: EventLoop) {
        switches.notePurge(record.kind)
        purgeHere(record, on: loop)
        fleet?.spread(record, at: loop.now)
    }

    /// The same in this process alone.
    public func purgeHere(_ record: PurgeRecord, on loop: EventLoop) {
        cache.purge(record, at: loop.now)
        PurgeSweeper.start(cache, on: loop)
    }

    /// Invalidates what is stored for a target, here and in all processes.
    ///
    /// - Parameters:
    ///   - base: From `CacheKey.buildBase`.
    ///   - id: Names it among the purges of all.
    ///   - now: The present.
    func invalidate(base: [UInt8], id: UInt64, at now: ClockReading) {
        cache.invalidate(base: base.span, at: now.monotonic)
        guard let fleet else { return }
        let record = PurgeRecord(id: id, kind: .key, value: base, isSoft: false, time: now.wall)
        // What is longer than a purge may be is not stored in Redis.
        if record.problem == nil { fleet.spread(record, at: now.monotonic) }
    }

    /// Watches the turns of `loop`.
    func watch(_ loop: EventLoop) { loops.withLock { $0.append(loop) } }

    /// Turns of all workers' loops so far.
    var turns: UInt64 { loops.withLock { loops in loops.reduce(0) { $0 &+ $1.turns } } }

    /// Workers whose turn takes longer than it may.
    public func stuckWorkers(at now: MonotonicTime) -> Int {
        loops.withLock { loops in
            loops.count { loop in
                let started = loop.currentTurnStart
                return started != 0 && now - MonotonicTime(nanoseconds: started) > Bounds.turnMax
            }
        }
    }
}

/// The configuration that a process follows, and what became of reloads.
public struct ConfigurationState: Sendable {
    /// Which servers can be reached, by upstream.
    public var upstreams: [UpstreamHealth]
    /// 1 for the one the process began with, and one more for each that came after it.
    public var generation: UInt64 = 1
    /// When it was loaded.
    public var loaded: WallTime
    /// Reloads that changed nothing, because the file was wrong or asked for a restart.
    public var failedReloads: UInt64 = 0
}
