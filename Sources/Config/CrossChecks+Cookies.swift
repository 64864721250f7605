import Caching
import Settings

/// Answers with cookies that are stored for somebody.
extension Report {
    /// `set_cookie: store` where the key does not name one user: a session's cookie would go to another one.
    func checkCookies(_ routes: [ParsedRoute], _ cache: ParsedCache, _ identity: ParsedIdentity) {
        var reported: Set<Int> = []
        for route in routes {
            guard let policy = route.settings.cache, policy.setCookie == .store else { continue }
            let place =
                route.cacheValue?.entry("set_cookie") ?? cache.value?.entry("set_cookie")
                ?? route.value
            guard reported.insert(place.line).inserted else { continue }
            if !policy.varyBy.contains(.user) {
                error(
                    keyOf: place,
                    "needs `vary_by: [user]`: one client's cookies would go to others",
                    help: "`strip` stores such answers without their cookies")
            } else if identity.hasRightSources && identity.hasUser && !identity.provesUser {
                error(
                    keyOf: place,
                    "`identity.user` comes from a cookie, which proves nothing: whoever sends it "
                        + "would get that user's cookies",
                    help: "add a source that proves the user, such as `jwt.sub`")
            }
        }
    }
}

extension Value {
    /// The value of a mapping's key.
    func entry(_ key: String) -> Value? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }
}
