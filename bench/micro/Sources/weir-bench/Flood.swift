import HTTPModel
import Limits
import Primitives

/// Ten million addresses, each once, through a table of a million keys, between the requests of a thousand
/// clients that are known already, and of one that has used up its limit.
func measureFlood() {
    let cases: [(String, LimitDefinition.Algorithm)] = [
        ("token_bucket", .tokenBucket(burst: nil)), ("sliding_window", .slidingWindow(subWindows: 60)),
    ]
    for (name, algorithm) in cases { flood(name, algorithm) }
}

private func flood(_ name: String, _ algorithm: LimitDefinition.Algorithm) {
    let resident = Gauges.resident().now
    let policy = LimitPolicy(
        limits: [
            LimitDefinition(
                name: "a", rate: .init(count: 10_000, period: .seconds(86_400)), algorithm: algorithm)
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
        let cost = crowd.time(batch) { ((base + UInt64($0)) &* 0x9E37_79B9_7F4A_7C15) >> 2 }
        strangers.append(cost)
        if number >= floods / 2 { whenFull.append(cost) }
        if number % 10 == 0 { flooded.append(known()) }
        if crowd.ask(.max) { Report.fail("\(name): the limited key passed after \(number) batches") }
        if number % 500 == 0 { highestTable = max(highestTable, table.memoryBytes) }
    }
    let after = Gauges.resident()
    let idleMedian = Rounds.median(idle)
    Report.say("flood, \(name): known client, idle", idleMedian, unit: "ns")
    Report.say("flood, \(name): known client, during the flood", Rounds.median(flooded), unit: "ns")
    Report.say("flood, \(name): stranger, whole flood", Rounds.median(strangers), unit: "ns")
    Report.say("flood, \(name): stranger, full table", Rounds.median(whenFull), unit: "ns")
    Report.say(
        "flood, \(name): dearest of known and stranger to idle",
        max(Rounds.median(flooded), Rounds.median(whenFull)) / idleMedian, unit: "×", bound: 2)
    let mebibyte = 1_048_576.0
    Report.say(
        "flood, \(name): table", Double(max(highestTable, table.memoryBytes)) / mebibyte, unit: "MiB",
        bound: Double(table.memoryBytesMax) / mebibyte)
    Report.say(
        "flood, \(name): resident memory added", Double(after.now - resident) / mebibyte, unit: "MiB",
        bound: Double(table.memoryBytesMax) / mebibyte)
    Report.say("flood, \(name): keys held", Double(table.keyCount) / 1e6, unit: "M")
}

/// Requests from any address, of 64 bits.
private struct Crowd {
    let policy: LimitPolicy
    let table: LimitTable
    private let dimensions = LimitDimensions()
    private var decision = LimitDecision()
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
        policy.decide(subject, dimensions: dimensions, in: table, at: clock, into: &decision)
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
