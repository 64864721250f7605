public import Primitives
import Synchronization

/// Why a wait ended.
public enum WakeReason: Sendable, BitwiseCopyable {
    /// What was waited for is there.
    case ready
    /// The deadline came first.
    case timedOut
    /// Whom it was for has gone.
    case aborted
}

/// One task's wait for something that another task or thread will announce, with a deadline.
///
/// `wake` may come from any thread, before or during the wait, once or often. Waiting and aborting belong to
/// the loop's thread. A wake-up may be spurious: the waiting task looks again at what it waits for.
@safe public final class Waiter: TimedObject, @unchecked Sendable {
    // Sendable: `state` hands `continuation` from the waiting task to exactly one waker. Whoever changes it
    // from `waiting` owns the continuation; acquire and release order the accesses to it.
    private enum State {
        static let idle: UInt8 = 0
        static let waiting: UInt8 = 1
        static let woken: UInt8 = 2
    }

    private let loop: EventLoop
    private let state = Atomic<UInt8>(State.idle)
    private var continuation: UnsafeContinuation<WakeReason, Never>?
    private var aborted = false

    /// Creates a waiter for tasks of `loop`.
    public init(_ loop: EventLoop) { self.loop = loop }

    /// Waits for `wake`, but not beyond `deadline`.
    public func wait(until deadline: MonotonicTime) async -> WakeReason {
        if aborted { return .aborted }
        let reason = unsafe await withUnsafeContinuation { continuation in
            unsafe self.continuation = continuation
            loop.arm(self, at: deadline)
            let (exchanged, _) = state.compareExchange(
                expected: State.idle, desired: State.waiting, ordering: .acquiringAndReleasing)
            if !exchanged {
                // It was woken before it waited.
                state.store(State.idle, ordering: .releasing)
                resume(.ready)
            }
        }
        loop.disarm(self)
        return reason
    }

    /// Ends the wait, or the next one. From any thread.
    public func wake() {
        if state.exchange(State.woken, ordering: .acquiringAndReleasing) == State.waiting {
            let owned = unsafe continuation
            unsafe continuation = nil
            // The task may wait again as soon as it is resumed.
            state.store(State.idle, ordering: .releasing)
            unsafe owned?.resume(returning: .ready)
        }
    }

    /// Ends this wait and refuses all later ones.
    override public func abort() {
        aborted = true
        giveUp(.aborted)
    }

    override public func timerFired(_ loop: EventLoop) { giveUp(.timedOut) }

    private func giveUp(_ reason: WakeReason) {
        let (owned, _) = state.compareExchange(
            expected: State.waiting, desired: State.idle, ordering: .acquiringAndReleasing)
        if owned { resume(reason) }
    }

    private func resume(_ reason: WakeReason) {
        let owned = unsafe continuation
        unsafe continuation = nil
        unsafe owned?.resume(returning: reason)
    }
}

extension EventLoop {
    /// Waits for `duration` and does nothing.
    public func sleep(for duration: Nanoseconds) async {
        _ = await Waiter(self).wait(until: now + duration)
    }
}
