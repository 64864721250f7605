import BinaryKit
import Foundation
import Primitives
import Testing

@testable import Limits

/// The script that grants leases, in a real Redis, beside its twin.
struct LeaseScriptTests {
    /// The script with a clock that the test moves, in its last argument, and 100 s more of expiry: that clock is
    /// the server's own.
    private static let script = LeaseScript.text.replacingOccurrences(
        of: "local time = redis.call('TIME')",
        with: "local time = {string.sub(ARGV[#ARGV], 1, -7), string.sub(ARGV[#ARGV], -6)}"
    ).replacingOccurrences(of: "quotient(idle, 1000) + 1)", with: "quotient(idle, 1000) + 100001)")

    /// 2026-10-01T00:00:00Z, in microseconds.
    private static let start: Int64 = 1_790_812_800_000_000

    private static func exchange(
        _ talk: RedisTalk, _ orders: [(key: [UInt8], terms: LeaseTerms, order: LeaseOrder)],
        replicas: UInt32, at now: Int64
    ) throws -> [LeaseGrant?] {
        var words = ["EVAL", script, "\(orders.count)"].map { Array($0.utf8) }
        words += orders.map(\.key)
        words.append(Array("\(replicas)".utf8))
        for order in orders {
            let arguments = order.order.arguments(order.terms)
            for index in arguments.indices { words.append(Array("\(arguments[index])".utf8)) }
        }
        words.append(Array("\(now)".utf8))
        let answer = try talk.ask(words)
        guard case .list(let values) = answer else { throw Failure("\(answer)") }
        let integers = values.map {
            if case .integer(let value) = $0 { Int64(value) } else { Int64.min }
        }
        return stride(from: 0, to: integers.count, by: LeaseGrant.count).map {
            LeaseGrant(integers[$0..<min($0 + LeaseGrant.count, integers.count)])
        }
    }

    @Test(arguments: leaseRates)
    func `the script and its twin agree on random orders, and keep the same`(rate: LeaseRate) throws
    {
        try RedisServer.run { server in
            let talk = try RedisTalk(server)
            var random = SeededRandom(seed: 7)
            var ledger = LeaseLedger()
            var now = Self.start + Int64(random.below(1_000_000_000))
            var marks: [[UInt8]: [LeaseGrant]] = [:]
            for round in 0..<1500 {
                now += Int64(random.below([100, 50_000, 300_000, 2_000_000][random.below(4)]))
                // Now and then the server's clock goes back, and now and then far ahead.
                if random.below(50) == 0 { now -= Int64(random.below(3_000_000)) }
                if random.below(200) == 0 { now += Int64(random.below(40)) * 86_400_000_000 }
                let replicas = UInt32(random.below(5))
                var orders: [(key: [UInt8], terms: LeaseTerms, order: LeaseOrder)] = []
                for number in 0..<(1 + random.below(3)) {
                    let key = Array("weir:l:{k\(number)}:a".utf8)
                    var terms = rate.terms
                    // Other numbers, as a reload brings them.
                    if random.below(20) == 0 { terms = rate.other }
                    orders.append(
                        (key, terms.ofKey(key.span), order(after: marks[key] ?? [], &random)))
                }
                let answers = try Self.exchange(talk, orders, replicas: replicas, at: now)
                for (order, answer) in zip(orders, answers) {
                    let twin = ledger.exchange(
                        order.order, order.key, order.terms, replicas: replicas, at: now)
                    #expect(answer == twin, "round \(round): \(order.order)")
                    marks[order.key, default: []].append(twin)
                }
                for (order, answer) in zip(orders, answers) {
                    try expectState(talk, order.key, ledger, round)
                    try expectExpiry(talk, order.key, after: answer?.reset ?? 0, round)
                }
            }
        }
    }

    private func order(after grants: [LeaseGrant], _ random: inout SeededRandom) -> LeaseOrder {
        var order = LeaseOrder()
        if let grant = grants.suffix(4).randomElement(using: &random), random.below(3) > 0 {
            order.mark = grant.mark
            order.back = UInt32(random.below(Int(grant.granted) + 2))
            order.spent = UInt32(random.below(4))
            order.keep = UInt32(random.below(3))
        }
        order.need = UInt32(random.below(4))
        order.want = order.need + UInt32(random.below(20))
        return order
    }

    private func expectState(
        _ talk: RedisTalk, _ key: [UInt8], _ ledger: LeaseLedger, _ round: Int
    ) throws {
        let twin = ledger.states[key]?.map { String($0) }.joined(separator: " ")
        switch try talk.ask([Array("GET".utf8), key]) {
        case .bytes(let bytes):
            #expect(String(decoding: bytes, as: UTF8.self) == twin, "round \(round)")
        case .nothing: #expect(twin == nil, "round \(round)")
        case let other: throw Failure("\(other)")
        }
    }

    /// What counts lives as long as it counts, and not for ever.
    private func expectExpiry(
        _ talk: RedisTalk, _ key: [UInt8], after micros: Int64, _ round: Int
    ) throws {
        guard case .integer(let time) = try talk.ask([Array("PTTL".utf8), key]) else {
            throw Failure("no PTTL")
        }
        // -2: there is no such key, -1: it has no expiry. Ten seconds for a slow test.
        #expect(
            time != -1 && (time == -2 || Int64(time) > micros / 1000 + 90_000), "round \(round)")
    }

    @Test func `by its own clock the script grants a window's units once`() throws {
        try RedisServer.run { server in
            let talk = try RedisTalk(server)
            let terms = try #require(
                LeaseTerms(
                    .fixedWindow(phase: .aligned), .init(count: 100, period: .seconds(86_400))))
            var order = LeaseOrder()
            order.need = 60
            order.want = 60
            let arguments = order.arguments(terms)
            let words =
                ["EVAL", LeaseScript.text, "1", "weir:l:{a}", "1"]
                + arguments.indices.map { "\(arguments[$0])" }
            var granted: [Int64] = []
            for _ in 0..<3 {
                guard case .list(let values) = try talk.ask(words.map { Array($0.utf8) }),
                    case .integer(let first)? = values.first
                else { throw Failure("no list") }
                granted.append(Int64(first))
            }
            #expect(granted == [60, 40, 0])
        }
    }
}

/// A rate under each algorithm that can be leased, and another one that a reload may bring.
struct LeaseRate: Sendable, CustomStringConvertible {
    let description: String
    let terms: LeaseTerms
    let other: LeaseTerms
    let definition: LimitDefinition.Algorithm
    let count: UInt32
    let period: Nanoseconds

    init(
        _ algorithm: LimitDefinition.Algorithm, _ count: UInt32, _ period: Nanoseconds,
        isMonthly: Bool = false
    ) {
        description =
            "\(algorithm), \(count) per \(isMonthly ? "month" : "\(period.wholeMilliseconds) ms")"
        func terms(_ count: UInt32, _ period: Nanoseconds) -> LeaseTerms {
            guard
                let terms = LeaseTerms(
                    algorithm, isMonthly ? .monthly(count) : .init(count: count, period: period))
            else { preconditionFailure("\(algorithm) cannot be leased") }
            return terms
        }
        self.terms = terms(count, period)
        other = terms(count + 7, Nanoseconds(period.count * 2))
        definition = algorithm
        self.count = count
        self.period = period
    }
}

let leaseRates: [LeaseRate] = [
    LeaseRate(.fixedWindow(phase: .aligned), 100, .seconds(10)),
    LeaseRate(.fixedWindow(phase: .key), 100, .seconds(10)),
    LeaseRate(.fixedWindow(phase: .aligned), 1000, .seconds(1), isMonthly: true),
    LeaseRate(.slidingWindow(subWindows: 6), 100, .seconds(12)),
    LeaseRate(.slidingWindow(subWindows: 60), 300, .seconds(60)),
    LeaseRate(.tokenBucket(burst: 50), 30, .seconds(1)),
    LeaseRate(.tokenBucket(burst: 5), 1_000_003, .seconds(60)),
    LeaseRate(.tokenBucket(burst: 400), 7, .seconds(3)),
]
