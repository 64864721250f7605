import CLinux
import EventLoop
import Primitives

/// One end of a simulated connection.
final class Socket: Pollable {
    /// Its address, and the one it is connected to, as its program sees them.
    let local: SocketAddress
    let remote: SocketAddress
    let plan: FaultPlan
    /// Bytes under way and unread that this end may have towards the other.
    let window: Int
    /// The other end, once connected.
    var peer: Socket?
    /// -1 until it is accepted.
    var descriptor: Int32 = -1

    /// Whether a program holds it, or may still accept it.
    var isOpen = true
    var isConnecting = false
    var isBroken = false
    var resetsOnClose = false
    /// The pending error, told once.
    var error: Int32 = 0

    private var received: [UInt8] = []
    private var readIndex = 0
    /// Bytes at the end of `received` that a short read has left out of sight.
    private var hidden = 0
    var endReceived = false
    var endSent = false
    /// A Unix socket whose peer has closed: nothing can be written any more.
    var peerGone = false

    /// Sent, and not known to be read.
    var outstanding = 0
    /// A write found no space: space is an edge.
    private var wantsSpace = false
    /// A write fault holds until the next news of space.
    var isThrottled = false

    /// When the newest thing under way to this end arrives, so that nothing overtakes it.
    var lastArrival: UInt64 = 0
    /// Segments of older epochs are lost.
    var epoch = 0

    init(local: SocketAddress, remote: SocketAddress, plan: FaultPlan, window: Int) {
        self.local = local
        self.remote = remote
        self.plan = plan
        self.window = window
    }

    var isUnix: Bool { if case .unix = remote { true } else { false } }
    /// Bytes that can be read now.
    var visible: Int { received.count - readIndex - hidden }
    /// Bytes nobody has read.
    var unread: Int { received.count - readIndex }
    /// Bytes a write could place.
    var space: Int { isThrottled ? 0 : max(0, window - outstanding) }
    /// Linux calls a socket writable when a third of the buffer is free, not at the first free
    /// byte.
    private var isWritable: Bool { space * 3 >= window }

    override func readiness() -> Readiness {
        if isConnecting { return [] }
        if isBroken {
            let ended: Readiness = [.readable, .writable, .peerClosed, .hungUp]
            return error != 0 ? ended.union(.failed) : ended
        }
        var now: Readiness = []
        if visible > 0 { now.insert(.readable) }
        if endReceived { now.formUnion([.readable, .peerClosed]) }
        if endSent || peerGone || isWritable { now.insert(.writable) } else { wantsSpace = true }
        if peerGone || (endReceived && endSent) { now.insert(.hungUp) }
        return now
    }

    func arrive(_ bytes: [UInt8]) {
        hidden = 0
        received.append(contentsOf: bytes)
        edge()
    }

    func reveal() {
        guard hidden > 0 else { return }
        hidden = 0
        edge()
    }

    /// Takes the next `count` visible bytes; with `hidingRest` the others have not arrived yet.
    func take(_ count: Int, hidingRest: Bool) -> ArraySlice<UInt8> {
        let taken = received[readIndex..<readIndex + count]
        readIndex += count
        if hidingRest { hidden = received.count - readIndex }
        if readIndex == received.count {
            received = []
            readIndex = 0
        }
        return taken
    }

    /// A write placed less than it had.
    func noteFull() { wantsSpace = true }

    func noteSpace(_ count: Int) {
        outstanding -= count
        isThrottled = false
        guard wantsSpace && isWritable else { return }
        wantsSpace = false
        spaceEdge()
    }

    func end(gone: Bool) {
        hidden = 0
        endReceived = true
        if gone { peerGone = true }
        edge()
    }

    func fail(_ number: Int32) {
        guard isOpen && !isBroken else { return }
        isConnecting = false
        isBroken = true
        hidden = 0
        // Linux: a reset after the end is a broken pipe.
        error = endReceived && number == ECONNRESET ? EPIPE : number
        edge()
    }
}

/// A simulated listening socket.
final class Acceptor: Pollable {
    let address: SocketAddress
    let backlog: Int
    let sharesPort: Bool
    var waiting: [Socket] = []

    init(address: SocketAddress, backlog: Int, sharesPort: Bool) {
        self.address = address
        self.backlog = backlog
        self.sharesPort = sharesPort
    }

    override func readiness() -> Readiness { waiting.isEmpty ? [] : .readable }

    /// Whether a connect to `target` arrives here: the same address, or any address on the same
    /// port.
    func hears(_ target: SocketAddress) -> Bool {
        if target == address { return true }
        guard case .tcp(let mine, let port) = address, case .tcp(let wanted, port) = target else {
            return false
        }
        let anyV4 = IPAddress(v4: 0)
        return mine == anyV4 && wanted.isV4 || mine == IPAddress(high: 0, low: 0)
    }
}
