import Primitives
import Settings

/// IP addresses, networks and socket addresses as the file writes them.
enum AddressText {
    /// An IPv4 address in four decimal numbers or an IPv6 address (RFC 4291 §2.2), without a zone.
    static func parse(_ text: some StringProtocol) -> IPAddress? {
        text.contains(":") ? parseV6(String(text)) : parseV4(text).map { IPAddress(v4: $0) }
    }

    private static func parseV4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard let byte = Text.decimal(part), byte < 256 else { return nil }
            bits = bits << 8 | UInt32(byte)
        }
        return bits
    }

    private static func parseV6(_ text: String) -> IPAddress? {
        var groups: [UInt16] = []
        var gap: Int?
        var rest = text[...]
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let group = rest.prefix { $0 != ":" }
            rest = rest.dropFirst(group.count)
            if rest.isEmpty, group.contains("."), let v4 = parseV4(group) {
                groups += [UInt16(v4 >> 16), UInt16(v4 & 0xFFFF)]
                break
            }
            guard (1...4).contains(group.utf8.count),
                group.utf8.allSatisfy({ ASCII.hexValue($0) != nil }),
                let value = UInt16(group, radix: 16)
            else { return nil }
            groups.append(value)
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.first == ":" {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: Array(repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        return IPAddress(high: high, low: low)
    }

    /// The canonical text (RFC 5952); mapped IPv4 addresses as IPv4.
    static func write(_ address: IPAddress) -> String {
        if address.isV4 {
            return (0..<4).map { String((address.low >> (24 - 8 * $0)) & 0xFF) }.joined(
                separator: ".")
        }
        let groups = (0..<8).map { index in
            let word = index < 4 ? address.high : address.low
            return (word >> UInt64(48 - 16 * (index % 4))) & 0xFFFF
        }
        let zeros = longestZeros(groups)
        let text = { (range: Range<Int>) in
            range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
        }
        guard zeros.count > 1 else { return text(0..<8) }
        return text(0..<zeros.lowerBound) + "::" + text(zeros.upperBound..<8)
    }

    private static func longestZeros(_ groups: [UInt64]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best
    }

    /// An address with a prefix length, as CIDR writes it.
    static func write(_ network: IPNetwork) -> String {
        "\(write(network.base))/\(network.prefixLength)"
    }

    /// A socket address as `listen:` writes it.
    static func write(_ address: SocketAddress) -> String {
        switch address {
        case .tcp(let ip, let port) where ip.isV4: "\(write(ip)):\(port)"
        case .tcp(let ip, let port): "[\(write(ip))]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Whether only processes of this machine can reach it.
    static func isLocal(_ address: SocketAddress) -> Bool {
        guard case .tcp(let ip, _) = address else { return true }
        let isLoopbackV4 = IPNetwork(IPAddress(v4: 127 << 24), prefixLength: 8).contains(ip)
        return isLoopbackV4 || ip == IPAddress(high: 0, low: 1)
    }
}

extension Report {
    /// An address to listen on: `0.0.0.0:8080`, `[::]:8080`, `:8080` (all IPv4), `unix:/path`.
    func socketAddress(_ value: Value) -> SocketAddress? {
        guard let text = value.text, !text.isEmpty else {
            expected(
                "an address", value, help: "for example `0.0.0.0:8080` or `unix:/run/weir.sock`")
            return nil
        }
        if text.hasPrefix("unix:") { return unixPath(value, text.dropFirst(5)).map { .unix($0) } }
        guard let colon = text.lastIndex(of: ":"),
            let port = Text.decimal(text[text.index(after: colon)...]), Bounds.port.contains(port)
        else {
            var help = "write address and port, for example `0.0.0.0:8080`"
            if Text.decimal(text) != nil {
                help = "write `:\(text)` for that port on all IPv4 addresses"
            }
            expected("an address with a port from 0 to 65535", value, help: help)
            return nil
        }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        let address = host.isEmpty && !isBracketed ? IPAddress(v4: 0) : AddressText.parse(host)
        // IPv6 needs its brackets, and nothing else may have them.
        guard let address, isBracketed == host.contains(":") else {
            var help =
                "names are not looked up here; write the number, IPv6 in brackets: `[::1]:8080`"
            if host == "localhost" { help = "write `127.0.0.1:\(port)`" }
            expected("an IP address with a port", value, help: help)
            return nil
        }
        return .tcp(address, port: UInt16(port))
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
        let parts = value.text?.split(separator: "/", omittingEmptySubsequences: false) ?? []
        guard (1...2).contains(parts.count), let address = AddressText.parse(parts[0]) else {
            expected(
                "a network", value, help: "for example `10.0.0.0/8`, `fd00::/8` or `127.0.0.1`")
            return nil
        }
        let bits = address.isV4 ? 32 : 128
        let length = parts.count == 1 ? bits : Text.decimal(parts[1]) ?? -1
        guard (0...bits).contains(length) else {
            expected("a network with a prefix length from 0 to \(bits)", value)
            return nil
        }
        let network = IPNetwork(address, prefixLength: length)
        guard network.base == address else {
            error(
                value, "the address has bits beyond its prefix of \(length)",
                help: "write `\(AddressText.write(network))`")
            return nil
        }
        return network
    }
}
