import EventLoop
import Identity
import Primitives
import Upstreams

/// A JWK set behind a URL: its last good answer, and when it is asked again.
final class KeyURL {
    let url: FetchURL
    /// Wakes the task that waits for the next fetch.
    let waiter: Waiter
    /// The keys of the last good answer; `nil`: there was none yet.
    private(set) var keys: [TokenKey]?
    /// Why the last answer was not good.
    private(set) var problem: KeyProblem?
    /// Whether a token named a key that is not known, since the last fetch began.
    var isWanted = false
    /// Whether it was ever asked.
    var wasAsked: Bool { planned > MonotonicTime(nanoseconds: 0) }

    /// When the last fetch began, and when the next one is to begin if no key is missing.
    private var asked = MonotonicTime(nanoseconds: 0)
    private var planned = MonotonicTime(nanoseconds: 0)

    private var failures = 0
    private var digest: Digest128?
    private let seed = KeyedHasher.Seed.random()

    init(_ url: FetchURL, _ loop: EventLoop) {
        self.url = url
        waiter = Waiter(loop)
    }

    var state: KeyHealth.SourceState {
        if keys == nil { return .unanswered }
        return problem == nil ? .good : .failing
    }

    /// Notes that a fetch begins.
    func begin(at now: MonotonicTime) {
        asked = now
        isWanted = false
    }

    /// When the next fetch is due.
    var due: MonotonicTime {
        isWanted ? min(planned, asked + Bounds.unknownKeyPause) : planned
    }

    /// What an answer changed.
    enum Outcome {
        /// Nothing, or only that it is well again.
        case same
        case changed
        case bad(KeyProblem)
    }

    /// Takes an answer; what changed, and whether it is worth a line in the log.
    func take(
        _ answer: Result<FetchedBody, FetchError>,
        _ parse: ([UInt8]) throws(TokenKeyError) -> [TokenKey]
    ) -> (outcome: Outcome, isNews: Bool) {
        let body: FetchedBody
        switch answer {
        case .success(let fetched): body = fetched
        case .failure(let error): return fail(error.reason)
        }
        var hasher = KeyedHasher(seed: seed)
        hasher.append(body.bytes.span)
        let found = hasher.finish()
        if found != digest {
            do throws(TokenKeyError) {
                keys = try parse(body.bytes)
            } catch {
                return fail("\(error.reason)")
            }
        }
        let hadFailed = problem != nil
        let isSame = found == digest
        digest = found
        problem = nil
        failures = 0
        return (isSame ? .same : .changed, hadFailed || !isSame)
    }

    private func fail(_ reason: String) -> (Outcome, Bool) {
        let found = KeyProblem(source: url.label, reason: reason)
        let isNews = found != problem
        problem = found
        failures += 1
        return (.bad(found), isNews)
    }

    /// Plans the next fetch after `answer` was taken.
    func plan(
        after answer: Result<FetchedBody, FetchError>, at now: MonotonicTime,
        _ random: inout SeededRandom
    ) {
        planned = now + pause(after: answer, &random)
    }

    /// How long to wait for the next fetch: what the answer says, within bounds; after failures twice as long
    /// each time. Spread, so that many processes do not ask at once.
    private func pause(
        after answer: Result<FetchedBody, FetchError>, _ random: inout SeededRandom
    ) -> Nanoseconds {
        guard problem == nil, case .success(let body) = answer else {
            let doubled = Bounds.keyBackoff.lowerBound.count << UInt64(min(failures, 16) - 1)
            let base = min(doubled, Bounds.keyBackoff.upperBound.count)
            return Nanoseconds(base + UInt64(random.unit() * Double(base / 4)))
        }
        let wanted = body.maxAge ?? Bounds.keyMaxAgeUnsaid
        let bounds = Bounds.keyMaxAge
        let base = min(max(wanted, bounds.lowerBound), bounds.upperBound)
        let early = Nanoseconds(UInt64(random.unit() * Double(base.count / 10)))
        return max(base - early, bounds.lowerBound)
    }
}
