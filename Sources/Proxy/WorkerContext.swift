import Caching
import EventLoop
import HTTPModel
import Identity
import Limits
import Primitives
import RedisClient
import Settings
import Upstreams

/// All that belongs to one worker, used by its connections without a lock: nothing here leaves the loop's thread.
final class WorkerContext {
    let loop: EventLoop
    let kernel: Kernel
    let shared: SharedState
    /// What the limits of the process have counted.
    let limitTable: LimitTable
    /// What requests that begin now follow.
    var snapshot: Snapshot
    /// Pools of former configurations whose connections are still in use.
    var retired: [UpstreamPool] = []
    /// The ways to Redis; `nil` without one.
    let redis: RedisClients?
    /// Asks Redis about limits; `nil` without one.
    let sharedLimiter: SharedLimiter?
    /// Asks Redis for leases; `nil` without one.
    let leaseDesk: LeaseDesk?
    /// Stored answers in Redis; `nil` without one.
    let secondLevel: SecondLevel?
    var random: SeededRandom
    var metrics: WorkerMetrics
    var log: AccessLog
    /// Whom limits refused most.
    var refusedKeys = RefusedKeys()
    var connections = ConnectionList()
    let pipes: PipePool
    /// Connections beyond the bound whose clients may still be reading the refusal.
    var refusing = 0
    /// Whether a stored answer is being encoded.
    var isEncoding = false
    private var exchanges = ExchangePool()
    private var date = DateLine()

    init(loop: EventLoop, shared: SharedState, blueprint: Blueprint, seed: UInt64) {
        self.loop = loop
        kernel = loop.kernel
        self.shared = shared
        limitTable = shared.limits
        pipes = PipePool(loop.kernel)
        var random = SeededRandom(seed: seed)
        let pools = zip(blueprint.settings.upstreams, shared.upstreams).map { settings, health in
            UpstreamPool(
                settings: settings, health: health, loop: loop,
                random: SeededRandom(seed: random.next()))
        }
        if let stores = blueprint.settings.redis, let healths = shared.redis {
            redis = RedisClients(stores, loop: loop, healths: healths, random: &random)
        } else {
            redis = nil
        }
        sharedLimiter = redis.map { SharedLimiter($0.limits) }
        if let redis {
            leaseDesk = LeaseDesk(
                redis.limits, table: shared.limits.leases, replicas: { shared.liveReplicas },
                random: SeededRandom(seed: random.next()))
            secondLevel = SecondLevel(redis.cache, random: SeededRandom(seed: random.next()))
        } else {
            leaseDesk = nil
            secondLevel = nil
        }
        self.random = random
        snapshot = Snapshot(
            blueprint, pools: pools,
            credentials: Credentials(
                blueprint.settings.identity, claims: blueprint.claims, keys: CredentialKeys()))
        metrics = WorkerMetrics(
            routes: blueprint.routes.count, limits: blueprint.settings.limits.count)
        log = AccessLog(blueprint.settings.log)
        shared.watch(loop)
    }

    /// The way to the Redis of the limits.
    var limitsRedis: RedisClient? { redis?.limits }
    /// The way to the Redis of the cache.
    var cacheRedis: RedisClient? { redis?.cache }

    /// A warm exchange, or a new one.
    func takeExchange() -> Exchange { exchanges.take() }

    /// Takes an exchange back.
    func giveBack(_ exchange: Exchange) { exchanges.giveBack(exchange) }

    /// Frees again and again what only a burst has needed.
    func startShrinking() {
        loop.start { [self] in
            while !shared.isDraining {
                await loop.sleep(for: Bounds.shrinkInterval)
                exchanges.shrink()
            }
        }
    }

    /// The answer to a health check on the main address; `nil` when `request` is none or they are not served here.
    @inline(__always)
    func healthReport(for request: borrowing RequestHead) -> HealthReport? {
        snapshot.blueprint.healthOnMain ? ownHealthReport(for: request) : nil
    }

    @inline(never)
    private func ownHealthReport(for request: borrowing RequestHead) -> HealthReport? {
        guard request.method == .get || request.method == .head,
            let kind = HealthReport.Kind(path: request.span(request.path))
        else { return nil }
        return HealthReport(kind, of: shared, at: loop.now)
    }

    /// Appends `Date: …` of now, formatted once a second.
    func appendDate(to buffer: ByteBuffer) { date.append(at: loop.clock.wall, to: buffer) }
}

/// The Date field of the current second.
private struct DateLine {
    private var second: UInt64 = .max
    private let line = ByteBuffer(capacity: 64)

    mutating func append(at now: WallTime, to buffer: ByteBuffer) {
        if now.epochSeconds != second {
            second = now.epochSeconds
            line.removeAll()
            line.append("Date: ")
            HTTPDate.append(second, to: line)
            line.append("\r\n")
        }
        buffer.append(line)
    }
}
