import HTTPModel
import Limits
import Primitives

/// A policy, a table and a clock that only the test moves.
struct LimitScene {
    let policy: LimitPolicy
    let table: LimitTable
    /// 2026-10-01T00:00:00Z, an hour after the start of the monotonic clock.
    var clock = ClockReading(
        monotonic: MonotonicTime(nanoseconds: 3_600_000_000_000),
        wall: WallTime(nanoseconds: 1_790_812_800_000_000_000))

    init(_ limits: [LimitDefinition], endpoint: String = "/", keys: Int = 10_000, seed: UInt64 = 1)
    {
        policy = LimitPolicy(limits: limits, endpoint: endpoint)
        table = LimitTable(keys: keys, seed: KeyedHasher.Seed(seed, 2))
    }

    mutating func advance(_ time: Nanoseconds) {
        clock.monotonic = clock.monotonic + time
        clock.wall = clock.wall + time
    }

    func ask(
        ip: UInt32 = 1, user: String? = nil, company: String? = nil, tier: String? = nil,
        method: Method = .get, values: [String?] = [], answer: LimitAnswer = .miss,
        isPeek: Bool = false
    ) -> LimitDecision {
        decide(
            policy, in: table, ip: ip, user: user, company: company, tier: tier, method: method,
            values: values, answer: answer, isPeek: isPeek, at: clock)
    }

    /// The key of a request under the first limit, in words.
    func keyText(ip: UInt32 = 1, user: String? = nil, values: [String?] = []) -> String {
        let user = user.map { Array($0.utf8) }
        let subject = LimitSubject(
            address: IPAddress(v4: ip), counted: IPAddress(v4: ip), method: .get, user: user?.span,
            company: nil, tier: nil)
        let buffer = ByteBuffer(capacity: 64)
        let method = Array("GET".utf8)
        policy.appendKey(
            of: 0, subject, dimensions(values), methodName: method.span, to: buffer)
        return String(decoding: buffer.readable.copied, as: UTF8.self)
    }

    /// Settles and ends a decision.
    func settle(
        _ decision: LimitDecision, status: Status, answer: LimitAnswer = .miss,
        costField: ([UInt8]) -> UInt32? = { _ in nil }
    ) {
        policy.settle(
            decision, in: table, status: status, answer: answer, at: clock, costField: costField)
        policy.finish(decision, in: table, at: clock)
    }

    /// How many requests in a row pass now, at most `most`.
    func passing(_ most: Int = 100_000, ip: UInt32 = 1, user: String? = nil, tier: String? = nil)
        -> Int
    {
        var passed = 0
        while passed < most && ask(ip: ip, user: user, tier: tier).isAdmitted { passed += 1 }
        return passed
    }
}

/// The values of header fields and claims, in order.
func dimensions(_ values: [String?]) -> LimitDimensions {
    var dimensions = LimitDimensions()
    for value in values {
        let bytes = value.map { Array($0.utf8) }
        dimensions.append(bytes?.span)
    }
    return dimensions
}

func decide(
    _ policy: LimitPolicy, in table: LimitTable, ip: UInt32 = 1, user: String? = nil,
    company: String? = nil, tier: String? = nil, method: Method = .get,
    values: [String?] = [], answer: LimitAnswer = .miss, isPeek: Bool = false,
    at clock: ClockReading
) -> LimitDecision {
    let user = user.map { Array($0.utf8) }
    let company = company.map { Array($0.utf8) }
    let tier = tier.map { Array($0.utf8) }
    let decision = LimitDecision()
    let dimensions = dimensions(values)
    let subject = LimitSubject(
        address: IPAddress(v4: ip), counted: IPAddress(v4: ip), method: method, user: user?.span,
        company: company?.span, tier: tier?.span)
    policy.decide(
        subject, dimensions: dimensions, answer: answer, in: table, at: clock, isPeek: isPeek,
        into: decision)
    return decision
}

func limit(
    _ count: UInt32, per period: Nanoseconds = .seconds(60),
    of scopes: [LimitDefinition.Scope] = [.ip], _ algorithm: LimitDefinition.Algorithm,
    tiers: [String: LimitDefinition.Rate?] = [:], anonymous: LimitDefinition.Anonymous = .ip,
    mode: LimitDefinition.Mode = .enforce, named name: String = "a"
) -> LimitDefinition {
    var algorithm = algorithm
    if algorithm == queue {
        let interval = (period.count - 1) / UInt64(count) + 1
        algorithm = .leakyBucket(maxDelay: Nanoseconds(interval * UInt64(count - 1)))
    }
    return LimitDefinition(
        name: name, rate: .init(count: count, period: period), per: scopes, algorithm: algorithm,
        tiers: tiers, anonymous: anonymous, mode: mode)
}

/// A leaky bucket in which `limit` gives as many requests a place as the rate's number says.
private let queue = LimitDefinition.Algorithm.leakyBucket(maxDelay: .forever)

/// One of each algorithm in which time brings room back, for promises that all of them make. Each lets seven
/// of seven pass at once.
let algorithms: [LimitDefinition.Algorithm] = [
    .tokenBucket(burst: 7), .slidingWindow(subWindows: 6), .slidingLog,
    .fixedWindow(phase: .aligned), .fixedWindow(phase: .key), queue,
]
