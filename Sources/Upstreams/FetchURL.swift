public import Primitives

/// A URL that can be fetched: `http` or `https`, a host, a port, a path and a query (RFC 3986).
///
/// At most 2048 bytes of visible ASCII. No user information, which would be a secret in logs, and no fragment,
/// which is never sent.
public struct FetchURL: Sendable, Hashable {
    /// Whether it is `https`.
    public let isSecure: Bool
    /// The host: a name in lower case, or an address without brackets.
    public let host: String
    /// The host's address, when the URL names it so.
    public let address: IPAddress?
    /// The port.
    public let port: UInt16
    /// The Host field: the host, in brackets where it needs them, and the port unless it is the scheme's own.
    public let authority: String
    /// Path and query, as they are sent.
    public let target: String

    /// Reads `http(s)://host[:port][/path][?query]`; `nil` for anything else.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count <= Bounds.urlBytes, bytes.allSatisfy(FetchURL.isAllowed) else {
            return nil
        }
        guard let colon = text.range(ofFirst: "://") else { return nil }
        switch FetchURL.lowered(text[..<colon.lowerBound]) {
        case "https": isSecure = true
        case "http": isSecure = false
        default: return nil
        }
        let rest = text[colon.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard let (host, port) = FetchURL.hostAndPort(rest[..<end]) else { return nil }
        let standard: UInt16 = isSecure ? 443 : 80
        self.host = host
        self.port = port ?? standard
        address = IPAddress(parsing: host)
        let shown = host.contains(":") ? "[\(host)]" : host
        authority = self.port == standard ? shown : "\(shown):\(self.port)"
        let path = rest[end...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    /// Scheme, host and path, for messages: a query may hold a secret.
    public var label: String { "\(isSecure ? "https" : "http")://\(authority)\(path)" }

    /// The target without its query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    /// Whether a byte may stand in a URL here: visible, and none of those that never may (RFC 3986 §2).
    private static func isAllowed(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"#<>\\^`{|}".utf8.contains(byte)
    }

    private static func lowered(_ text: Substring) -> String {
        String(decoding: text.utf8.map { ASCII.lower($0) }, as: UTF8.self)
    }

    private static func hostAndPort(_ authority: Substring) -> (String, UInt16?)? {
        var host = authority
        var port: UInt16?
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[bracket...].lastIndex(of: ":") {
            host = authority[..<colon]
            let digits = Array(authority[authority.index(after: colon)...].utf8)
            guard let number = digits.span.decimalValue, (1...65_535).contains(number) else {
                return nil
            }
            port = UInt16(number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), IPAddress(parsing: String(host)) != nil else { return nil }
        } else if !isHost(host) {
            return nil
        }
        return (lowered(host), port)
    }

    /// Whether `host` is a name (RFC 1123 §2.1, underscores allowed) or an IPv4 address.
    private static func isHost(_ host: Substring) -> Bool {
        guard (1...253).contains(host.utf8.count) else { return false }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        // Numbers and points alone are an address, and must be a right one.
        if labels.last?.utf8.allSatisfy(ASCII.isDigit) == true {
            return IPAddress(parsing: String(host)) != nil
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy {
                    ASCII.isAlpha($0) || ASCII.isDigit($0) || "-_".utf8.contains($0)
                }
        }
    }
}

extension String {
    /// Where `part` stands first.
    fileprivate func range(ofFirst part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) {
                return start..<index(start, offsetBy: part.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
