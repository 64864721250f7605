import BinaryKit
import Foundation

/// All cases, in the order of the document.
enum Table {
    /// `WEIR_CASES` names a part of the ids of those that are wanted.
    static let wanted = ProcessInfo.processInfo.environment["WEIR_CASES"]

    @ListOf<Case> static var all: [Case] {
        storing
        keysAndVary
        freshness
        age
        validation
        invalidation
        requestDirectives
        responseDirectives
        semantics
        messages
        conditions
        ranges
        servingStale
        cacheStatus
        targeted
        groups
        query
        policies
    }

    /// How a case ended.
    struct Result: Sendable {
        let item: Case
        let failures: [String]

        /// What contradicts the table; `nil` when it ended as it stands there.
        var contradiction: String? {
            switch item.standing {
            case .kept:
                failures.isEmpty ? nil : failures.joined(separator: "; ")
            case .pending(let part):
                failures.isEmpty ? "it holds now: take `pending` for \(part) away" : nil
            case .left: failures.isEmpty ? "it holds now: take `left` away" : nil
            }
        }

        /// The word for the document.
        var outcome: String {
            guard contradiction == nil else { return "**fails**" }
            switch item.standing {
            case .kept: return "pass"
            case .pending(let part): return "pending: \(part)"
            case .left(let reason): return "not done: \(reason)"
            }
        }
    }

    /// Runs cases on one proxy and one origin, many at a time: their waits overlap.
    static func run(_ cases: [Case]) throws -> [Result] {
        let runs = Board([String: CaseRun]())
        let origin = try CaseOrigin.start { id in runs.value[id] }
        defer { origin.close() }
        return try Weir.run(Setting.configuration(origin: origin.place.url)) { proxy throws in
            let next = Board(0)
            let results = Board([Int: Result]())
            try concurrently(min(24, cases.count), within: .seconds(300)) { _ in
                while true {
                    let index = next.change { value in
                        defer { value += 1 }
                        return value
                    }
                    guard index < cases.count else { return }
                    let item = cases[index]
                    let run = CaseRun(item, proxy)
                    runs.change { $0[item.id] = run }
                    let result = Result(item: item, failures: run.run())
                    results.change { $0[index] = result }
                }
            }
            let all = results.value
            return cases.indices.compactMap { all[$0] }
        }
    }
}
