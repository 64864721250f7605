import Caching
import EventLoop
import HTTPModel
import Identity
import Primitives
import Routes

/// What answers that go past the cache mean for what is stored.
extension DownstreamConnection {
    /// Takes note of the origin's answer to a request that was forwarded: an unsafe-method request that
    /// succeeded invalidates, a HEAD updates.
    func noteForwarded(_ exchange: Exchange, _ route: Route, _ answer: borrowing ResponseHead) {
        guard snapshot.blueprint.caches else { return }
        if exchange.request.method == .head && answer.status == 200 {
            update(exchange, route, answer)
        } else if worker.invalidates(exchange.request, answer.status, snapshot.blueprint) {
            invalidate(exchange, answer)
        }
        worker.purge(
            exchange.request, exchange.identity, answer, route, snapshot.blueprint)
    }

    /// Drops what is stored for the target of the request and for the targets that its answer names (RFC 9111
    /// §4.4).
    private func invalidate(_ exchange: Exchange, _ answer: borrowing ResponseHead) {
        worker.invalidate(exchange.request, snapshot.blueprint)
        guard answer.fields.containsAny(of: Invalidation.alsoNamed) else { return }
        var named = exchange.request
        var target: [UInt8] = []
        for i in answer.fields.indices where Invalidation.alsoNamed.contains(answer.fields[i].name)
        {
            let pathCount = Invalidation.resolve(
                answer.fields.value(at: i), for: exchange.request,
                isSecure: wasSecure(exchange), into: &target)
            guard let pathCount else { continue }
            named.setTarget(target.span, pathCount: pathCount)
            worker.invalidate(named, snapshot.blueprint)
        }
    }

    /// Whether the client spoke https to a trusted proxy in front of this one.
    private func wasSecure(_ exchange: Exchange) -> Bool {
        guard exchange.identity.peerIsTrusted else { return false }
        let fields = exchange.request.fields
        return fields.first(.xForwardedProto)?.equalsIgnoringCase("https") ?? false
    }

    /// Updates or removes what is stored for the target of a HEAD (RFC 9111 §4.3.5).
    private func update(_ exchange: Exchange, _ route: Route, _ answer: borrowing ResponseHead) {
        guard let cache = route.cache,
            CacheBypass.reason(for: exchange.request, rules: cache) == nil,
            worker.buildKey(
                into: &exchange.cacheKey, exchange.request, exchange.identity, cache,
                exchange.content.digest)
        else { return }
        let key = exchange.cacheKey
        let delay = exchange.record.upstream ?? .zero
        let requested = MonotonicTime(nanoseconds: now.nanoseconds - delay.count)
        worker.shared.cache.apply(
            answer, key: key.span, request: exchange.request, rules: cache,
            times: FetchTimes(requested: requested, received: worker.loop.clock))
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
