import Primitives
import Settings

/// Reads addresses and networks; Primitives knows their texts, here are the words for wrong ones.
extension Report {
    /// An address to listen on: `0.0.0.0:8080`, `[::]:8080`, `:8080` (all IPv4), `unix:/path`.
    func socketAddress(_ value: Value) -> SocketAddress? {
        guard let text = value.text, !text.isEmpty else {
            expected(
                "an address", value, help: "for example `0.0.0.0:8080` or `unix:/run/weir.sock`")
            return nil
        }
        if text.hasPrefix("unix:") { return unixPath(value, text.dropFirst(5)).map { .unix($0) } }
        if let address = SocketAddress(parsing: text.hasPrefix(":") ? "0.0.0.0" + text : text) {
            return address
        }
        let colon = text.lastIndex(of: ":") ?? text.startIndex
        guard let port = Text.decimal(text[colon...].dropFirst()), Bounds.port.contains(port) else {
            var help = "write address and port, for example `0.0.0.0:8080`"
            if Text.decimal(text) != nil {
                help = "write `:\(text)` for that port on all IPv4 addresses"
            }
            expected("an address with a port from 0 to 65535", value, help: help)
            return nil
        }
        var help = "names are not looked up here; write the number, IPv6 in brackets: `[::1]:8080`"
        if text[..<colon] == "localhost" { help = "write `127.0.0.1:\(port)`" }
        expected("an IP address with a port", value, help: help)
        return nil
    }

    /// The absolute path of a Unix socket.
    func unixPath(_ value: Value, _ path: Substring) -> String? {
        guard path.hasPrefix("/"), path.utf8.count <= Bounds.unixPathBytes, !path.contains("\0")
        else {
            expected(
                "`unix:` and an absolute path of at most \(Bounds.unixPathBytes) bytes", value,
                help: "for example `unix:/run/weir.sock`")
            return nil
        }
        return String(path)
    }

    /// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
    func network(_ value: Value) -> IPNetwork? {
        let text = value.text ?? ""
        guard let address = IPAddress(parsing: String(text.prefix { $0 != "/" })) else {
            expected(
                "a network", value, help: "for example `10.0.0.0/8`, `fd00::/8` or `127.0.0.1`")
            return nil
        }
        guard let network = IPNetwork(parsing: text) else {
            expected(
                "a network with a prefix length from 0 to \(address.isV4 ? 32 : 128)", value)
            return nil
        }
        guard network.base == address else {
            error(
                value, "the address has bits beyond its prefix of \(network.prefixLength)",
                help: "write `\(network)`")
            return nil
        }
        return network
    }
}

extension SocketAddress {
    /// Whether only processes of this machine can reach it.
    var isLocal: Bool {
        guard case .tcp(let ip, _) = self else { return true }
        let isLoopbackV4 = IPNetwork(IPAddress(v4: 127 << 24), prefixLength: 8).contains(ip)
        return isLoopbackV4 || ip == IPAddress(high: 0, low: 1)
    }
}
