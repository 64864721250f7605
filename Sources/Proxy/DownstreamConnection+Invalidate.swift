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
        } else {
            worker.noteAnswer(
                to: exchange.request, exchange.identity, answer, route, snapshot.blueprint)
        }
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
