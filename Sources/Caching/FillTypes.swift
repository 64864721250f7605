/// Why a fetch ended without a whole answer.
public enum FillFailure: Sendable, BitwiseCopyable, Equatable, CaseIterable {
    /// No connection to the origin.
    case connect
    /// No connection to the origin came free in time.
    case exhausted
    /// The origin's name is not known.
    case unresolved
    /// The origin took too long.
    case timeout
    /// The connection broke, or what came was no answer.
    case reset
    /// The body ended before its length.
    case incomplete
    /// The origin cannot be reached, and the stored answer may not be used without it (RFC 9111 §5.2.2.2).
    case notValidated
    /// The fetch was given up, by a drain or because nobody wanted it any more.
    case abandoned

    /// The word for logs and metrics.
    public var name: StaticString {
        switch self {
        case .connect: "connect"
        case .exhausted: "exhausted"
        case .unresolved: "unresolved"
        case .timeout: "timeout"
        case .reset: "reset"
        case .incomplete: "incomplete"
        case .notValidated: "not-validated"
        case .abandoned: "abandoned"
        }
    }
}

/// Why a follower must go upstream itself.
public enum FillRelease: Sendable, BitwiseCopyable, Equatable {
    /// The answer may not be shared.
    case notShared
    /// The answer varies, and is not for this request. Another lookup may find a fill that is.
    case otherVariant
}

/// Where a whole answer comes from that stands in place of what the origin sends.
public enum FillSource: Sendable, BitwiseCopyable, Equatable {
    /// It was stored, and the origin says that it is still right.
    case validated
    /// It was stored and is stale; the origin failed.
    case stale
    /// Another process had put it into Redis.
    case shared
    /// Another process had put it into Redis, and it is stale: it is in the store now, to be looked for once more.
    case kept
}

/// What a reader of a fill does next.
public enum FillStep: Sendable {
    /// The head of an interim answer (1xx), whole; for the first client only, before the head.
    case interim([UInt8])
    /// The head of the answer; always before segments.
    case head(CachedHead)
    /// The next part of the body, never empty.
    case segment([UInt8])
    /// The body is complete.
    case end
    /// In place of a head: a whole answer.
    case stored(StoredResponse, FillSource)
    /// The fetch failed. After a head the client's connection must be broken: it has a part of a body.
    case failed(FillFailure)
    /// Go upstream yourself.
    case released(FillRelease)
    /// Nothing yet: the wake closure will be called once.
    case wait
}

/// A reader's place in a fill.
public struct FillReader: Sendable, BitwiseCopyable, Equatable {
    let slot: UInt32
    let serial: UInt32
    /// Whether it is the client whose request began the fill.
    public let isOwner: Bool
}

/// What the leader does after it appended a part.
public enum FillAppend: Sendable, BitwiseCopyable, Equatable {
    /// Read on.
    case more
    /// The slowest reader lags: wait with `Fill.whenDrained`.
    case full
    /// Nobody reads, nothing will be stored, or the fill has ended: give the exchange up.
    case unwanted
}
