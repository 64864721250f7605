public import Primitives
public import Telemetry

/// How background work stands at one moment.
public struct JobStatus: Sendable {
    /// One kind at one priority.
    public struct Row: Sendable {
        /// Why the jobs were made.
        public let kind: JobKind
        /// How urgent they are.
        public let priority: JobPriority
        /// What became of them.
        public let counts: JobCounts
    }

    /// Jobs that wait, also for their next attempt.
    public let waiting: Int
    /// Jobs that may run at once.
    public let concurrency: Int
    /// The jobs that run, and since when.
    public let running: [(job: BackgroundJob, began: MonotonicTime)]
    /// The counts of all kinds and priorities of which there was one.
    public let rows: [Row]
    /// Jobs that are not tried again, the oldest first.
    public let dead: [DeadLetter]
    /// How long attempts took, by kind.
    public let durations: [(kind: JobKind, histogram: Histogram)]

    init(_ queue: borrowing BackgroundQueue) {
        waiting = queue.waitingCount
        concurrency = queue.concurrency
        running = queue.runningJobs
        dead = queue.dead
        let table = queue.table
        var rows: [Row] = []
        for kind in JobKind.allCases {
            for priority in JobPriority.allCases {
                let counts = table[kind, priority]
                let isUsed =
                    counts.waiting + counts.running > 0
                    || counts.done + counts.failed + counts.dead + counts.dropped > 0
                if priority == kind.priority || isUsed {
                    rows.append(Row(kind: kind, priority: priority, counts: counts))
                }
            }
        }
        self.rows = rows
        durations = JobKind.allCases.map { ($0, table.durations[$0.rawValue]) }
    }

    /// Jobs that ended well, of all kinds.
    public var done: UInt64 { rows.reduce(0) { $0 + $1.counts.done } }
}
