import HTTPModel
import Primitives
import Routes

/// A request head as the parser would leave it.
func request(
    _ path: String, method: String = "GET", host: String = "example.com",
    fields: [(String, String)] = []
) -> RequestHead {
    var head = RequestHead()
    head.method = Method(Array(method.utf8).span)
    head.methodRange = head.fields.appendBytes(Array(method.utf8).span)
    head.path = head.fields.appendBytes(Array(path.utf8).span)
    head.target = head.path
    head.authority = head.fields.appendBytes(Array(host.utf8).span)
    for (name, value) in fields {
        head.fields.append(name: Array(name.utf8).span, value: Array(value.utf8).span)
    }
    return head
}

/// The slow, obvious matcher: patterns and paths as lists of strings, every route tried in order.
enum RouteModel {
    static func match(_ routes: [RouteDefinition], method: String, path: String, host: String)
        -> Int?
    {
        routes.firstIndex { matches($0, method: method, path: path, host: host) }
    }

    static func matches(
        _ route: RouteDefinition, method: String, path: String, host: String
    ) -> Bool {
        let methodFits =
            route.methods.isEmpty || route.methods.contains(method)
            || (method == "HEAD" && route.methods.contains("GET"))
        return methodFits && hostFits(route.host, host)
            && pathFits(segments(route.path)[...], segments(path)[...])
    }

    private static func hostFits(_ wanted: String?, _ host: String) -> Bool {
        guard let wanted else { return true }
        guard wanted.hasPrefix("*.") else { return wanted == host }
        return host.hasSuffix(wanted.dropFirst()) && host.count > wanted.count - 1
    }

    private static func segments(_ path: String) -> [String] {
        var single = path
        while single.contains("//") { single.replace("//", with: "/") }
        return single.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
    }

    private static func pathFits(_ pattern: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool
    {
        guard let first = pattern.first else { return path.isEmpty }
        if first == "**" { return true }
        guard let segment = path.first else { return false }
        let fits = first == "*" || first.hasPrefix("{") ? !segment.isEmpty : first == segment
        return fits && pathFits(pattern.dropFirst(), path.dropFirst())
    }
}
