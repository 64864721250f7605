public import EventLoop
public import Primitives

/// A deterministic world: loops, a network between them and time, all driven by one seed.
///
///     let world = SimulatedWorld(seed: seed, faults: .ragged)
///     let origin = world.origin(at: address) { peer in
///         while let request = try await peer.nextRequest() {
///             try await peer.send(answer(request))
///         }
///     }
///     let client = world.client(from: ip, to: proxy) { peer in
///         try await peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
///         let response = try await peer.readResponse()
///         try peer.require(response.status == 200, response.startLine)
///     }
///     world.run(client)
///     #expect(client.problem == nil)
///     #expect(world.problems().isEmpty)
///
/// Everything runs on the calling thread, so tests use it in functions that are not `async`. Two
/// worlds with the same seed and the same test have the same `traceHash`.
public final class SimulatedWorld {
    /// The network: faults, names, descriptors, violations.
    public let network: SimulatedNetwork
    /// The system calls of the simulation.
    public let kernel: SimulatedKernel
    private var random: SeededRandom
    private var stepsLeft: Int
    private var found: [String] = []

    /// The loop of scripted clients and origins.
    public private(set) lazy var peerLoop = makeLoop()
    private lazy var host = PeerHost(
        loop: peerLoop, network: SimulatedNetworkReference(it: network))

    /// Creates an empty world. More than `steps` turns are taken for a livelock.
    public init(seed: UInt64, faults: FaultPlan = FaultPlan(), steps: Int = 5_000_000) {
        network = SimulatedNetwork(seed: seed, faults: faults)
        kernel = SimulatedKernel(network)
        random = SeededRandom(seed: seed ^ 0x574F_524C_4400_0000)
        stepsLeft = steps
    }

    deinit {
        // The loops hold the kernel.
        kernel.forgetLoops()
    }

    /// What decides everything that is left to chance.
    public var seed: UInt64 { network.seed }
    /// The virtual time.
    public var now: MonotonicTime { network.now }
    /// Equal for two runs that made the same calls at the same times with the same bytes.
    public var traceHash: UInt64 { network.trace.hash }

    // MARK: Loops

    /// Creates a loop that turns in this world; `nil` when a descriptor is refused.
    ///
    /// Loops that the code under test makes over `kernel` turn from their `kernel.startTurning` on.
    public func makeLoopIfPossible() -> EventLoop? {
        guard let loop = EventLoop(kernel: kernel) else { return nil }
        kernel.startTurning(loop)
        return loop
    }

    /// Creates a loop that turns in this world.
    public func makeLoop() -> EventLoop {
        guard let loop = makeLoopIfPossible() else { fatalError("no loop; \(network.replay)") }
        return loop
    }

    /// Runs `body` on `loop`.
    @discardableResult
    public func task(
        on loop: EventLoop, _ body: @escaping @Sendable (EventLoop) async throws -> Void
    ) -> PeerTask {
        let task = PeerTask(replay: network.replay)
        let host = PeerHost(loop: loop, network: SimulatedNetworkReference(it: network))
        host.start(task, body)
        return task
    }

    // MARK: Peers

    /// Connects from `source` to `address` and runs `script`; the connection is closed when it
    /// ends.
    @discardableResult
    public func client(
        from source: IPAddress = IPAddress(v4: 0x7F00_0001), to address: SocketAddress,
        patience: Nanoseconds = .seconds(600), _ script: @escaping PeerScript
    ) -> PeerTask {
        let task = PeerTask(replay: network.replay)
        host.startClient(task, from: source, to: address, patience: patience, script)
        return task
    }

    /// Listens on `address` at once and runs `script` for every connection.
    public func origin(
        at address: SocketAddress, patience: Nanoseconds = .seconds(600),
        _ script: @escaping PeerScript
    ) -> SimulatedOrigin {
        let origin = SimulatedOrigin(replay: network.replay)
        do {
            let bound = try host.assumeIsolated {
                try $0.listen(at: address, patience: patience, on: origin, script)
            }
            origin.setAddress(bound)
        } catch {
            fatalError("no origin at \(address): \(error); \(network.replay)")
        }
        return origin
    }

    /// Does `action` in `delay` from now, between turns.
    public func after(_ delay: Nanoseconds, _ action: @escaping () -> Void) {
        network.agenda.add(.action(action), at: (now + delay).nanoseconds)
    }

    /// Makes the `n`-th system call from now fail, counting from 1; with `loop` only its calls
    /// count.
    public func failCall(_ n: Int, on loop: EventLoop? = nil) {
        network.failCall(n, ofPoll: loop?.poll)
    }

    // MARK: Running

    /// Runs until `condition` holds, nothing is left to do or `limit` has passed; whether it holds.
    @discardableResult
    public func run(
        atMost limit: Nanoseconds = .seconds(86_400), until condition: () -> Bool
    ) -> Bool {
        let end = now + limit
        while !condition() {
            network.deliver()
            if turnOne() { continue }
            let next = nextMoment
            guard next <= end else {
                // Time passes even when nothing happens in it, unless nothing ever will.
                if next != .never || limit < .seconds(86_400) { network.advance(to: end) }
                return condition()
            }
            if next == .never { return condition() }
            network.advance(to: next)
        }
        return true
    }

    /// Runs until all `tasks` have ended; whether they have.
    @discardableResult
    public func run(_ tasks: PeerTask..., atMost limit: Nanoseconds = .seconds(86_400)) -> Bool {
        run(atMost: limit) { tasks.allSatisfy(\.isFinished) }
    }

    /// Lets `duration` pass.
    public func run(for duration: Nanoseconds) {
        let end = now + duration
        run(atMost: duration) { false }
        if now < end { network.advance(to: end) }
    }

    /// Runs until nothing is left to do, or a day has passed.
    public func runUntilIdle() { run { false } }

    /// Turns one loop that has something to do, of several the seed's choice; `false` when none
    /// has.
    private func turnOne() -> Bool {
        let busy = kernel.loops.filter {
            $0.hasWork || kernel.hasEvents($0.poll) || $0.nextTimer <= now
        }
        guard !busy.isEmpty else { return false }
        guard stepsLeft > 0 else {
            fatalError("a livelock; \(network.replay)\n\(history.joined(separator: "\n"))")
        }
        stepsLeft -= 1
        let loop = busy[random.below(busy.count)]
        network.pollTurning = loop.poll
        network.noteStep()
        loop.turn(waiting: false)
        network.pollTurning = -1
        return true
    }

    private var nextMoment: MonotonicTime {
        kernel.loops.reduce(MonotonicTime(nanoseconds: network.agenda.next)) {
            min($0, $1.nextTimer)
        }
    }

    // MARK: The verdict

    /// The newest events, for a failure's message.
    public var history: [String] { network.trace.lines }

    /// All that is wrong when a test is over: uses of closed descriptors, and descriptors still
    /// open. Each line names the command that replays the seed.
    public func problems() -> [String] {
        let leaks = network.openDescriptors.map { "still open: \($0)" }
        return (network.violations + leaks).map { "\(network.replay): \($0)" }
    }
}
