import Caching
import Limits
import RedisClient
import Settings

extension RedisUse {
    /// What `settings` do with the limits' Redis (`isLimits`), with the cache's (`isCache`), or with both in one.
    init(of settings: ProxySettings, isLimits: Bool, isCache: Bool) {
        self.init(
            countsLimits: isLimits && settings.limits.contains { $0.consistency != .process },
            storesAnswers: isCache && settings.routes.contains { $0.cache?.isShared ?? false })
    }
}
