import BinaryKit
import Primitives
import Testing

@testable import Limits

/// The script in a real Redis, and its twin in Swift, on the same inputs at the same time.
struct SharedScriptTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `script and twin answer alike and keep the same`(seed: UInt64) throws {
        try RedisServer.run { server in
            var twins = try Twins(server)
            var random = SeededRandom(seed: seed)
            var now: Int64 = 1_790_812_800_000_000
            for _ in 0..<300 {
                now += [0, 1, 400, 20_000, 333_333, 1_000_000, 7_000_000][random.below(7)]
                // Now and then another server takes over whose clock is late.
                let late: Int64 = random.below(20) == 0 ? 300_000 : 0
                var asked = RandomBatch(using: &random, marks: twins.marks)
                try twins.run(&asked.batch, at: now - late)
            }
            #expect(twins.differences == [])
            #expect(twins.decided > 1000)
        }
    }

    @Test func `values of others count as nothing and fail no decision`() throws {
        try RedisServer.run { server in
            let talk = try RedisTalk(server)
            try talk.ask("SET", "key-1", "hello")
            try talk.ask("SET", "key-2", "")
            try talk.ask("HSET", "key-3", "a", "b")
            try talk.ask("SET", "key-4", "\u{1}")
            try talk.ask("RPUSH", "key-5", "1")
            var twins = try Twins(server)
            var batch = SharedLimitBatch()
            for (index, rate) in Twins.rates.prefix(5).enumerated() {
                _ = batch.beginDecision(1, shadows: 0, isPeek: false)
                let key = batch.named(of: Digest128(high: 0, low: UInt64(index))) {
                    Array("key-\(index + 1)".utf8)
                }
                batch.addLimit(key: key, rate, units: 1)
            }
            try twins.run(&batch, at: 1_790_812_800_000_000)
            #expect(twins.differences == [])
        }
    }

    @Test(arguments: 0..<5)
    func `arrays that no limit writes count as nothing`(algorithm: Int) throws {
        try RedisServer.run { server in
            var twins = try Twins(server)
            let rate = try #require(Twins.rates.dropFirst(algorithm).first)
            // Words, a fraction, a negative number, a number beyond 2⁵³, nothing, an array, one number.
            let packed = [
                "{'a', 'b', 'c', 'd'}", "{1.5, 2, 3, 4}", "{1, -2, 3, 4}",
                "{2 ^ 62, 2 ^ 62, 2 ^ 62, 1}", "{}", "{{1}, {2}, {3}, {4}}", "{7}",
            ]
            for array in packed {
                try twins.talk.ask(
                    "EVAL", "redis.call('SET', KEYS[1], cmsgpack.pack(\(array)))", "1", array)
                var batch = SharedLimitBatch()
                // As most are asked, and with another limit beside it.
                for limits in [1, 2] {
                    _ = batch.beginDecision(limits, shadows: 0, isPeek: false)
                    for _ in 0..<limits {
                        let key = batch.named(of: Digest128(high: 0, low: 0)) { Array(array.utf8) }
                        batch.addLimit(key: key, rate, units: 1)
                    }
                }
                try twins.run(&batch, at: 1_790_812_800_000_000)
            }
            #expect(twins.differences == [])
            #expect(twins.decided == 3 * packed.count)
        }
    }

    @Test func `every key it writes expires, and not before its state says nothing`() throws {
        try RedisServer.run { server in
            var twins = try Twins(server, slack: 1000)
            let now: Int64 = 1_790_812_800_000_000
            for (index, rate) in Twins.rates.enumerated() {
                var batch = SharedLimitBatch()
                _ = batch.beginDecision(1, shadows: 0, isPeek: false)
                let key = batch.named(of: Digest128(high: 0, low: 0)) { Array("k\(index)".utf8) }
                batch.addLimit(key: key, rate, units: 1)
                let reply = try twins.run(&batch, at: now)
                let level = try #require(reply?.levels.first)
                guard case .integer(let left) = try twins.talk.ask("PTTL", "k\(index)") else {
                    Issue.record("no PTTL")
                    continue
                }
                // A log is kept for the longest period of its limit's rates.
                let counts = max(level.resetAfter, rate.keep) / 1000
                #expect(level.admits)
                #expect(left > counts && left <= counts + 1000)
            }
        }
    }

    @Test func `a batch reads each key once and writes it once`() throws {
        try RedisServer.run { server in
            var twins = try Twins(server)
            var batch = SharedLimitBatch()
            let bucket = try #require(Twins.rates.first)
            for number in 0..<64 {
                _ = batch.beginDecision(1, shadows: 0, isPeek: false)
                let key = batch.named(of: Digest128(high: 0, low: UInt64(number % 2))) {
                    Array("k\(number % 2)".utf8)
                }
                batch.addLimit(key: key, bucket, units: 1)
            }
            try twins.run(&batch, at: 1_790_812_800_000_000)
            #expect(twins.differences == [])
            #expect(try server.calls(of: "mget") == 1)
            #expect(try server.calls(of: "set") == 2)
        }
    }
}

/// A Redis with the script, whose clock is the test's, and the twin.
struct Twins {
    let talk: RedisTalk
    private let digest: [UInt8]
    private var model = SharedLimitModel()
    /// Marks of charges: what refunds are made of.
    var marks: [Int64] = [1_790_812_800_000_000]
    private(set) var differences: [String] = []
    private(set) var decided = 0

    // Keys are kept too long: by more than the test's time differs from the real one.
    init(_ server: RedisServer, slack: Int = 3_600_000) throws {
        talk = try RedisTalk(server)
        let text = SharedLimitScript.text(clock: "{ARGV[2], ARGV[3]}", slack: slack)
        guard case .bytes(let digest) = try talk.ask("SCRIPT", "LOAD", text) else {
            throw Failure("the script was not loaded")
        }
        self.digest = digest
    }

    @discardableResult
    mutating func run(_ batch: inout SharedLimitBatch, at now: Int64) throws -> SharedLimitReply? {
        let argument = batch.argument
        var words = [Array("EVALSHA".utf8), digest, Array("\(batch.keys.count)".utf8)]
        words += batch.keys
        words += [argument, Array("\(now / 1_000_000)".utf8), Array("\(now % 1_000_000)".utf8)]
        let answer = try talk.ask(words)
        guard case .bytes(let bytes) = answer else {
            differences.append("\(answer)")
            return nil
        }
        let twin = model.run(keys: batch.keys, argument: argument, now: now) ?? []
        let read = SharedLimitReply(bytes.span, levels: batch.levels)
        if read == nil || read != SharedLimitReply(twin.span, levels: batch.levels) {
            differences.append("at \(now): \(argument): \(bytes), \(twin)")
        }
        for level in read?.levels ?? [] {
            marks.append(now + level.resetAfter)
            decided += 1
        }
        marks = marks.suffix(20)
        for key in batch.keys
        where try kept(key) != model.values(of: key) {
            differences.append("at \(now): \(String(decoding: key, as: UTF8.self)) differs")
        }
        return read
    }

    /// What the real key holds; `nil`: nothing.
    private func kept(_ key: [UInt8]) throws -> [Int64]? {
        if try talk.ask([Array("TYPE".utf8), key]) == .status("list") {
            let range = ["0", "-1"].map { Array($0.utf8) }
            guard case .list(let moments) = try talk.ask([Array("LRANGE".utf8), key] + range)
            else { return nil }
            return moments.compactMap {
                guard case .bytes(let text) = $0 else { return nil }
                return Int64(String(decoding: text, as: UTF8.self))
            }
        }
        guard case .bytes(let bytes) = try talk.ask([Array("GET".utf8), key]),
            var reader = PackedIntegers.Reader(bytes.span)
        else { return nil }
        var numbers: [Int64] = []
        while let number = reader.next() { numbers.append(number) }
        return numbers
    }

    static let rates: [SharedLimitRate] = [
        rate(.tokenBucket(burst: 5), 3, .seconds(1)),
        rate(.slidingWindow(subWindows: 6), 7, .seconds(6)),
        rate(.slidingLog, 5, .seconds(3), longest: .seconds(9)),
        rate(.fixedWindow(phase: .aligned), 6, .seconds(4)),
        rate(.leakyBucket(maxDelay: .seconds(2)), 2, .seconds(1)),
    ].compactMap { $0 }

    /// The same limits for another tier.
    static let others: [SharedLimitRate] = [
        rate(.tokenBucket(burst: 9), 40, .seconds(60)),
        rate(.slidingWindow(subWindows: 6), 20, .seconds(30)),
        rate(.slidingLog, 20, .seconds(9), longest: .seconds(9)),
        rate(.fixedWindow(phase: .aligned), 9, .seconds(60)),
        rate(.leakyBucket(maxDelay: .seconds(4)), 7, .seconds(1)),
    ].compactMap { $0 }

    /// What few have: a calendar month, a phase, an interval beyond a year, a log at its bound.
    static let rare: [SharedLimitRate] = [
        SharedLimitRate(
            .fixedWindow(phase: .aligned), .monthly(12), longest: .seconds(31 * 86_400)),
        rate(.fixedWindow(phase: .key), 4, .seconds(5)).map {
            $0.phased(by: Digest128(high: 0x9000_0000_0000_0000, low: 0))
        },
        rate(.tokenBucket(burst: 4_000_000_000), 1, .seconds(366 * 86_400)),
        rate(.slidingLog, 1024, .seconds(60)),
        rate(.leakyBucket(maxDelay: .seconds(366 * 86_400)), 1, .seconds(366 * 86_400)),
    ].compactMap { $0 }

    private static func rate(
        _ algorithm: LimitDefinition.Algorithm, _ count: UInt32, _ period: Nanoseconds,
        longest: Nanoseconds? = nil
    ) -> SharedLimitRate? {
        SharedLimitRate(
            algorithm, .init(count: count, period: period), longest: longest ?? period)
    }
}

/// A few random commands about a few keys.
private struct RandomBatch {
    var batch = SharedLimitBatch()

    init(using random: inout SeededRandom, marks: [Int64]) {
        for _ in 0..<(1 + random.below(6)) {
            switch random.below(8) {
            case 0:
                let (key, rate) = target(using: &random, kind: random.below(5))
                batch.addCharge(key: key, rate, units: units(using: &random))
            case 1:
                let (key, rate) = target(using: &random, kind: random.below(5))
                batch.addRefund(
                    key: key, rate, units: units(using: &random),
                    mark: marks[random.below(marks.count)])
            default:
                let count = 1 + random.below(5)
                let shadows = random.below(3) == 0 ? UInt8(random.below(1 << count)) : 0
                _ = batch.beginDecision(
                    count, shadows: shadows, isPeek: random.below(8) == 0)
                // Each limit has a key of its own.
                let first = random.below(5)
                for place in 0..<count {
                    let (key, rate) = target(using: &random, kind: (first + place) % 5)
                    batch.addLimit(key: key, rate, units: units(using: &random))
                }
            }
        }
    }

    private mutating func target(
        using random: inout SeededRandom, kind: Int
    ) -> (Int, SharedLimitRate) {
        let subject = random.below(2)
        // One subject goes to and fro between tiers, one has limits of the rare kinds.
        let isRare = random.below(6) == 0
        let rate =
            isRare
            ? Twins.rare[kind]
            : subject == 1 && random.below(4) == 0 ? Twins.others[kind] : Twins.rates[kind]
        let name = isRare ? "rare:\(kind)" : "\(kind):\(subject)"
        let place = batch.named(
            of: Digest128(high: isRare ? 2 : UInt64(subject), low: UInt64(kind))
        ) {
            Array(name.utf8)
        }
        return (place, rate)
    }

    private func units(using random: inout SeededRandom) -> UInt32 {
        [0, 1, 1, 1, 1, 1, 2, 3, 30, 2000][random.below(10)]
    }
}
