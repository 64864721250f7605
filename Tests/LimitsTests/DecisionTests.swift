import HTTPModel
import Limits
import Primitives
import Testing

/// Several limits decided as one.
struct DecisionTests {
    /// The obvious way: a limit is a list of (key, window, count).
    private struct Model {
        let definition: LimitDefinition
        var counts: [String: Int] = [:]

        func key(ip: UInt32, user: String?, window: UInt64) -> String {
            var key = "\(window)"
            if definition.per.contains(.ip) || (definition.per.contains(.user) && user == nil) {
                key += " ip \(ip)"
            }
            if definition.per.contains(.user), let user { key += " user \(user)" }
            return key
        }
    }

    @Test(arguments: 1...8)
    func `random sets of limits: charges are the admitted requests, all or none`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let scopes: [[LimitDefinition.Scope]] = [[.global], [.ip], [.user], [.ip, .user]]
        var models: [Model] = []
        for index in 0..<(1 + random.below(6)) {
            let definition = limit(
                UInt32(1 + random.below(30)), per: .seconds(10), of: scopes[random.below(4)],
                .fixedWindow(phase: .aligned), mode: random.below(4) == 0 ? .shadow : .enforce,
                named: "l\(index)")
            models.append(Model(definition: definition))
        }
        var scene = LimitScene(models.map(\.definition))
        var admitted = 0
        for _ in 0..<3000 {
            scene.advance(.milliseconds(UInt64(random.below(100))))
            let window = scene.clock.wall.nanoseconds / 10_000_000_000
            let ip = UInt32(random.below(4))
            let user = random.below(3) == 0 ? nil : "u\(random.below(3))"
            let decision = scene.ask(ip: ip, user: user)

            let keys = models.map { $0.key(ip: ip, user: user, window: window) }
            let passes = models.indices.map {
                models[$0].counts[keys[$0], default: 0] < Int(models[$0].definition.rate.count)
            }
            let vetoes = models.indices.filter {
                !passes[$0] && models[$0].definition.mode == .enforce
            }
            #expect(decision.isAdmitted == vetoes.isEmpty)
            #expect(decision.count == models.count)
            if decision.isAdmitted { admitted += 1 }
            for index in models.indices {
                let isShadow = models[index].definition.mode == .shadow
                let charged = isShadow ? passes[index] : vetoes.isEmpty
                if charged { models[index].counts[keys[index], default: 0] += 1 }
                let state = decision[index]
                #expect((state.charged > 0) == charged)
                #expect(state.refused == !passes[index])
                let count = models[index].counts[keys[index], default: 0]
                #expect(Int(state.remaining) == Int(models[index].definition.rate.count) - count)
            }
            if case .refused(let limit) = decision.outcome { #expect(vetoes.contains(limit)) }
        }
        for model in models where model.definition.mode == .enforce {
            #expect(model.counts.values.reduce(0, +) == admitted)
        }
        #expect(admitted > 0)
    }

    @Test(arguments: 1...6)
    func `a limit that is alone decides as it does beside one that does not apply`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let algorithms: [LimitDefinition.Algorithm] = [
            .tokenBucket(burst: 5), .slidingWindow(subWindows: 9), .slidingLog,
            .fixedWindow(phase: .key), .leakyBucket(maxDelay: .milliseconds(300)), .concurrency,
        ]
        for algorithm in algorithms {
            let own = limit(
                8, per: .seconds(1), of: random.below(2) == 0 ? [.ip] : [.user], algorithm,
                mode: random.below(3) == 0 ? .shadow : .enforce, named: "own")
            let absent = limit(
                1, of: [.user], .slidingLog, anonymous: .skip, named: "absent")
            // The table has room for a few keys only, so that all places are met.
            var alone = LimitScene([own], keys: 6)
            var beside = LimitScene([own, absent], keys: 6)
            for _ in 0..<1500 {
                let step = Nanoseconds.milliseconds(UInt64(random.below(60)))
                alone.advance(step)
                beside.advance(step)
                let ip = UInt32(random.below(20))
                let isPeek = random.below(8) == 0
                let first = alone.ask(ip: ip, isPeek: isPeek)
                let second = beside.ask(ip: ip, isPeek: isPeek)
                #expect(first.outcome == second.outcome)
                #expect(first.count == 1 && second.count == 1)
                #expect(first[0] == second[0])
                #expect(first.delay == second.delay)
                #expect(first.isOpen == second.isOpen)
                alone.settle(first, status: 200)
                beside.settle(second, status: 200)
            }
        }
    }

    @Test func `a limit that would pass is not charged when another refuses`() {
        var scene = LimitScene([
            limit(100, .tokenBucket(burst: 100), named: "wide"),
            limit(3, .slidingWindow(subWindows: 6), named: "narrow"),
            limit(100, of: [.global], .fixedWindow(phase: .aligned), named: "all"),
        ])
        #expect(scene.passing() == 3)
        for _ in 0..<50 {
            let decision = scene.ask()
            #expect(decision.outcome == .refused(limit: 1))
            #expect(decision[0].remaining == 97)
            #expect(decision[2].remaining == 97)
            #expect(decision[0].charged == 0 && !decision[0].refused)
        }
        // A key that is refused at once by another limit leaves nothing in the table.
        scene.advance(.seconds(1))
        let before = scene.table.keyCount
        let other = LimitPolicy(
            limits: [
                limit(3, of: [.user], .tokenBucket(burst: 3), named: "other"),
                limit(3, .slidingWindow(subWindows: 6), named: "narrow"),
            ], endpoint: "/")
        #expect(!decide(other, in: scene.table, user: "new", at: scene.clock).isAdmitted)
        #expect(scene.table.keyCount == before)
    }

    @Test func `of several limits that refuse, the longest wait is told`() {
        var scene = LimitScene([
            limit(1, per: .seconds(10), .tokenBucket(burst: 1), named: "ten"),
            limit(1, per: .seconds(30), .tokenBucket(burst: 1), named: "thirty"),
            limit(1, per: .seconds(20), .tokenBucket(burst: 1), named: "twenty"),
        ])
        #expect(scene.ask().outcome == .admitted)
        #expect(scene.ask().outcome == .refused(limit: 1))
        #expect(scene.ask().retryAfterSeconds == 30)
        scene.advance(Nanoseconds(1))
        #expect(scene.ask().retryAfterSeconds == 30)
        scene.advance(.seconds(29))
        // One nanosecond short of a second is a second, and never zero.
        #expect(scene.ask().retryAfterSeconds == 1)
        scene.advance(.seconds(1) - Nanoseconds(2))
        #expect(scene.ask().retryAfterSeconds == 1)
        #expect(scene.ask().outcome == .refused(limit: 1))
        scene.advance(Nanoseconds(1))
        #expect(scene.ask().outcome == .admitted)
        #expect(scene.ask().refusalStatus == 429)
    }

    @Test func `a shadow limit refuses nobody, and is charged as if it were alone`() {
        let scene = LimitScene([
            limit(2, .fixedWindow(phase: .aligned), mode: .shadow, named: "shadow"),
            limit(4, .fixedWindow(phase: .aligned), named: "real"),
        ])
        let decisions = (0..<6).map { _ in scene.ask() }
        #expect(decisions.map(\.isAdmitted) == [true, true, true, true, false, false])
        #expect(decisions.map { $0[0].refused } == [false, false, true, true, true, true])
        #expect(decisions.map { $0[0].charged > 0 } == [true, true, false, false, false, false])
        #expect(decisions.allSatisfy { $0[0].isShadow })
        #expect(decisions[5].outcome == .refused(limit: 1))
        #expect(decisions[5].tightest == 1)

        let refusing = LimitScene([
            limit(1, .fixedWindow(phase: .aligned), named: "real"),
            limit(5, .fixedWindow(phase: .aligned), mode: .shadow, named: "shadow"),
        ])
        // The real one lets one through; the shadow one counts what it would have let through.
        for left in [4, 3, 2, 1, 0] as [UInt32] { #expect(refusing.ask()[1].remaining == left) }
    }

    @Test func `crossing sets of keys from four threads: no deadlock, and counts are exact`() async
    {
        let policy = LimitPolicy(
            limits: [
                limit(50, of: [.user], .fixedWindow(phase: .aligned), named: "user"),
                limit(50, of: [.ip], .slidingWindow(subWindows: 4), named: "ip"),
                limit(700, of: [.global], .fixedWindow(phase: .aligned), named: "all"),
                limit(60, of: [.ip, .endpoint], .tokenBucket(burst: 60), named: "bucket"),
            ], endpoint: "/")
        let table = LimitTable(keys: 1_000_000, seed: .random())
        let clock = LimitScene([]).clock
        let passed = await withTaskGroup(of: [Int].self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var random = SeededRandom(seed: UInt64(worker))
                    var passed = [Int](repeating: 0, count: 40)
                    for _ in 0..<8000 {
                        let ip = random.below(20)
                        let user = random.below(20)
                        let decision = decide(
                            policy, in: table, ip: UInt32(ip), user: "u\(user)", at: clock)
                        guard decision.isAdmitted else { continue }
                        passed[ip] += 1
                        passed[20 + user] += 1
                    }
                    return passed
                }
            }
            return await group.reduce([Int](repeating: 0, count: 40)) { sum, part in
                zip(sum, part).map { $0 + $1 }
            }
        }
        #expect(passed.allSatisfy { $0 <= 50 })
        // 700 of at most 1,000: the global limit is what is used up.
        #expect(passed.prefix(20).reduce(0, +) == 700)
        #expect(passed.suffix(20).reduce(0, +) == 700)
    }

    @Test func `without limits nothing is limited`() {
        let scene = LimitScene([])
        #expect(scene.policy.isEmpty)
        #expect(scene.ask().outcome == .notLimited)
        #expect(scene.ask().count == 0)
        #expect(scene.ask().tightest == nil)
        #expect(scene.ask().retryAfterSeconds == nil)
        #expect(scene.table.keyCount == 0)
    }
}
