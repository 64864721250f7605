import Primitives
import RedisClient
import Settings

/// Background work in the order of its urgency: bounded, tried again after failures, and never lost silently.
///
///     add ──► lanes: critical │ high │ normal │ low ──next──► running ──end──► done
///                 ▲                                              │ failed
///                 └────────────── delayed ◄── backoff ◄──────────┤
///                                                 dead letters ◄─┘ refused, or tried too often
///
/// Within a lane the oldest begins first. What is asked for twice is done once. When all places are taken a
/// job displaces the newest one of a less urgent lane, or is dropped; both are counted. Jobs that are no fetches have
/// lanes and places of their own: they take long, and no client misses them. A value: no clock, no lock, no random
/// source of its own.
struct BackgroundQueue: Sendable {
    /// What became of a job that was handed in.
    enum Admission: Equatable {
        /// It waits, under this number.
        case queued(UInt64)
        /// The same waits or runs already.
        case known
        /// There was no room.
        case full
    }

    private struct Delayed {
        var job: BackgroundJob
        var due: MonotonicTime
    }

    private struct Running {
        var job: BackgroundJob
        var began: MonotonicTime
        /// Whether the same was asked for since.
        var isDueAgain = false
    }

    /// Fetches that run at once, at most.
    var concurrency: Int
    private let lengthMax: Int
    private let deadMax: Int
    private let attemptsMax: Int
    private let backoff: Backoff

    /// By priority, the lane of fetches before that of others.
    private var lanes = [[BackgroundJob]](repeating: [], count: 2 * JobPriority.allCases.count)
    private var delayed: [Delayed] = []
    private var running: [Running] = []
    private var known: Set<JobTask> = []
    private var lastID: UInt64 = 0
    /// The jobs that are not tried again, the oldest first.
    private(set) var dead: [DeadLetter] = []
    /// What was counted.
    private(set) var table = JobTable()

    init(
        concurrency: Int, lengthMax: Int = Bounds.jobs, deadMax: Int = Bounds.deadJobs,
        attempts: Int = Bounds.jobAttempts, backoff: Backoff = Bounds.jobBackoff
    ) {
        self.concurrency = concurrency
        self.lengthMax = lengthMax
        self.deadMax = deadMax
        attemptsMax = attempts
        self.backoff = backoff
    }

    /// Jobs that wait, also for their next attempt.
    var waitingCount: Int { lanes.reduce(delayed.count) { $0 + $1.count } }
    /// Jobs that run.
    var runningJobs: [(job: BackgroundJob, began: MonotonicTime)] {
        running.map { ($0.job, $0.began) }
    }
    /// When the next attempt is due of those that wait for one.
    var nextDue: MonotonicTime { delayed.map(\.due).min() ?? .never }

    // MARK: In and out

    /// Hands a job in.
    mutating func add(_ task: JobTask, _ kind: JobKind) -> Admission {
        guard !known.contains(task) else {
            if task.isFree, let index = running.firstIndex(where: { $0.job.task == task }) {
                running[index].isDueAgain = true
            }
            return .known
        }
        guard makeRoom(for: kind.priority) else {
            table[kind, kind.priority].dropped += 1
            return .full
        }
        lastID += 1
        put(BackgroundJob(id: lastID, kind: kind, priority: kind.priority, task: task))
        return .queued(lastID)
    }

    /// Takes the most urgent job that may begin now; `nil` when there is none, or enough run.
    mutating func next(at now: MonotonicTime) -> BackgroundJob? {
        wakeDelayed(at: now)
        let frees = running.count { $0.job.task.isFree }
        let hasPlace = [running.count - frees < concurrency, frees < Bounds.freeJobs]
        guard let lane = lanes.indices.first(where: { !lanes[$0].isEmpty && hasPlace[$0 % 2] })
        else { return nil }
        var job = lanes[lane].removeFirst()
        job.attempts += 1
        table[job].waiting -= 1
        table[job].running += 1
        running.append(Running(job: job, began: now))
        return job
    }

    /// Notes how an attempt ended.
    mutating func end(
        _ id: UInt64, _ outcome: JobOutcome, at now: ClockReading, _ random: inout SeededRandom
    ) {
        guard let index = running.firstIndex(where: { $0.job.id == id }) else { return }
        let ended = running.remove(at: index)
        let job = ended.job
        table[job].running -= 1
        table.record((now.monotonic - ended.began).count, of: job.kind)
        switch outcome {
        case .done:
            table[job].done += 1
            known.remove(job.task)
            if ended.isDueAgain { _ = add(job.task, job.kind) }
        case .failed(let reason):
            table[job].failed += 1
            guard job.attempts < attemptsMax else { return bury(job, reason, at: now.wall) }
            table[job].retried += 1
            table[job].waiting += 1
            let pause = backoff.pause(afterAttempt: job.attempts, &random)
            delayed.append(Delayed(job: job, due: now.monotonic + pause))
        case .refused(let reason):
            table[job].failed += 1
            bury(job, reason, at: now.wall)
        }
    }

    /// Notes how far a job has come.
    mutating func note(_ progress: PurgedValues.Progress, of id: UInt64) {
        guard let index = running.firstIndex(where: { $0.job.id == id }) else { return }
        running[index].job.progress = progress
    }

    /// Forgets the fetches that wait, as a new configuration may not want them any more; what runs ends.
    mutating func removeFetches() {
        for job in lanes.joined() + delayed.map(\.job) where !job.task.isFree { forget(job) }
        for lane in lanes.indices { lanes[lane].removeAll { !$0.task.isFree } }
        delayed.removeAll { !$0.job.task.isFree }
    }

    /// Forgets all that waits.
    mutating func removeWaiting() {
        for job in lanes.joined() + delayed.map(\.job) { forget(job) }
        for lane in lanes.indices { lanes[lane].removeAll() }
        delayed.removeAll()
    }

    // MARK: Dead letters

    /// Tries a dead letter again, before all others; `false` when there is none of this number, or no room.
    mutating func retry(_ id: UInt64) -> Bool {
        guard let index = dead.firstIndex(where: { $0.job.id == id }) else { return false }
        guard !known.contains(dead[index].job.task) else {
            // It is on its way already, for another reason.
            dead.remove(at: index)
            return true
        }
        guard makeRoom(for: .critical) else { return false }
        var job = dead.remove(at: index).job
        job.attempts = 0
        job.priority = .critical
        put(job)
        return true
    }

    /// Throws a dead letter away; `false` when there is none of this number.
    mutating func drop(_ id: UInt64) -> Bool {
        guard let index = dead.firstIndex(where: { $0.job.id == id }) else { return false }
        dead.remove(at: index)
        return true
    }

    // MARK: Inside

    private static func lane(of job: BackgroundJob) -> Int {
        2 * job.priority.rawValue + (job.task.isFree ? 1 : 0)
    }

    private mutating func put(_ job: BackgroundJob) {
        lanes[BackgroundQueue.lane(of: job)].append(job)
        table[job].waiting += 1
        known.insert(job.task)
    }

    private mutating func bury(_ job: BackgroundJob, _ reason: JobReason, at now: WallTime) {
        table[job].dead += 1
        known.remove(job.task)
        // The same is told of once.
        dead.removeAll { $0.job.task == job.task }
        if dead.count >= deadMax { dead.removeFirst() }
        dead.append(DeadLetter(job: job, reason: reason, time: now))
    }

    private mutating func forget(_ job: BackgroundJob) {
        table[job].waiting -= 1
        known.remove(job.task)
    }

    private mutating func wakeDelayed(at now: MonotonicTime) {
        guard delayed.contains(where: { $0.due <= now }) else { return }
        let due = delayed.filter { $0.due <= now }.sorted { $0.due < $1.due }
        delayed.removeAll { $0.due <= now }
        for entry in due { lanes[BackgroundQueue.lane(of: entry.job)].append(entry.job) }
    }

    private mutating func makeRoom(for priority: JobPriority) -> Bool {
        guard waitingCount >= lengthMax else { return true }
        for lane in lanes.indices.reversed() where lane / 2 > priority.rawValue {
            guard let last = lanes[lane].popLast() else { continue }
            forget(last)
            table[last].dropped += 1
            return true
        }
        guard
            let index = delayed.lastIndex(where: {
                $0.job.priority.rawValue > priority.rawValue
            })
        else { return false }
        let last = delayed.remove(at: index).job
        forget(last)
        table[last].dropped += 1
        return true
    }
}
