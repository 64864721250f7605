internal import CLinux
public import Primitives

/// A listening socket of a loop.
@safe public final class Listener: EventSource {
    /// The address it is bound to, with the port the kernel chose.
    public let address: SocketAddress
    private let loop: EventLoop
    private var descriptor: Int32
    private var mayAccept = true
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
    public func accept() async -> (descriptor: Int32, peer: SocketAddress)? {
        while descriptor >= 0 {
            if mayAccept {
                let (accepted, peer) = loop.kernel.accept(descriptor)
                if accepted >= 0 { return (accepted, peer) }
                switch -accepted {
                case EAGAIN: mayAccept = false
                case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                    // Out of descriptors: the edge is gone, so look again when some may have been closed.
                    await loop.sleep(for: .milliseconds(50))
                default: break
                }
            } else {
                unsafe await withUnsafeContinuation { unsafe waiting = $0 }
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
