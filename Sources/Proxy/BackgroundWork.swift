public import Caching
import Primitives
import RedisClient
public import Settings

/// The background queue of a process: any thread hands work in or asks how it stands, one worker does it.
///
/// A lock is held for the queue's own steps only; whoever does the work is woken outside of it.
public final class BackgroundWork: Sendable {
    private struct State {
        var queue: BackgroundQueue
        var random: SeededRandom
        var isStopped = false
        var wake: (@Sendable () -> Void)?
    }

    private let state: Guarded<State>

    init(concurrency: Int, seed: UInt64) {
        state = Guarded(
            State(
                queue: BackgroundQueue(concurrency: concurrency), random: SeededRandom(seed: seed)))
    }

    // MARK: Handing in

    /// Hands in requests of one kind.
    ///
    /// - Returns: How many of them wait now; the others waited already, or found no room.
    @discardableResult
    public func add(_ requests: [WarmRequest], _ kind: JobKind) -> Int {
        guard !requests.isEmpty else { return 0 }
        return change { state in
            guard !state.isStopped else { return 0 }
            return requests.count {
                if case .queued = state.queue.add(.fetch($0), kind) { true } else { false }
            }
        }
    }

    /// Hands in what a purge has made dead in Redis.
    public func free(_ remains: PurgeRemains) {
        change { state in
            if !state.isStopped { _ = state.queue.add(.free(remains), .free) }
        }
    }

    /// Tries a dead letter again, before all other jobs; `false` when there is none of this number.
    public func retry(_ id: UInt64) -> Bool { change { $0.queue.retry(id) } }

    /// Throws a dead letter away; `false` when there is none of this number.
    public func drop(_ id: UInt64) -> Bool { state.withLock { $0.queue.drop(id) } }

    /// Follows another configuration: so many fetches at once, and those that wait are forgotten.
    func restart(concurrency: Int) {
        state.withLock { state in
            state.queue.concurrency = concurrency
            state.queue.removeFetches()
        }
    }

    /// Begins nothing more.
    func stop() {
        change { state in
            state.isStopped = true
            state.queue.removeWaiting()
        }
    }

    private func change<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let (result, wake) = state.withLock { state in (body(&state), state.wake) }
        wake?()
        return result
    }

    // MARK: Doing

    /// Calls `wake`, from any thread, whenever there may be something to do.
    func whenWork(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    /// Whether no job begins any more.
    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// The next job, or until when there is none.
    func next(at now: MonotonicTime) -> (job: BackgroundJob?, due: MonotonicTime) {
        state.withLock { state in
            guard !state.isStopped else { return (nil, .never) }
            return (state.queue.next(at: now), state.queue.nextDue)
        }
    }

    func end(_ job: BackgroundJob, _ outcome: JobOutcome, at now: ClockReading) {
        state.withLock { state in
            // A job that is tried again waits in the queue; of one that has been stopped nothing is left.
            state.queue.end(job.id, outcome, at: now, &state.random)
            if state.isStopped { state.queue.removeWaiting() }
        }
    }

    /// Notes how far a job has come.
    func note(_ progress: PurgedValues.Progress, of job: BackgroundJob) {
        state.withLock { $0.queue.note(progress, of: job.id) }
    }

    // MARK: Looking

    /// How the queue stands.
    public var status: JobStatus { state.withLock { JobStatus($0.queue) } }
}
