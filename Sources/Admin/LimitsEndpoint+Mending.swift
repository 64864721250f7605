import HTTPModel
import Limits
import Primitives
import Proxy
import Settings
import Telemetry

/// Resetting and boosting keys.
extension LimitsEndpoint {
    /// `POST /limits/reset?limit=login&ip=192.0.2.7`
    func reset(_ query: AdminQuery) async throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let name = try query.require("limit", "the name of a limit")
        guard try definition(name).algorithm != .concurrency else {
            throw AdminProblem(
                status: 409,
                detail:
                    "\(name) counts requests in flight: they end by themselves, and are not reset")
        }
        try requireOwn(name, "reset")
        let states = try mendable(name, &query, more: "limit")
        var results: [(KeyState, Bool)] = []
        for state in states {
            results.append((state, keys.reset(state)))
            if let digest = state.digest { await server.forgetRefusals(of: digest) }
        }
        return SmallServer.Reply.json { json in
            json.field("limit", name)
            json.array("keys") { json in
                for (state, wasCounted) in results {
                    json.object { json in
                        json.field("key", state.view.key)
                        json.field("reset", wasCounted)
                    }
                }
            }
        }
    }

    /// `POST /limits/boost?limit=analytics&user=42&factor=5&for=10m`
    func boost(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let name = try query.require("limit", "the name of a limit")
        try requireOwn(name, "boosted")
        let factor = try query.number("factor", 1...LimitsEndpoint.factorMax)
        let time =
            factor == 1 && !query.parameters.contains { $0.name == "for" }
            ? .zero : try query.duration("for", max: LimitsEndpoint.boostMax)
        let states = try mendable(name, &query, more: "limit, factor, for")
        var results: [(KeyState, UInt32)] = []
        for state in states {
            guard
                let quota = keys.boost(
                    state, by: UInt32(truncatingIfNeeded: factor), for: time, at: clock)
            else {
                throw AdminProblem(
                    status: 503,
                    detail: "too many keys are boosted already; none was added for "
                        + (state.view.key ?? name))
            }
            results.append((state, quota))
        }
        return SmallServer.Reply.json { json in
            json.field("limit", name)
            json.array("keys") { json in
                for (state, quota) in results {
                    json.object { json in
                        json.field("key", state.view.key)
                        json.field("quota", UInt64(quota))
                        if factor > 1 { json.field("until", time: clock.wall + time) }
                    }
                }
            }
        }
    }

    /// Stops where Redis counts: what is changed here would change nothing there.
    private func requireOwn(_ name: String, _ change: String) throws(AdminProblem) {
        guard try definition(name).consistency != .process else { return }
        throw AdminProblem(
            status: 409,
            detail: "\(name) is counted in Redis, and its keys are not \(change) here: "
                + "docs/redis.md tells how to delete one")
    }

    /// The keys of a subject under one limit, all of them known and counted.
    private func mendable(
        _ name: String, _ query: inout AdminQuery, more: String
    ) throws(AdminProblem) -> [KeyState] {
        let (subject, route) = try subject(&query, more: more, isGlobal: isGlobal(name))
        let states = keys.states(of: subject, limit: name, route: route, at: clock)
        guard let first = states.first else {
            throw AdminProblem(status: 409, detail: "no route that was asked for uses \(name)")
        }
        guard first.needs.isEmpty else {
            let needs = first.needs.joined(separator: ", ")
            throw AdminProblem(status: 400, detail: "to find the key of \(name) say also \(needs)")
        }
        guard first.digest != nil else {
            throw AdminProblem(
                status: 409, detail: "\(name) does not count this: \(first.view.verdictWords)")
        }
        return states
    }

    private func isGlobal(_ name: String) -> Bool {
        settings.limits.first { $0.name == name }?.per.allSatisfy {
            $0 == .global || $0 == .endpoint
        } ?? false
    }
}
