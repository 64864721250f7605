import EventLoop
import HTTPModel
import Limits
import Primitives
import Proxy
import Routes
import Settings
import Telemetry

/// `/limits` and what is below it: looks at limits and keys, and mends keys.
struct LimitsEndpoint {
    /// The most entries of `/limits/top`.
    static let topMax = 1000
    /// The most a rate is multiplied by, and the longest time for that.
    static let factorMax = 1000
    static let boostMax = Nanoseconds.seconds(31 * 86_400)

    let server: ProxyServer
    let clock: ClockReading
    // One snapshot for the whole answer, whatever is reloaded meanwhile.
    let settings: ProxySettings
    let keys: KeyView

    init(server: ProxyServer, clock: ClockReading) {
        self.server = server
        self.clock = clock
        let blueprint = server.blueprint
        settings = blueprint.settings
        keys = KeyView(blueprint, server.shared)
    }

    // MARK: Looking

    /// `GET /limits`
    func list(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        try query.finish(known: "none")
        return SmallServer.Reply.json { json in
            json.array("limits") { json in
                for (index, limit) in settings.limits.enumerated() {
                    json.object { append(limit, index, to: &$0) }
                }
            }
            let table = server.shared.limits
            json.object("table") { json in
                json.field("keys", table.keyCount)
                json.field("capacity", settings.limitKeys)
                json.field("bytes", table.memoryBytes)
                json.field("bytes_max", table.memoryBytesMax)
            }
        }
    }

    private func append(_ limit: LimitDefinition, _ index: Int, to json: inout JSONWriter) {
        let policy = LimitPolicy(limits: [limit], endpoint: "")
        json.field("limit", limit.name)
        json.field("algorithm", limit.algorithm.words)
        json.field("rate", policy.rateText(of: 0))
        json.array("per") { json in for scope in limit.per { json.item(scope.text) } }
        let mode =
            switch limit.mode {
            case .enforce: "enforce"
            case .shadow: "shadow"
            case .share(let share): LimitsEndpoint.percent(share)
            }
        json.field("mode", mode)
        json.array("routes") { json in
            for route in settings.routes where route.limits.contains(index) {
                json.item(route.match.name)
            }
        }
    }

    /// A share with at most one decimal: `10%`, `0.5%`.
    private static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1000).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)%" : "\(tenths / 10).\(tenths % 10)%"
    }

    /// `GET /limits/key?user=42`
    func key(_ query: AdminQuery) throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let limit = try query.take("limit")
        if let limit { _ = try definition(limit) }
        let (subject, route) = try subject(&query, more: "limit")
        let states = keys.states(of: subject, limit: limit, route: route, at: clock)
        return SmallServer.Reply.json { json in
            json.array("limits") { json in
                for state in states {
                    json.object { json in
                        if state.needs.isEmpty {
                            state.view.append(to: &json)
                        } else {
                            json.field("limit", state.view.name)
                            json.array("needs") { json in
                                for part in state.needs { json.item(part) }
                            }
                        }
                        json.field("route", state.route)
                    }
                }
            }
        }
    }

    /// `GET /limits/top?count=20`
    func top(_ query: AdminQuery) async throws(AdminProblem) -> SmallServer.Reply {
        var query = query
        let count = try query.number("count", 1...LimitsEndpoint.topMax, otherwise: 20)
        try query.finish(known: "count")
        let items = await server.refusedKeys(count)
        return SmallServer.Reply.json { json in
            json.array("top") { json in
                for item in items {
                    json.object { json in
                        json.field("limit", item.limit)
                        json.field("key", bytes: item.key.span)
                        json.field("refusals", item.refusals)
                        json.field("error", item.error)
                        json.field("last_seen", time: item.last)
                    }
                }
            }
        }
    }

    // MARK: Parameters

    func definition(_ name: String) throws(AdminProblem) -> LimitDefinition {
        guard let definition = settings.limits.first(where: { $0.name == name }) else {
            let names = settings.limits.map(\.name).joined(separator: ", ")
            throw AdminProblem(status: 404, detail: "no limit `\(name)`; there are \(names)")
        }
        return definition
    }

    /// The parts of a key, and the route.
    func subject(
        _ query: inout AdminQuery, more: String, isGlobal: Bool = false
    ) throws(AdminProblem) -> (KeySubject, route: String?) {
        var subject = KeySubject()
        subject.ip = try query.address("ip")
        subject.user = try query.take("user")
        subject.company = try query.take("company")
        subject.tier = try query.take("tier")
        for (name, value) in try query.takeAll(prefix: "header.") {
            subject.headers[name.lowercased()] = value
        }
        subject.claims = try query.takeAll(prefix: "claim.")
        if let method = try query.take("method") { subject.method = method }
        let route = try query.take("route")
        try query.finish(
            known: "ip, user, company, tier, header.NAME, claim.NAME, method, route, \(more)")
        if let name = subject.headers.keys.first(where: { !keys.headers.contains($0) }) {
            throw AdminProblem(status: 400, detail: "no limit counts by the header `\(name)`")
        }
        if let name = subject.claims.keys.first(where: { !keys.claims.contains($0) }) {
            throw AdminProblem(status: 400, detail: "no limit counts by the claim `\(name)`")
        }
        if let route, !settings.routes.contains(where: { $0.match.name == route }) {
            throw AdminProblem(status: 400, detail: "no route `\(route)`")
        }
        guard !subject.isEmpty || isGlobal else {
            throw AdminProblem(
                status: 400,
                detail: "say whose: one of ip, user, company, tier, header.NAME, claim.NAME")
        }
        return (subject, route)
    }
}
