import Primitives
import Testing

@testable import Limits

/// What is told and what is decided come from one look.
struct PeekTests {
    @Test(arguments: algorithms)
    func `an idle key is charged though another key of the same request sweeps it away`(
        algorithm: LimitDefinition.Algorithm
    ) {
        // One shard, in which each request adds keys, and so sweeps those that are idle by then.
        let names = ["a", "b", "c", "d"]
        var left: UInt32 = 3
        if case .tokenBucket(let burst?) = algorithm { left = burst - 1 }
        var scene = LimitScene(
            names.map {
                limit(4, per: .seconds(1), of: $0 == "a" ? [.ip] : [.user], algorithm, named: $0)
            },
            keys: 60)
        for round in 0..<300 as Range<UInt32> {
            let decision = scene.ask(ip: round % 7, user: "\(round)")
            #expect(decision.isAdmitted)
            for index in 0..<decision.count {
                #expect(decision[index].charged == 1 && decision[index].remaining == left)
            }
            scene.advance(.seconds(2))
        }
    }

    @Test(arguments: algorithms)
    func `a request passes exactly when what it costs is left, at every border of a sub-window`(
        algorithm: LimitDefinition.Algorithm
    ) {
        var random = SeededRandom(seed: 28)
        var definition = limit(4, per: .seconds(3600), algorithm)
        definition.costs = LimitDefinition.Costs(2)
        for _ in 0..<50 {
            var scene = LimitScene([definition])
            for _ in 0..<200 {
                let peek = scene.ask(isPeek: true)
                let real = random.next() % 2 == 0 ? scene.ask() : peek
                #expect(peek.isAdmitted == (peek[0].remaining >= 2))
                #expect(peek.isAdmitted == real.isAdmitted)
                // To a border, a nanosecond before or behind it, or anywhere.
                let step: UInt64 = 600_000_000_000
                let now = scene.clock.monotonic.nanoseconds
                let border = (now / step + 1 + random.next() % 4) * step - now
                switch random.next() % 4 {
                case 0: scene.advance(Nanoseconds(border - 1))
                case 1: scene.advance(Nanoseconds(border))
                case 2: scene.advance(Nanoseconds(border + 1))
                default: scene.advance(Nanoseconds(random.next() % 3_600_000_000_000))
                }
            }
        }
    }
}
