import HTTPModel
import Limits
import Primitives

/// Ten million addresses, each once, through a table of a million keys, between the requests of a thousand
/// clients that are known already, and of one that has used up its limit.
func measureFlood() {
    let cases: [(String, LimitDefinition.Algorithm)] = [
        ("token_bucket", .tokenBucket(burst: nil)),
        ("sliding_window", .slidingWindow(subWindows: 60)),
    ]
    for (name, algorithm) in cases { flood(name, algorithm) }
}

/// An address that is none of the known ones, another for each number.
@inline(__always)
private func stranger(_ number: UInt64) -> UInt64 { (number &* 0x9E37_79B9_7F4A_7C15) >> 2 }

private func flood(_ name: String, _ algorithm: LimitDefinition.Algorithm) {
    let resident = Gauges.resident().now
    let policy = LimitPolicy(
        limits: [
            LimitDefinition(
                name: "a", rate: .init(count: 10_000, period: .seconds(86_400)),
                algorithm: algorithm)
        ], endpoint: "/")
    let table = LimitTable(keys: 1_000_000, seed: .random())
    var crowd = Crowd(policy, table)
    // The one that is limited, from the beginning to the end.
    while crowd.ask(.max) {}
    let batch = 1000
    func known() -> Double { crowd.time(batch) { UInt64($0) | 1 << 62 } }
    var idle: [Double] = []
    for _ in 0..<1000 { idle.append(known()) }
    var flooded: [Double] = []
    var strangers: [Double] = []
    var whenFull: [Double] = []
    var highestTable = 0
    let floods = 10_000_000 / batch
    for number in 0..<floods {
        let base = UInt64(number * batch)
        let cost = crowd.time(batch) { stranger(base + UInt64($0)) }
        strangers.append(cost)
        if number >= floods / 2 { whenFull.append(cost) }
        if number % 10 == 0 { flooded.append(known()) }
        if crowd.ask(.max) {
            Report.fail("\(name): the limited key passed after \(number) batches")
        }
        if number % 500 == 0 { highestTable = max(highestTable, table.memoryBytes) }
    }
    let after = Gauges.resident()
    // The same table without a flood: clients that have entries, in an order the processor cannot foresee.
    let held = 500_000
    guard table.keyCount > 2 * held else { Report.fail("\(name): the table holds too few keys") }
    var spread: [Double] = []
    for number in 0..<1000 {
        spread.append(
            crowd.time(batch) { stranger(UInt64((number * batch + $0) &* 7_368_787 % held)) })
    }
    let idleMedian = Rounds.median(idle)
    let spreadMedian = Rounds.median(spread)
    Report.say("flood, \(name): one of 1,000 known clients, idle", idleMedian, unit: "ns")
    Report.say(
        "flood, \(name): one of 500,000 known clients, idle", spreadMedian, unit: "ns")
    Report.say(
        "flood, \(name): one of 1,000 known clients, between strangers", Rounds.median(flooded),
        unit: "ns")
    Report.say("flood, \(name): stranger, whole flood", Rounds.median(strangers), unit: "ns")
    Report.say("flood, \(name): stranger, full table", Rounds.median(whenFull), unit: "ns")
    Report.say(
        "flood, \(name): stranger to one of 500,000 idle", Rounds.median(whenFull) / spreadMedian,
        unit: "×", bound: 2)
    Report.say(
        "flood, \(name): stranger to one of 1,000 idle", Rounds.median(whenFull) / idleMedian,
        unit: "×")
    let mebibyte = 1_048_576.0
    Report.say(
        "flood, \(name): table", Double(max(highestTable, table.memoryBytes)) / mebibyte,
        unit: "MiB",
        bound: Double(table.memoryBytesMax) / mebibyte)
    Report.say(
        "flood, \(name): resident memory added", Double(after.now - resident) / mebibyte,
        unit: "MiB",
        bound: Double(table.memoryBytesMax) / mebibyte)
    Report.say("flood, \(name): keys held", Double(table.keyCount) / 1e6, unit: "M")
}

/// Requests from any address, of 64 bits.
private struct Crowd: ~Copyable {
    let policy: LimitPolicy
    let table: LimitTable
    private let dimensions = LimitDimensions()
    private let decision = LimitDecision()
    private var clock = ClockReading(
        monotonic: MonotonicTime(nanoseconds: 3_600_000_000_000),
        wall: WallTime(nanoseconds: 1_790_812_800_000_000_000))

    init(_ policy: LimitPolicy, _ table: LimitTable) {
        self.policy = policy
        self.table = table
    }

    /// Whether a request from `address` passes. The flood lasts a tenth of a second: nothing becomes
    /// idle meanwhile, and no bucket gets a token back.
    @inline(__always)
    mutating func ask(_ address: UInt64) -> Bool {
        clock.monotonic.nanoseconds &+= 10
        clock.wall.nanoseconds &+= 10
        let ip = IPAddress(high: address, low: 0)
        let subject = LimitSubject(
            address: ip, counted: ip, method: .get, user: nil, company: nil, tier: nil)
        policy.decide(subject, dimensions: dimensions, in: table, at: clock, into: decision)
        return decision.isAdmitted
    }

    /// CPU nanoseconds per request of `count` addresses.
    @inline(__always)
    mutating func time(_ count: Int, _ address: (Int) -> UInt64) -> Double {
        let start = Gauges.threadTime()
        for index in 0..<count { _ = ask(address(index)) }
        return Double(Gauges.threadTime() - start) / Double(count)
    }
}
