import HTTPModel
import Limits
import Primitives
import Testing

/// Who is counted, and by which rate.
struct LimitPolicyTests {
    private let one = LimitDefinition.Algorithm.tokenBucket(burst: 1)

    @Test func `each scope counts by its own part of the request`() {
        func others(_ scopes: [LimitDefinition.Scope]) -> [Bool] {
            let scene = LimitScene([limit(1, of: scopes, one)])
            #expect(scene.ask(ip: 1, user: "u", company: "c").isAdmitted)
            #expect(!scene.ask(ip: 1, user: "u", company: "c").isAdmitted)
            return [
                scene.ask(ip: 2, user: "u", company: "c").isAdmitted,
                scene.ask(ip: 1, user: "v", company: "c").isAdmitted,
                scene.ask(ip: 1, user: "u", company: "d").isAdmitted,
                scene.ask(ip: 1, user: "u", company: "c", method: .post).isAdmitted,
            ]
        }
        #expect(others([.global]) == [false, false, false, false])
        #expect(others([]) == [false, false, false, false])
        #expect(others([.ip]) == [true, false, false, false])
        #expect(others([.user]) == [false, true, false, false])
        #expect(others([.company]) == [false, false, true, false])
        #expect(others([.endpoint]) == [false, false, false, true])
        #expect(others([.user, .endpoint]) == [false, true, false, true])
        #expect(others([.ip, .user, .company, .endpoint]) == [true, true, true, true])
    }

    @Test func `the order of the parts does not matter, their borders do`() {
        let scene = LimitScene([limit(1, of: [.user, .company], one)])
        #expect(scene.ask(user: "ab", company: "c").isAdmitted)
        #expect(scene.ask(user: "a", company: "bc").isAdmitted)
        #expect(scene.ask(user: "abc", company: "d").isAdmitted)
        let turned = LimitPolicy(limits: [limit(1, of: [.company, .user], one)], endpoint: "/")
        #expect(
            !decide(turned, in: scene.table, user: "ab", company: "c", at: scene.clock).isAdmitted)
    }

    @Test func `one limit on two routes is one limit; two limits never share a key`() {
        let scene = LimitScene([limit(1, one, named: "x")], endpoint: "/a")
        let sameLimit = LimitPolicy(limits: [limit(1, one, named: "x")], endpoint: "/b")
        let otherLimit = LimitPolicy(limits: [limit(1, one, named: "y")], endpoint: "/a")
        #expect(scene.ask().isAdmitted)
        #expect(!decide(sameLimit, in: scene.table, at: scene.clock).isAdmitted)
        #expect(decide(otherLimit, in: scene.table, at: scene.clock).isAdmitted)
    }

    @Test func `an endpoint is its route and its method`() {
        let definition = limit(1, of: [.endpoint], one)
        let scene = LimitScene([definition], endpoint: "/a")
        let other = LimitPolicy(limits: [definition], endpoint: "/b")
        #expect(scene.ask(method: .get).isAdmitted)
        #expect(scene.ask(method: .head).isAdmitted)
        #expect(!scene.ask(method: .get).isAdmitted)
        #expect(decide(other, in: scene.table, at: scene.clock).isAdmitted)
    }

    @Test func `a new rate under the same name keeps what was counted`() {
        let scene = LimitScene([limit(5, .fixedWindow(phase: .aligned))])
        #expect(scene.passing() == 5)
        let raised = LimitPolicy(limits: [limit(8, .fixedWindow(phase: .aligned))], endpoint: "/")
        let decision = decide(raised, in: scene.table, at: scene.clock)
        #expect(decision[0].remaining == 2)
        let lowered = LimitPolicy(limits: [limit(2, .fixedWindow(phase: .aligned))], endpoint: "/")
        let refused = decide(lowered, in: scene.table, at: scene.clock)
        #expect(!refused.isAdmitted)
        #expect(refused[0].remaining == 0)
    }

    @Test func `anonymous ip: who lacks a part is counted by address, apart from everybody else`() {
        let scene = LimitScene([limit(1, of: [.user], one, anonymous: .ip)])
        #expect(scene.ask(ip: 1).isAdmitted)
        #expect(!scene.ask(ip: 1).isAdmitted)
        #expect(!scene.ask(ip: 1, user: "").isAdmitted)
        #expect(scene.ask(ip: 2).isAdmitted)
        #expect(scene.ask(ip: 1, user: "u").isAdmitted)
        #expect(!scene.ask(ip: 9, user: "u").isAdmitted)

        let both = LimitScene([limit(1, of: [.user, .company], one, anonymous: .ip)])
        #expect(both.ask(ip: 1, user: "u").isAdmitted)
        #expect(!both.ask(ip: 1, user: "u").isAdmitted)
        #expect(both.ask(ip: 1, company: "u").isAdmitted)
        #expect(both.ask(ip: 1, user: "u", company: "c").isAdmitted)
    }

    @Test func `a user whose name is the bytes of an address is not that address`() {
        let scene = LimitScene([limit(1, of: [.user], one, anonymous: .ip)])
        #expect(scene.ask(ip: 0x6161_6161).isAdmitted)
        let name: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0x61, 0x61, 0x61, 0x61, 0xFF, 0xFF, 0, 0]
        let subject = LimitSubject(
            address: IPAddress(v4: 1), counted: IPAddress(v4: 1), method: .get, user: name.span,
            company: nil, tier: nil)
        let decision = LimitDecision()
        scene.policy.decide(
            subject, dimensions: LimitDimensions(), in: scene.table, at: scene.clock,
            into: decision)
        #expect(decision.isAdmitted)
    }

    @Test func `anonymous skip: who lacks a part is not counted`() {
        let scene = LimitScene([
            limit(1, of: [.user], one, anonymous: .skip, named: "user"),
            limit(3, of: [.ip], .fixedWindow(phase: .aligned), named: "ip"),
        ])
        let decision = scene.ask()
        #expect(decision.count == 1)
        #expect(decision[0].limit == 1)
        #expect(scene.passing() == 2)
        let only = LimitScene([limit(1, of: [.user], one, anonymous: .skip)])
        #expect(only.ask().outcome == .notLimited)
        #expect(only.ask(user: "u").isAdmitted)
        #expect(!only.ask(user: "u").isAdmitted)
    }

    @Test func `anonymous deny: who lacks a part is refused, and nothing is charged`() {
        let scene = LimitScene([
            limit(3, of: [.ip], .fixedWindow(phase: .aligned), named: "ip"),
            limit(
                3, of: [.company], .fixedWindow(phase: .aligned), anonymous: .deny, named: "company"
            ),
        ])
        for _ in 0..<9 {
            let decision = scene.ask(user: "u")
            #expect(decision.outcome == .deniedAnonymous(limit: 1))
            #expect(decision.refusalStatus == 403)
            #expect(decision.retryAfterSeconds == nil)
            #expect(decision[0].remaining == 3)
        }
        #expect(scene.ask(company: "c").isAdmitted)
        let shadow = LimitScene([
            limit(3, of: [.user], .fixedWindow(phase: .aligned), anonymous: .deny, mode: .shadow)
        ])
        #expect(shadow.ask().isAdmitted)
    }

    @Test func `a tier has its own rate; an unknown one or none has the ordinary`() {
        let scene = LimitScene([
            limit(
                2, .fixedWindow(phase: .aligned),
                tiers: ["pro": .init(count: 5, period: .seconds(60)), "internal": nil])
        ])
        #expect(scene.ask(ip: 1)[0].quota == 2)
        #expect(scene.ask(ip: 2, tier: "pro")[0].quota == 5)
        #expect(scene.ask(ip: 3, tier: "Pro")[0].quota == 2)
        #expect(scene.ask(ip: 4, tier: "prox")[0].quota == 2)
        #expect(scene.ask(ip: 5, tier: "")[0].quota == 2)
        // Unlimited: nothing is counted, nothing is told.
        for _ in 0..<50 { #expect(scene.ask(ip: 6, tier: "internal").outcome == .notLimited) }
        #expect(scene.ask(ip: 6)[0].remaining == 1)
    }

    @Test func `what was counted stays when the tier changes`() {
        let scene = LimitScene([
            limit(
                2, .fixedWindow(phase: .aligned),
                tiers: ["pro": .init(count: 5, period: .seconds(60))])
        ])
        #expect(scene.passing() == 2)
        #expect(scene.passing(tier: "pro") == 3)
        #expect(scene.passing() == 0)
    }

    @Test func `names that repeat and limits beyond the bound are left out`() {
        let many = (0..<12).map { limit(9, .fixedWindow(phase: .aligned), named: "l\($0 / 2 * 2)") }
        let policy = LimitPolicy(limits: many, endpoint: "/")
        #expect(policy.count == 6)
        #expect((0..<6).map(policy.name(of:)) == ["l0", "l2", "l4", "l6", "l8", "l10"])
        let nine = (0..<9).map { limit(9, .fixedWindow(phase: .aligned), named: "n\($0)") }
        #expect(LimitPolicy(limits: nine, endpoint: "/").count == LimitPolicy.limitsMax)
        #expect(LimitScene(nine).ask().count == 8)
    }
}
