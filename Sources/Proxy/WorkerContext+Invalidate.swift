import Caching
import EventLoop
import HTTPModel
import Primitives
import Routes

extension WorkerContext {
    /// Drops what is stored for the target of an unsafe request that succeeded (RFC 9111 §4.4).
    ///
    /// A POST whose route stores answers to POST only asks: it changes nothing.
    func invalidate(_ request: borrowing RequestHead, _ status: Status, _ blueprint: Blueprint) {
        guard blueprint.caches, Invalidation.isDue(method: request.method, status: status) else {
            return
        }
        if let index = blueprint.table.match(request),
            blueprint.routes[index].cache?.policy.methods.take(request.method) ?? false
        {
            return
        }
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
            shared.cache.invalidate(base: base.span, at: loop.now)
        }
    }
}
