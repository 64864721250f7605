import Primitives
import TestKit

/// What all peers of one world do, drawn from its seed, and all they saw that must not be.
final class Ledger: Sendable {
    private struct State: Sendable {
        var random: SeededRandom
        var violations: [String] = []
        var story: [String] = []
        /// How often a request with this id has reached an origin.
        var arrivals: [String: Int] = [:]
        var admitted: Set<String> = []
        var purges: [Purge] = []
        /// Fetches of a path that is collapsed, at this moment.
        var fetches: [String: Int] = [:]
        var nextID = 0
        var answers = 0
    }

    private let state: Probe<State>
    let seed: UInt64
    /// What most requests of this world are for.
    let theme: String

    /// What there is to ask for.
    static let kinds = [
        "/cached", "/one", "/mine", "/vary", "/limited", "/plain", "/nostore", "/upload",
    ]

    init(seed: UInt64) {
        self.seed = seed
        var random = SeededRandom(seed: seed &* 0x9E37_79B9)
        theme = Ledger.kinds[random.below(Ledger.kinds.count)]
        state = Probe(State(random: random))
    }

    // MARK: Chance

    func below(_ bound: Int) -> Int {
        var drawn = 0
        state.update { drawn = $0.random.below(bound) }
        return drawn
    }

    func oneIn(_ n: Int) -> Bool { below(n) == 0 }
    func pick<T>(_ values: [T]) -> T { values[below(values.count)] }
    func milliseconds(_ most: Int) -> Nanoseconds { .milliseconds(UInt64(below(most + 1))) }

    // MARK: What happened

    func newID() -> String {
        state.update { $0.nextID += 1 }
        return "r\(state.value.nextID)"
    }

    func tell(_ line: @autoclosure () -> String) {
        if Seeds.upTo(2).count == 1 { state.update { $0.story.append(line()) } }
    }

    func violation(_ text: String) { state.update { $0.violations.append(text) } }

    /// A request has reached an origin.
    func arrived(_ id: String, method: String, path: String) {
        var count = 0
        state.update {
            $0.arrivals[id, default: 0] += 1
            count = $0.arrivals[id, default: 0]
            if path.hasPrefix("/limited") { $0.admitted.insert(id) }
        }
        // A GET is sent again at most once; one for the cache again without conditions.
        let most = method == "POST" ? 1 : 3
        if count > most { violation("\(method) \(path) \(id) was sent \(count) times") }
    }

    func fetchBegan(_ path: String) {
        state.update { $0.fetches[path, default: 0] += 1 }
        let running = state.value.fetches[path, default: 0]
        if running > 1 { violation("\(running) fetches of \(path) at once") }
    }

    /// A hard purge has ended.
    func purged(_ purge: Purge) { state.update { $0.purges.append(purge) } }

    /// The oldest version that may answer a request sent at `sent`, after what was purged by then.
    func leastVersion(path: String, user: String, sentAt sent: MonotonicTime) -> UInt64 {
        state.value.purges.reduce(0) { least, purge in
            purge.ended <= sent && purge.means(path: path, user: user)
                ? max(least, Truth.version(at: purge.began)) : least
        }
    }

    func fetchEnded(_ path: String) { state.update { $0.fetches[path, default: 0] -= 1 } }
    func answered() { state.update { $0.answers += 1 } }

    /// Requests of the limited route that were let through.
    var admitted: Int { state.value.admitted.count }
    var answers: Int { state.value.answers }
    var violations: [String] { state.value.violations }
    var story: [String] { state.value.story }
}
