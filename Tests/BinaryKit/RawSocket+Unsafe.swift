import Foundation

/// Where a socket is.
package enum Place: Sendable, Equatable, CustomStringConvertible {
    case port(UInt16)
    case unix(String)

    /// Reads `127.0.0.1:8080`, `http://127.0.0.1:8080` or `unix:/path`.
    package init(_ text: String) throws {
        if text.hasPrefix("unix:") {
            self = .unix(String(text.dropFirst(5)))
        } else if let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        {
            self = .port(port)
        } else {
            throw Failure("`\(text)` is no address")
        }
    }

    package var description: String {
        switch self {
        case .port(let port): "127.0.0.1:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    package var url: String {
        switch self {
        case .port: "http://\(self)"
        case .unix: description
        }
    }

    fileprivate var family: Int32 { if case .unix = self { AF_UNIX } else { AF_INET } }

    /// Calls `body` with the address as the system wants it.
    fileprivate func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        switch self {
        case .port(let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { bytes in
                unsafe bytes.copyBytes(from: path.utf8.prefix(107))
            }
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }
}

/// A blocking socket, whose every call ends within `patience`.
///
/// One thread uses it at a time; `shutDown` may come from any.
package final class RawSocket: @unchecked Sendable {
    package struct TimedOut: Error {}
    package struct Reset: Error {}
    package struct Refused: Error {}

    private let descriptor: Int32
    private var isOpen = true

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Connects to `place`; `receiveBuffer` bounds what the kernel takes in before it is read.
    package convenience init(to place: Place, receiveBuffer: Int32? = nil) throws {
        let descriptor = RawSocket.open(place)
        self.init(descriptor)
        if let receiveBuffer { set(SO_RCVBUF, receiveBuffer) }
        bound(patience)
        let result = unsafe place.withAddress { unsafe Foundation.connect(descriptor, $0, $1) }
        guard result == 0 else { throw Refused() }
        setNoDelay()
    }

    deinit { close() }

    private static func open(_ place: Place) -> Int32 {
        let descriptor = socket(
            place.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        precondition(descriptor >= 0)
        return descriptor
    }

    private func set(_ option: Int32, _ value: Int32) {
        var value = value
        unsafe setsockopt(
            descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private func setNoDelay() {
        var one: Int32 = 1
        unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sets the longest time a call may take.
    package func bound(_ duration: Duration) {
        var time = timeval(
            tv_sec: Int(duration.components.seconds),
            tv_usec: Int(duration.components.attoseconds / 1_000_000_000_000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    // MARK: Listening

    /// Listens on `place`.
    package static func listen(on place: Place) throws -> RawSocket {
        let descriptor = open(place)
        let listener = RawSocket(descriptor)
        listener.set(SO_REUSEADDR, 1)
        let result = unsafe place.withAddress { unsafe bind(descriptor, $0, $1) }
        guard result == 0, Foundation.listen(descriptor, 1024) == 0 else {
            throw Failure("cannot listen on \(place): \(errno)")
        }
        return listener
    }

    /// The port it is bound to.
    package var port: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The next connection; `nil` once it was shut down.
    package func accept() -> RawSocket? {
        let accepted = Foundation.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        let socket = RawSocket(accepted)
        socket.bound(patience)
        socket.setNoDelay()
        return socket
    }

    // MARK: Bytes

    /// Reads up to `count` bytes; empty at the end.
    package func read(_ count: Int = 64 << 10) throws -> [UInt8] {
        var failure: (any Error)?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let n = unsafe recv(descriptor, buffer.baseAddress, count, 0)
                if n < 0 && errno == EINTR { continue }
                filled = max(0, n)
                if n < 0 { failure = errno == EAGAIN ? TimedOut() : Reset() }
                return
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes all of `bytes`.
    package func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let n = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Foundation.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if n < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN { throw TimedOut() }
                throw Reset()
            }
            sent += n
        }
    }

    // MARK: End

    /// Says that nothing more will be written.
    package func closeWriting() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes every call on it end, whichever thread it is on.
    package func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    package func close() {
        guard isOpen else { return }
        isOpen = false
        _ = Foundation.close(descriptor)
    }

    /// Closes so that the peer sees a reset.
    package func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger,
            socklen_t(MemoryLayout<Foundation.linger>.size))
        close()
    }
}

/// What a debug build does slowly byte by byte.
package enum Bytes {
    package static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in
                guard let x = a.baseAddress, let y = b.baseAddress else { return true }
                return unsafe memcmp(x, y, a.count) == 0
            }
        }
    }
}

/// The descriptors this process may have open.
package func descriptorsMax() -> Int {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(min(limit.rlim_cur, 1 << 20))
}
