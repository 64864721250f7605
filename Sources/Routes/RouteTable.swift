public import HTTPModel
import Primitives

/// The routes of a configuration, compiled: which of them a request gets. The first match wins.
///
/// **Paths.** A pattern is compared segment by segment with the normalised path. `*` and `{name}` stand
/// for one segment that is not empty, a last `**` for any number of segments: `/api/**` matches `/api`,
/// `/api/` and `/api/x/y`. Literals are compared with case. Several slashes in a row count as one, so
/// that `//admin` cannot slip past `/admin`. A trailing slash is an empty segment of its own: `/a` and
/// `/a/` are different, and only `/a/**` matches both. The target `*` (RFC 9110 §9.3.7) has no segments:
/// only `/**` matches it.
///
/// **Cost.** Each segment of the path is looked up once per node entered; a node is entered at most
/// once, only with a prefix of the path that its pattern matches, and only when it can still yield an
/// earlier route. Where patterns do not overlap that is O(path length), whatever the number of routes. At
/// worst it is all nodes of the tree, which are no more than the patterns' segments. Routes of one same
/// pattern are tried in order. Nothing is allocated.
public final class RouteTable: Sendable {
    private let trie: SegmentTrie
    private let conditions: RequestConditions

    /// Compiles `routes`, in order. Their paths must be without a `pathProblem`.
    public init(_ routes: [RouteDefinition]) {
        let patterns = routes.map { route in
            do throws(PathProblem) {
                return try PathPattern(route.path)
            } catch {
                preconditionFailure("route path \(route.path): \(error)")
            }
        }
        trie = SegmentTrie(patterns)
        conditions = RequestConditions(routes)
    }

    /// The index of the first route that matches `request`, or `nil`.
    public func match(_ request: borrowing RequestHead) -> Int? {
        var visits = 0
        return match(request, visits: &visits)
    }

    /// As `match`, adding the number of nodes entered to `visits`.
    func match(_ request: borrowing RequestHead, visits: inout Int) -> Int? {
        let path = request.span(request.path)
        var best = Int.max
        if path.count > 0 && path[0] == UInt8(ascii: "/") {
            descend(from: 0, path: path, at: 0, request, &best, &visits)
        } else {
            visits += 1
            choose(trie.nodes[0].opens, request, &best)
        }
        return best == .max ? nil : best
    }

    /// Looks below the node `start` for a route before `best`; `offset` is where the path goes on.
    ///
    /// Recursion goes as deep as the tree, `RouteDefinition.pathSegmentsMax` at most.
    private func descend(
        from start: Int, path: Span<UInt8>, at offset: Int, _ request: borrowing RequestHead,
        _ best: inout Int, _ visits: inout Int
    ) {
        var index = start
        var offset = offset
        while trie.nodes[index].least < best {
            let node = trie.nodes[index]
            visits += 1
            choose(node.opens, request, &best)
            guard offset < path.count else {
                choose(node.ends, request, &best)
                return
            }
            guard node.leastBelow < best else { return }
            while offset < path.count && path[offset] == UInt8(ascii: "/") { offset += 1 }
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: offset) ?? path.count
            let segment = path.extracting(offset..<end)
            offset = end

            let any = segment.isEmpty ? 0 : node.any
            let literal = trie.segments.number(of: segment).flatMap {
                trie.child(of: index, literal: $0)
            }
            if any != 0, let literal {
                descend(from: literal, path: path, at: offset, request, &best, &visits)
            }
            guard let next = any != 0 ? any : literal else { return }
            index = next
        }
    }

    /// Takes the first of the listed routes that is before `best` and whose conditions hold.
    private func choose(_ list: ByteRange, _ request: borrowing RequestHead, _ best: inout Int) {
        for position in list.indices {
            let route = trie.routes[position]
            if route >= best { return }
            if conditions.hold(for: route, request) {
                best = route
                return
            }
        }
    }
}
