import Primitives

/// How a rate is leased from Redis: the numbers that the script and its twin count by.
///
/// All are whole and below 2⁵³, as a script's numbers are doubles; times are microseconds, as Redis tells them.
public struct LeaseTerms: Sendable, BitwiseCopyable, Equatable {
    /// The algorithms of which units can be debited in advance without a change of their guarantee (ADR 16).
    public enum Kind: Int64, Sendable, BitwiseCopyable {
        case fixedWindow = 1
        case slidingWindow = 2
        case tokenBucket = 3
    }

    /// The algorithm.
    public let kind: Kind
    /// Units of a window, or the burst.
    public let capacity: Int64
    /// Of a fixed window its microseconds, 0 for calendar months; of a sliding window those of a sub-window; of
    /// a bucket the grains of one token.
    public let length: Int64
    /// Of a fixed window the microseconds by which its windows begin later; of a sliding window the counters of
    /// its ring; of a bucket the grains of a microsecond, a power of two.
    public private(set) var detail: Int64
    private let hasPhase: Bool

    /// The terms of a rate; `nil` when its algorithm cannot be leased.
    public init?(_ algorithm: LimitDefinition.Algorithm, _ rate: LimitDefinition.Rate) {
        let period = Int64(min(rate.period.count, LimitBounds.periodMax))
        let micros = max((period + 999) / 1000, 1)
        let count = Int64(max(rate.count, 1))
        switch algorithm {
        case .fixedWindow(let phase):
            kind = .fixedWindow
            capacity = count
            length = rate.isMonthly ? 0 : micros
            detail = 0
            hasPhase = phase == .key && !rate.isMonthly
        case .slidingWindow(let subWindows):
            let steps = Int64(min(max(subWindows, 1), LimitBounds.subWindowsMax))
            kind = .slidingWindow
            capacity = count
            length = (micros + steps - 1) / steps
            detail = steps + 1
            hasPhase = false
        case .tokenBucket(let burst):
            let bucket = Self.bucket(
                count: count, period: period, burst: Int64(burst ?? rate.count))
            kind = .tokenBucket
            (capacity, length, detail) = (bucket.burst, bucket.interval, bucket.grains)
            hasPhase = false
        case .slidingLog, .leakyBucket, .concurrency: return nil
        }
    }

    /// The numbers of a bucket: as many grains to a microsecond as leave its whole debt below 2⁵¹ grains. The
    /// interval is rounded up; a burst that takes longer than 71 years to fill is cut to what fills in that time.
    private static func bucket(
        count: Int64, period: Int64, burst: Int64
    ) -> (burst: Int64, interval: Int64, grains: Int64) {
        let most: Int128 = 1 << 51
        var grains: Int128 = 1 << 20
        var interval: Int128
        repeat {
            let divisor = Int128(count) * 1000
            interval = max((Int128(period) * grains + divisor - 1) / divisor, 1)
            if interval * Int128(burst) <= most || grains == 1 { break }
            grains /= 2
        } while true
        return (
            Int64(max(min(Int128(burst), most / interval), 1)), Int64(interval), Int64(grains)
        )
    }

    /// The terms of one key: with `phase: key` its windows begin at a moment of its own, the same in all replicas.
    public func ofKey(_ key: Span<UInt8>) -> LeaseTerms {
        guard hasPhase else { return self }
        var terms = self
        let digest = LimitKeys.digest(ofEndpoint: key)
        terms.detail = Int64(digest.high.multipliedFullWidth(by: UInt64(length)).high)
        return terms
    }

    /// The nanoseconds of its own use that a process asks for at once, at most: half a second, or half of a window, a
    /// quarter of what fills a bucket, a sub-window. A process whose use is small asks for more time, so that an order
    /// is worth some units, but for no more than a window or a lease lasts.
    ///
    /// - Parameter rate: Units a nanosecond that its requests want.
    /// - Returns: The time.
    func horizon(at rate: Double) -> UInt64 {
        let most = Int64(life / 1000)
        let usual =
            switch kind {
            case .fixedWindow: most / 2
            case .slidingWindow: most
            case .tokenBucket: fill / 4
            }
        let worth = min(LeaseBounds.unitsWorth / rate / 1000, Double(LeaseBounds.horizonMax))
        let micros = max(min(usual, LeaseBounds.horizonMicros), min(most, Int64(worth)))
        return UInt64(max(micros, 1)) * 1000
    }

    /// How long a new lease lasts at most, in nanoseconds: a window, a sub-window, or until a bucket's slot ends.
    var life: UInt64 {
        let micros: Int64 =
            switch kind {
            case .fixedWindow: length == 0 ? .max : length
            case .slidingWindow: length
            case .tokenBucket: 4 * slot
            }
        return min(UInt64(max(micros, 1)), LeaseBounds.lifeMax / 1000) * 1000
    }

    /// The microseconds in which an empty bucket fills.
    var fill: Int64 { Int64(Int128(length) * Int128(capacity) / Int128(detail)) }

    /// The microseconds of a slot in which leases of a bucket end together; a lease lasts for four or five.
    var slot: Int64 { min(max(fill / 4, 12_500), 250_000) }

    /// How long a process refuses by itself when Redis had nothing, in nanoseconds; doubled as long as it has nothing.
    /// Of a bucket at least a sixteenth of the time in which it fills: what comes back meanwhile is not lost, and
    /// one order finds more.
    var denialMin: UInt64 {
        guard kind == .tokenBucket else { return LeaseBounds.denialMin }
        return min(
            max(UInt64(max(fill, 0)) * 1000 / 16, LeaseBounds.denialMin), LeaseBounds.denialMax / 10
        )
    }

    /// The longest such time: a second; of a bucket a quarter of the time in which it fills, times the replicas that
    /// may come for it.
    func denialMax(replicas: UInt32) -> UInt64 {
        guard kind == .tokenBucket else { return LeaseBounds.denialMax }
        let share = UInt64(clamping: Int128(max(fill / 4, 0)) * 1000 * Int128(max(replicas, 1)))
        return min(max(share, denialMin), LeaseBounds.denialMax)
    }
}

/// Why a limit cannot be leased.
public enum LeaseObstacle: Sendable, Equatable {
    /// Its units cannot be debited in advance without admitting more (standards A6).
    case algorithm
    /// What a request costs is known only with its answer.
    case costs
    /// Its bucket is used up within a few round trips, and each unit is outstanding until its process has told
    /// that it was spent.
    case quickBucket
}

extension LimitDefinition {
    /// Why it cannot be leased; `nil` when it can.
    public var leaseObstacle: LeaseObstacle? {
        guard LeaseTerms(algorithm, rate) != nil else { return .algorithm }
        if !countedStatuses.isEmpty || costs.dependsOnAnswer { return .costs }
        let all = [rate] + tiers.values.compactMap(\.self) + overrides.compactMap(\.rate)
        for rate in all {
            if let terms = LeaseTerms(algorithm, rate), terms.kind == .tokenBucket,
                terms.fill < LeaseBounds.fillMin
            {
                return .quickBucket
            }
        }
        return nil
    }
}
