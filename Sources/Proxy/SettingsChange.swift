import Limits
import Routes
public import Settings

/// What differs between two configurations, as operators want to read it.
public struct SettingsChange: Sendable, Equatable {
    /// How many of a kind came, went, or say something else under the same name.
    public struct Count: Sendable, Equatable {
        /// New names.
        public var added: Int
        /// Names that say something else now.
        public var changed: Int
        /// Names that are gone.
        public var removed: Int

        /// Creates counts; without arguments nothing changed.
        public init(added: Int = 0, changed: Int = 0, removed: Int = 0) {
            self.added = added
            self.changed = changed
            self.removed = removed
        }
    }

    /// Routes.
    public var routes = Count()
    /// Limits.
    public var limits = Count()
    /// Upstreams.
    public var upstreams = Count()
    /// The other keys of the file that say something else: `http`, `log` and so on.
    public var others: [String] = []
    /// Keys that only a new process can follow.
    public var needsRestart: [String] = []
    /// Whether it is another identity: its keys must be read before it is followed.
    public var changesIdentity: Bool { others.contains("identity") }

    /// Compares two configurations.
    public init(from old: ProxySettings, to new: ProxySettings) {
        routes = SettingsChange.count(old.routes, new.routes, name: \.match.name) { a, b in
            SettingsChange.isSame(a, of: old, b, of: new)
        }
        limits = SettingsChange.count(old.limits, new.limits, name: \.name, isSame: ==)
        upstreams = SettingsChange.count(old.upstreams, new.upstreams, name: \.name, isSame: ==)
        let other = [
            ("identity", old.identity != new.identity), ("http", old.http != new.http),
            ("headers", old.headers != new.headers), ("log", old.log != new.log),
            ("shutdown", old.drain != new.drain),
            ("idempotency_memory", old.idempotencyMemory != new.idempotencyMemory),
            ("cache.warm", old.warm != new.warm),
            ("cache.memory", new.cacheMemory > 0 && old.cacheMemory != new.cacheMemory),
        ]
        others = other.filter(\.1).map(\.0)
        let fixed = [
            ("listen", old.listeners != new.listeners), ("admin", old.admin != new.admin),
            ("workers", old.workers != new.workers), ("limit_keys", old.limitKeys != new.limitKeys),
            ("redis", old.redis != new.redis),
        ]
        needsRestart = fixed.filter(\.1).map(\.0)
    }

    /// Whether two routes do the same; what they refer to is compared by name, as its place may have changed.
    private static func isSame(
        _ a: RouteSettings, of old: ProxySettings, _ b: RouteSettings, of new: ProxySettings
    ) -> Bool {
        var moved = a
        moved.upstream = b.upstream
        moved.limits = b.limits
        return moved == b && old.upstreams[a.upstream].name == new.upstreams[b.upstream].name
            && a.limits.map { old.limits[$0].name } == b.limits.map { new.limits[$0].name }
    }

    private static func count<Item>(
        _ old: [Item], _ new: [Item], name: (Item) -> String, isSame: (Item, Item) -> Bool
    ) -> Count {
        let known = Dictionary(old.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
        var count = Count()
        for item in new {
            guard let former = known[name(item)] else {
                count.added += 1
                continue
            }
            if !isSame(former, item) { count.changed += 1 }
        }
        count.removed = old.count - (new.count - count.added)
        return count
    }
}
