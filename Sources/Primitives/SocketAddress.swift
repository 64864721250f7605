/// Where a socket is: a TCP address with port, or the path of a Unix socket.
public enum SocketAddress: Hashable, Sendable {
    /// TCP. Port 0 lets the kernel choose, for listeners.
    case tcp(IPAddress, port: UInt16)
    /// A Unix socket's path.
    case unix(String)
}
