import Limits
import Routes
import Settings
import Telemetry

extension WorkerMetrics {
    /// The same counts in the rows of another configuration: routes and limits are found by their names.
    ///
    /// What belongs to a name that is gone is dropped, and never becomes another one's.
    func carried(from old: Blueprint, to new: Blueprint) -> WorkerMetrics {
        var carried = self
        let (before, after) = (old.settings, new.settings)
        let routes = WorkerMetrics.rows(
            before.routes.map(\.match.name), after.routes.map(\.match.name))
        carried.requests = requests.carried(rows: routes + [requests.rows - 1])
        carried.cache = cache.carried(rows: routes + [cache.rows - 1])
        carried.cacheBytes = cacheBytes.carried(rows: routes + [cacheBytes.rows - 1])
        carried.latency = (routes + [requests.rows - 1]).map { row in
            row.map { latency[$0] } ?? .latency
        }
        let limitRows = WorkerMetrics.rows(before.limits.map(\.name), after.limits.map(\.name))
        carried.limits = limits.carried(rows: limitRows)
        carried.limitUnits = limitUnits.carried(rows: limitRows)
        carried.limitsWithoutRedis = limitsWithoutRedis.carried(rows: limitRows)
        carried.limitsInFlight = limitsInFlight.carried(rows: limitRows)
        return carried
    }

    /// For each of the `new` names its index among the `old` ones.
    private static func rows(_ old: [String], _ new: [String]) -> [Int?] {
        let places = Dictionary(zip(old, old.indices), uniquingKeysWith: { first, _ in first })
        return new.map { places[$0] }
    }
}

extension CounterTable {
    /// A table whose rows are those of this one that `rows` names, or zeros.
    fileprivate func carried(rows: [Int?]) -> CounterTable {
        var carried = CounterTable(rows: rows.count, columns: columns)
        for (row, source) in rows.enumerated() {
            guard let source else { continue }
            for column in 0..<columns {
                carried.add(self[source, column], row: row, column: column)
            }
        }
        return carried
    }
}
