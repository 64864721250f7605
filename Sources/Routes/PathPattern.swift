import Primitives

/// Why a path pattern cannot be used.
public enum PathProblem: Error, Equatable, Sendable {
    /// It does not begin with `/`.
    case noLeadingSlash
    /// `**` stands before the last segment.
    case restNotLast
    /// A wildcard shares its segment with other text (`/a*`, `/{id}.json`), or a brace is unpaired.
    case mixedSegment
    /// A `{}` without a name, or a name that begins with a digit or has characters other than letters,
    /// digits and `_`.
    case badName
    /// Two segments have the same name.
    case repeatedName
    /// `//`, `.` or `..`: no request has such a segment once its path is normalised.
    case unreachableSegment
    /// `?` or `#`: a pattern is matched with the path alone.
    case notAPath
    /// More than `RouteDefinition.pathSegmentsMax` segments.
    case tooManySegments
}

/// A path pattern in parts: fixed segments, then perhaps any number more.
///
///     /api/{id}/*/**   →   [literal "api", any, any], endsOpen
///     /a/              →   [literal "a", literal ""]
struct PathPattern: Equatable, Sendable {
    /// One part between slashes.
    enum Segment: Equatable, Sendable {
        /// Exactly these bytes, in the normal form of a request's path; empty after a trailing slash.
        case literal([UInt8])
        /// Any one segment that is not empty.
        case any
    }

    /// The segments before a `**`.
    private(set) var segments: [Segment] = []
    /// Whether `**` follows: any number of segments, none included.
    private(set) var endsOpen = false

    init(_ text: String) throws(PathProblem) {
        let bytes = Array(text.utf8)
        guard bytes.first == UInt8(ascii: "/") else { throw .noLeadingSlash }
        if bytes.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
            throw .notAPath
        }
        let parts = bytes.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count <= RouteDefinition.pathSegmentsMax else { throw .tooManySegments }
        var names: Set<[UInt8]> = []
        for (index, part) in parts.enumerated() {
            let part = Array(part)
            let isLast = index == parts.count - 1
            if part == Array("**".utf8) {
                guard isLast else { throw .restNotLast }
                endsOpen = true
            } else if part == Array("*".utf8) {
                segments.append(.any)
            } else if let name = try PathPattern.name(in: part) {
                guard names.insert(name).inserted else { throw .repeatedName }
                segments.append(.any)
            } else {
                if part.isEmpty && !isLast { throw .unreachableSegment }
                if part == Array(".".utf8) || part == Array("..".utf8) { throw .unreachableSegment }
                segments.append(.literal(PathPattern.normalised(part)))
            }
        }
    }

    /// The name in `{name}`; `nil` for a segment without wildcards.
    private static func name(in part: [UInt8]) throws(PathProblem) -> [UInt8]? {
        let open = UInt8(ascii: "{")
        let close = UInt8(ascii: "}")
        guard part.contains(where: { $0 == open || $0 == close || $0 == UInt8(ascii: "*") }) else {
            return nil
        }
        guard part.count >= 2, part.first == open, part.last == close else { throw .mixedSegment }
        let name = Array(part[1..<(part.count - 1)])
        if name.contains(where: { $0 == open || $0 == close }) { throw .mixedSegment }
        let isWord = name.allSatisfy {
            ASCII.isAlpha($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_")
        }
        guard isWord, let first = name.first, !ASCII.isDigit(first) else { throw .badName }
        return name
    }

    /// A literal as a request's path has it (RFC 3986 §6.2.2): unreserved characters plain, others that
    /// a path cannot hold as `%XX` in upper case.
    private static func normalised(_ part: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var i = 0
        while i < part.count {
            var byte = part[i]
            var mustEscape = !isPathCharacter(byte)
            if byte == UInt8(ascii: "%"), i + 2 < part.count,
                let high = ASCII.hexValue(part[i + 1]), let low = ASCII.hexValue(part[i + 2])
            {
                byte = high << 4 | low
                mustEscape = !isUnreserved(byte)
                i += 2
            }
            i += 1
            if mustEscape {
                let digits = Array("0123456789ABCDEF".utf8)
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                result.append(byte)
            }
        }
        return result
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isAlpha(byte) || ASCII.isDigit(byte) || Array("-._~".utf8).contains(byte)
    }

    /// `pchar` of RFC 3986 §3.3 without the percent sign, which is escaped when it escapes nothing.
    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        isUnreserved(byte) || Array("!$&'()*+,;=:@".utf8).contains(byte)
    }

    /// Whether every path that `other` matches is matched by `self`.
    func covers(_ other: PathPattern) -> Bool {
        guard other.segments.count >= segments.count else { return false }
        guard endsOpen || (other.segments.count == segments.count && !other.endsOpen) else {
            return false
        }
        return zip(segments, other.segments).allSatisfy { mine, theirs in
            mine == .any ? theirs != .literal([]) : mine == theirs
        }
    }
}

extension RouteDefinition {
    /// The most segments of a path, which also bounds the recursion of a match.
    public static let pathSegmentsMax = 64

    /// Why the path cannot be used, or `nil`. `RouteTable` takes only routes without a problem.
    public var pathProblem: PathProblem? {
        do throws(PathProblem) {
            _ = try PathPattern(path)
            return nil
        } catch {
            return error
        }
    }
}
