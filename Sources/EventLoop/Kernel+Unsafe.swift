internal import CLinux
public import Primitives

/// The system calls of the event loop, and the only place that makes them.
///
/// Results are those of the calls; an error is `-errno`. `TestKit` overrides every method with a simulated
/// network and clock, so that the loop, its streams and all above them run unchanged in simulation. The
/// virtual call costs a nanosecond, the system call a thousand.
open class Kernel: @unchecked Sendable {
    // Sendable: this class has no state; a simulated one is confined to the thread of its simulation.

    /// The kernel of this machine.
    public init() {}

    /// Reads both clocks.
    open func now() -> ClockReading {
        var monotonic = timespec()
        var wall = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &monotonic)
        unsafe clock_gettime(CLOCK_REALTIME, &wall)
        return ClockReading(
            monotonic: MonotonicTime(nanoseconds: Kernel.nanoseconds(monotonic)),
            wall: WallTime(nanoseconds: Kernel.nanoseconds(wall)))
    }

    /// The monotonic clock alone: half of what `now` costs.
    open func monotonicNow() -> MonotonicTime {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: Kernel.nanoseconds(time))
    }

    private static func nanoseconds(_ time: timespec) -> UInt64 {
        UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Creates an epoll instance.
    open func createPoll() -> Int32 {
        let fd = epoll_create1(Int32(EPOLL_CLOEXEC))
        return fd < 0 ? -weir_errno() : fd
    }

    /// Registers `fd`, edge-triggered, for reading and the peer's end, and for writing too if `writing`.
    open func register(_ fd: Int32, in poll: Int32, token: UInt64, writing: Bool) -> Int32 {
        control(EPOLL_CTL_ADD, fd, in: poll, token: token, writing: writing)
    }

    /// Watches the registered `fd` for writing too. Space that is there already is told once.
    open func watchWriting(_ fd: Int32, in poll: Int32, token: UInt64) -> Int32 {
        control(EPOLL_CTL_MOD, fd, in: poll, token: token, writing: true)
    }

    private func control(
        _ operation: Int32, _ fd: Int32, in poll: Int32, token: UInt64, writing: Bool
    ) -> Int32 {
        var wanted = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        if writing { wanted |= EPOLLOUT.rawValue }
        var event = unsafe epoll_event(events: wanted, data: epoll_data_t(u64: token))
        return unsafe epoll_ctl(poll, operation, fd, &event) < 0 ? -weir_errno() : 0
    }

    /// Waits at most `milliseconds` (-1: for ever) and puts what happened into `events`.
    open func wait(poll: Int32, milliseconds: Int32, into events: inout [PollEvent]) {
        events.removeAll(keepingCapacity: true)
        unsafe withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Bounds.eventsPerTurn) {
            buffer in
            let n = unsafe epoll_wait(
                poll, buffer.baseAddress, Int32(Bounds.eventsPerTurn), milliseconds)
            guard n > 0 else { return }
            for i in 0..<Int(n) {
                // The kernel has initialised the first `n` elements.
                let event = unsafe buffer[i]
                unsafe events.append(
                    PollEvent(
                        token: event.data.u64, readiness: Readiness(rawValue: event.events)))
            }
        }
    }

    /// Creates a descriptor by which other threads end a `wait`.
    open func createWake() -> Int32 {
        let fd = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        return fd < 0 ? -weir_errno() : fd
    }

    /// Ends the `wait` of the loop that registered `fd`.
    open func wake(_ fd: Int32) {
        var one: UInt64 = 1
        _ = unsafe CLinux.write(fd, &one, 8)
    }

    /// Creates a descriptor for `awaitWake`.
    open func createBlockingWake() -> Int32 {
        let fd = eventfd(0, Int32(EFD_CLOEXEC))
        return fd < 0 ? -weir_errno() : fd
    }

    /// Blocks the calling thread until `wake` was called since the last time.
    open func awaitWake(_ fd: Int32) {
        var count: UInt64 = 0
        while unsafe CLinux.read(fd, &count, 8) < 0 && weir_errno() == EINTR {}
    }

    /// Runs `body` on a thread of its own.
    open func startThread(_ body: @escaping @Sendable () -> Void) {
        precondition(Kernel.detachThread(body), "the system refused a thread")
    }

    /// Turns `loop` on a thread of its own until it is stopped.
    open func startTurning(_ loop: EventLoop) { startThread { loop.run() } }

    /// Runs `body` on a thread of its own, again each time `wake` was called on `fd` of `createBlockingWake`.
    open func startThread(wokenBy fd: Int32, _ body: @escaping @Sendable () -> Void) {
        startThread { [self] in
            while true {
                awaitWake(fd)
                body()
            }
        }
    }

    /// Writes all of `bytes`, blocking; gives up silently when the reader is gone.
    open func writeAll(_ fd: Int32, _ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { buffer in
            var sent = 0
            while sent < buffer.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                let n = unsafe CLinux.write(fd, rest.baseAddress, rest.count)
                if n < 0 {
                    if weir_errno() == EINTR { continue }
                    if weir_errno() == EAGAIN {
                        var wanted = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
                        _ = unsafe CLinux.poll(&wanted, 1, -1)
                        continue
                    }
                    return
                }
                sent += n
            }
        }
    }

    /// Creates a descriptor that reads the numbers of blocked `signals`.
    open func createSignals(_ signals: [Int32]) -> Int32 {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let fd = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        return fd < 0 ? -weir_errno() : fd
    }

    /// The number of the next signal at `fd`, or `nil`.
    open func nextSignal(_ fd: Int32) -> Int32? {
        var info = signalfd_siginfo()
        let n = unsafe CLinux.read(fd, &info, MemoryLayout<signalfd_siginfo>.size)
        return n == MemoryLayout<signalfd_siginfo>.size ? Int32(info.ssi_signo) : nil
    }

    /// Binds `address` and listens. With `reusePort` several sockets share the port.
    open func listen(on address: SocketAddress, backlog: Int32, reusePort: Bool) -> Int32 {
        guard var native = Kernel.native(address) else { return -ENAMETOOLONG }
        return unsafe weir_listen(&native, backlog, reusePort ? 1 : 0)
    }

    /// Accepts a connection, non-blocking, and tells its peer.
    open func accept(_ fd: Int32) -> (fd: Int32, peer: SocketAddress) {
        var native = weir_address()
        let accepted = unsafe weir_accept(fd, &native)
        return (accepted, Kernel.address(native))
    }

    /// Starts to connect to `address`, without Nagle's delay.
    open func connect(to address: SocketAddress) -> Int32 {
        guard var native = Kernel.native(address) else { return -ENAMETOOLONG }
        return unsafe weir_connect(&native)
    }

    /// The error of a connect that has ended, 0 when it succeeded.
    open func connectError(_ fd: Int32) -> Int32 { weir_socket_error(fd) }

    /// The address `fd` is bound to.
    open func localAddress(_ fd: Int32) -> SocketAddress {
        var native = weir_address()
        _ = unsafe weir_local_address(fd, &native)
        return Kernel.address(native)
    }

    /// Reads at most `buffer.count` bytes from a socket; 0 is the end.
    @unsafe open func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        unsafe weir_receive(fd, buffer.baseAddress, buffer.count)
    }

    /// Writes what fits of `bytes` to a socket.
    @unsafe open func write(_ fd: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        unsafe weir_send(fd, bytes.baseAddress, bytes.count)
    }

    /// Writes what fits of `first` and then `second`, in one call.
    @unsafe open func write(
        _ fd: Int32, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) -> Int {
        // sendmsg only reads through these pointers.
        var parts = unsafe (
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress),
                iov_len: first.count),
            iovec(
                iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress),
                iov_len: second.count)
        )
        let n = unsafe withUnsafeMutableBytes(of: &parts) { raw in
            var message = unsafe msghdr()
            unsafe message.msg_iov = raw.baseAddress?.assumingMemoryBound(to: iovec.self)
            unsafe message.msg_iovlen = 2
            return unsafe sendmsg(fd, &message, Int32(MSG_NOSIGNAL))
        }
        return n < 0 ? -Int(weir_errno()) : n
    }

    /// Creates a pipe; `readEnd` is the error, below zero, when there can be none.
    open func createPipe() -> (readEnd: Int32, writeEnd: Int32) {
        var readEnd: Int32 = -1
        var writeEnd: Int32 = -1
        let failure = unsafe weir_pipe(&readEnd, &writeEnd, Int32(Bounds.pipeBytes))
        return failure < 0 ? (failure, failure) : (readEnd, writeEnd)
    }

    /// Moves at most `count` bytes from a socket into a pipe, or from a pipe into a socket: the system passes its
    /// pages on and copies nothing.
    open func splice(from: Int32, to: Int32, count: Int) -> Int { weir_splice(from, to, count) }

    /// Tells the peer that no more will be sent.
    open func shutdownWrite(_ fd: Int32) { CLinux.shutdown(fd, Int32(SHUT_WR)) }

    /// Makes the close of `fd` a reset, so that the peer does not take it for an end in good order.
    open func resetOnClose(_ fd: Int32) { weir_reset_on_close(fd) }

    /// Closes `fd`.
    open func close(_ fd: Int32) { _ = CLinux.close(fd) }

    /// Removes the file of a Unix socket that nobody listens on.
    open func unlink(_ path: String) { _ = unsafe path.withCString { unsafe CLinux.unlink($0) } }

    /// Resolves a host name; blocks, so it is called on a thread of its own.
    open func resolve(_ name: String) -> [IPAddress] {
        var found = [weir_address](repeating: weir_address(), count: Bounds.addressesPerName)
        let n = unsafe name.withCString { text in
            unsafe weir_resolve(text, &found, Int32(Bounds.addressesPerName))
        }
        guard n > 0 else { return [] }
        return found.prefix(Int(n)).compactMap { native in
            if case .tcp(let address, _) = Kernel.address(native) { address } else { nil }
        }
    }

    private static func native(_ address: SocketAddress) -> weir_address? {
        var native = weir_address()
        switch address {
        case .tcp(let ip, let port):
            native.port = port
            native.family = ip.isV4 ? AF_INET : AF_INET6
            unsafe withUnsafeMutableBytes(of: &native.bytes) { bytes in
                // Sixteen bytes in network order; IPv4 uses the first four.
                if ip.isV4 {
                    unsafe bytes.storeBytes(
                        of: UInt32(truncatingIfNeeded: ip.low).bigEndian, as: UInt32.self)
                } else {
                    unsafe bytes.storeBytes(of: ip.high.bigEndian, as: UInt64.self)
                    unsafe bytes.storeBytes(of: ip.low.bigEndian, toByteOffset: 8, as: UInt64.self)
                }
            }
        case .unix(let path):
            native.family = AF_UNIX
            let bytes = Array(path.utf8)
            let fits = unsafe withUnsafeMutableBytes(of: &native.path) { target in
                guard bytes.count < target.count else { return false }
                unsafe target.copyBytes(from: bytes)
                return true
            }
            guard fits else { return nil }
        }
        return native
    }

    private static func address(_ native: weir_address) -> SocketAddress {
        unsafe withUnsafeBytes(of: native.bytes) { bytes in
            switch native.family {
            case AF_INET:
                let bits = unsafe bytes.load(as: UInt32.self)
                return .tcp(IPAddress(v4: UInt32(bigEndian: bits)), port: native.port)
            case AF_INET6:
                let high = unsafe UInt64(bigEndian: bytes.load(as: UInt64.self))
                let low = unsafe UInt64(bigEndian: bytes.load(fromByteOffset: 8, as: UInt64.self))
                return .tcp(IPAddress(high: high, low: low), port: native.port)
            default:
                return .unix("")
            }
        }
    }
}
