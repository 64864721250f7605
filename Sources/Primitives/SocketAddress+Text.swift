extension SocketAddress {
    /// The address as the configuration writes it: `10.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`.
    public var text: String {
        switch self {
        case .tcp(let address, let port) where address.isV4: "\(address):\(port)"
        case .tcp(let address, let port): "[\(address)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Reads what `text` writes; `nil` for anything else.
    public init?(parsing text: String) {
        if text.hasPrefix("unix:/") {
            self = .unix(String(text.dropFirst(5)))
            return
        }
        guard let colon = text.lastIndex(of: ":"),
            let port = SocketAddress.port(Array(text[text.index(after: colon)...].utf8))
        else { return nil }
        var host = text[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        // IPv6 needs its brackets, and nothing else may have them.
        guard let address = IPAddress(parsing: String(host)), isBracketed == host.contains(":")
        else {
            return nil
        }
        self = .tcp(address, port: port)
    }

    /// A port in decimal digits alone: no sign, no leading zero.
    private static func port(_ digits: [UInt8]) -> UInt16? {
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return digits.span.decimalValue.flatMap { UInt16(exactly: $0) }
    }
}
