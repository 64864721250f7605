import CLinux
public import EventLoop
public import Primitives

/// System calls that are answered by a `SimulatedNetwork` instead of Linux.
@safe public final class SimulatedKernel: Kernel, @unchecked Sendable {
    // Sendable: confined to the thread of its simulation, which `noteCall` checks.
    /// The network behind the calls.
    public let network: SimulatedNetwork
    /// The loops that turn in this world, in the order they were started.
    private(set) var loops: [EventLoop] = []

    init(_ network: SimulatedNetwork) { self.network = network }

    /// The virtual clocks.
    override public func now() -> ClockReading { network.clock }

    /// The virtual monotonic clock.
    override public func monotonicNow() -> MonotonicTime { network.clock.monotonic }

    /// Creates a simulated epoll.
    override public func createPoll() -> Int32 {
        if network.mustFail(.createPoll) { return -SystemCall.createPoll.injectedError }
        return network.open(.poll(Poll()))
    }

    /// Watches `fd`, edge-triggered; what is true already is an edge.
    override public func register(
        _ fd: Int32, in poll: Int32, token: UInt64, writing: Bool
    ) -> Int32 {
        if network.mustFail(.register) { return -SystemCall.register.injectedError }
        guard case .poll(let watching) = network.descriptor(poll, for: "epoll_ctl"),
            let source = network.descriptor(fd, for: "epoll_ctl")?.pollable
        else { return -EBADF }
        guard source.registration == nil else {
            network.violation("epoll_ctl of descriptor \(fd), which is watched already")
            return -EEXIST
        }
        let registration = Registration(
            token: token, source: source, poll: watching, watchesWriting: writing)
        source.registration = registration
        if !source.readiness().isEmpty { registration.queue() }
        return 0
    }

    /// Watches the registered `fd` for writing too.
    override public func watchWriting(_ fd: Int32, in poll: Int32, token: UInt64) -> Int32 {
        if network.mustFail(.watchWriting) { return -SystemCall.watchWriting.injectedError }
        guard let source = network.descriptor(fd, for: "epoll_ctl")?.pollable else { return -EBADF }
        guard let registration = source.registration, !registration.watchesWriting else {
            network.violation("epoll_ctl of descriptor \(fd), which is not to be changed")
            return -ENOENT
        }
        registration.watchWriting()
        return 0
    }

    /// Tells what has had an edge, in the seed's order. Never waits: the world moves the time.
    override public func wait(poll: Int32, milliseconds: Int32, into events: inout [PollEvent]) {
        events.removeAll(keepingCapacity: true)
        network.noteCall()
        guard case .poll(let watching) = network.descriptor(poll, for: "epoll_wait") else { return }
        var queued = watching.queued.shuffled(using: &network.random)
        watching.queued = Array(queued.dropFirst(256))
        queued.removeSubrange(min(256, queued.count)...)
        for registration in queued {
            guard let event = registration.take() else { continue }
            network.trace.record(
                "event", Int32(truncatingIfNeeded: event.token), Int(event.readiness.rawValue),
                at: network.now.nanoseconds)
            events.append(event)
        }
    }

    /// Whether a wait of `poll` would tell something.
    func hasEvents(_ poll: Int32) -> Bool {
        guard case .poll(let watching) = network.descriptor(poll, for: "epoll_wait") else {
            return false
        }
        return !watching.queued.isEmpty
    }

    /// Creates a simulated eventfd.
    override public func createWake() -> Int32 {
        if network.mustFail(.createWake) { return -SystemCall.createWake.injectedError }
        return network.open(.wake(WakeSource()))
    }

    /// An edge for the loop that watches `fd`.
    override public func wake(_ fd: Int32) {
        network.noteCall()
        guard case .wake(let source) = network.descriptor(fd, for: "wake") else { return }
        if let body = source.thread { network.runSoon(body) } else { source.edge() }
    }

    /// Creates a simulated eventfd for `startThread`.
    override public func createBlockingWake() -> Int32 { createWake() }

    /// Nobody may block in a simulation.
    override public func awaitWake(_ fd: Int32) { network.violation("a thread that blocks") }

    /// Turns `loop` with the others, as the world's seed decides.
    override public func startTurning(_ loop: EventLoop) {
        precondition(loop.kernel === self)
        if !loops.contains(where: { $0 === loop }) { loops.append(loop) }
    }

    func forgetLoops() { loops = [] }

    /// Runs `body` a little later, between turns.
    override public func startThread(_ body: @escaping @Sendable () -> Void) {
        network.noteCall()
        network.runSoon(body)
    }

    /// Runs `body` a little after each `wake`, between turns.
    override public func startThread(wokenBy fd: Int32, _ body: @escaping @Sendable () -> Void) {
        network.noteCall()
        if case .wake(let source) = network.descriptor(fd, for: "read") { source.thread = body }
    }

    /// Keeps `bytes` as the output of `fd`.
    override public func writeAll(_ fd: Int32, _ bytes: [UInt8]) {
        network.output[fd, default: []] += bytes
    }

    /// Creates a descriptor that tells of the signals a test raises.
    override public func createSignals(_ signals: [Int32]) -> Int32 {
        network.noteCall()
        return network.open(.signals(SignalQueue(signals)))
    }

    /// The next signal that was raised.
    override public func nextSignal(_ fd: Int32) -> Int32? {
        network.noteCall()
        guard case .signals(let queue) = network.descriptor(fd, for: "read") else { return nil }
        return queue.pending.isEmpty ? nil : queue.pending.removeFirst()
    }

    /// Listens in the simulated network.
    override public func listen(
        on address: SocketAddress, backlog: Int32, reusePort: Bool
    ) -> Int32 { network.listen(on: address, backlog: backlog, reusePort: reusePort) }

    /// Accepts what has connected.
    override public func accept(_ fd: Int32) -> (fd: Int32, peer: SocketAddress) {
        network.accept(fd)
    }

    /// Begins to connect in the simulated network.
    override public func connect(to address: SocketAddress) -> Int32 {
        network.connect(to: address)
    }

    /// The pending error of a socket, told once.
    override public func connectError(_ fd: Int32) -> Int32 {
        network.noteCall()
        guard case .socket(let socket) = network.descriptor(fd, for: "getsockopt") else {
            return EBADF
        }
        defer { socket.error = 0 }
        return socket.error
    }

    /// The address a socket is bound to.
    override public func localAddress(_ fd: Int32) -> SocketAddress {
        network.noteCall()
        return switch network.descriptor(fd, for: "getsockname") {
        case .acceptor(let acceptor): acceptor.address
        case .socket(let socket): socket.local
        default: .unix("")
        }
    }

    /// Reads from the simulated network.
    @unsafe override public func read(
        _ fd: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        let (bytes, result) = network.read(fd, atMost: buffer.count)
        // At most `buffer.count` bytes, by the call above.
        if let bytes { unsafe buffer.copyBytes(from: bytes) }
        return result
    }

    /// Writes to the simulated network.
    @unsafe override public func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        let n = network.space(fd, for: bytes.count)
        if n > 0 { unsafe network.send(fd, Array(bytes.prefix(n))) }
        return n
    }

    /// Writes two blocks as one.
    @unsafe override public func write(
        _ fd: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Int {
        let n = network.space(fd, for: first.count + second.count)
        if n > 0 {
            let ofSecond = max(0, n - first.count)
            unsafe network.send(fd, Array(first.prefix(n)) + Array(second.prefix(ofSecond)))
        }
        return n
    }

    /// Makes a simulated pipe.
    override public func createPipe() -> (readEnd: Int32, writeEnd: Int32) {
        network.createPipe()
    }

    /// Moves bytes between a simulated socket and a simulated pipe.
    override public func splice(from: Int32, to: Int32, count: Int) -> Int {
        network.splice(from: from, to: to, count: count)
    }

    /// Sends the end.
    override public func shutdownWrite(_ fd: Int32) {
        network.noteCall()
        network.shutdownWrite(fd)
    }

    /// Makes the close of `fd` a reset.
    override public func resetOnClose(_ fd: Int32) {
        network.noteCall()
        network.markReset(fd)
    }

    /// Closes `fd`; closing it again is a violation.
    override public func close(_ fd: Int32) { network.close(fd) }

    /// Removes the file of a Unix socket.
    override public func unlink(_ path: String) {
        network.noteCall()
        network.socketFiles.remove(path)
    }

    /// Looks `name` up in the network's table.
    override public func resolve(_ name: String) -> [IPAddress] { network.names[name] ?? [] }
}
