import Caching
import EventLoop
import HTTPModel
import Identity
import Primitives
import Routes

extension WorkerContext {
    /// Takes note of the origin's answer to a request that was sent past the cache: one with an unsafe method that
    /// succeeded invalidates what is stored for its target and for the targets that the answer names (RFC 9111
    /// §4.4), and purges tags and groups.
    func noteAnswer(
        to request: borrowing RequestHead, _ identity: borrowing ResolvedIdentity,
        _ answer: borrowing ResponseHead, _ route: Route, _ blueprint: Blueprint
    ) {
        guard blueprint.caches else { return }
        if invalidates(request, answer.status, blueprint) {
            invalidate(request, blueprint)
            if answer.fields.containsAny(of: Invalidation.alsoNamed) {
                invalidateNamed(by: answer, to: request, identity, blueprint)
            }
        }
        purge(request, identity, answer, route, blueprint)
    }

    private func invalidateNamed(
        by answer: borrowing ResponseHead, to request: borrowing RequestHead,
        _ identity: borrowing ResolvedIdentity, _ blueprint: Blueprint
    ) {
        // Whether the client spoke https to a trusted proxy in front of this one.
        let isSecure =
            identity.peerIsTrusted
            && request.fields.first(.xForwardedProto)?.equalsIgnoringCase("https") ?? false
        var named = copy request
        var target: [UInt8] = []
        for i in answer.fields.indices where Invalidation.alsoNamed.contains(answer.fields[i].name)
        {
            let pathCount = Invalidation.resolve(
                answer.fields.value(at: i), for: request, isSecure: isSecure, into: &target)
            guard let pathCount else { continue }
            named.setTarget(target.span, pathCount: pathCount)
            invalidate(named, blueprint)
        }
    }

    /// Whether what is stored for the target of a request must go (RFC 9111 §4.4).
    ///
    /// A POST whose route stores answers to POST only asks: it changes nothing.
    private func invalidates(
        _ request: borrowing RequestHead, _ status: Status, _ blueprint: Blueprint
    ) -> Bool {
        guard Invalidation.isDue(method: request.method, status: status) else { return false }
        guard let index = blueprint.table.match(request) else { return true }
        return !(blueprint.routes[index].cache?.policy.methods.take(request.method) ?? false)
    }

    /// Drops what is stored for the target of a request.
    private func invalidate(_ request: borrowing RequestHead, _ blueprint: Blueprint) {
        // The answers to invalidate are those of the routes that take the same target to read it.
        var reading = copy request
        for (methods, method) in CachePolicy.Methods.all
        where blueprint.cachedMethods.contains(methods) {
            reading.method = method
            guard let index = blueprint.table.match(reading),
                let cache = blueprint.routes[index].cache, cache.policy.methods.contains(methods)
            else { continue }
            var base: [UInt8] = []
            CacheKey.buildBase(into: &base, request: reading, rules: cache)
            shared.invalidate(base: base, id: random.next(), at: loop.clock)
        }
    }
}

extension RequestHead {
    /// Replaces the target by a normalised one.
    fileprivate mutating func setTarget(_ new: Span<UInt8>, pathCount: Int) {
        target = fields.appendBytes(new)
        path = ByteRange(start: Int(target.start), count: pathCount)
        query =
            pathCount < new.count
            ? ByteRange(start: path.end + 1, count: new.count - pathCount - 1) : nil
    }
}
