/// Which requests a route takes, prepared once: of a long list each is compared with all before it.
public struct RouteReach: Sendable {
    private let pattern: PathPattern?
    private let methods: [String]
    /// In lower case; `nil`: all.
    private let host: String?
    private let headers: [RouteDefinition.HeaderCondition]

    /// Prepares `route`. One whose path has a `pathProblem` covers nothing and is covered by nothing.
    public init(_ route: RouteDefinition) {
        pattern = try? PathPattern(route.path)
        methods = route.methods
        host = route.host?.lowercased()
        headers = route.headers
    }

    /// Whether every request that `other` matches is surely matched by this route as well, so that
    /// `other` is unreachable when it stands later.
    ///
    /// Careful in one direction: `true` is certain, `false` may only mean that it was not proven. Two
    /// routes that together cover a third are not seen.
    public func covers(_ other: RouteReach) -> Bool {
        guard let pattern, let theirs = other.pattern else { return false }
        return pattern.covers(theirs) && coversMethods(of: other) && coversHost(of: other)
            && headers.allSatisfy { condition in
                other.headers.contains {
                    $0.name == condition.name
                        && (condition.value == nil || $0.value == condition.value)
                }
            }
    }

    private func coversMethods(of other: RouteReach) -> Bool {
        if methods.isEmpty { return true }
        if other.methods.isEmpty { return false }
        return other.methods.allSatisfy {
            methods.contains($0) || ($0 == "HEAD" && methods.contains("GET"))
        }
    }

    private func coversHost(of other: RouteReach) -> Bool {
        guard let host else { return true }
        guard let theirs = other.host else { return false }
        if host == theirs { return true }
        // `*.example.com` covers `a.example.com` and `*.a.example.com`, not `example.com`.
        return host.hasPrefix("*.") && theirs.hasSuffix(host.dropFirst())
            && theirs.utf8.count > host.utf8.count - 1
    }
}
