import CLinux
import EventLoop
import Primitives

// The calls that make and end connections.
extension SimulatedNetwork {
    func listen(on address: SocketAddress, backlog: Int32, reusePort: Bool) -> Int32 {
        if mustFail(.listen) { return -SystemCall.listen.injectedError }
        if isExhausted { return -EMFILE }
        var bound = address
        switch address {
        case .tcp(let ip, 0): bound = .tcp(ip, port: freePort())
        case .tcp:
            let taken = acceptors.contains {
                $0.address == address && !($0.sharesPort && reusePort)
            }
            if taken { return -EADDRINUSE }
        case .unix(let path):
            guard socketFiles.insert(path).inserted else { return -EADDRINUSE }
        }
        let acceptor = Acceptor(address: bound, backlog: Int(backlog), sharesPort: reusePort)
        acceptors.append(acceptor)
        let fd = open(.acceptor(acceptor))
        trace.record("listen", fd, 0, at: now.nanoseconds)
        return fd
    }

    private func freePort() -> UInt16 {
        nextPort = nextPort == .max ? 40_000 : nextPort + 1
        return nextPort
    }

    func accept(_ fd: Int32) -> (fd: Int32, peer: SocketAddress) {
        let none = SocketAddress.unix("")
        guard case .acceptor(let acceptor) = descriptor(fd, for: "accept") else {
            return (-EBADF, none)
        }
        if mustFail(.accept) { return (-SystemCall.accept.injectedError, none) }
        if acceptor.waiting.isEmpty {
            trace.record("accept", fd, Int(-EAGAIN), at: now.nanoseconds)
            return (-EAGAIN, none)
        }
        if !acceptErrors.isEmpty { return (-acceptErrors.removeFirst(), none) }
        let plan = faultsOfAddress[acceptor.address] ?? faults
        if isExhausted || chance(plan.acceptFailure) { return (-EMFILE, none) }
        if chance(plan.interruption) { return (-EINTR, none) }
        let socket = acceptor.waiting.removeFirst()
        socket.descriptor = open(.socket(socket))
        trace.record("accept", fd, Int(socket.descriptor), at: now.nanoseconds)
        return (socket.descriptor, socket.remote)
    }

    func connect(to address: SocketAddress) -> Int32 {
        let source = nextSource ?? IPAddress(v4: 0x7F00_0001)
        nextSource = nil
        if mustFail(.connect) { return -SystemCall.connect.injectedError }
        if isExhausted { return -EMFILE }
        let plan = faultsOfAddress[address] ?? faults
        let local: SocketAddress
        if case .unix(let path) = address {
            if !socketFiles.contains(path) { return -ENOENT }
            local = .unix("")
        } else {
            local = .tcp(source, port: freePort())
        }
        let socket = Socket(local: local, remote: address, plan: plan, window: draw(plan.window))
        socket.isConnecting = true
        if case .unix = address {
            if chance(plan.refusal) { return -ECONNREFUSED }
            guard let acceptor = acceptor(for: address) else { return -ECONNREFUSED }
            if acceptor.waiting.count > acceptor.backlog { return -EAGAIN }
            pair(socket, with: acceptor)
            socket.isConnecting = false
        } else {
            request(socket, to: address)
        }
        socket.descriptor = open(.socket(socket))
        trace.record("connect", socket.descriptor, 0, at: now.nanoseconds)
        return socket.descriptor
    }

    private func request(_ socket: Socket, to address: SocketAddress) {
        if chance(socket.plan.refusal) {
            schedule(.failure(of: socket, number: ECONNREFUSED), towards: socket)
        } else if chance(socket.plan.blackHole) {
            // Linux gives up after six repeats.
            agenda.add(
                .failure(of: socket, number: ETIMEDOUT), at: (now + .seconds(127)).nanoseconds)
        } else {
            schedule(.request(from: socket, to: address, attempt: 0), towards: socket)
        }
    }

    /// Who accepts a connection to `address`; of several on one port the seed's choice.
    func acceptor(for address: SocketAddress) -> Acceptor? {
        let exact = acceptors.filter { $0.address == address }
        let heard = exact.isEmpty ? acceptors.filter { $0.hears(address) } : exact
        return heard.isEmpty ? nil : heard[draw(0...heard.count - 1)]
    }

    /// Gives `socket` its other end and puts that into the queue of `acceptor`.
    func pair(_ socket: Socket, with acceptor: Acceptor) {
        let other = Socket(
            local: socket.remote, remote: socket.local, plan: socket.plan,
            window: draw(socket.plan.window))
        other.peer = socket
        socket.peer = other
        acceptor.waiting.append(other)
        acceptor.edge()
    }

    func shutdownWrite(_ fd: Int32) {
        guard case .socket(let socket) = descriptor(fd, for: "shutdown") else { return }
        trace.record("shutdown", fd, 0, at: now.nanoseconds)
        guard !socket.isConnecting && !socket.isBroken && !socket.endSent else { return }
        socket.endSent = true
        if let peer = socket.peer {
            schedule(.end(to: peer, gone: false, epoch: peer.epoch), towards: peer)
        }
        // As in Linux an own shutdown is an edge, too.
        socket.edge()
    }

    func close(_ fd: Int32) {
        guard let descriptor = descriptor(fd, for: "close") else { return }
        trace.record("close", fd, 0, at: now.nanoseconds)
        forget(fd)
        descriptor.pollable.registration?.forget()
        switch descriptor {
        case .socket(let socket): end(socket)
        case .acceptor(let acceptor):
            acceptors.removeAll { $0 === acceptor }
            for socket in acceptor.waiting { reset(socket) }
        case .poll, .wake, .signals, .pipe: break
        }
    }

    /// Makes the close of `fd` a reset, as SO_LINGER of no time does.
    func markReset(_ fd: Int32) {
        if case .socket(let socket) = descriptor(fd, for: "setsockopt") {
            socket.resetsOnClose = true
        }
    }

    private func end(_ socket: Socket) {
        if socket.unread > 0 || socket.resetsOnClose {
            // Linux resets a connection that is closed with unread bytes.
            reset(socket)
            return
        }
        socket.isOpen = false
        guard let peer = socket.peer else { return }
        defer { part(socket, peer) }
        if socket.isBroken || (socket.endSent && !socket.isUnix) { return }
        schedule(.end(to: peer, gone: socket.isUnix, epoch: peer.epoch), towards: peer)
    }

    /// Closes `socket` with a reset. What is under way from it may be overtaken and lost.
    func reset(_ socket: Socket) {
        socket.isOpen = false
        guard let peer = socket.peer else { return }
        defer { part(socket, peer) }
        if socket.isBroken { return }
        if random.below(2) == 0 { peer.epoch += 1 }
        schedule(.failure(of: peer, number: ECONNRESET), towards: peer)
    }

    /// Lets go of both ends once nobody holds either.
    private func part(_ socket: Socket, _ peer: Socket) {
        guard !socket.isOpen && !peer.isOpen else { return }
        socket.peer = nil
        peer.peer = nil
    }
}
