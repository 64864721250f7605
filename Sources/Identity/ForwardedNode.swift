import Primitives

/// One hop as a forwarding field names it: an address, perhaps with brackets and a port.
enum ForwardedNode {
    /// Reads an element of X-Forwarded-For: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`,
    /// `[2001:db8::1]` or `[2001:db8::1]:4711`, in white space.
    ///
    /// - Returns: `nil` for `unknown`, names, obfuscated identifiers and everything else.
    static func address(inXForwardedFor element: Span<UInt8>) -> IPAddress? {
        let node = element.trimmed
        // Without brackets a colon belongs to an IPv6 address, unless it is the only one.
        return IPAddress(parsing: node) ?? address(inNode: node)
    }

    /// Reads an element of Forwarded (RFC 7239 §4): `for=192.0.2.60;proto=https`.
    ///
    /// - Returns: `nil` when it is malformed in any of its pairs, names no `for` or several, or when the
    ///   `for` is `unknown`, obfuscated (§6) or not an address.
    static func address(inForwarded element: Span<UInt8>) -> IPAddress? {
        var address: IPAddress?
        var rest = element.trimmed
        while true {
            let end = rest.endOfPair
            let pair = rest.extracting(0..<end).trimmed
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), equals > 0 else {
                return nil
            }
            let name = pair.extracting(0..<equals)
            let value = pair.extracting((equals + 1)..<pair.count)
            guard name.isToken && value.isForwardedValue else { return nil }
            if name.equalsIgnoringCase("for") {
                guard address == nil, let found = self.address(inNode: value.unquoted) else {
                    return nil
                }
                address = found
            }
            if end == rest.count { return address }
            rest = rest.extracting((end + 1)..<rest.count)
        }
    }

    /// Reads a node (RFC 7239 §6): IPv4 or bracketed IPv6, and a port.
    private static func address(inNode node: Span<UInt8>) -> IPAddress? {
        guard node.count > 0 else { return nil }
        let isBracketed = node[0] == UInt8(ascii: "[")
        let end =
            isBracketed
            ? node.firstIndex(of: UInt8(ascii: "]")) ?? node.count
            : node.firstIndex(of: UInt8(ascii: ":")) ?? node.count
        if isBracketed && end == node.count { return nil }
        let text = node.extracting((isBracketed ? 1 : 0)..<end)
        let isV6Text = text.firstIndex(of: UInt8(ascii: ":")) != nil
        guard isV6Text == isBracketed else { return nil }
        let after = node.extracting((isBracketed ? end + 1 : end)..<node.count)
        return after.isPortSuffix ? IPAddress(parsing: text) : nil
    }
}

extension Span where Element == UInt8 {
    /// Whether all bytes are of a token, and there is one.
    var isToken: Bool {
        for i in indices where !ASCII.isToken(self[i]) { return false }
        return count > 0
    }

    /// The index of the first semicolon outside quotes, or the end.
    fileprivate var endOfPair: Int {
        var isQuoted = false
        var i = 0
        while i < count {
            switch self[i] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted: i += 1
            case UInt8(ascii: ";") where !isQuoted: return i
            default: break
            }
            i += 1
        }
        return count
    }

    /// Whether it is a token, a whole quoted-string, or a node without its quotes, as some proxies
    /// write it: `for=[2001:db8::1]:80`, `host=example.com:8080`.
    fileprivate var isForwardedValue: Bool {
        guard count > 0 else { return false }
        guard self[0] == UInt8(ascii: "\"") else {
            for i in indices where !ASCII.isToken(self[i]) && !isNodePunctuation(self[i]) {
                return false
            }
            return true
        }
        var i = 1
        while i < count && self[i] != UInt8(ascii: "\"") {
            i += self[i] == UInt8(ascii: "\\") ? 2 : 1
        }
        return i == count - 1
    }

    private func isNodePunctuation(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
    }

    /// The text between the quotes of a quoted-string. Escapes stay: no address has any.
    fileprivate var unquoted: Span<UInt8> {
        @_lifetime(copy self) get {
            count >= 2 && self[0] == UInt8(ascii: "\"") ? extracting(1..<(count - 1)) : self
        }
    }

    /// Whether it is nothing, or a colon and a port: decimal, or obfuscated (RFC 7239 §6.2).
    fileprivate var isPortSuffix: Bool {
        if count == 0 { return true }
        guard count >= 2 && self[0] == UInt8(ascii: ":") else { return false }
        let port = extracting(1..<count)
        if port[0] == UInt8(ascii: "_") { return port.count > 1 && port.isToken }
        guard port.count <= 5, let number = port.decimalValue else { return false }
        return number <= 65_535
    }
}
