import HTTPModel
import Primitives

/// The request behind a stored answer, for fetching it again without a client: read from its key.
///
/// Only keys that name nobody can be read: with an identity, a body or anything else in them that a GET of
/// their target does not bring about there is no request. Nor is there one where the query seems to hold a
/// credential.
public struct WarmKey: Sendable, Equatable {
    /// One field that the answer varies by.
    public struct Field: Sendable, Equatable {
        /// The name in lower case.
        public let name: String
        /// What the request said in it.
        public let value: String
    }

    /// The host in lower case, with its port.
    public let host: String
    /// Path and query.
    public let target: String
    /// The fields the answer varies by, of those that are no secret.
    public let fields: [Field]

    /// Reads the key of `head`; `nil` when nobody but its sender can make the request.
    public init?(of head: CachedHead) {
        guard let (host, target) = WarmKey.parts(of: head.key),
            let fields = WarmKey.fields(of: head.variant)
        else { return nil }
        self.host = host
        self.target = target
        self.fields = fields
    }

    /// Host and target of `{GET}:host:/target|upstream=…`.
    private static func parts(of key: [UInt8]) -> (host: String, target: String)? {
        let bytes = key.span
        let bar = UInt8(ascii: "|")
        guard bytes.starts(with: "{GET}:") else { return nil }
        var texts: [[UInt8]] = [[]]
        var i = 6
        while i < bytes.count {
            let byte = bytes[i]
            guard byte == bar else {
                guard (0x21...0x7E).contains(byte) else { return nil }
                texts[texts.count - 1].append(byte)
                i += 1
                continue
            }
            if i + 1 < bytes.count && bytes[i + 1] == bar {
                texts[texts.count - 1].append(bar)
                i += 2
            } else {
                texts.append([])
                i += 1
            }
        }
        // Of further parts only the upstream's comes about by itself.
        for part in texts.dropFirst() where !part.span.starts(with: "upstream=") { return nil }
        let text = texts[0]
        var colon = 0
        while colon + 1 < text.count
            && !(text[colon] == UInt8(ascii: ":") && text[colon + 1] == UInt8(ascii: "/"))
        {
            colon += 1
        }
        guard colon > 0, colon + 1 < text.count else { return nil }
        let target = String(decoding: text[(colon + 1)...], as: UTF8.self)
        guard !mayHoldCredential(target) else { return nil }
        return (String(decoding: text[..<colon], as: UTF8.self), target)
    }

    /// Fields whose values are the same for many clients and name none of them.
    private static let harmless: Set<String> = ["accept", "accept-encoding", "accept-language"]

    private static func fields(of variant: VariantKey) -> [Field]? {
        let names = variant.names.split(separator: ASCII.lf)
        let values = variant.values.split(separator: ASCII.lf, omittingEmptySubsequences: false)
        var fields: [Field] = []
        for (name, value) in zip(names, values) {
            // Absent then, absent now.
            guard value.first == UInt8(ascii: "=") else { continue }
            let name = String(decoding: name, as: UTF8.self)
            guard harmless.contains(name), value.allSatisfy({ (0x20...0x7E).contains($0) })
            else { return nil }
            fields.append(
                Field(name: name, value: String(decoding: value.dropFirst(), as: UTF8.self)))
        }
        return fields
    }

    /// Words in the names of parameters that are credentials, or as good as one.
    private static let secretWords = [
        "token", "key", "secret", "pass", "pwd", "auth", "sig", "session", "sid", "code", "jwt",
        "credential", "ticket", "otp",
    ]

    /// Whether a parameter's name speaks of a credential.
    static func mayHoldCredential(_ target: String) -> Bool {
        guard let mark = target.firstIndex(of: "?") else { return false }
        for pair in target[mark...].dropFirst().split(separator: "&") {
            let name = pair.prefix { $0 != "=" }.lowercased()
            if secretWords.contains(where: { name.contains($0) }) { return true }
        }
        return false
    }
}
