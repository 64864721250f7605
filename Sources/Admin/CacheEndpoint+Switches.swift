import Caching
import HTTPModel
import Primitives
import Proxy
import Settings
import Telemetry

/// What an operator may turn in an incident.
extension CacheEndpoint {
    /// The longest time after which a switch ends by itself.
    static let timeMax = Nanoseconds.seconds(31 * 86_400)

    /// `POST /cache/bypass?state=on&for=30m`
    func bypass(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let state = try query.require("state", "on or off")
        guard ["on", "off"].contains(state) else {
            throw AdminProblem(status: 400, detail: "`state` is on or off, not `\(state)`")
        }
        let end = try end(&query, isOff: state == "off")
        try query.finish(known: "state, for")
        try requireCache()
        timer.note(server.shared.switches.bypass(state == "on", until: end))
        return stateReply()
    }

    /// `POST /cache/ttl?factor=2&for=30m`
    func multiplyLifetimes(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let text = try query.require("factor", "a number such as 2 or 0.5")
        guard let factor = CacheEndpoint.thousandths(text),
            CacheBounds.lifetimeFactor.contains(factor)
        else {
            throw AdminProblem(
                status: 400,
                detail:
                    "`factor` is a number from 0.1 to 100 with at most three decimals, not `\(text)`"
            )
        }
        let end = try end(&query, isOff: factor == 1000)
        try query.finish(known: "factor, for")
        try requireCache()
        timer.note(
            server.shared.switches.multiplyLifetimes(
                of: server.shared.cache, by: factor, until: end))
        return stateReply()
    }

    private func requireCache() throws(AdminProblem) {
        guard server.blueprint.settings.routes.contains(where: { $0.cache != nil }) else {
            throw AdminProblem(status: 409, detail: "no route caches")
        }
    }

    private func end(
        _ query: inout AdminQuery, isOff: Bool
    ) throws(AdminProblem) -> ClockReading? {
        guard query.parameters.contains(where: { $0.name == "for" }) else { return nil }
        let time = try query.duration("for", max: CacheEndpoint.timeMax)
        if isOff {
            throw AdminProblem(status: 400, detail: "what is ended has no `for`")
        }
        return ClockReading(monotonic: clock.monotonic + time, wall: clock.wall + time)
    }

    /// `2`, `1.5`, `0.125`
    private static func thousandths(_ text: String) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = parts.first, (1...3).contains(whole.count),
            text.utf8.allSatisfy({ ASCII.isDigit($0) || $0 == UInt8(ascii: ".") }),
            let number = UInt32(whole)
        else { return nil }
        guard parts.count == 2 else { return number * 1000 }
        guard (1...3).contains(parts[1].count),
            let rest = UInt32(parts[1] + String(repeating: "0", count: 3 - parts[1].count))
        else { return nil }
        return number * 1000 + rest
    }

    private func stateReply() -> SmallServer.Reply {
        let state = server.shared.switches.state
        return SmallServer.Reply.json { append(state, to: &$0) }
    }

    /// Appends how the switches stand.
    func append(_ state: CacheSwitches.State, to json: inout JSONWriter) {
        json.field("bypass", state.isBypassed)
        if let end = state.bypassEnds { json.field("bypass_until", time: end.wall) }
        json.field("ttl_factor", CacheSwitches.text(ofFactor: state.factor))
        if let end = state.factorEnds { json.field("ttl_factor_until", time: end.wall) }
    }
}
