import HTTPModel
import Primitives
import Testing

@testable import Limits

/// What the shared algorithms promise, by the script's twin.
struct SharedLimitTests {
    @Test(
        arguments: [
            (.slidingWindow(subWindows: 6), 1), (.slidingWindow(subWindows: 60), 1),
            (.slidingLog, 1), (.tokenBucket(burst: 7), 2), (.fixedWindow(phase: .aligned), 2),
        ] as [(LimitDefinition.Algorithm, Int)], [1, 2, 3] as [UInt64])
    func `no window holds more than the bound`(
        algorithm: (LimitDefinition.Algorithm, Int), seed: UInt64
    ) throws {
        var shared = try SharedScene(algorithm.0, 7, .seconds(6))
        var random = SeededRandom(seed: seed)
        var admitted: [Int64] = []
        for _ in 0..<3000 {
            shared.now += [0, 1, 999_999, 1_000_000, 1_000_001, 3_000_000][random.below(6)]
            let units = UInt32(1 + random.below(3))
            if try shared.ask(units: units).admits {
                admitted += Array(repeating: shared.now, count: Int(units))
            }
        }
        // A token bucket and a fixed window hold at most twice their number in any window.
        var most = 0
        for (index, first) in admitted.enumerated() {
            let within = admitted[index...].prefix { $0 < first + 6_000_000 }.count
            most = max(most, within)
        }
        #expect(most <= 7 * algorithm.1)
        #expect(most >= 7)
    }

    @Test func `a leaky bucket lets one leave every interval and tells how long to wait`() throws {
        var shared = try SharedScene(.leakyBucket(maxDelay: .seconds(2)), 2, .seconds(1))
        var resets: [Int64] = []
        for _ in 0..<5 { resets.append(try shared.ask().resetAfter) }
        #expect(resets == [500_000, 1_000_000, 1_500_000, 2_000_000, 2_500_000])
        let refused = try shared.ask()
        #expect(!refused.admits)
        #expect(refused.nextAfter == 500_000)
    }

    @Test func `all limits of a decision are charged or none, and shadow ones as if alone`() throws
    {
        var shared = try SharedScene(.fixedWindow(phase: .aligned), 3, .seconds(60))
        let narrow = try shared.rate(.slidingLog, 1, .seconds(60))
        let shadow = try shared.rate(.tokenBucket(burst: 2), 2, .seconds(60))
        var remaining: [[Int64]] = []
        for _ in 0..<3 {
            remaining.append(
                try shared.ask([(shared.rate, false), (narrow, false), (shadow, true)])
                    .map { $0.admits ? $0.remaining : -1 })
        }
        // The second is refused by the log alone; the third by the shadow bucket too.
        #expect(remaining == [[2, 0, 1], [2, -1, 0], [2, -1, -1]])
    }

    @Test func `a peek changes nothing`() throws {
        var shared = try SharedScene(.slidingWindow(subWindows: 6), 3, .seconds(6))
        _ = try shared.ask()
        let first = try shared.ask([(shared.rate, false)], isPeek: true)
        let second = try shared.ask([(shared.rate, false)], isPeek: true)
        #expect(first == second)
        #expect(first[0].remaining == 2)
    }

    @Test(arguments: algorithms)
    func `what is given back can be taken again, and no more`(
        algorithm: LimitDefinition.Algorithm
    ) throws {
        var shared = try SharedScene(algorithm, 7, .seconds(7))
        for _ in 0..<7 { #expect(try shared.ask().admits) }
        let last = try shared.peek()
        #expect(last.remaining == 0)
        let given = try shared.refund(3, mark: shared.now + last.resetAfter)
        #expect(given.remaining == 3)
        #expect(try shared.refund(3, mark: shared.now - 1).remaining == 3)
    }

    @Test func `who changes tiers takes what was counted along`() throws {
        var shared = try SharedScene(.tokenBucket(burst: 10), 10, .seconds(60))
        let rich = try shared.rate(.tokenBucket(burst: 100), 100, .seconds(60))
        for _ in 0..<10 { #expect(try shared.ask().admits) }
        // Ten tokens are missing of a hundred.
        #expect(try shared.ask([(rich, false)])[0].remaining == 89)
    }

    @Test func `an interval is rounded up, so that less passes`() throws {
        let three = try #require(
            SharedLimitRate(
                .tokenBucket(burst: nil), .init(count: 3, period: .seconds(1)),
                longest: .seconds(1)))
        #expect(three.step == 333_334)
        let fast = try #require(
            SharedLimitRate(
                .tokenBucket(burst: nil), .init(count: 1_000_000_000, period: .seconds(1)),
                longest: .seconds(1)))
        #expect(fast.step == 1)
    }
}

/// One limit of the model and a clock.
private struct SharedScene {
    let rate: SharedLimitRate
    var now: Int64 = 1_790_812_800_000_000
    private var model = SharedLimitModel()

    init(
        _ algorithm: LimitDefinition.Algorithm, _ count: UInt32, _ period: Nanoseconds
    ) throws {
        rate = try Self.rate(algorithm, count, period)
    }

    func rate(
        _ algorithm: LimitDefinition.Algorithm, _ count: UInt32, _ period: Nanoseconds
    ) throws -> SharedLimitRate {
        try Self.rate(algorithm, count, period)
    }

    private static func rate(
        _ algorithm: LimitDefinition.Algorithm, _ count: UInt32, _ period: Nanoseconds
    ) throws -> SharedLimitRate {
        let definition = limit(count, per: period, algorithm)
        return try #require(
            SharedLimitRate(definition.algorithm, definition.rate, longest: period))
    }

    mutating func ask(units: UInt32 = 1) throws -> SharedLimitLevel {
        try ask([(rate, false)], units: units)[0]
    }

    mutating func peek() throws -> SharedLimitLevel { try ask([(rate, false)], isPeek: true)[0] }

    mutating func ask(
        _ limits: [(SharedLimitRate, isShadow: Bool)], units: UInt32 = 1, isPeek: Bool = false
    ) throws -> [SharedLimitLevel] {
        var batch = SharedLimitBatch()
        var shadows: UInt8 = 0
        for (index, limit) in limits.enumerated() where limit.isShadow { shadows |= 1 << index }
        _ = batch.beginDecision(limits.count, shadows: shadows, isPeek: isPeek)
        for (index, limit) in limits.enumerated() {
            batch.addLimit(key: key(index, in: &batch), limit.0, units: units)
        }
        return try run(batch)
    }

    mutating func refund(_ units: UInt32, mark: Int64) throws -> SharedLimitLevel {
        var batch = SharedLimitBatch()
        batch.addRefund(key: key(0, in: &batch), rate, units: units, mark: mark)
        return try run(batch)[0]
    }

    private func key(_ index: Int, in batch: inout SharedLimitBatch) -> Int {
        batch.named(of: Digest128(high: 0, low: UInt64(index))) { [UInt8(index)] }
    }

    private mutating func run(_ batch: SharedLimitBatch) throws -> [SharedLimitLevel] {
        let answer = model.run(keys: batch.keys, argument: batch.argument, now: now) ?? []
        let reply = SharedLimitReply(answer.span, levels: batch.levels)
        return try #require(reply).levels
    }
}

extension SharedLimitBatch {
    /// The place of a key, which is added if it is a new one.
    mutating func named(of digest: Digest128, text: () -> [UInt8]) -> Int {
        place(of: digest) ?? add(text().span, digest)
    }

    /// All keys.
    var keys: [[UInt8]] { (0..<keyCount).map { key(at: $0).copied } }

    /// The script's argument.
    var argument: [UInt8] {
        var bytes: [UInt8] = []
        appendArgument(to: &bytes)
        #expect(bytes.count == argumentByteCount)
        return bytes
    }
}
