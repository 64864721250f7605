public import Primitives
import RedisWire
import Synchronization
public import Telemetry

/// A change of a Redis between good and bad, for the log.
public struct RedisHealthChange: Sendable, Equatable {
    /// Whether it is degraded from here on.
    public let isDegraded: Bool
    /// The failure that made it so; `nil` when it is good again.
    public let reason: RedisError?
    /// When.
    public let at: MonotonicTime
}

/// The breaker of one Redis, shared by all its users in the process.
///
///     closed ── a failure, and no answer in time since it began ──► open
///       ▲                                                            │ every call fails at once
///       └───────── a connection is ready, or a probe is answered ────┘ connections are made, probes are sent
///
/// So one call waits for its deadline, and none after it. A failure that only one connection sees leaves the
/// breaker closed: others are answered meanwhile.
public final class RedisHealth: Sendable {
    /// What its users call it in log, health and metrics.
    public let name: String
    /// What happened so far.
    public let counts = RedisCounts()

    private struct State {
        var reason: RedisError?
        var since = MonotonicTime(nanoseconds: 0)
        var changes: [RedisHealthChange] = []
    }
    private let state = Guarded(State())
    // Relaxed: both say something about Redis and order no memory of ours.
    private let isOpen = Atomic<Bool>(false)
    private let lastAnswer = Atomic<UInt64>(0)

    private let times = Guarded(Histogram.latency)

    /// How long replies took from the end of the turn that sent their command, in nanoseconds; those that came
    /// too late for their caller are among them.
    public var replyTimes: Histogram { times.withLock { $0 } }

    /// Creates a closed breaker.
    public init(name: String) { self.name = name }

    /// Whether calls may be made.
    public var isAvailable: Bool { !isOpen.load(ordering: .relaxed) }

    /// Whether its users must do without it.
    public var isDegraded: Bool { !isAvailable }

    /// Why it is open, and since when; `nil` while it is closed.
    public var degradation: (reason: RedisError, since: MonotonicTime)? {
        state.withLock { state in state.reason.map { ($0, state.since) } }
    }

    /// The changes since the last call, the oldest first; at most 64, the newest of them.
    public func takeChanges() -> [RedisHealthChange] {
        state.withLock { state in
            let taken = state.changes
            state.changes.removeAll(keepingCapacity: true)
            return taken
        }
    }

    // MARK: What connections tell

    /// Notes that a reply took so long.
    func noteReply(after time: Nanoseconds) { times.withLock { $0.record(time.count) } }

    /// Notes an answer that came within its time.
    func noteAnswer(at now: MonotonicTime) {
        lastAnswer.store(now.nanoseconds, ordering: .relaxed)
    }

    /// Notes a failure of something that began at `start`: opens the breaker unless an answer came since.
    func noteFailure(_ reason: RedisError, since start: MonotonicTime, at now: MonotonicTime) {
        if lastAnswer.load(ordering: .relaxed) > start.nanoseconds { return }
        open(reason, at: now)
    }

    /// Notes that the server itself refuses to work: opens the breaker.
    func noteRefusal(_ error: RedisServerError, at now: MonotonicTime) {
        open(.server(error), at: now)
    }

    /// Notes that a connection is ready or a probe was answered: closes the breaker.
    func noteRecovery(at now: MonotonicTime) {
        noteAnswer(at: now)
        guard isOpen.load(ordering: .relaxed) else { return }
        change(to: nil, at: now)
    }

    /// Whether the last failure was the server's own refusal, which a PING would not meet.
    var wasRefused: Bool {
        state.withLock { if case .server = $0.reason { true } else { false } }
    }

    private func open(_ reason: RedisError, at now: MonotonicTime) {
        guard !isOpen.load(ordering: .relaxed) else { return }
        change(to: reason, at: now)
    }

    private func change(to reason: RedisError?, at now: MonotonicTime) {
        state.withLock { state in
            guard (state.reason == nil) != (reason == nil) else { return }
            state.reason = reason
            state.since = now
            isOpen.store(reason != nil, ordering: .relaxed)
            if state.changes.count >= Bounds.changes { state.changes.removeFirst() }
            state.changes.append(
                RedisHealthChange(isDegraded: reason != nil, reason: reason, at: now))
        }
        if reason != nil { counts.opened.add() }
    }
}
