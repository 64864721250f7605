internal import CLinux
public import Primitives

/// Why a stream cannot go on.
public enum StreamError: Error, Sendable, BitwiseCopyable, Equatable {
    /// The peer has closed or reset the connection.
    case closedByPeer
    /// The deadline came first.
    case timedOut
    /// `abort` was called: whom the exchange was for has gone.
    case aborted
    /// The connection could not be made; the system's error number.
    case refused(Int32)
}

/// Who is told of something to read before the task that waits for it is woken.
open class ReadObserver {
    /// Creates an observer.
    public init() {}

    /// Whether it has dealt with what can be read now: the wait goes on then.
    open func streamBecameReadable() -> Bool { false }
}

/// One connected socket of a loop: reads, writes, and the deadline of each.
///
/// The system call is tried first; only `EAGAIN` suspends. Epoll is edge-triggered, and `mayRead` and `mayWrite` remember
/// what it said, so a connection costs one `epoll_ctl` in its life; a second one where its peer once did not take what
/// was written: before that nothing is told of space, which every new connection has. One task reads and one writes
/// at a time.
///
/// A wait stays on its caller's executor, so it takes the form of `withUnsafeContinuation` that does: the other one first
/// has the runtime look up, under a lock, whether it is there.
@safe public final class ByteStream: EventSource {
    /// The loop it belongs to.
    public let loop: EventLoop
    /// The descriptor; -1 once closed.
    public private(set) var descriptor: Int32
    /// Whether the peer will send no more, or is gone.
    public private(set) var peerClosed = false
    /// Whether `abort` was called: nobody may use it any more.
    public private(set) var isAborted = false
    /// Who is told while a task waits for something to read.
    public var readObserver: ReadObserver?
    /// Whose wait ends when the peer goes: the upstream side of the exchange that runs.
    public var abortedWithPeer: TimedObject?

    /// Whether something may be there to be read: until the system has said that nothing is.
    public internal(set) var mayRead = true
    var mayWrite: Bool
    private(set) var isReset = false
    private var watchesWriting: Bool
    @usableFromInline var reading: UnsafeContinuation<WakeReason, Never>?
    private var writing: UnsafeContinuation<WakeReason, Never>?
    private var readDeadline = MonotonicTime.never
    private var writeDeadline = MonotonicTime.never

    /// Takes over a non-blocking `descriptor`; closes it and returns `nil` when epoll refuses it.
    public convenience init?(_ descriptor: Int32, loop: EventLoop) {
        self.init(descriptor, loop: loop, isConnecting: false)
    }

    private init?(_ descriptor: Int32, loop: EventLoop, isConnecting: Bool) {
        self.loop = loop
        self.descriptor = descriptor
        // The end of a connect is told as space.
        watchesWriting = isConnecting
        mayWrite = !isConnecting
        super.init()
        guard loop.register(self, descriptor: descriptor, writing: isConnecting) else {
            loop.kernel.close(descriptor)
            return nil
        }
    }

    /// Connects to `address` before `deadline`.
    public static func connect(
        to address: SocketAddress, loop: EventLoop, deadline: MonotonicTime,
        abortingWith watched: ByteStream? = nil
    ) async throws(StreamError) -> ByteStream {
        let descriptor = loop.kernel.connect(to: address)
        guard descriptor >= 0 else { throw .refused(-descriptor) }
        guard let stream = ByteStream(descriptor, loop: loop, isConnecting: true) else {
            throw .refused(EMFILE)
        }
        watched?.abortedWithPeer = stream
        defer { watched?.abortedWithPeer = nil }
        do {
            try await stream.waitWritable(until: deadline)
        } catch {
            stream.close()
            throw error
        }
        let failure = loop.kernel.connectError(descriptor)
        guard failure == 0 else {
            stream.close()
            throw .refused(failure)
        }
        return stream
    }

    /// Whether the descriptor is still open.
    public var isOpen: Bool { descriptor >= 0 }

    // MARK: Reading

    /// Reads what is there into `buffer`, waiting for the first byte; 0 is the end of what the peer sends.
    public func read(
        into buffer: ByteBuffer, until deadline: MonotonicTime
    ) async throws(StreamError) -> Int {
        while true {
            if isAborted { throw .aborted }
            if let n = try readNow(into: buffer) { return n }
            try await waitReadable(until: deadline)
        }
    }

    /// Reads what is there without waiting; `nil` when nothing is.
    public func readNow(into buffer: ByteBuffer) throws(StreamError) -> Int? {
        guard mayRead else { return nil }
        precondition(descriptor >= 0)
        var asked = 0
        let n = unsafe buffer.withSpare(Bounds.bytesPerRead) { spare in
            asked = spare.count
            return unsafe loop.kernel.read(descriptor, into: spare)
        }
        if n > 0 {
            // A short read has emptied the socket: the next edge will tell, unless the end is already known.
            if n < asked && !peerClosed { mayRead = false }
            return n
        }
        if n == 0 {
            // The system tells of a reset once: after a write was told, this is no end in good order.
            if isReset { throw .closedByPeer }
            return 0
        }
        if n == -Int(EAGAIN) || n == -Int(EINTR) {
            mayRead = n == -Int(EINTR)
            return nil
        }
        throw .closedByPeer
    }

    /// Waits until something can be read, or the peer has gone.
    ///
    /// Nearly every wait is this one: it has no frame beside that of its caller.
    @inlinable
    @inline(__always)
    public func waitReadable(until deadline: MonotonicTime) async throws(StreamError) {
        guard try beginReading(until: deadline) else { return }
        let reason = unsafe await _unsafeInheritExecutor_withUnsafeContinuation {
            unsafe reading = $0
        }
        try endReading(reason)
    }

    /// Whether there is something to wait for; its deadline is set then.
    @usableFromInline
    func beginReading(until deadline: MonotonicTime) throws(StreamError) -> Bool {
        if isAborted { throw .aborted }
        if mayRead { return false }
        readDeadline = deadline
        loop.arm(self, at: deadline)
        return true
    }

    @usableFromInline
    func endReading(_ reason: WakeReason) throws(StreamError) {
        readDeadline = .never
        try ByteStream.check(reason)
        // The turn that woke the reader may have aborted the stream, too.
        if isAborted { throw .aborted }
    }

    // MARK: Writing

    /// Writes what fits of `buffer` without waiting and consumes it; whether that was all.
    public func writeNow(_ buffer: ByteBuffer) throws(StreamError) -> Bool {
        while !buffer.isEmpty {
            if isAborted { throw .aborted }
            guard mayWrite else { return false }
            buffer.consume(try writeSome(buffer))
        }
        return true
    }

    /// Writes all of `buffer` and consumes it.
    ///
    /// The peer must take 32 KiB, or the rest, within `patience`, and again within the next: a slow reader
    /// may take its time, a stopped one is cut off.
    public func write(
        _ buffer: ByteBuffer, patience: Nanoseconds
    ) async throws(StreamError) {
        var pace = Pace(patience: patience)
        while !buffer.isEmpty {
            try await awaitSpace(&pace)
            let n = try writeSome(buffer)
            buffer.consume(n)
            pace.note(n)
        }
    }

    /// Writes all of `buffer`, which is consumed, and then the bytes of `body` in `range`, in one call where
    /// they fit.
    public func write(
        _ buffer: ByteBuffer, _ body: [UInt8], _ range: Range<Int>, patience: Nanoseconds
    ) async throws(StreamError) {
        var pace = Pace(patience: patience)
        var sent = range.lowerBound
        while !buffer.isEmpty || sent < range.upperBound {
            try await awaitSpace(&pace)
            let n = try writeSome(buffer, body, sent..<range.upperBound)
            let ofBuffer = min(n, buffer.count)
            buffer.consume(ofBuffer)
            sent += n - ofBuffer
            pace.note(n)
        }
    }

    /// Writes all of `buffer` and then the first `count` bytes of `body`, and consumes both.
    public func write(
        _ buffer: ByteBuffer, _ body: ByteBuffer, count: Int, patience: Nanoseconds
    ) async throws(StreamError) {
        var pace = Pace(patience: patience)
        var rest = count
        while !buffer.isEmpty || rest > 0 {
            try await awaitSpace(&pace)
            let n = try writeSome(buffer, body, rest)
            let ofBuffer = min(n, buffer.count)
            buffer.consume(ofBuffer)
            body.consume(n - ofBuffer)
            rest -= n - ofBuffer
            pace.note(n)
        }
    }

    func awaitSpace(_ pace: inout Pace) async throws(StreamError) {
        if isAborted { throw .aborted }
        if mayWrite { return }
        try await waitWritable(until: pace.deadline(from: loop.now))
    }

    private func writeSome(_ buffer: ByteBuffer) throws(StreamError) -> Int {
        precondition(descriptor >= 0)
        let span = buffer.readable
        let n = unsafe span.withUnsafeBytes { unsafe loop.kernel.write(descriptor, $0) }
        return try noteWritten(n, of: span.count)
    }

    private func writeSome(
        _ buffer: ByteBuffer, _ body: [UInt8], _ range: Range<Int>
    ) throws(StreamError) -> Int {
        precondition(descriptor >= 0)
        let first = buffer.readable
        let second = body.span.extracting(range)
        let n = unsafe first.withUnsafeBytes { head in
            unsafe second.withUnsafeBytes { rest in
                unsafe loop.kernel.write(descriptor, head, rest)
            }
        }
        return try noteWritten(n, of: first.count + second.count)
    }

    private func writeSome(
        _ buffer: ByteBuffer, _ body: ByteBuffer, _ count: Int
    ) throws(StreamError) -> Int {
        precondition(descriptor >= 0)
        let first = buffer.readable
        let second = body.readable.extracting(0..<count)
        let n = unsafe first.withUnsafeBytes { head in
            unsafe second.withUnsafeBytes { rest in
                unsafe loop.kernel.write(descriptor, head, rest)
            }
        }
        return try noteWritten(n, of: first.count + second.count)
    }

    /// What a write that was asked for `asked` bytes says about the socket; how many it took.
    func noteWritten(_ n: Int, of asked: Int) throws(StreamError) -> Int {
        if n >= 0 {
            if n < asked { mayWrite = false }
            return n
        }
        if n == -Int(EAGAIN) || n == -Int(EINTR) {
            mayWrite = n == -Int(EINTR)
            return 0
        }
        if n == -Int(ECONNRESET) { isReset = true }
        throw .closedByPeer
    }

    /// Waits until something can be written.
    public func waitWritable(until deadline: MonotonicTime) async throws(StreamError) {
        if isAborted { throw .aborted }
        if mayWrite { return }
        if !watchesWriting {
            guard loop.watchWriting(self, descriptor: descriptor) else { throw .closedByPeer }
            watchesWriting = true
        }
        writeDeadline = deadline
        loop.arm(self, at: deadline)
        let reason = unsafe await _unsafeInheritExecutor_withUnsafeContinuation {
            unsafe writing = $0
        }
        writeDeadline = .never
        try ByteStream.check(reason)
    }

    // MARK: Ends

    /// Tells the peer that no more will be sent.
    public func closeWriting() {
        if descriptor >= 0 { loop.kernel.shutdownWrite(descriptor) }
    }

    /// Closes the socket so that the peer sees a broken connection and not the end of what was sent.
    public func closeWithReset() {
        guard descriptor >= 0 else { return }
        loop.kernel.resetOnClose(descriptor)
        close()
    }

    /// Closes the socket. Waits of other tasks on it end as aborted.
    public func close() {
        guard descriptor >= 0 else { return }
        loop.unregister(self)
        loop.kernel.close(descriptor)
        descriptor = -1
        abort()
    }

    /// Ends the waits on this stream, and refuses later ones; the descriptor stays until `close`.
    override public func abort() {
        isAborted = true
        wakeReader(.aborted)
        wakeWriter(.aborted)
    }

    /// Ends the wait of the reading task as aborted; later reads are not concerned.
    public func interruptReading() { wakeReader(.aborted) }

    /// Makes the wait of the reading task, if there is one, end at `deadline` at the latest.
    public func shortenReading(to deadline: MonotonicTime) {
        guard unsafe reading != nil, deadline < readDeadline else { return }
        readDeadline = deadline
        loop.arm(self, at: deadline)
    }

    /// Gives the wait of the reading task until `deadline`, which must not be earlier than before.
    public func prolongReading(to deadline: MonotonicTime) {
        if unsafe reading != nil { readDeadline = deadline }
    }

    override func handle(_ readiness: Readiness) {
        // Whoever reads must know: behind the last bytes there is the end then, and no further event.
        if !readiness.isDisjoint(with: [.peerClosed, .hungUp, .failed]) { peerClosed = true }
        if !readiness.isDisjoint(with: [.readable, .peerClosed, .hungUp, .failed]) {
            mayRead = true
            if unsafe reading != nil, !(readObserver?.streamBecameReadable() ?? false) {
                wakeReader(.ready)
            }
        }
        if !readiness.isDisjoint(with: [.writable, .hungUp, .failed]) {
            mayWrite = true
            wakeWriter(.ready)
        }
        if peerClosed { abortedWithPeer?.abort() }
    }

    override public func timerFired(_ loop: EventLoop) {
        let now = loop.now
        if readDeadline <= now { wakeReader(.timedOut) }
        if writeDeadline <= now { wakeWriter(.timedOut) }
        loop.arm(self, at: min(readDeadline, writeDeadline))
    }

    private func wakeReader(_ reason: WakeReason) {
        guard let waiting = unsafe reading else { return }
        unsafe reading = nil
        readDeadline = .never
        unsafe waiting.resume(returning: reason)
    }

    private func wakeWriter(_ reason: WakeReason) {
        guard let waiting = unsafe writing else { return }
        unsafe writing = nil
        writeDeadline = .never
        unsafe waiting.resume(returning: reason)
    }

    private static func check(_ reason: WakeReason) throws(StreamError) {
        switch reason {
        case .ready: return
        case .timedOut: throw .timedOut
        case .aborted: throw .aborted
        }
    }
}
