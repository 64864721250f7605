import HTTPModel
import Limits
import Primitives
import Proxy
import Settings
import Telemetry

/// Resetting and boosting keys.
extension LimitsEndpoint {
    /// `POST /limits/reset?limit=login&ip=192.0.2.7`
    func reset(
        _ query: AdminQuery, forgetShared: (([[UInt8]]) async -> [Bool]?)?
    ) async throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let name = try query.require("limit", "the name of a limit")
        guard try definition(name).algorithm != .concurrency else {
            throw AdminProblem(
                status: 409,
                detail:
                    "\(name) counts requests in flight: they end by themselves, and are not reset")
        }
        let states = try mendable(name, &query, more: "limit")
        // Redis first: what is forgotten here is learnt from it again.
        let found = try await forget(states.compactMap(\.sharedKey), of: name, forgetShared)
        var results: [(KeyState, Bool)] = []
        for (index, state) in states.enumerated() {
            let wasCounted = keys.reset(state)
            results.append((state, found.isEmpty ? wasCounted : found[index]))
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
        try requireOwn(name)
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

    /// Has Redis forget the keys of a limit that it counts; nothing of one that it does not.
    private func forget(
        _ shared: [[UInt8]], of name: String, _ forgetShared: (([[UInt8]]) async -> [Bool]?)?
    ) async throws(AdminProblem) -> [Bool] {
        guard !shared.isEmpty else { return [] }
        if let found = await forgetShared?(shared) { return found }
        throw AdminProblem(
            status: 503,
            detail:
                "\(name) is counted in Redis, which gave no answer: its keys may or may not be reset"
        )
    }

    /// Stops where Redis counts: a boost is known to this process alone.
    private func requireOwn(_ name: String) throws(AdminProblem) {
        guard try definition(name).consistency != .process else { return }
        throw AdminProblem(
            status: 409,
            detail: "\(name) is counted in Redis for all processes, and a boost counts in one: "
                + "write another rate under `overrides` or `tiers`, and reload")
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
