import HTTPModel
import Limits
import Primitives

/// What a decision costs: every algorithm, one limit and four, all admitted and all refused.
func measureDecisions(_ rounds: Rounds) {
    let count = 500_000
    for (name, algorithm) in algorithms {
        for limits in [1, 4] {
            for refused in [false, true] {
                // A request in flight has to end, too: that takes its lock a second time.
                let ends = name == "concurrency" && !refused
                let work =
                    "decision\(ends ? " and end" : ""), \(name), \(limits) limit\(limits == 1 ? "" : "s"), "
                    + (refused ? "refused" : "admitted")
                guard rounds.wants(work) else { continue }
                let rate = rate(algorithm, refused: refused)
                let table = LimitTable(keys: 1_000_000, seed: .random())
                var traffic = Traffic(
                    policy(algorithm, rate, limits: limits), table, clients: 1024)
                let held = refused ? traffic.hold() : []
                let before = traffic.admitted
                rounds.say(
                    work, bound: ends ? nil : limits == 1 ? 200 : 500, pieces: count
                ) {
                    traffic.ask(count)
                }
                let passed = traffic.admitted - before
                let asked = count * (rounds.count + (Gauges.mallocs() == nil ? 1 : 2))
                guard passed == (refused ? 0 : asked) else {
                    Report.fail("\(name): \(passed) of \(asked) requests passed")
                }
                traffic.release(held)
            }
        }
    }
}

/// What it costs to look at the answer: `count: [401, 403]`, where a good answer gives the charge back.
func measureSettlement(_ rounds: Rounds) {
    let count = 500_000
    let cases: [(String, Status)] = [("given back", 200), ("kept", 401)]
    for (name, algorithm) in algorithms.prefix(4) {
        for (what, status) in cases {
            let work = "decision and settlement, \(name), \(what)"
            guard rounds.wants(work) else { continue }
            let rate = LimitDefinition.Rate(count: 1000, period: .seconds(1))
            let policy = policy(algorithm, rate, limits: 1) {
                $0.countedStatuses = [401...401, 403...403]
            }
            let table = LimitTable(keys: 1_000_000, seed: .random())
            var traffic = Traffic(policy, table, clients: 1024)
            rounds.say(work, pieces: count) {
                traffic.askAndSettle(count, status: status)
            }
        }
    }
}
