import Caching
public import HTTPModel
public import Primitives
import RedisClient
import Upstreams

/// What an orchestrator is told. A reference: it is rare, and would make every `Verdict` as large as itself.
public final class HealthReport: Sendable {
    /// Which question it answers.
    public enum Kind: Sendable, BitwiseCopyable {
        /// `/health`: everything, for people and dashboards.
        case health
        /// `/healthz`: whether the process lives: its loops turn.
        case liveness
        /// `/readyz`: whether requests should be sent here.
        case readiness

        /// The question that `path` asks, or `nil`.
        public init?(path: Span<UInt8>) {
            if path.equals("/health") {
                self = .health
            } else if path.equals("/healthz") {
                self = .liveness
            } else if path.equals("/readyz") {
                self = .readiness
            } else {
                return nil
            }
        }
    }

    private let kind: Kind
    private let isDraining: Bool
    private let stuckWorkers: Int
    private let keys: KeyHealth.Report
    private let generation: UInt64
    private let switches: CacheSwitches.State
    private let jobs: JobStatus
    private let fleet: FleetState?
    private let redis: [(name: String, isDegraded: Bool)]
    private let upstreams: [(name: String, mayServe: Bool, isWhole: Bool)]

    /// Asks the shared state, at `now`.
    public init(_ kind: Kind, of shared: SharedState, at now: MonotonicTime) {
        self.kind = kind
        isDraining = shared.isDraining
        stuckWorkers = shared.stuckWorkers(at: now)
        keys = shared.keys.report
        switches = shared.switches.state
        jobs = shared.background.status
        fleet = shared.fleet
        redis = (shared.redis?.all ?? []).map { ($0.name, $0.isDegraded) }
        let configuration = shared.configurationState
        generation = configuration.generation
        upstreams = configuration.upstreams.map { health in
            let servers = health.servers
            return (health.name, health.mayServe, !servers.contains(.unreachable))
        }
    }

    private var mayServe: Bool { upstreams.allSatisfy(\.mayServe) }
    // Without Redis there is a written fallback for each limit and the cache: not a reason to send nothing here.
    private var hasRedis: Bool { !redis.contains(where: \.isDegraded) }
    private var isReady: Bool { !isDraining && mayServe && keys.maySucceed }

    /// 200, or 503 when the answer is no.
    public var status: Status {
        switch kind {
        case .health: stuckWorkers == 0 && isReady ? 200 : 503
        case .liveness: stuckWorkers == 0 ? 200 : 503
        case .readiness: isReady ? 200 : 503
        }
    }

    /// Appends the JSON body.
    public func append(to buffer: ByteBuffer) {
        buffer.append("{\"status\":\"")
        buffer.append(word)
        buffer.append("\",\"service\":\"weir\",\"redis\":")
        buffer.append(!redis.isEmpty && hasRedis ? "true" : "false")
        buffer.append(",\"config_generation\":")
        buffer.append(decimal: generation)
        if switches.isTurned {
            buffer.append(",\"cache\":\"")
            if switches.isBypassed {
                buffer.append("switched off")
            } else {
                buffer.append("ttl factor ")
                buffer.append(thousandths: switches.factor)
            }
            buffer.append("\"")
        }
        buffer.append(",\"checks\":{")
        buffer.append("\"workers\":\"")
        buffer.append(stuckWorkers == 0 ? "ok" : "stuck")
        buffer.append("\"")
        if let word = keys.word {
            // Without any key every token would be refused.
            buffer.append(",\"keys\":\"")
            buffer.append(word)
            buffer.append("\"")
        }
        for url in keys.urls {
            buffer.append(",\"keys.")
            // A URL has no character that JSON would escape.
            buffer.append(text: url.name)
            buffer.append("\":\"")
            buffer.append(url.state.word)
            buffer.append("\"")
        }
        for one in redis {
            buffer.append(",\"redis")
            if redis.count > 1 { buffer.append(text: ".\(one.name)") }
            buffer.append(one.isDegraded ? "\":\"degraded\"" : "\":\"ok\"")
        }
        for upstream in upstreams {
            buffer.append(",\"upstream.")
            // Names come from the configuration, which admits letters, digits, `_` and `-` only.
            buffer.append(text: upstream.name)
            buffer.append("\":\"")
            buffer.append(upstream.isWhole ? "ok" : upstream.mayServe ? "degraded" : "unreachable")
            buffer.append("\"")
        }
        buffer.append("}")
        appendFleet(to: buffer)
        appendWarming(to: buffer)
        buffer.append("}\n")
    }

    /// The processes that share the Redis, and how far their purges are known here.
    private func appendFleet(to buffer: ByteBuffer) {
        guard let fleet else { return }
        buffer.append(",\"fleet\":{\"replicas\":")
        buffer.append(decimal: UInt64(max(0, fleet.liveReplicas)))
        buffer.append(",\"purge_sequence\":")
        let counts = fleet.purges.counts
        buffer.append(decimal: counts.position?.sequence ?? 0)
        buffer.append(",\"purges_waiting\":")
        buffer.append(decimal: UInt64(counts.waiting))
        buffer.append(",\"catch_ups\":")
        buffer.append(decimal: fleet.catchUps)
        buffer.append("}")
    }

    /// How far warming is; readiness does not wait for it.
    private func appendWarming(to buffer: ByteBuffer) {
        let fetches = jobs.rows.filter { $0.kind != .free }
        let left = fetches.reduce(0) { $0 + $1.counts.waiting + $1.counts.running }
        let done = fetches.reduce(0) { $0 + $1.counts.done }
        let dead = jobs.dead.count { $0.job.kind != .free }
        guard left > 0 || done > 0 || dead > 0 else { return }
        buffer.append(",\"warming\":{\"left\":")
        buffer.append(decimal: UInt64(left))
        buffer.append(",\"done\":")
        buffer.append(decimal: done)
        buffer.append(",\"dead\":")
        buffer.append(decimal: UInt64(dead))
        buffer.append("}")
    }

    // What an operator has turned is no fault: the word stays as it is.
    private var word: StaticString {
        if stuckWorkers > 0 { return "unhealthy" }
        if isDraining { return "draining" }
        if !mayServe || !keys.maySucceed { return "unhealthy" }
        return upstreams.allSatisfy(\.isWhole) && keys.isWhole && hasRedis ? "healthy" : "degraded"
    }
}
