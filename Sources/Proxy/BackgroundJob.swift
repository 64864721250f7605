public import Caching
public import Primitives
public import RedisClient
public import Settings

/// How urgent background work is: what is more urgent begins first, whatever waits behind it.
public enum JobPriority: Int, Sendable, BitwiseCopyable, CaseIterable {
    /// Somebody asked for it by hand.
    case critical
    /// Answers that were just thrown away.
    case high
    /// Answers that will be asked for.
    case normal
    /// Answers that may be asked for.
    case low

    /// The word for metrics and the admin API.
    public var name: StaticString {
        switch self {
        case .critical: "critical"
        case .high: "high"
        case .normal: "normal"
        case .low: "low"
        }
    }
}

/// Why a background job was made.
public enum JobKind: Int, Sendable, BitwiseCopyable, CaseIterable {
    /// A URL of `cache.warm.urls`, at the start.
    case start
    /// One of them after a purge.
    case purge
    /// A key that was popular before the restart.
    case popular
    /// A popular key whose answer has expired.
    case refresh
    /// Answers in Redis that were purged.
    case free

    /// The word for metrics and the admin API.
    public var name: StaticString {
        switch self {
        case .start: "start"
        case .purge: "purge"
        case .popular: "popular"
        case .refresh: "refresh"
        case .free: "free"
        }
    }

    /// How urgent it is.
    public var priority: JobPriority {
        switch self {
        case .start: .normal
        case .purge: .high
        case .popular, .refresh, .free: .low
        }
    }
}

/// What a job does.
public enum JobTask: Sendable, Hashable {
    /// Fetches an answer, to be stored.
    case fetch(WarmRequest)
    /// Gives back the memory of answers in Redis that were purged.
    case free(PurgeRemains)

    /// The request, of a fetch.
    public var request: WarmRequest? { if case .fetch(let request) = self { request } else { nil } }

    /// Whether it is no fetch: such a job has a place of its own, and what is asked for again while it runs is done
    /// again.
    var isFree: Bool { request == nil }
}

/// One piece of background work.
public struct BackgroundJob: Sendable, Equatable {
    /// Its number, from 1 on.
    public let id: UInt64
    /// Why it was made.
    public let kind: JobKind
    /// How urgent it is; more so when it is tried again by hand.
    public internal(set) var priority: JobPriority
    /// What is to be done.
    public let task: JobTask
    /// How often it has begun.
    public internal(set) var attempts = 0
    /// How far it has come; `nil` for fetches.
    public internal(set) var progress: PurgedValues.Progress?
}

/// How an attempt at a job ended.
public enum JobOutcome: Sendable, Equatable {
    /// The answer is stored, or was already.
    case done
    /// It may be well another time.
    case failed(JobReason)
    /// It will be the same another time.
    case refused(JobReason)
}

/// Why a job failed, in the words of the log: `connect`, `status 503`, `set-cookie`.
public struct JobReason: Sendable, BitwiseCopyable, Equatable {
    let word: StaticString
    let status: UInt16?

    init(_ word: StaticString) {
        self.word = word
        status = nil
    }

    init(status: UInt16) {
        word = "status"
        self.status = status
    }

    /// The reason for people.
    public var text: String { status.map { "\(word) \($0)" } ?? "\(word)" }

    /// Whether both say the same.
    public static func == (a: JobReason, b: JobReason) -> Bool { a.text == b.text }
}

/// A job that is not tried again by itself.
public struct DeadLetter: Sendable, Equatable {
    /// The job.
    public let job: BackgroundJob
    /// Why its last attempt failed.
    public let reason: JobReason
    /// When that was.
    public let time: WallTime
}
