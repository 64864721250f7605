import Primitives

/// A tag of a route, made for each request: `analytics`, `connection:{query.connection_id}`, `{user}`.
public struct TagTemplate: Sendable, Equatable {
    /// A part of a template.
    public enum Part: Sendable, Hashable {
        /// These bytes.
        case literal([UInt8])
        /// The user.
        case user
        /// The company.
        case company
        /// The tier.
        case tier
        /// A segment of the path by its index: `{path.name}` of the route's path.
        case segment(Int, name: String)
        /// A parameter of the query.
        case query([UInt8])
        /// A header field of the request, its name in lower case.
        case header([UInt8])
    }

    /// Why a text is no template.
    public enum Problem: Error, Sendable, Equatable {
        /// It is empty or has more than `CacheBounds.templateBytes` bytes.
        case length
        /// It has a control character or a space at one end.
        case character
        /// A brace has no other half.
        case brace
        /// No such value: the text between the braces.
        case unknown(String)
        /// The route's path has no segment of this name.
        case noSegment(String)
    }

    /// Its parts in their order.
    public let parts: [Part]

    /// Reads a template.
    ///
    /// - Parameters:
    ///   - text: `{…}` stands for `user`, `company`, `tier`, `path.NAME`, `query.NAME` and `header.NAME`.
    ///   - path: The route's path, whose `{name}` segments `path.NAME` means.
    /// - Throws: Why it is none.
    public init(_ text: String, path: String) throws(Problem) {
        let bytes = Array(text.utf8)
        guard (1...CacheBounds.templateBytes).contains(bytes.count) else { throw .length }
        guard bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            bytes.span.trimmed.count == bytes.count
        else { throw .character }
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
                throw .brace
            }
            if open > rest.startIndex { parts.append(.literal(Array(rest[..<open].utf8))) }
            let name = rest[rest.index(after: open)..<close]
            guard !name.contains("{") else { throw .brace }
            parts.append(try TagTemplate.part(String(name), path))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.literal(Array(rest.utf8))) }
        self.parts = parts
    }

    private static func part(_ name: String, _ path: String) throws(Problem) -> Part {
        switch name {
        case "user": return .user
        case "company": return .company
        case "tier": return .tier
        default: break
        }
        let words = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, !words[1].isEmpty else { throw .unknown(name) }
        let bytes = Array(words[1].utf8)
        switch words[0] {
        case "path":
            let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            guard let index = segments.firstIndex(of: "{\(words[1])}") else {
                throw .noSegment(String(words[1]))
            }
            return .segment(index, name: String(words[1]))
        case "query": return .query(bytes)
        case "header":
            guard bytes.allSatisfy(ASCII.isToken) else { throw .unknown(name) }
            return .header(bytes.map { ASCII.lower($0) })
        default: throw .unknown(name)
        }
    }

    /// The template as it is written.
    public var text: String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let bytes): text += String(decoding: bytes, as: UTF8.self)
            case .user: text += "{user}"
            case .company: text += "{company}"
            case .tier: text += "{tier}"
            case .segment(_, let name): text += "{path.\(name)}"
            case .query(let name): text += "{query.\(String(decoding: name, as: UTF8.self))}"
            case .header(let name): text += "{header.\(String(decoding: name, as: UTF8.self))}"
            }
        }
        return text
    }

    /// Whether it has a part of the identity.
    public var namesIdentity: Bool {
        parts.contains { $0 == .user || $0 == .company || $0 == .tier }
    }
}
