import HTTPModel
public import Identity
import Limits
import Primitives
import RedisClient
import Telemetry
public import Upstreams

/// One worker's counters: plain integers that only its thread touches. A scrape asks for a copy.
public struct WorkerMetrics: Sendable {
    /// Requests by route (the last row: no route) and status.
    var requests: CounterTable
    /// Latency by route, in nanoseconds.
    var latency: [Histogram]
    /// Requests by route and the cache's part in them.
    var cache: CounterTable
    /// Bytes of bodies of stored answers, by route.
    var cacheBytes: CounterTable
    /// Requests with an Idempotency-Key by what it did.
    var idempotency = CounterTable(rows: 1, columns: AccessRecord.Idempotency.allCases.count)
    /// Decisions by limit and outcome.
    var limits: CounterTable
    /// Units charged by each limit, as they were settled.
    var limitUnits: CounterTable
    /// Decisions of limits in Redis that it gave no answer to: row limit, column `LimitDefinition.RedisFailure`.
    var limitsWithoutRedis: CounterTable
    /// Requests in flight under each limit that counts them.
    var limitsInFlight: CounterTable
    /// Requests that had to wait for their turn.
    var delayed: UInt64 = 0
    /// What became of tokens and API keys; those of the current view are added by the scrape.
    public internal(set) var credentials = CredentialCounts()
    /// Answers the proxy made itself, by reason.
    var rejections = CounterTable(rows: 1, columns: Rejection.all.count)
    /// Connections accepted.
    var accepted: UInt64 = 0
    /// Answers that were cut short.
    var incomplete: UInt64 = 0
    /// Bytes of answers' bodies.
    var bodyBytes: UInt64 = 0
    /// What was encoded.
    var compression = CompressionCounts()
    /// What the cache's second level has done; filled in by the scrape.
    var secondLevel = SecondLevelCounts()
    /// The pools, by upstream; filled in by the scrape.
    public internal(set) var pools: [PoolMetrics] = []

    /// The columns of `limits`.
    enum LimitOutcome: Int, CaseIterable {
        case admitted
        case refused
        case shadowRefused

        var name: String {
            switch self {
            case .admitted: "admitted"
            case .refused: "refused"
            case .shadowRefused: "shadow_refused"
            }
        }
    }

    init(routes: Int, limits: Int) {
        requests = CounterTable(rows: routes + 1, columns: 600)
        latency = Array(repeating: .latency, count: routes + 1)
        cache = CounterTable(rows: routes + 1, columns: AccessRecord.Cache.allCases.count)
        cacheBytes = CounterTable(rows: routes + 1, columns: 1)
        self.limits = CounterTable(rows: limits, columns: LimitOutcome.allCases.count)
        limitUnits = CounterTable(rows: limits, columns: 1)
        limitsWithoutRedis = CounterTable(
            rows: limits, columns: LimitDefinition.RedisFailure.allCases.count)
        limitsInFlight = CounterTable(rows: limits, columns: 1)
    }

    /// Counts a request; `row`: of its route, `nil` when there is none any more.
    mutating func note(_ record: AccessRecord, row: Int?, latency time: Nanoseconds) {
        if let row {
            requests.add(row: row, column: min(Int(record.status.code), 599))
            latency[row].record(time.count)
            cache.add(row: row, column: Int(record.cache.rawValue))
            if record.cache == .hit || record.cache == .stale {
                cacheBytes.add(record.bodyBytes, row: row, column: 0)
            }
        }
        if record.idempotency != .none {
            idempotency.add(row: 0, column: Int(record.idempotency.rawValue))
        }
        bodyBytes &+= record.bodyBytes
        if record.isIncomplete { incomplete &+= 1 }
    }

    /// Counts a decision; `rows` has the row of each of the route's limits, or -1.
    mutating func note(_ decision: LimitDecision, of route: Route, rows: [Int]) {
        for index in 0..<decision.count {
            let state = decision[index]
            if state.isUntold { continue }
            let outcome: LimitOutcome =
                !state.refused ? .admitted : state.isShadow ? .shadowRefused : .refused
            let row = rows[Int(state.limit)]
            if row < 0 { continue }
            limits.add(row: row, column: outcome.rawValue)
            if state.charged > 0 && route.countsInFlight[Int(state.limit)] {
                limitsInFlight.add(row: row, column: 0)
            }
        }
        switch decision.outcome {
        case .deniedAnonymous(let limit), .uncounted(let limit):
            if rows[limit] < 0 { return }
            limits.add(row: rows[limit], column: LimitOutcome.refused.rawValue)
        case .notLimited, .admitted, .refused: break
        }
    }

    /// Counts the limits of a decision that Redis gave no answer to.
    mutating func noteWithoutRedis(_ decision: LimitDecision, of route: Route, rows: [Int]) {
        for limit in decision.limitsAwaitingRedis where rows[limit] >= 0 {
            let failure = route.limits.definition(of: limit).onRedisFailure
            guard let column = LimitDefinition.RedisFailure.allCases.firstIndex(of: failure) else {
                continue
            }
            limitsWithoutRedis.add(row: rows[limit], column: column)
        }
    }

    /// Counts what a request was charged in the end, and that it holds nothing in flight any more.
    mutating func noteEnd(_ decision: LimitDecision, of route: Route, rows: [Int]) {
        for index in 0..<decision.count {
            let state = decision[index]
            let row = rows[Int(state.limit)]
            if state.charged == 0 || row < 0 { continue }
            if route.countsInFlight[Int(state.limit)] {
                limitsInFlight.subtract(row: row, column: 0)
            } else {
                limitUnits.add(UInt64(state.charged), row: row, column: 0)
            }
        }
    }

    /// The same for one that is given everything back.
    mutating func noteCancelled(_ decision: LimitDecision, of route: Route, rows: [Int]) {
        for index in 0..<decision.count where decision[index].charged > 0 {
            let state = decision[index]
            guard route.countsInFlight[Int(state.limit)], rows[Int(state.limit)] >= 0 else {
                continue
            }
            limitsInFlight.subtract(row: rows[Int(state.limit)], column: 0)
        }
    }

    mutating func note(_ rejection: Rejection) {
        rejections.add(row: 0, column: rejection.index)
    }

    /// Adds another worker's.
    mutating func merge(_ other: WorkerMetrics) {
        requests.merge(other.requests)
        for i in latency.indices { latency[i].merge(other.latency[i]) }
        cache.merge(other.cache)
        cacheBytes.merge(other.cacheBytes)
        idempotency.merge(other.idempotency)
        limits.merge(other.limits)
        limitUnits.merge(other.limitUnits)
        limitsWithoutRedis.merge(other.limitsWithoutRedis)
        limitsInFlight.merge(other.limitsInFlight)
        delayed &+= other.delayed
        credentials.add(other.credentials)
        rejections.merge(other.rejections)
        accepted &+= other.accepted
        incomplete &+= other.incomplete
        bodyBytes &+= other.bodyBytes
        compression.merge(other.compression)
        secondLevel.merge(other.secondLevel)
        for i in pools.indices where i < other.pools.count { pools[i].merge(other.pools[i]) }
    }
}

/// One pool's numbers at the moment of a scrape.
public struct PoolMetrics: Sendable {
    /// What happened so far.
    public var counters = UpstreamCounters()
    /// Connections that are open.
    public var open = 0
    /// Connections without an exchange.
    public var idle = 0
    /// Requests that wait for a connection.
    public var waiting = 0

    init() {}

    /// The numbers of `pool` now.
    init(of pool: UpstreamPool) {
        counters = pool.counters
        open = pool.openConnections
        idle = pool.idleConnections
        waiting = pool.waitingRequests
    }

    mutating func merge(_ other: PoolMetrics) {
        counters.add(other.counters)
        open += other.open
        idle += other.idle
        waiting += other.waiting
    }
}
