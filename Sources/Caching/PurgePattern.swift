import Primitives

/// A prefix or glob of URLs, as it is compared with cache keys.
///
///     /api/                      any host, paths and queries that begin so
///     api.example.com/a/*/b      the host, with any port when none is written; `*` is within a segment
///     *.example.com/**           `**` is any number of segments
///
/// A glob is compared with the whole path; with the query too when it has a `?`, which stands for itself.
struct PurgePattern: Sendable, Equatable {
    /// What one place of a glob takes: a byte, or one of these.
    private static let star: UInt16 = 256
    private static let doubleStar: UInt16 = 257

    private let host: [UInt16]
    private let path: [UInt16]
    private let isGlob: Bool
    private let hasPort: Bool
    private let hasQuery: Bool
    /// Wildcards in it.
    let wildcards: Int

    /// Reads a pattern; `nil` when no path begins in it.
    init?(_ text: [UInt8], isGlob: Bool) {
        guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        let name = text[..<slash].map { ASCII.lower($0) }
        host = PurgePattern.compile(name, isGlob: isGlob)
        path = PurgePattern.compile(Array(text[slash...]), isGlob: isGlob)
        self.isGlob = isGlob
        // `[::1]` has colons of its own.
        let colon = name.lastIndex(of: UInt8(ascii: ":")) ?? -1
        hasPort = colon > name.lastIndex(of: UInt8(ascii: "]")) ?? -1
        hasQuery = text.contains(UInt8(ascii: "?"))
        wildcards = (host + path).count { $0 >= 256 }
    }

    private static func compile(_ text: [UInt8], isGlob: Bool) -> [UInt16] {
        var places: [UInt16] = []
        var i = 0
        while i < text.count {
            if isGlob && text[i] == UInt8(ascii: "*") {
                let isDouble = i + 1 < text.count && text[i + 1] == UInt8(ascii: "*")
                places.append(isDouble ? doubleStar : star)
                i += isDouble ? 2 : 1
                continue
            }
            places.append(UInt16(text[i]))
            // As in keys.
            if text[i] == UInt8(ascii: "|") { places.append(UInt16(text[i])) }
            i += 1
        }
        return places
    }

    /// Whether a key's host and target match.
    func matches(host theirs: Span<UInt8>, target: Span<UInt8>) -> Bool {
        guard host.isEmpty || matchesHost(theirs) else { return false }
        guard isGlob else { return isBeginning(of: target) }
        var end = target.count
        if !hasQuery, let mark = target.firstIndex(of: UInt8(ascii: "?")) { end = mark }
        return PurgePattern.matches(path, target.extracting(0..<end))
    }

    private func matchesHost(_ theirs: Span<UInt8>) -> Bool {
        var end = theirs.count
        if !hasPort {
            // The port is what follows the last colon, unless that is inside of brackets.
            var i = end
            while i > 0, ASCII.isDigit(theirs[i - 1]) { i -= 1 }
            if i > 0, i < end, theirs[i - 1] == UInt8(ascii: ":") { end = i - 1 }
        }
        return PurgePattern.matches(host, theirs.extracting(0..<end))
    }

    private func isBeginning(of target: Span<UInt8>) -> Bool {
        guard target.count >= path.count else { return false }
        for i in path.indices where path[i] != UInt16(target[i]) { return false }
        return true
    }

    /// Matches by going back to the last wildcard alone: what an earlier one could take is tried already, as
    /// long as a `*` cannot reach beyond its segment; then the last `**` takes one byte more.
    ///
    /// A match that takes more than `CacheBounds.globSteps` steps counts as one that fits: more is purged, never
    /// less.
    static func matches(_ pattern: [UInt16], _ text: Span<UInt8>) -> Bool {
        let slash = UInt8(ascii: "/")
        var (p, t) = (0, 0)
        var single: (p: Int, t: Int)?
        var double: (p: Int, t: Int)?
        for _ in 0..<CacheBounds.globSteps {
            if p < pattern.count && pattern[p] == star {
                single = (p, t)
                p += 1
            } else if p < pattern.count && pattern[p] == doubleStar {
                double = (p, t)
                single = nil
                p += 1
            } else if p < pattern.count && t < text.count && pattern[p] == UInt16(text[t]) {
                p += 1
                t += 1
            } else if p == pattern.count && t == text.count {
                return true
            } else if let back = single, back.t < text.count, text[back.t] != slash {
                single = (back.p, back.t + 1)
                (p, t) = (back.p + 1, back.t + 1)
            } else if let back = double, back.t < text.count {
                double = (back.p, back.t + 1)
                single = nil
                (p, t) = (back.p + 1, back.t + 1)
            } else {
                return false
            }
        }
        return true
    }
}
