import Primitives
import Routes
import Settings

/// Reads the path of a route. What a pattern may be is Routes' to say; here are the words for it.
extension Report {
    /// Reports what is wrong with the path of a route; `true` when it can be used.
    func checkPath(_ value: Value) -> Bool {
        guard let text = text(value, "a path", help: "for example `/api/users/{id}` or `/api/**`")
        else { return false }
        guard text.utf8.count <= Bounds.pathBytes else {
            error(value, "longer than \(Bounds.pathBytes) bytes")
            return false
        }
        if let problem = RouteDefinition(name: "", path: text).pathProblem {
            let (message, help) = Self.words(for: problem, of: text)
            error(value, message, help: help)
            return false
        }
        if let segment = Self.segments(text).first(where: { !Self.isEncoded($0) }) {
            let (message, help) = Self.notEncoded(segment)
            error(value, message, help: help)
            return false
        }
        return true
    }

    /// Reads `strip_prefix:` the first literal segments of the route's path.
    func stripPrefix(_ value: Value, _ route: inout ParsedRoute) {
        guard let text = text(value, "the beginning of the path", help: "for example `/api`") else {
            return
        }
        route.settings.stripPrefix = text
        let parts = Self.segments(text)
        let isPrefix =
            text.hasPrefix("/") && !parts.contains("") && !text.contains { "*{}".contains($0) }
            && Self.segments(route.settings.match.path).starts(with: parts)
        guard route.hasRightPath, !isPrefix else { return }
        error(
            value,
            "\"\(Value.shortened(text))\" is not made of the first segments of the route's path",
            help: "for `path: /api/admin/**` it can be `/api` or `/api/admin`")
    }

    private static func segments(_ path: String) -> [Substring] {
        path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func words(
        for problem: PathProblem, of path: String
    ) -> (message: String, help: String?) {
        let parts = segments(path)
        // Where the fault is that of one segment, that segment alone has it too.
        let segment =
            parts.first { RouteDefinition(name: "", path: "/\($0)").pathProblem == problem } ?? ""
        let shown = Value.shortened(String(segment))
        switch problem {
        case .noLeadingSlash:
            return ("a path begins with `/`", "write `/\(Value.shortened(path))`")
        case .tooManySegments:
            return ("more than \(RouteDefinition.pathSegmentsMax) segments", nil)
        case .restNotLast:
            return ("`**` can only be the last segment", "use `*` for one segment")
        case .repeatedName:
            let names = parts.enumerated().filter { $1.hasPrefix("{") }
            let again = names.first { parts[..<$0.offset].contains($0.element) }?.element ?? ""
            return ("`\(Value.shortened(String(again)))` stands twice", nil)
        case .unreachableSegment:
            let subject = segment.isEmpty ? "an empty segment" : "`\(shown)`"
            return ("\(subject) never matches: paths are normalised first", nil)
        case .badName: return ("`\(shown)` is no name", "for example `{id}`")
        case .mixedSegment:
            return (
                "`\(shown)` mixes text with `*` or `{name}`",
                "`*`, `**` and `{name}` are whole segments"
            )
        case .notAPath: return notEncoded(segment)
        }
    }

    private static func notEncoded(_ segment: Substring) -> (message: String, help: String?) {
        (
            "`\(Value.shortened(String(segment)))` has characters that a path has percent-encoded only",
            "for example `%20` for a space; a query cannot be part of a path"
        )
    }

    /// Whether a segment stands as it arrives (RFC 3986 §3.3): what is no `pchar` is percent-encoded.
    private static func isEncoded(_ segment: Substring) -> Bool {
        let isWildcard = segment == "*" || segment == "**" || segment.hasPrefix("{")
        let escapes = segment.split(separator: "%", omittingEmptySubsequences: false).dropFirst()
        return isWildcard
            || segment.utf8.allSatisfy {
                Text.isLetterOrDigit($0) || "-._~!$&'()+,;=:@%".utf8.contains($0)
            }
                && escapes.allSatisfy {
                    $0.utf8.count >= 2 && $0.utf8.prefix(2).allSatisfy { ASCII.hexValue($0) != nil }
                }
    }
}
