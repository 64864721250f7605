internal import CLinux
public import Primitives

/// A listening socket of a loop.
@safe public final class Listener: EventSource {
    /// The address it is bound to, with the port the kernel chose.
    public let address: SocketAddress
    private let loop: EventLoop
    private var descriptor: Int32
    private var mayAccept = true
    /// Connections accepted since the loop last had its other tasks run.
    private var inARow = 0
    private var waiting: UnsafeContinuation<Void, Never>?

    /// Binds `address`; throws the system's error number.
    public init(
        _ address: SocketAddress, loop: EventLoop, reusePort: Bool
    ) throws(ListenError) {
        let descriptor = loop.kernel.listen(on: address, backlog: 4096, reusePort: reusePort)
        guard descriptor >= 0 else { throw ListenError(number: -descriptor) }
        self.loop = loop
        self.descriptor = descriptor
        if case .unix = address {
            self.address = address
        } else {
            self.address = loop.kernel.localAddress(descriptor)
        }
        super.init()
        guard loop.register(self, descriptor: descriptor) else {
            loop.kernel.close(descriptor)
            throw ListenError(number: EMFILE)
        }
    }

    /// Waits for the next connection; `nil` once the listener is closed.
    ///
    /// After `Bounds.acceptsPerTurn` connections in a row the other tasks of the loop that are ready run first.
    public func accept() async -> (descriptor: Int32, peer: SocketAddress)? {
        if inARow >= Bounds.acceptsPerTurn {
            inARow = 0
            // A timer that is due fires after what is ready now and before the next wait in epoll.
            await loop.sleep(for: .zero)
        }
        while descriptor >= 0 {
            guard mayAccept else {
                inARow = 0
                unsafe await withUnsafeContinuation { unsafe waiting = $0 }
                continue
            }
            let (accepted, peer) = loop.kernel.accept(descriptor)
            if accepted >= 0 {
                inARow += 1
                return (accepted, peer)
            }
            switch -accepted {
            case EAGAIN: mayAccept = false
            case EINTR, ECONNABORTED: break
            default:
                // Out of descriptors or memory, or anything that may last: the edge is gone, and trying at
                // once would spin, so look again when the cause may be over.
                inARow = 0
                await loop.sleep(for: Bounds.acceptPause)
            }
        }
        return nil
    }

    /// Stops listening; a waiting `accept` returns `nil`.
    public func close() {
        guard descriptor >= 0 else { return }
        loop.unregister(self)
        loop.kernel.close(descriptor)
        descriptor = -1
        if case .unix(let path) = address { loop.kernel.unlink(path) }
        wake()
    }

    override func handle(_ readiness: Readiness) {
        mayAccept = true
        wake()
    }

    private func wake() {
        let resumed = unsafe waiting
        unsafe waiting = nil
        unsafe resumed?.resume()
    }
}

/// Why an address could not be listened on.
public struct ListenError: Error, Sendable, BitwiseCopyable {
    /// The system's error number.
    public let number: Int32

    /// Creates the error of a system's error number.
    public init(number: Int32) { self.number = number }

    /// The system's words for it.
    public var text: String { unsafe String(cString: strerror(number)) }
}
