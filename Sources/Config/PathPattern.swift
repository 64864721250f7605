import Primitives

/// A path pattern as the file writes it, checked, to find routes that nothing can reach.
///
/// The matching itself belongs to Routes; here are only its form and the question of covering.
struct PathPattern: Equatable {
    enum Segment: Equatable {
        case literal(String)
        /// `*` or `{name}`: one segment.
        case one
        /// `**` at the end: any number of segments, none included.
        case rest
    }

    let segments: [Segment]

    /// Why a pattern cannot be used.
    struct Fault: Error {
        var message: String
        var help: String?
    }

    init(_ text: String) throws(Fault) {
        guard text.hasPrefix("/") else {
            throw Fault(
                message: "a path begins with `/`", help: "write `/\(Value.shortened(text))`")
        }
        guard text.utf8.count <= Bounds.pathBytes else {
            throw Fault(message: "longer than \(Bounds.pathBytes) bytes")
        }
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= Bounds.pathSegments else {
            throw Fault(message: "more than \(Bounds.pathSegments) segments")
        }
        var segments: [Segment] = []
        var names: Set<Substring> = []
        for (index, part) in parts.enumerated() {
            let segment = try Self.segment(part, isLast: index == parts.count - 1)
            if part.hasPrefix("{"), !names.insert(part).inserted {
                throw Fault(message: "`\(part)` stands twice")
            }
            segments.append(segment)
        }
        self.segments = segments
    }

    private static func segment(_ part: Substring, isLast: Bool) throws(Fault) -> Segment {
        let shown = Value.shortened(String(part))
        switch part {
        case "**":
            guard isLast else {
                throw Fault(
                    message: "`**` can only be the last segment", help: "use `*` for one segment")
            }
            return .rest
        case "*": return .one
        case "":
            guard isLast else {
                throw Fault(message: "an empty segment never matches: paths are normalised first")
            }
            return .literal("")
        case ".", "..":
            throw Fault(message: "`\(part)` never matches: paths are normalised first")
        default: break
        }
        if part.hasPrefix("{"), part.hasSuffix("}") {
            let name = part.dropFirst().dropLast().utf8
            let isName = name.allSatisfy { Text.isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
            guard isName, let first = name.first, !ASCII.isDigit(first) else {
                throw Fault(message: "`\(shown)` is no name", help: "for example `{id}`")
            }
            return .one
        }
        if part.contains(where: { "*{}".contains($0) }) {
            throw Fault(
                message: "`\(shown)` mixes text with `*` or `{name}`",
                help: "`*`, `**` and `{name}` are whole segments")
        }
        // RFC 3986 §3.3: anything else arrives percent-encoded.
        guard part.utf8.allSatisfy({ isPathByte($0) }), hasRightEscapes(part) else {
            throw Fault(
                message: "`\(shown)` has characters that a path has percent-encoded only",
                help: "for example `%20` for a space; a query cannot be part of a path")
        }
        return .literal(String(part))
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        Text.isLetterOrDigit(byte) || "-._~!$&'()+,;=:@%".utf8.contains(byte)
    }

    private static func hasRightEscapes(_ part: Substring) -> Bool {
        part.split(separator: "%", omittingEmptySubsequences: false).dropFirst().allSatisfy {
            $0.utf8.count >= 2 && $0.utf8.prefix(2).allSatisfy { ASCII.hexValue($0) != nil }
        }
    }

    /// Whether every path that `other` matches is matched by this pattern too.
    func covers(_ other: PathPattern) -> Bool {
        for (index, segment) in segments.enumerated() {
            if segment == .rest { return true }
            guard index < other.segments.count else { return false }
            switch (segment, other.segments[index]) {
            case (_, .rest): return false
            case (.one, .literal(let text)) where text.isEmpty: return false
            case (.one, _): continue
            case (let mine, let theirs) where mine == theirs: continue
            default: return false
            }
        }
        return segments.count == other.segments.count
    }

    /// Whether `prefix`, such as `/api`, is made of the first literal segments.
    func beginsWith(prefix: String) -> Bool {
        let parts = prefix.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard prefix.hasPrefix("/"), parts.count <= segments.count else { return false }
        return zip(parts, segments).allSatisfy { !$0.isEmpty && Segment.literal(String($0)) == $1 }
    }
}
