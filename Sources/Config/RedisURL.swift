import Primitives
import Settings

/// URLs of Redis: `redis://[[user]:password@]host[:port][/database]`, `rediss://…` for TLS, and
/// `unix:///path[?db=database]`.
struct RedisURL {
    /// What AUTH says.
    struct Credentials: Equatable {
        var username: String?
        var password: String
    }

    var place: RedisSettings.Place
    var usesTLS = false
    var credentials: Credentials?
    var database = 0

    /// Reads `text`; `nil` when it is no such URL.
    static func parse(_ text: String) -> RedisURL? {
        if text.hasPrefix("unix:") { return socket(text.dropFirst(5)) }
        guard let scheme = ["redis://", "rediss://"].first(where: { text.hasPrefix($0) }) else {
            return nil
        }
        var authority = text.dropFirst(scheme.count)
        var database = 0
        if let slash = authority.firstIndex(of: "/") {
            let path = authority[authority.index(after: slash)...]
            authority = authority[..<slash]
            if !path.isEmpty {
                guard let number = self.database(path) else { return nil }
                database = number
            }
        }
        var credentials: Credentials?
        // A password may have an `@` in it, a host may not.
        if let at = authority.lastIndex(of: "@") {
            guard let read = self.credentials(authority[..<at]) else { return nil }
            credentials = read
            authority = authority[authority.index(after: at)...]
        }
        guard let (host, port) = OriginURL.hostAndPort(authority, standard: Defaults.redisPort)
        else { return nil }
        return RedisURL(
            place: .host(host, port: port), usesTLS: scheme == "rediss://",
            credentials: credentials, database: database)
    }

    private static func socket(_ text: Substring) -> RedisURL? {
        var path = text.hasPrefix("//") ? text.dropFirst(2) : text
        var database = 0
        if let question = path.firstIndex(of: "?") {
            let query = path[path.index(after: question)...]
            path = path[..<question]
            guard query.hasPrefix("db="), let number = self.database(query.dropFirst(3)) else {
                return nil
            }
            database = number
        }
        guard path.hasPrefix("/"), path.utf8.count <= Bounds.unixPathBytes, !path.contains("\0")
        else { return nil }
        return RedisURL(place: .unix(String(path)), database: database)
    }

    private static func database(_ text: Substring) -> Int? {
        Text.decimal(text).flatMap { Bounds.redisDatabase.contains($0) ? $0 : nil }
    }

    /// `user:password` or `:password`, each percent-encoded.
    private static func credentials(_ text: Substring) -> Credentials? {
        guard let colon = text.firstIndex(of: ":"),
            let username = decoded(text[..<colon]),
            let password = decoded(text[text.index(after: colon)...]), !password.isEmpty
        else { return nil }
        return Credentials(username: username.isEmpty ? nil : username, password: password)
    }

    /// `text` with its `%XX` replaced; `nil` when one is wrong.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ ASCII.hexValue($0) }),
                let low = rest.popFirst().flatMap({ ASCII.hexValue($0) })
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The URL of `place` that this type reads again.
    ///
    /// - Parameters:
    ///   - place: The server.
    ///   - settings: Whether it has TLS, and its database.
    ///   - credentials: What stands before the host, percent-encoded already; empty: nothing.
    /// - Returns: Its text.
    static func write(
        _ place: RedisSettings.Place, of settings: RedisSettings, credentials: String = ""
    ) -> String {
        switch place {
        case .unix(let path):
            return "unix://\(path)" + (settings.database == 0 ? "" : "?db=\(settings.database)")
        case .host:
            let scheme = settings.tls == nil ? "redis" : "rediss"
            let before = credentials.isEmpty ? "" : "\(credentials)@"
            return "\(scheme)://\(before)\(authority(place))/\(settings.database)"
        }
    }

    /// `host:port`, IPv6 in brackets.
    static func authority(_ place: RedisSettings.Place) -> String {
        guard case .host(let host, let port) = place else { return "" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// `text` so that it can stand before the host.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            if Text.isLetterOrDigit(byte) || "-._~".utf8.contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let code = String(byte, radix: 16, uppercase: true)
                result += code.utf8.count == 1 ? "%0\(code)" : "%\(code)"
            }
        }
        return result
    }
}
