import CLinux
import EventLoop
public import Primitives

/// The machine and the network of a simulation: clocks, descriptors, connections under way.
///
/// Everything happens on the thread of the simulation, in an order that the seed alone decides.
/// Descriptor numbers are never used twice, so that every use after a close is found.
public final class SimulatedNetwork {
    /// What decides everything that is left to chance.
    public let seed: UInt64
    /// The faults of new connections.
    public var faults: FaultPlan
    /// The faults of new connections to these addresses, instead of `faults`.
    public var faultsOfAddress: [SocketAddress: FaultPlan] = [:]
    /// What names resolve to; all others do not resolve.
    public var names: [String: [IPAddress]] = [:]
    /// Descriptors that may be open at once; beyond them calls fail with EMFILE.
    public var descriptorLimit = Int.max
    /// Error numbers with which the next accepts of waiting connections fail, in order.
    public var acceptErrors: [Int32] = []
    /// What was written to descriptors that are no sockets, such as the log to 1.
    public internal(set) var output: [Int32: [UInt8]] = [:]
    /// Whose address the next connect has, once.
    var nextSource: IPAddress?
    /// Uses of closed descriptors, and other calls no right program makes.
    public private(set) var violations: [String] = []
    /// Writes to sockets that took bytes.
    public internal(set) var writes = 0
    /// System calls of the kinds in `SystemCall` made so far.
    public private(set) var callCount = 0
    /// The call that `failCall` made fail, once it did.
    public private(set) var failedCall: SystemCall?

    var random: SeededRandom
    var agenda = Agenda()
    var trace = Trace()
    private(set) var now = MonotonicTime(nanoseconds: 3_600_000_000_000)
    // 2026-01-01T00:00:00Z when the simulation begins.
    private var wall = WallTime(nanoseconds: 1_767_225_600_000_000_000)

    enum Descriptor {
        case poll(Poll)
        case wake(WakeSource)
        case signals(SignalQueue)
        case acceptor(Acceptor)
        case socket(Socket)
        case pipe(SimulatedPipe)

        var pollable: Pollable {
            switch self {
            case .poll(let it): it
            case .wake(let it): it
            case .signals(let it): it
            case .acceptor(let it): it
            case .socket(let it): it
            case .pipe(let it): it
            }
        }
    }
    private var descriptors: [Descriptor?] = []
    private static let firstDescriptor: Int32 = 3
    private var openCount = 0
    /// Who listens, in the order they began.
    var acceptors: [Acceptor] = []
    /// Files of Unix sockets, also of those nobody listens on any more.
    var socketFiles: Set<String> = []
    var nextPort: UInt16 = 40_000

    private var callToFail: Int?
    private var pollCounted: Int32?
    /// The epoll of the loop that turns, as the world tells.
    var pollTurning: Int32 = -1
    private var callsSinceStep = 0
    private static let callsPerStepMax = 200_000
    private let thread = weir_thread()

    init(seed: UInt64, faults: FaultPlan) {
        self.seed = seed
        self.faults = faults
        random = SeededRandom(seed: seed)
    }

    // MARK: Time

    var clock: ClockReading { ClockReading(monotonic: now, wall: wall) }

    /// Moves both clocks to `time`.
    func advance(to time: MonotonicTime) {
        wall = wall + (time - now)
        now = max(now, time)
    }

    /// Sets the calendar clock `seconds` forward, or back when negative. The monotonic clock does
    /// not notice.
    public func jumpWall(seconds: Int64) {
        let length = Nanoseconds.seconds(seconds.magnitude)
        wall =
            seconds < 0
            ? WallTime(nanoseconds: (wall - WallTime(nanoseconds: 0) - length).count)
            : wall + length
    }

    // MARK: Chance

    func chance(_ probability: Double) -> Bool { probability > 0 && random.unit() <= probability }

    func draw(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + (range.count > 1 ? random.below(range.count) : 0)
    }

    /// Lets `body` run between turns, as a thread that takes up to 1 ms to do its work.
    func runSoon(_ body: @escaping @Sendable () -> Void) {
        let later = now + Nanoseconds(UInt64(draw(1_000...1_000_000)))
        agenda.add(.action(body), at: later.nanoseconds)
    }

    /// Sends `signal` to the process.
    public func raise(_ signal: Int32) {
        for case .signals(let queue) in descriptors where queue.signals.contains(signal) {
            queue.pending.append(signal)
            queue.edge()
        }
    }

    // MARK: Calls

    /// Makes the `n`-th call from now fail, counting from 1; of all loops, or of the one with
    /// `poll`.
    func failCall(_ n: Int, ofPoll poll: Int32?) {
        callToFail = n
        pollCounted = poll
        failedCall = nil
    }

    /// Notes a call; `true` when it is the one that must fail.
    func mustFail(_ call: SystemCall) -> Bool {
        callCount += 1
        noteCall()
        guard let rest = callToFail, pollCounted == nil || pollCounted == pollTurning else {
            return false
        }
        callToFail = rest > 1 ? rest - 1 : nil
        if rest > 1 { return false }
        failedCall = call
        return true
    }

    /// Stops a turn that never ends, and a call from another thread, which no seed could replay.
    func noteCall() {
        guard weir_is_thread(thread) != 0 else {
            fatalError("a system call from a foreign thread; \(replay)")
        }
        callsSinceStep += 1
        guard callsSinceStep < SimulatedNetwork.callsPerStepMax else {
            fatalError("a turn that never ends; \(replay)\n\(trace.lines.joined(separator: "\n"))")
        }
    }

    func noteStep() { callsSinceStep = 0 }

    /// The command that replays this simulation.
    public var replay: String { "make sim SEED=\(seed)" }

    func violation(_ text: String) {
        violations.append(text)
        trace.record("violation", -1, violations.count, at: now.nanoseconds)
    }

    // MARK: Descriptors

    /// Whether no descriptor is left.
    var isExhausted: Bool { openCount >= descriptorLimit }

    func open(_ descriptor: Descriptor) -> Int32 {
        descriptors.append(descriptor)
        openCount += 1
        return Int32(descriptors.count - 1) + SimulatedNetwork.firstDescriptor
    }

    func descriptor(_ fd: Int32, for call: StaticString) -> Descriptor? {
        let index = Int(fd) - Int(SimulatedNetwork.firstDescriptor)
        if descriptors.indices.contains(index), let found = descriptors[index] { return found }
        violation("\(call) of descriptor \(fd), which is not open")
        return nil
    }

    func forget(_ fd: Int32) {
        descriptors[Int(fd) - Int(SimulatedNetwork.firstDescriptor)] = nil
        openCount -= 1
    }

    /// The sockets and signal descriptors that are open, in words; the loops' own are left out.
    public var openDescriptors: [String] {
        descriptors.indices.compactMap { index in
            let fd = index + Int(SimulatedNetwork.firstDescriptor)
            return switch descriptors[index] {
            case .acceptor(let it): "\(fd): listens on \(it.address)"
            case .socket(let it): "\(fd): \(it.local) connected to \(it.remote)"
            case .signals: "\(fd): signals"
            case .pipe: "\(fd): a pipe"
            case .poll, .wake, nil: nil
            }
        }
    }
}
