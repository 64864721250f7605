import CLinux
import EventLoop
import Primitives

// How bytes get from one socket to another.
extension SimulatedNetwork {
    /// The error of a read or write before it starts, as the calls report it.
    private func refusal(of socket: Socket) -> Int32? {
        if socket.isConnecting { return EAGAIN }
        if chance(socket.plan.interruption) { return EINTR }
        return nil
    }

    /// Reads at most `count` bytes; `nil` and a result of 0 or an error when there are none.
    func read(_ fd: Int32, atMost count: Int) -> (bytes: ArraySlice<UInt8>?, result: Int) {
        guard case .socket(let socket) = descriptor(fd, for: "read") else {
            return (nil, -Int(EBADF))
        }
        var result: Int
        var bytes: ArraySlice<UInt8>?
        if mustFail(.read) {
            breakBoth(socket, now: SystemCall.read.injectedError)
            result = -Int(SystemCall.read.injectedError)
        } else if let error = refusal(of: socket) {
            result = -Int(error)
        } else if socket.visible > 0 {
            bytes = take(min(count, socket.visible), from: socket)
            result = bytes?.count ?? 0
        } else if socket.error != 0 {
            result = -Int(socket.error)
            socket.error = 0
        } else {
            result = socket.endReceived || socket.isBroken ? 0 : -Int(EAGAIN)
        }
        trace.record("read", fd, result, at: now.nanoseconds)
        return (bytes, result)
    }

    private func take(_ most: Int, from socket: Socket) -> ArraySlice<UInt8> {
        // A short read means that the rest has not arrived yet. After the end that cannot be.
        let isWhole = socket.endReceived || socket.isBroken || most == 1
        let isShort = !isWhole && chance(socket.plan.shortRead)
        let bytes = socket.take(isShort ? draw(1...most - 1) : most, hidingRest: isShort)
        if isShort {
            let later = now + Nanoseconds(UInt64(draw(1_000...1_000_000)))
            agenda.add(.reveal(socket), at: later.nanoseconds)
        }
        if let peer = socket.peer, peer.isOpen {
            agenda.add(.space(at: peer, count: bytes.count), at: travelled(socket.plan, peer))
        }
        return bytes
    }

    /// How many of `count` bytes a write takes, or its error; `send` then takes them.
    func space(_ fd: Int32, for count: Int) -> Int {
        guard case .socket(let socket) = descriptor(fd, for: "write") else { return -Int(EBADF) }
        let result: Int
        if mustFail(.write) {
            breakBoth(socket, now: SystemCall.write.injectedError)
            result = -Int(SystemCall.write.injectedError)
        } else if let error = refusal(of: socket) {
            if error == EAGAIN { socket.noteFull() }
            result = -Int(error)
        } else if socket.error != 0 {
            result = -Int(socket.error)
            socket.error = 0
        } else if socket.isBroken || socket.endSent || socket.peerGone {
            result = -Int(EPIPE)
        } else {
            result = accepted(count, by: socket)
        }
        if result <= 0 { trace.record("write", fd, result, at: now.nanoseconds) }
        return result
    }

    private func accepted(_ count: Int, by socket: Socket) -> Int {
        if chance(socket.plan.reset) { breakBoth(socket, now: nil) }
        var n = min(count, socket.space)
        if n > 0 && chance(socket.plan.shortWrite) {
            // The buffer is as good as full until the system tells otherwise.
            n = draw(0...n - 1)
            socket.isThrottled = true
            let later = now + Nanoseconds(UInt64(draw(1_000...1_000_000)))
            agenda.add(.space(at: socket, count: 0), at: later.nanoseconds)
        }
        if n < count { socket.noteFull() }
        return n == 0 && count > 0 ? -Int(EAGAIN) : n
    }

    /// Sends the bytes that `space` accepted.
    func send(_ fd: Int32, _ bytes: [UInt8]) {
        guard case .socket(let socket) = descriptor(fd, for: "write") else { return }
        trace.record("write", fd, bytes.count, at: now.nanoseconds)
        trace.record(bytes: bytes)
        writes += 1
        socket.outstanding += bytes.count
        guard let peer = socket.peer else { return }
        var rest = bytes[...]
        if chance(socket.plan.fragmentation) {
            var pieces = 64
            while rest.count > 1 && pieces > 0 {
                let piece = rest.prefix(draw(1...16))
                rest = rest.dropFirst(piece.count)
                schedule(.segment(to: peer, bytes: Array(piece), epoch: peer.epoch), towards: peer)
                pieces -= 1
            }
        }
        if !rest.isEmpty {
            schedule(.segment(to: peer, bytes: Array(rest), epoch: peer.epoch), towards: peer)
        }
        if chance(socket.plan.freeze) {
            peer.lastArrival = (now + socket.plan.freezeTime).nanoseconds
        }
    }

    /// Resets both ends: `now` at once with this error already told, else after the time of travel.
    private func breakBoth(_ socket: Socket, now told: Int32?) {
        let peer = socket.peer
        if told != nil {
            socket.fail(0)
        } else {
            schedule(.failure(of: socket, number: ECONNRESET), towards: socket)
        }
        if let peer { schedule(.failure(of: peer, number: ECONNRESET), towards: peer) }
    }

    // MARK: Under way

    /// When something that leaves now is there.
    private func travelled(_ plan: FaultPlan, _ socket: Socket) -> UInt64 {
        var time = now
        if !socket.isUnix {
            let bounds = plan.latency
            let spread = Int((bounds.upperBound - bounds.lowerBound).count)
            time = time + bounds.lowerBound + Nanoseconds(UInt64(draw(0...spread)))
        }
        if chance(plan.delay) {
            time = time + Nanoseconds(UInt64(draw(0...Int(plan.delayMax.count))))
        }
        return time.nanoseconds
    }

    /// Lets `happening` arrive at `socket`, after all that is already under way to it.
    func schedule(_ happening: Happening, towards socket: Socket) {
        socket.lastArrival = max(socket.lastArrival, travelled(socket.plan, socket))
        agenda.add(happening, at: socket.lastArrival)
    }

    /// Lets happen all that is due.
    func deliver() {
        while let happening = agenda.popDue(at: now.nanoseconds) { perform(happening) }
    }

    private func perform(_ happening: Happening) {
        switch happening {
        case .segment(let socket, let bytes, let epoch):
            trace.record("segment", socket.descriptor, bytes.count, at: now.nanoseconds)
            guard epoch == socket.epoch && !socket.isBroken else { return }
            if socket.isOpen { return socket.arrive(bytes) }
            // Nobody will read this.
            if let peer = socket.peer {
                schedule(.failure(of: peer, number: ECONNRESET), towards: peer)
            }
        case .end(let socket, let gone, let epoch):
            trace.record("end", socket.descriptor, 0, at: now.nanoseconds)
            guard epoch == socket.epoch else { return }
            if socket.isOpen && !socket.isBroken { socket.end(gone: gone) }
        case .failure(let socket, let number):
            trace.record("failure", socket.descriptor, Int(number), at: now.nanoseconds)
            socket.fail(number)
        case .request(let socket, let address, let attempt):
            answer(socket, to: address, attempt: attempt)
        case .established(let socket):
            guard socket.isOpen && socket.isConnecting && !socket.isBroken else { return }
            trace.record("established", socket.descriptor, 0, at: now.nanoseconds)
            socket.isConnecting = false
            socket.edge()
        case .space(let socket, let count): if socket.isOpen { socket.noteSpace(count) }
        case .reveal(let socket): socket.reveal()
        case .action(let action): action()
        }
    }

    private func answer(_ socket: Socket, to address: SocketAddress, attempt: Int) {
        guard socket.isOpen else { return }
        guard let acceptor = acceptor(for: address) else {
            return schedule(.failure(of: socket, number: ECONNREFUSED), towards: socket)
        }
        if acceptor.waiting.count <= acceptor.backlog {
            pair(socket, with: acceptor)
            return schedule(.established(socket), towards: socket)
        }
        // Linux drops the request when the queue is full; it is repeated after 1, 2, 4 … seconds.
        if attempt == 6 { return socket.fail(ETIMEDOUT) }
        let later = now + .seconds(1 << UInt64(attempt))
        let repeated = Happening.request(from: socket, to: address, attempt: attempt + 1)
        agenda.add(repeated, at: later.nanoseconds)
    }
}
