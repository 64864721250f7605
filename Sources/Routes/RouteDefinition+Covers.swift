extension RouteDefinition {
    /// Whether every request that `other` matches is surely matched by this route as well, so that
    /// `other` is unreachable when it stands later.
    ///
    /// Careful in one direction: `true` is certain, `false` may only mean that it was not proven. Two
    /// routes that together cover a third are not seen. Paths with a problem cover nothing.
    public func covers(_ other: RouteDefinition) -> Bool {
        guard let mine = try? PathPattern(path), let theirs = try? PathPattern(other.path) else {
            return false
        }
        return mine.covers(theirs) && coversMethods(of: other) && coversHost(of: other)
            && headers.allSatisfy { condition in
                other.headers.contains {
                    $0.name == condition.name
                        && (condition.value == nil || $0.value == condition.value)
                }
            }
    }

    private func coversMethods(of other: RouteDefinition) -> Bool {
        if methods.isEmpty { return true }
        if other.methods.isEmpty { return false }
        return other.methods.allSatisfy {
            methods.contains($0) || ($0 == "HEAD" && methods.contains("GET"))
        }
    }

    private func coversHost(of other: RouteDefinition) -> Bool {
        guard let mine = host?.lowercased() else { return true }
        guard let theirs = other.host?.lowercased() else { return false }
        if mine == theirs { return true }
        // `*.example.com` covers `a.example.com` and `*.a.example.com`, not `example.com`.
        return mine.hasPrefix("*.") && theirs.hasSuffix(mine.dropFirst())
            && theirs.utf8.count > mine.utf8.count - 1
    }
}
