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
            let port = UInt16(text[text.index(after: colon)...])
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
}
