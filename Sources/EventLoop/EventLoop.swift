public import Primitives
import Synchronization

/// Something with a descriptor in a loop's epoll.
open class EventSource: TimedObject {
    /// Its slot in the loop; -1: not registered.
    var slot: Int32 = -1

    /// Called for every event of the descriptor.
    func handle(_ readiness: Readiness) {}
}

/// One thread's loop: an epoll, its timers and the jobs of its tasks.
///
/// It is the executor of the worker's actor and the preferred executor of its tasks, so that a resumed
/// continuation goes straight into `ready` and never over another thread. One turn: run what is ready and then
/// the turn's last steps, wait for events or the next timer, read the clock, hand the events out.
///
/// Jobs may be enqueued from any thread; all else belongs to the thread in `run`, or, in simulation, to the
/// one that calls `turn`.
public final class EventLoop: SerialExecutor, TaskExecutor, @unchecked Sendable {
    // Sendable: `inbox`, `inboxFilled`, `owner`, `turnStarted`, `turnCount` and `stopping` are synchronised; the rest is
    // touched by the owner's thread alone, which `isOwner` decides before every use from outside.
    /// The system calls.
    public let kernel: Kernel
    /// Both clocks, read once per turn.
    public private(set) var clock: ClockReading
    /// The monotonic clock, read once per turn.
    public var now: MonotonicTime { clock.monotonic }

    /// The descriptor of its epoll.
    public let poll: Int32
    private let wakeDescriptor: Int32
    var ready = JobQueue()
    private var lastSteps: [LastStep] = []
    private var events: [PollEvent] = []
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var timers = TimerHeap()

    private let owner = OwnerThread()
    private let inbox = Guarded<[UnownedJob]>([])
    private let inboxFilled = Atomic<Bool>(false)
    private let stopping = Atomic<Bool>(false)
    private let turnStarted = Atomic<UInt64>(0)
    // Relaxed: a number for people, which the owner alone writes.
    private let turnCount = Atomic<UInt64>(0)

    /// A function in a structure of its own: bare in an array it would be wrapped, each time, in memory of its own.
    private struct LastStep {
        let run: () -> Void
    }

    private struct Slot {
        var source: EventSource?
        var generation: UInt32
    }

    /// Creates a loop over `kernel`. Fails only when the process is out of descriptors.
    public init?(kernel: Kernel = Kernel()) {
        self.kernel = kernel
        clock = kernel.now()
        poll = kernel.createPoll()
        wakeDescriptor = kernel.createWake()
        guard poll >= 0, wakeDescriptor >= 0 else { return nil }
        guard kernel.register(wakeDescriptor, in: poll, token: .max, writing: false) == 0 else {
            return nil
        }
        owner.claim()
    }

    deinit {
        // Below zero where `init` failed half-way.
        if wakeDescriptor >= 0 { kernel.close(wakeDescriptor) }
        if poll >= 0 { kernel.close(poll) }
    }

    // MARK: Turning

    /// Turns until `stop`, on the calling thread.
    public func run() {
        owner.claim()
        while !stopping.load(ordering: .acquiring) { turn(waiting: true) }
        turnStarted.store(0, ordering: .relaxed)
    }

    /// Ends `run` after the current turn. May be called from any thread.
    public func stop() {
        stopping.store(true, ordering: .releasing)
        kernel.wake(wakeDescriptor)
    }

    /// One turn; without `waiting` it only takes what is there. Simulation calls this.
    public func turn(waiting: Bool) {
        owner.claim()
        turnCount.store(turns &+ 1, ordering: .relaxed)
        // A loop that waits wakes with a fresh clock; in simulation other loops' turns may have moved the time.
        if !waiting { clock = kernel.now() }
        takeInbox()
        runReadyJobs()
        runLastSteps()
        let timeout = waiting ? timeoutMilliseconds() : 0
        // Idle in epoll is not a stuck turn.
        turnStarted.store(0, ordering: .relaxed)
        kernel.wait(poll: poll, milliseconds: timeout, into: &events)
        clock = kernel.now()
        turnStarted.store(clock.monotonic.nanoseconds, ordering: .relaxed)
        dispatchEvents()
        fireTimers()
    }

    /// Whether a job or an arrived message waits to be run.
    public var hasWork: Bool {
        !ready.isEmpty || !lastSteps.isEmpty || inboxFilled.load(ordering: .acquiring)
    }
    /// When the earliest timer fires.
    public var nextTimer: MonotonicTime { MonotonicTime(nanoseconds: timers.next) }
    /// When the turn that runs now began; 0 while the loop waits. May be read from any thread.
    public var currentTurnStart: UInt64 { turnStarted.load(ordering: .relaxed) }

    /// Turns so far. May be read from any thread.
    public var turns: UInt64 { turnCount.load(ordering: .relaxed) }

    /// Runs `step` once, after all jobs of the turn and before the loop waits: what a turn has gathered leaves
    /// together. Steps run in the order in which they came, and may add further ones.
    public func atEndOfTurn(_ step: @escaping () -> Void) {
        lastSteps.append(LastStep(run: step))
    }

    private func runLastSteps() {
        guard !lastSteps.isEmpty else { return }
        var done = 0
        // A step may add another one behind the last.
        while done < lastSteps.count {
            lastSteps[done].run()
            done += 1
        }
        lastSteps.removeAll(keepingCapacity: true)
    }

    private func takeInbox() {
        guard inboxFilled.load(ordering: .acquiring) else { return }
        let arrived = inbox.withLock { jobs in
            inboxFilled.store(false, ordering: .relaxed)
            let taken = jobs
            jobs.removeAll(keepingCapacity: true)
            return taken
        }
        for job in arrived { ready.append(job) }
    }

    private func timeoutMilliseconds() -> Int32 {
        if !ready.isEmpty || !lastSteps.isEmpty { return 0 }
        let next = timers.next
        if next == .max { return -1 }
        // The clock was read when this turn's events came; a little late is fine, early would spin.
        let now = kernel.monotonicNow().nanoseconds
        if next <= now { return 0 }
        return Int32(clamping: (next - now + 999_999) / 1_000_000)
    }

    private func dispatchEvents() {
        for event in events where event.token != .max {
            let slot = Int(UInt32(truncatingIfNeeded: event.token))
            let generation = UInt32(truncatingIfNeeded: event.token >> 32)
            // Epoll may still report the old owner of a slot: compare generations first.
            guard slot < slots.count, slots[slot].generation == generation else { continue }
            slots[slot].source?.handle(event.readiness)
        }
    }

    private func fireTimers() {
        while let object = timers.popDue(at: clock.monotonic.nanoseconds) {
            object.timerFired(self)
        }
    }

    // MARK: Executors

    /// Takes a job from any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        if owner.isCurrent {
            ready.append(unowned)
            return
        }
        let mustWake = inbox.withLock { jobs in
            jobs.append(unowned)
            return !inboxFilled.exchange(true, ordering: .acquiringAndReleasing)
        }
        if mustWake { kernel.wake(wakeDescriptor) }
    }

    /// Stops the process when the caller is not on this loop's thread.
    public func checkIsolated() { precondition(owner.isCurrent) }

    /// Whether the caller is on this loop's thread.
    public func isIsolatingCurrentContext() -> Bool? { owner.isCurrent }

    // MARK: Registration

    /// Registers the descriptor of `source`, edge-triggered, for reading and the peer's end, and for writing too if
    /// `writing`; `false` when epoll refuses.
    func register(_ source: EventSource, descriptor: Int32, writing: Bool = false) -> Bool {
        let slot: Int32
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = Int32(slots.count)
            slots.append(Slot(source: nil, generation: 0))
        }
        let refusal = kernel.register(
            descriptor, in: poll, token: token(of: slot), writing: writing)
        guard refusal == 0 else {
            freeSlots.append(slot)
            return false
        }
        slots[Int(slot)].source = source
        source.slot = slot
        return true
    }

    /// Tells the registered `source` of space to write, too; `false` when epoll refuses.
    func watchWriting(_ source: EventSource, descriptor: Int32) -> Bool {
        kernel.watchWriting(descriptor, in: poll, token: token(of: source.slot)) == 0
    }

    private func token(of slot: Int32) -> UInt64 {
        UInt64(slots[Int(slot)].generation) << 32 | UInt64(UInt32(bitPattern: slot))
    }

    /// Forgets `source`; the kernel forgets the descriptor when it is closed.
    func unregister(_ source: EventSource) {
        timers.remove(source)
        guard source.slot >= 0 else { return }
        let slot = Int(source.slot)
        slots[slot].source = nil
        slots[slot].generation &+= 1
        freeSlots.append(source.slot)
        source.slot = -1
    }

    /// Makes `object.timerFired` be called at `time`, or earlier if it is already armed so.
    public func arm(_ object: TimedObject, at time: MonotonicTime) {
        guard time != .never else { return }
        timers.arm(object, at: time.nanoseconds)
    }

    /// Takes `object` out of the timers.
    public func disarm(_ object: TimedObject) { timers.remove(object) }
}
