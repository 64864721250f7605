import Glibc

/// One line of JSON per number, for `bench/limits`.
enum Report {
    /// Says a number; `bound` is what it has to stay below or at, `least` what it has to reach.
    static func say(
        _ name: String, _ value: Double, unit: String, bound: Double? = nil,
        least: Double? = nil, rounds: [Double] = []
    ) {
        var line = "{\"name\": \"\(name)\", \"value\": \(rounded(value)), \"unit\": \"\(unit)\""
        if let bound { line += ", \"bound\": \(rounded(bound))" }
        if let least { line += ", \"least\": \(rounded(least))" }
        if !rounds.isEmpty {
            line += ", \"rounds\": [\(rounds.map { "\(rounded($0))" }.joined(separator: ", "))]"
        }
        print(line + "}")
        // Whoever reads along sees each number at once.
        fflush(nil)
    }

    private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

    /// Ends the run because a number would mean nothing.
    static func fail(_ reason: String) -> Never {
        print("{\"failure\": \"\(reason)\"}")
        exit(1)
    }
}

/// Repeats a piece of work and tells the median of what one piece costs.
struct Rounds {
    /// Rounds that count; one more goes before them.
    let count: Int
    /// What the names of the work have to begin with; empty: everything is wanted.
    let prefix: String

    /// Whether a piece of work is asked for.
    func wants(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// CPU nanoseconds per piece: the median, and all rounds. `work` does `pieces` of them.
    func time(_ pieces: Int, _ work: () -> Void) -> (median: Double, all: [Double]) {
        work()
        var all: [Double] = []
        for _ in 0..<count {
            let start = Gauges.threadTime()
            work()
            all.append(Double(Gauges.threadTime() - start) / Double(pieces))
        }
        return (Self.median(all), all)
    }

    static func median(_ values: [Double]) -> Double {
        values.sorted()[values.count / 2]
    }

    /// Says the median, and the allocations of one more round, of which a piece may make as many.
    func say(
        _ name: String, bound: Double? = nil, allocations: Double = 0, pieces: Int,
        _ work: () -> Void
    ) {
        let (median, all) = time(pieces, work)
        Report.say(name, median, unit: "ns", bound: bound, rounds: all)
        if let before = Gauges.mallocs() {
            work()
            let after = Gauges.mallocs() ?? before
            // Reading the counter allocates nothing itself.
            Report.say(
                name + ": mallocs", Double(after - before) / Double(pieces), unit: "each",
                bound: allocations)
        }
    }
}
