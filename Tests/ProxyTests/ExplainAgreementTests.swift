import Caching
import Config
import EventLoop
import Foundation
import HTTPModel
import Limits
import Primitives
import Settings
import Telemetry
import TestKit
import Testing

@testable import Proxy

/// What explain says of a request against what then happens to it.
@Suite struct ExplainAgreementTests {
    /// A request that was first explained, twice, and then sent.
    private struct Round: Sendable {
        var said: Explanation
        var saidAgain: Explanation
        var levels: [[LimitView?]]
        var counts: [[String: UInt64]]
        var answer: SimulatedMessage
    }

    @Test(arguments: Array(1...6) + [28] as [UInt64])
    func `explain says what then happens, and changes nothing`(seed: UInt64) throws {
        let (world, rounds) = try run(seed)
        #expect(world.problems() == [])
        let lines = world.log
        #expect(lines.count == rounds.value.count)
        #expect(rounds.value.count == 3 * 40)
        for (round, line) in zip(rounds.value, lines) {
            let problems = Self.problems(round, line)
            #expect(problems == [], "seed \(seed)\n\(round.said.text)\n\(line)\n\(round.answer)")
            // One is enough to begin with: the others often follow from it.
            if problems != [] { break }
        }
    }

    @Test func `the random requests meet every kind of outcome`() throws {
        var actions: Set<String> = []
        var verdicts: Set<String> = []
        var caches: Set<String> = []
        var decisions: Set<String> = []
        for seed in 1...8 as ClosedRange<UInt64> {
            for round in try run(seed).rounds.value {
                actions.insert(round.said.outcome.action.rawValue)
                verdicts.formUnion(round.said.limits.map(\.verdictWord))
                caches.insert(round.said.cache?.state ?? "none")
                decisions.insert(round.said.decision.word)
            }
        }
        #expect(actions == ["rejected", "refused", "served", "forwarded", "answered"])
        #expect(
            verdicts == ["pass", "refuse", "shadow_refuse", "unlimited", "skipped", "denied"])
        #expect(caches.isSuperset(of: ["none", "hit", "miss", "bypass"]))
        #expect(
            decisions
                == ["not_reached", "not_limited", "admitted", "refused", "denied_anonymous"])
    }

    // MARK: The world

    private func run(_ seed: UInt64) throws -> (world: ProxyWorld, rounds: Probe<[Round]>) {
        var random = SeededRandom(seed: seed)
        let world = try ProxyWorld(
            Self.configuration(&random), keys: Credential.keys, seed: seed)
        world.origin { peer in
            while let request = try await peer.nextRequest() {
                let isPrivate = request.target.contains("private")
                let fields = isPrivate ? "Cache-Control: no-store\r\n" : ""
                let body = request.method == "HEAD" ? "" : "ok"
                try await peer.send(
                    "HTTP/1.1 200 OK\r\n\(fields)Content-Length: 2\r\n\r\n\(body)")
            }
        }
        let rounds = Probe<[Round]>([])
        let server = world.server
        // One client after the other: a request's line in the log is found by its place.
        for source in [ProxyWorld.client(1), ProxyWorld.trusted, ProxyWorld.client(1)] {
            let script = (0..<40).map { _ in Self.request(&random) }
            let task = world.client(from: source) { peer in
                for (pause, line, fields) in script {
                    await peer.sleep(pause)
                    let asked = try AskedRequest(
                        line, fields: ["Host: api.example.com"] + fields, peer: source)
                    let before = await Self.state(server, peer.stream.loop.clock)
                    let said = await server.explain(asked)
                    let again = await server.explain(asked)
                    let after = await Self.state(server, peer.stream.loop.clock)
                    let lines = fields.map { "\($0)\r\n" }.joined()
                    let answer = try await peer.ask(
                        "\(line) HTTP/1.1\r\nHost: api.example.com\r\n\(lines)\r\n")
                    let end = await Self.state(server, peer.stream.loop.clock)
                    rounds.update {
                        $0.append(
                            Round(
                                said: said, saidAgain: again, levels: [before.0, after.0],
                                counts: [before.1, after.1, end.1], answer: answer))
                    }
                }
            }
            world.world.run(task)
        }
        return (world, rounds)
    }

    /// What is counted of a few subjects, and what a worker has counted.
    private static func state(
        _ server: ProxyServer, _ clock: ClockReading
    ) async -> ([LimitView?], [String: UInt64]) {
        var views: [LimitView?] = []
        for (ip, user) in [("10.3.0.1", nil), ("192.0.2.1", "alice"), ("10.4.0.1", "u1")] {
            var subject = KeySubject()
            subject.ip = IPAddress(parsing: ip)
            subject.user = user
            subject.headers = ["x-tenant": "t1"]
            let view = KeyView(server.blueprint, server.shared)
            views += view.states(of: subject, at: clock).map(\.view)
        }
        let metrics = await server.workers[0].metrics()
        var counts: [String: UInt64] = [:]
        for (name, table) in [
            ("requests", metrics.requests), ("cache", metrics.cache), ("limits", metrics.limits),
            ("rejections", metrics.rejections),
        ] {
            for row in 0..<table.rows {
                for column in 0..<table.columns where table[row, column] > 0 {
                    counts["\(name) \(row) \(column)"] = table[row, column]
                }
            }
        }
        let refused = await server.workers[0].refusedKeys()
        for item in HeavyHitters.top(1000, of: [refused]) {
            counts["refused \(item.entry.key)"] = item.entry.count
        }
        let stored = server.shared.cache.statistics()
        counts["hits"] = stored.hits
        counts["misses"] = stored.misses
        counts["fills"] = UInt64(stored.fills)
        return (views, counts)
    }

    private static let names = ["a", "b", "c", "d"]

    private static func configuration(_ random: inout SeededRandom) -> String {
        func pick(_ texts: [String]) -> String { texts[random.below(texts.count)] }
        let pers = [
            "ip", "user", "[user, endpoint]", "global", "[ip, endpoint]", "header:X-Tenant",
            "claim:org",
        ]
        let algorithms = [
            "algorithm: token_bucket, burst: 3", "algorithm: sliding_window",
            "algorithm: fixed_window", "algorithm: sliding_log",
            "algorithm: leaky_bucket, max_delay: 1m",
        ]
        let costs = ["1", "1", "2", "{hit: 0, miss: 1}", "{hit: 1, stale: 1, miss: 2}"]
        var limits = ""
        for name in names {
            let per = pick(pers)
            let isAnonymous = ["user", "header", "claim"].contains { per.contains($0) }
            let anonymous = isAnonymous ? ", anonymous: \(pick(["ip", "skip", "deny"]))" : ""
            let share = per == "global" ? "shadow" : "\"enforce: 40%\""
            let mode = pick(["enforce", "enforce", "shadow", share])
            let algorithm = pick(algorithms)
            let period = algorithm.contains("leaky") ? "minute" : "hour"
            let override = per.contains("user") ? ", overrides: {\"user:alice\": 4/\(period)}" : ""
            if random.below(8) == 0 {
                limits += "  \(name): {concurrent: 2, per: \(per)\(anonymous)}\n"
            } else {
                limits += """
                      \(name): {rate: \(2 + random.below(9))/\(period), per: \(per), \(algorithm), \
                    mode: \(mode), cost: \(pick(costs)), \
                    tiers: {pro: 20/\(period), internal: unlimited}\(anonymous)\(override)}

                    """
            }
        }
        func some() -> String {
            "[" + names.filter { _ in random.below(2) == 0 }.joined(separator: ", ") + "]"
        }
        return Credential.identity + """
            limits:
            \(limits)
            cache: {ttl: \(1 + random.below(3))h, early_refresh: off}
            routes:
              - {path: /a/**, methods: [POST], name: writes, limits: \(some())}
              - {path: /a/**, headers: {X-Beta: "yes"}, name: beta, limits: \(some()), cache: off}
              - {path: /a/**, name: a, limits: \(some()), cache: {vary_by: [user]}}
              - {path: /b/*, host: api.example.com, name: b, limits: \(some())}
              - {path: /c, auth: required, name: c, limits: [a, b, c, d]}
            http: {idle_timeout: 2h}
            """
    }

    private static func request(
        _ random: inout SeededRandom
    ) -> (pause: Nanoseconds, line: String, fields: [String]) {
        func pick(_ texts: [String]) -> String { texts[random.below(texts.count)] }
        let method = pick(["GET", "GET", "GET", "GET", "POST", "HEAD"])
        let target = pick([
            "/a/1", "/a/1", "/a/2?x=1", "/a/private", "/b/1", "/b/2", "/b/1/2", "/c", "/none",
        ])
        var fields = ["Accept: application/problem+json"]
        if random.below(3) == 0 { fields.append("X-User: \(pick(["u1", "u2", "u3"]))") }
        if random.below(3) == 0 { fields.append("X-Tenant: \(pick(["t1", "t2"]))") }
        switch random.below(6) {
        case 0, 1:
            let token = pick([
                Credential.alice, Credential.alice, Credential.bob, Credential.old,
                Credential.forged,
            ])
            fields.append(Credential.bearer(token))
        case 2: fields.append("X-API-Key: \(pick([Credential.apiKey, "unknown"]))")
        case 3: fields.append("Authorization: Basic eDp5")
        default: break
        }
        if random.below(3) == 0 {
            fields.append("X-Forwarded-For: \(pick(["192.0.2.1", "unknown", "2001:db8::1"]))")
        }
        if random.below(5) == 0 { fields.append("X-Beta: \(pick(["yes", "no"]))") }
        if random.below(8) == 0 { fields.append("Cookie: \(pick(["s=1", "uid=u9"]))") }
        if random.below(12) == 0 { fields.append("Range: bytes=0-0") }
        let pause = random.below(4) == 0 ? 60 * (1 + random.below(40)) : 0
        let line = random.below(60) == 0 ? "OPTIONS *" : "\(method) \(target)"
        return (.seconds(UInt64(pause)), line, fields)
    }

    // MARK: The comparison

    private static func problems(_ round: Round, _ line: String) -> [String] {
        var problems: [String] = []
        func check(_ a: String?, _ b: String?, _ what: String) {
            if a != b { problems.append("\(what): said \(a ?? "-"), was \(b ?? "-")") }
        }
        let said = round.said
        if said != round.saidAgain { problems.append("it says something else the second time") }
        if round.levels[0] != round.levels[1] { problems.append("levels changed") }
        for (name, count) in round.counts[1] where round.counts[0][name] != count {
            problems.append("\(name) was \(round.counts[0][name] ?? 0) and is \(count)")
        }
        check(said.route?.name, field("route", line), "route")
        check(said.route?.pattern, field("endpoint", line), "endpoint")
        if let status = said.outcome.status {
            check("\(status.code)", "\(round.answer.status)", "status")
        }
        guard said.identity != nil else { return problems }
        check(said.identity?.user.value, field("user_id", line), "user")
        check(said.identity?.company.value, field("company", line), "company")
        check(said.identity?.tier.value, field("tier", line), "tier")
        check(said.identity?.address.value, field("client", line), "client")
        let reason = field("credential", line)
        let isBad = ["not accepted", "not known"].contains {
            said.identity?.credential.contains($0) ?? false
        }
        check("\(isBad)", "\(reason != nil)", "a bad credential")
        guard said.decision != .notReached else { return problems }
        checkLimits(round, line, check)
        checkCache(round, line, check)
        return problems
    }

    private static func checkLimits(
        _ round: Round, _ line: String, _ check: (String?, String?, String) -> Void
    ) {
        let said = round.said
        var outcome = said.decision.word
        if outcome == "not_limited" { outcome = "none" }
        check(outcome, field("limit", line), "decision")
        switch said.decision {
        case .refused(let limit, let retry):
            check(limit, field("limit_name", line), "refusing limit")
            // The request is on its way for a moment: the next second may begin meanwhile.
            let told = round.answer["Retry-After"].flatMap { UInt64($0) }
            let isNear = told == retry || told.map { $0 + 1 } == retry
            check("true", "\(isNear)", "retry after \(told ?? 0) and not \(retry ?? 0)")
        case .denied(let limit), .uncounted(let limit):
            check(limit, field("limit_name", line), "denying limit")
        case .notReached, .notLimited, .admitted: break
        }
        // All that refuse are in the body, in order, and all that vote in RateLimit with what is left.
        let refusing = said.limits.filter { if case .refuse = $0.verdict { true } else { false } }
        if case .refused = said.decision, round.answer.method != "HEAD", !round.answer.text.isEmpty
        {
            let names = refusing.map { "\"\($0.name)\"" }.joined(separator: ",")
            let isThere = round.answer.text.contains("\"violated-policies\":[\(names)]")
            check("true", "\(isThere)", "violated policies \(names)")
        }
        let passes = said.decision == .admitted
        let voting = said.limits.compactMap { limit -> String? in
            guard !limit.isShadow, let level = limit.level else { return nil }
            let cost = passes ? limit.cost : 0
            if level.remaining < cost { return "\(limit.name) lets more pass than is left" }
            let left = min(level.remaining - cost, level.quota)
            return "\"\(limit.name)\";r=\(left)"
        }
        let told = (round.answer["RateLimit"] ?? "").split(separator: ", ").map { member in
            member.split(separator: ";").prefix(2).joined(separator: ";")
        }
        check(voting.joined(separator: ","), told.joined(separator: ","), "what is left")
        for limit in said.limits {
            let row = names.firstIndex(of: limit.name) ?? -1
            let moved = WorkerMetrics.LimitOutcome.allCases.filter { outcome in
                let name = "limits \(row) \(outcome.rawValue)"
                return round.counts[1][name] != round.counts[2][name]
            }.map(\.name)
            check(expected(limit, said), moved.joined(), "count of \(limit.name)")
        }
    }

    /// The counter that a limit's verdict moves.
    private static func expected(_ limit: LimitView, _ said: Explanation) -> String {
        switch limit.verdict {
        case .pass: "admitted"
        case .refuse: "refused"
        case .shadowRefuse: "shadow_refused"
        case .denied: said.decision == .denied(limit: limit.name) ? "refused" : ""
        case .unlimited, .skipped, .uncounted: ""
        }
    }

    private static func checkCache(
        _ round: Round, _ line: String, _ check: (String?, String?, String) -> Void
    ) {
        let said = round.said
        guard said.outcome.action != .refused else {
            return check("none", field("cache", line), "cache of a refused request")
        }
        let was = field("cache", line)
        check(said.cache?.state ?? "none", was == "revalidated" ? "miss" : was, "cache")
        if said.cache?.state == "bypass" {
            check(said.cache?.detail, field("cache_reason", line), "bypass")
        }
        guard said.cache?.state == "miss", let store = said.cache?.store,
            !said.request.contains("private")
        else { return }
        let status = round.answer["Cache-Status"] ?? ""
        check("\(store.plain)", "\(status.contains("; stored"))", "stored")
    }

    private static func field(_ name: String, _ line: String) -> String? {
        guard let start = line.range(of: "\"\(name)\":\"") else { return nil }
        return String(line[start.upperBound...].prefix { $0 != "\"" })
    }
}
