import HTTPModel
import Primitives
import Testing

@testable import Limits

/// Keys beyond user and address, rates of single keys, shares, and mending.
struct ScopeTests {
    private func limit(
        _ count: UInt32, per: [LimitDefinition.Scope],
        algorithm: LimitDefinition.Algorithm = .fixedWindow(phase: .aligned),
        overrides: [LimitDefinition.Override] = [], tiers: [String: LimitDefinition.Rate?] = [:],
        anonymous: LimitDefinition.Anonymous = .ip, mode: LimitDefinition.Mode = .enforce
    ) -> LimitDefinition {
        LimitDefinition(
            name: "a", rate: .init(count: count, period: .seconds(60)), per: per,
            algorithm: algorithm, tiers: tiers, overrides: overrides, anonymous: anonymous,
            mode: mode)
    }

    private func per(_ count: UInt32) -> LimitDefinition.Rate {
        .init(count: count, period: .seconds(60))
    }

    @Test func `a header is counted by its value, whoever sends it`() {
        let scene = LimitScene([limit(1, per: [.header("x-tenant")])])
        #expect(scene.policy.dimensions == [.header(Array("x-tenant".utf8))])
        #expect(scene.ask(ip: 1, values: ["red"]).isAdmitted)
        #expect(!scene.ask(ip: 2, values: ["red"]).isAdmitted)
        #expect(scene.ask(ip: 1, values: ["blue"]).isAdmitted)
    }

    @Test func `values of two dimensions cannot run into each other`() {
        let scene = LimitScene([limit(1, per: [.header("x-a"), .claim("b")])])
        #expect(scene.ask(values: ["ab", "c"]).isAdmitted)
        #expect(scene.ask(values: ["a", "bc"]).isAdmitted)
        #expect(!scene.ask(values: ["ab", "c"]).isAdmitted)
    }

    @Test func `the same value of another header is another key`() {
        let table = LimitTable(keys: 100, seed: KeyedHasher.Seed(1, 2))
        let one = LimitScene([limit(1, per: [.header("x-a")])])
        let other = LimitScene([limit(1, per: [.header("x-b")])])
        #expect(decide(one.policy, in: table, values: ["v"], at: one.clock).isAdmitted)
        #expect(decide(other.policy, in: table, values: ["v"], at: one.clock).isAdmitted)
        #expect(!decide(one.policy, in: table, values: ["v"], at: one.clock).isAdmitted)
    }

    @Test func `without the header a request does as anonymous says`() {
        let byAddress = LimitScene([limit(1, per: [.header("x-a")])])
        #expect(byAddress.ask(ip: 1, values: [nil]).isAdmitted)
        #expect(!byAddress.ask(ip: 1, values: [nil]).isAdmitted)
        #expect(byAddress.ask(ip: 2, values: [nil]).isAdmitted)
        let skipped = LimitScene([limit(1, per: [.claim("org")], anonymous: .skip)])
        #expect(skipped.ask(values: [nil]).outcome == .notLimited)
        let denied = LimitScene([limit(1, per: [.claim("org")], anonymous: .deny)])
        #expect(denied.ask(values: [nil]).outcome == .deniedAnonymous(limit: 0))
        #expect(denied.ask(values: ["x"]).isAdmitted)
    }

    @Test func `an override comes before the tier, the first that matches counts`() {
        let scene = LimitScene([
            limit(
                1, per: [.user],
                overrides: [
                    .init(scope: .user, value: "42", rate: per(5)),
                    .init(scope: .user, value: "42", rate: per(9)),
                    .init(scope: .user, value: "root", rate: nil),
                ], tiers: ["pro": per(3)])
        ])
        #expect(scene.passing(20, user: "42", tier: "pro") == 5)
        #expect(scene.passing(20, user: "43", tier: "pro") == 3)
        #expect(scene.passing(20, user: "44") == 1)
        #expect(scene.passing(20, user: "root") == 20)
        #expect(scene.ask(user: "root").outcome == .notLimited)
    }

    @Test func `an override of a network looks at the whole address, not at its counted prefix`() {
        let network = IPNetwork(IPAddress(v4: 10 << 24), prefixLength: 8)
        let scene = LimitScene([
            limit(
                1, per: [.ip],
                overrides: [.init(scope: .ip, value: "10.0.0.0/8", network: network, rate: per(4))])
        ])
        #expect(scene.passing(9, ip: 10 << 24 | 7) == 4)
        #expect(scene.passing(9, ip: 11 << 24) == 1)
    }

    @Test func `overrides of headers and claims look at the right one`() {
        let scene = LimitScene([
            limit(
                1, per: [.header("x-a"), .claim("org")],
                overrides: [.init(scope: .claim("org"), value: "acme", rate: per(3))])
        ])
        func passing(_ values: [String?]) -> Int {
            (0..<9).count { _ in scene.ask(values: values).isAdmitted }
        }
        #expect(passing(["acme", "other"]) == 1)
        #expect(passing(["other", "acme"]) == 3)
    }

    @Test func `a share refuses that part of the keys, always the same ones`() {
        func refused(_ seed: UInt64, share: Double) -> Set<UInt32> {
            let scene = LimitScene([limit(1, per: [.ip], mode: .share(share))], seed: seed)
            var refused: Set<UInt32> = []
            for ip in 1...4000 as ClosedRange<UInt32> {
                _ = scene.ask(ip: ip)
                let second = scene.ask(ip: ip)
                #expect(second[0].refused)
                if !second.isAdmitted { refused.insert(ip) }
            }
            return refused
        }
        let tenth = refused(1, share: 0.1)
        #expect((300...500).contains(tenth.count))
        // Another process has another secret, and the same tenth.
        #expect(refused(2, share: 0.1) == tenth)
        #expect(refused(1, share: 0.2).isSuperset(of: tenth))
        #expect(refused(1, share: 1).count == 4000)
    }

    @Test func `a peek says what a decision would, and changes nothing`() {
        for var algorithm in algorithms {
            if case .leakyBucket = algorithm { algorithm = .leakyBucket(maxDelay: .seconds(30)) }
            let scene = LimitScene([limit(2, per: [.ip], algorithm: algorithm)])
            let before = scene.table.keyCount
            #expect(scene.ask(isPeek: true).isAdmitted)
            #expect(scene.table.keyCount == before)
            #expect(scene.passing(1000) < 1000, "\(algorithm)")
            let peek = scene.ask(isPeek: true)
            let real = scene.ask()
            #expect(peek.outcome == real.outcome && peek[0] == real[0])
        }
    }

    @Test func `a reset forgets one key and no other`() {
        let scene = LimitScene([limit(1, per: [.ip])])
        let first = scene.ask(ip: 1)
        _ = scene.ask(ip: 2)
        #expect(scene.policy.reset(first[0], in: scene.table))
        #expect(!scene.policy.reset(first[0], in: scene.table))
        #expect(scene.ask(ip: 1).isAdmitted)
        #expect(!scene.ask(ip: 2).isAdmitted)
    }

    @Test func `a boost multiplies one key's rate for its time and no longer`() {
        var scene = LimitScene([limit(2, per: [.ip])])
        let key = scene.ask(ip: 1)[0]
        let quota = scene.policy.boost(
            key, by: 5, for: .seconds(30), in: scene.table, at: scene.clock)
        #expect(quota == 10)
        #expect(scene.passing(ip: 1) == 9)
        #expect(scene.ask(ip: 1)[0].isBoosted && scene.ask(ip: 1)[0].quota == 10)
        #expect(scene.passing(ip: 2) == 2)
        scene.advance(.seconds(30))
        #expect(!scene.ask(ip: 1)[0].isBoosted && scene.ask(ip: 1)[0].quota == 2)
        let again = scene.policy.boost(
            key, by: 9, for: .seconds(30), in: scene.table, at: scene.clock)
        #expect(again == 18)
        _ = scene.policy.boost(key, by: 1, for: .seconds(30), in: scene.table, at: scene.clock)
        #expect(!scene.ask(ip: 1)[0].isBoosted)
    }

    @Test func `a key reads as people say it`() {
        let scene = LimitScene(
            [limit(1, per: [.user, .endpoint, .header("x-a")])], endpoint: "/api/**")
        #expect(
            scene.keyText(user: "42", values: ["v"])
                == "user=42, endpoint=GET /api/**, header:x-a=v")
        #expect(scene.keyText(values: ["v"]) == "ip=0.0.0.1, endpoint=GET /api/**, header:x-a=v")
        let global = LimitScene([limit(1, per: [.global])])
        #expect(global.keyText() == "everybody")
    }
}
