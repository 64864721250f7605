import HTTPModel
import Primitives
import Testing

@testable import Limits

/// Charges that are corrected when the answer is known, and given back at the end.
struct SettlementTests {
    /// A definition with `count`, `costs` or both.
    private func limit(
        _ count: UInt32, _ algorithm: LimitDefinition.Algorithm,
        costs: LimitDefinition.Costs = .init(),
        counted: [ClosedRange<UInt16>] = [], named name: String = "a"
    ) -> LimitDefinition {
        LimitDefinition(
            name: name, rate: .init(count: count, period: .seconds(60)), algorithm: algorithm,
            costs: costs, countedStatuses: counted)
    }

    private let windows: [LimitDefinition.Algorithm] = [
        .tokenBucket(burst: nil), .slidingWindow(subWindows: 6), .fixedWindow(phase: .aligned),
    ]

    @Test
    func `only counted answers stay charged: nine good logins cost nothing, ten bad ones all`() {
        for algorithm in windows {
            let scene = LimitScene([limit(10, algorithm, counted: [401...401, 403...403])])
            for _ in 0..<9 {
                let good = scene.ask()
                #expect(good.isAdmitted && good.isOpen)
                scene.settle(good, status: 200)
                #expect(good[0].charged == 0 && good[0].remaining == 10)
            }
            for _ in 0..<10 {
                let bad = scene.ask()
                #expect(bad.isAdmitted)
                scene.settle(bad, status: 401)
                #expect(bad[0].charged == 1)
            }
            #expect(!scene.ask().isAdmitted, "\(algorithm)")
        }
    }

    @Test func `parallel guesses cannot slip through: what is in flight is reserved`() {
        for algorithm in windows {
            let scene = LimitScene([limit(5, algorithm, counted: [401...401])])
            let inFlight = (0..<20).map { _ in scene.ask() }
            #expect(inFlight.count { $0.isAdmitted } == 5)
            for index in inFlight.indices { scene.settle(inFlight[index], status: 401) }
            #expect(!scene.ask().isAdmitted)
        }
    }

    @Test func `a policy knows whether answers change what was charged`() {
        let plain = limit(10, .tokenBucket(burst: nil))
        let counted = limit(10, .tokenBucket(burst: nil), counted: [401...401], named: "b")
        let costly = limit(
            10, .tokenBucket(burst: nil), costs: .init(hit: .header, header: "c"), named: "b")
        let parallel = limit(10, .concurrency, named: "b")
        #expect(!LimitScene([plain]).policy.isSettled)
        for other in [counted, costly, parallel] {
            #expect(LimitScene([plain, other]).policy.isSettled)
        }
    }

    @Test func `charges whose receipts are forgotten stay, and the decision can be used again`() {
        let scene = LimitScene([limit(1, .tokenBucket(burst: nil), counted: [401...401])])
        let guess = scene.ask()
        #expect(guess.isOpen)
        guess.forgetReceipts()
        #expect(!guess.isOpen && guess[0].charged == 1)
        guess.clear()
        #expect(!scene.ask().isAdmitted)
    }

    @Test func `an answer that was never known stays charged`() {
        let scene = LimitScene([limit(1, .tokenBucket(burst: nil), counted: [401...401])])
        let guess = scene.ask()
        scene.policy.finish(guess, in: scene.table, at: scene.clock)
        #expect(!guess.isOpen)
        #expect(!scene.ask().isAdmitted)
    }

    @Test func `costs by the cache's part: a free hit passes where nothing is left`() {
        let costs = LimitDefinition.Costs(hit: .units(0), stale: .units(1), miss: .units(3))
        let scene = LimitScene([limit(3, .fixedWindow(phase: .aligned), costs: costs)])
        let miss = scene.ask(answer: .miss)
        #expect(miss[0].charged == 3 && miss[0].remaining == 0)
        scene.settle(miss, status: 200, answer: .miss)
        #expect(!scene.ask(answer: .miss).isAdmitted)
        #expect(!scene.ask(answer: .stale).isAdmitted)
        let hit = scene.ask(answer: .hit)
        #expect(hit.isAdmitted && hit[0].charged == 0)
        scene.settle(hit, status: 200, answer: .hit)
    }

    @Test func `a miss that turns out to be another's fetch costs what a hit does`() {
        let costs = LimitDefinition.Costs(hit: .units(1), stale: .units(1), miss: .units(5))
        let scene = LimitScene([limit(10, .tokenBucket(burst: nil), costs: costs)])
        let decision = scene.ask(answer: .miss)
        #expect(decision[0].remaining == 5)
        scene.settle(decision, status: 200, answer: .hit)
        #expect(decision[0].charged == 1 && decision[0].remaining == 9)
    }

    @Test func `a cost field is charged beyond what is left, and the next ones wait for it`() {
        let costs = LimitDefinition.Costs(
            hit: .header, stale: .header, miss: .header, header: "x-cost", reserve: 2)
        for algorithm in windows {
            var scene = LimitScene([limit(10, algorithm, costs: costs)])
            let dear = scene.ask()
            #expect(dear[0].charged == 2)
            scene.settle(dear, status: 200) { $0 == Array("x-cost".utf8) ? 12 : nil }
            #expect(dear[0].charged == 12 && dear[0].remaining == 0)
            #expect(!scene.ask().isAdmitted)
            scene.advance(.seconds(80))
            let cheap = scene.ask()
            #expect(cheap.isAdmitted, "\(algorithm)")
            scene.settle(cheap, status: 200) { _ in nil }
            #expect(cheap[0].charged == 2)
        }
    }

    @Test func `a cost above what the limit can hold never passes, and no wait is told`() {
        for algorithm in windows {
            let scene = LimitScene([limit(10, algorithm, costs: .init(11))])
            let decision = scene.ask()
            #expect(!decision.isAdmitted && decision.neverPasses)
            #expect(decision.retryAfterSeconds == nil && decision[0].remaining == 10)
        }
    }

    @Test func `settling twice changes nothing more`() {
        let scene = LimitScene([limit(5, .fixedWindow(phase: .aligned), counted: [401...401])])
        let first = scene.ask()
        let second = scene.ask()
        scene.settle(first, status: 200)
        scene.settle(first, status: 200)
        #expect(first[0].remaining == 4)
        scene.settle(second, status: 401)
        #expect(scene.ask(isPeek: true)[0].remaining == 4)
    }

    @Test func `random requests: what stays charged is the sum of what counted`() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<50 {
            let costs = LimitDefinition.Costs(
                hit: .units(UInt32(random.next() % 3)), stale: .units(2), miss: .header,
                header: "c", reserve: 1 + UInt32(random.next() % 3))
            let scene = LimitScene([
                limit(1000, .fixedWindow(phase: .aligned), costs: costs, counted: [200...299])
            ])
            var open: [LimitDecision] = []
            var expected: UInt32 = 0
            for _ in 0..<100 {
                open.append(scene.ask(answer: .miss))
                guard random.next() % 2 == 0 else { continue }
                let decision = open.remove(at: Int(random.next() % UInt64(open.count)))
                let answer: LimitAnswer = [.hit, .stale, .miss][Int(random.next() % 3)]
                let status: Status = random.next() % 3 == 0 ? 500 : 200
                let said = UInt32(random.next() % 9)
                scene.settle(decision, status: status, answer: answer) { _ in said }
                if status == 200 {
                    expected += costs.cost(of: answer).units ?? said
                }
            }
            for index in open.indices { scene.settle(open[index], status: 500) }
            let look = scene.ask(answer: .hit, isPeek: true)
            #expect(look[0].remaining == 1000 - expected)
            scene.policy.finish(look, in: scene.table, at: scene.clock)
        }
    }
}
