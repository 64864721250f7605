import HTTPModel
import Primitives
import Testing

@testable import Limits

/// What becomes of decisions by the answers of Redis, and without them; Redis is the script's twin.
struct SharedDecisionTests {
    @Test func `a limit of the process gives back what Redis refuses`() throws {
        var scene = SharedDecisions([
            limit(100, .fixedWindow(phase: .aligned), named: "own"),
            shared(3, named: "shared"),
        ])
        for _ in 0..<3 { #expect(try scene.ask().isAdmitted) }
        let refused = try scene.ask()
        #expect(refused.outcome == .refused(limit: 1))
        #expect(refused[0].remaining == 97)
        #expect(refused[0].charged == 0)
        #expect(refused[1].remaining == 0)
    }

    @Test
    func `when a limit of the process refuses, Redis is not asked and clients read nothing of it`()
        throws
    {
        var scene = SharedDecisions([
            limit(1, .fixedWindow(phase: .aligned), named: "own"), shared(3, named: "shared"),
        ])
        #expect(try scene.ask().isAdmitted)
        let calls = scene.redis.calls
        let refused = try scene.ask()
        #expect(refused.outcome == .refused(limit: 0))
        #expect(refused[1].isUntold && !refused[1].refused)
        #expect(scene.redis.calls == calls)
    }

    @Test func `in a cluster a refusal gives back what other slots were charged`() throws {
        var scene = SharedDecisions([shared(5, named: "a"), shared(2, named: "b")])
        scene.isCluster = true
        for _ in 0..<2 { #expect(try scene.ask().isAdmitted) }
        let refused = try scene.ask()
        #expect(refused.outcome == .refused(limit: 1))
        #expect(refused[0].charged == 0)
        // What was given back can be taken again.
        scene.isCluster = false
        #expect(try scene.ask(isPeek: true)[0].remaining == 3)
    }

    @Test func `without Redis each replica counts by its part, from what it let pass before`()
        throws
    {
        var scene = SharedDecisions([shared(10, named: "a")])
        scene.replicas = 2
        for _ in 0..<3 { #expect(try scene.ask().isAdmitted) }
        scene.isAway = true
        // Half of ten, less three.
        for _ in 0..<2 { #expect(try scene.ask().isAdmitted) }
        #expect(try scene.ask().outcome == .refused(limit: 0))
        scene.isAway = false
        #expect(try scene.ask()[0].remaining == 6)
    }

    @Test
    func `without Redis a limit passes or refuses as it says, and others are not charged then`()
        throws
    {
        var scene = SharedDecisions([
            limit(100, .fixedWindow(phase: .aligned), named: "own"),
            shared(1, named: "allow", .allow),
        ])
        scene.isAway = true
        for _ in 0..<5 { #expect(try scene.ask().isAdmitted) }
        scene = SharedDecisions([
            limit(100, .fixedWindow(phase: .aligned), named: "own"),
            shared(10, named: "deny", .deny), shared(10, named: "local"),
        ])
        scene.isAway = true
        let denied = try scene.ask()
        #expect(denied.outcome == .uncounted(limit: 1))
        #expect(denied.refusalStatus == 503)
        #expect(denied.retryAfterSeconds == 1)
        #expect(denied[0].charged == 0 && denied[0].remaining == 100)
        #expect(denied[2].charged == 0 && denied[2].remaining == 10)
    }

    private func shared(
        _ count: UInt32, named name: String, _ failure: LimitDefinition.RedisFailure = .local
    ) -> LimitDefinition {
        var definition = limit(
            count, .slidingWindow(subWindows: 6), named: name)
        definition.consistency = .strict
        definition.onRedisFailure = failure
        return definition
    }
}

/// A policy, a table, and the twin in place of Redis.
private struct SharedDecisions {
    let scene: LimitScene
    var redis = SharedLimitModel()
    var isAway = false
    var isCluster = false
    var replicas = 1
    private let keys = SharedKeyWriter(namespace: "weir")

    init(_ limits: [LimitDefinition]) { scene = LimitScene(limits) }

    mutating func ask(isPeek: Bool = false) throws -> LimitDecision {
        let decision = scene.ask(isPeek: isPeek)
        let subject = LimitSubject(
            address: IPAddress(v4: 1), counted: IPAddress(v4: 1), method: .get, user: nil,
            company: nil, tier: nil)
        let none = LimitDimensions()
        var corrections: [SharedCorrection] = []
        while decision.awaitsRedis {
            if isAway {
                scene.policy.concludeWithoutRedis(
                    decision, in: scene.table, replicas: replicas, at: scene.clock, isPeek: isPeek
                ) { corrections.append($0) }
                break
            }
            var slots = 0
            // Each key in a slot of its own.
            let states =
                isCluster
                ? scene.policy.nextSlot(of: decision, subject, none, keys: keys) { _ in
                    slots += 1
                    return slots
                }.states : decision.openStates
            var batch = SharedLimitBatch()
            let place = scene.policy.ask(
                about: decision, subject, none, states: states, keys: keys, isPeek: isPeek,
                in: &batch)
            let reply = try #require(run(batch))
            scene.policy.conclude(
                decision, by: reply, from: place, states: states, in: scene.table,
                replicas: replicas, at: scene.clock, isPeek: isPeek
            ) { corrections.append($0) }
        }
        for correction in corrections {
            var batch = SharedLimitBatch()
            scene.policy.add(correction, subject, none, keys: keys, to: &batch)
            _ = run(batch)
        }
        scene.policy.finish(decision, in: scene.table, at: scene.clock)
        return decision
    }

    private mutating func run(_ batch: SharedLimitBatch) -> SharedLimitReply? {
        let answer = redis.run(
            keys: batch.keys, argument: batch.argument,
            now: Int64(scene.clock.wall.nanoseconds / 1000))
        return answer.flatMap { SharedLimitReply($0.span, levels: batch.levels) }
    }
}
