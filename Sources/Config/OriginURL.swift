import Primitives
import Settings

/// URLs of origin servers: `http://host[:port]` and `unix:/path`.
enum OriginURL {
    /// The text that names `server` in the file.
    static func write(_ server: UpstreamSettings.Server) -> String {
        switch server.location {
        case .unix(let path): "unix:\(path)"
        case .host: "http://\(server.authority)"
        }
    }

    /// Whether `host` is a name (RFC 1123 §2.1, underscores allowed) or an IPv4 address.
    static func isHostName(_ host: some StringProtocol) -> Bool {
        guard (1...Bounds.hostBytes).contains(host.utf8.count) else { return false }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        // Numbers and points alone are an address, and must be a right one.
        if labels.last?.utf8.allSatisfy(ASCII.isDigit) == true {
            return IPAddress(parsing: String(host)) != nil
        }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { Text.isLetterOrDigit($0) || "-_".utf8.contains($0) }
        }
    }

    /// The host, in lower case and without brackets, and the port; `standard` where none is written.
    static func hostAndPort(
        _ authority: Substring, standard: Int = Defaults.httpPort
    ) -> (String, UInt16)? {
        var host = authority
        var port = standard
        let end = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[end...].lastIndex(of: ":") {
            host = authority[..<colon]
            guard let number = Text.decimal(authority[authority.index(after: colon)...]),
                number > 0, Bounds.port.contains(number)
            else { return nil }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), IPAddress(parsing: String(host)) != nil else { return nil }
        } else if !isHostName(host) {
            return nil
        }
        return (Text.lowered(String(host)), UInt16(port))
    }
}

extension Report {
    /// One origin server.
    func server(_ value: Value, weight: Int) -> UpstreamSettings.Server? {
        guard let text = value.text else {
            expected("the URL of a server", value, help: "for example `http://127.0.0.1:8000`")
            return nil
        }
        if text.hasPrefix("unix:") {
            // A Unix socket has no authority of its own; RFC 9112 §3.2 still asks for a Host.
            return unixPath(value, text.dropFirst(5)).map {
                UpstreamSettings.Server(location: .unix($0), authority: "localhost", weight: weight)
            }
        }
        if text.hasPrefix("https://") {
            error(value, "https:// is not available in this version")
            return nil
        }
        guard text.hasPrefix("http://") else {
            let help =
                text.contains("://") || text.isEmpty
                ? "for example `http://127.0.0.1:8000` or `unix:/run/api.sock`"
                : "write `http://\(Value.shortened(text))`"
            expected("a URL that begins with `http://` or `unix:`", value, help: help)
            return nil
        }
        var authority = text.dropFirst(7)
        if authority.hasSuffix("/") { authority = authority.dropLast() }
        if authority.contains(where: { "/?#@".contains($0) }) {
            error(
                value, "a server's URL has only a host and a port: no user, path or query",
                help: "paths are changed per route, with `strip_prefix`")
            return nil
        }
        guard let (host, port) = OriginURL.hostAndPort(authority) else {
            expected(
                "a URL with a host and a port from 1 to 65535", value,
                help: "for example `http://127.0.0.1:8000` or `http://[::1]:8000`")
            return nil
        }
        return UpstreamSettings.Server(
            location: .host(host, port: port), authority: String(authority), weight: weight)
    }
}
