import Telemetry

/// What became of the jobs of one kind and priority.
public struct JobCounts: Sendable {
    /// Jobs that wait for their turn, or for their next attempt.
    public var waiting = 0
    /// Jobs that run.
    public var running = 0
    /// Jobs that ended well.
    public var done: UInt64 = 0
    /// Attempts that did not.
    public var failed: UInt64 = 0
    /// Attempts after which another one was planned.
    public var retried: UInt64 = 0
    /// Jobs that became dead letters.
    public var dead: UInt64 = 0
    /// Jobs for which there was no room.
    public var dropped: UInt64 = 0

    /// Creates counts of nothing.
    public init() {}
}

/// The counts of all kinds and priorities, and how long attempts took.
struct JobTable: Sendable {
    private var counts = Array(
        repeating: JobCounts(), count: JobKind.allCases.count * JobPriority.allCases.count)
    private(set) var durations = JobKind.allCases.map { _ in Histogram.latency }

    subscript(kind: JobKind, priority: JobPriority) -> JobCounts {
        get { counts[kind.rawValue * JobPriority.allCases.count + priority.rawValue] }
        set { counts[kind.rawValue * JobPriority.allCases.count + priority.rawValue] = newValue }
    }

    subscript(job: BackgroundJob) -> JobCounts {
        get { self[job.kind, job.priority] }
        set { self[job.kind, job.priority] = newValue }
    }

    mutating func record(_ nanoseconds: UInt64, of kind: JobKind) {
        durations[kind.rawValue].record(nanoseconds)
    }
}
