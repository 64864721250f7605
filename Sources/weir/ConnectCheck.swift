import EventLoop
import Primitives
import RedisClient
import Settings
import Upstreams

/// `weir check --connect`: tries every server that a configuration names, one after the other, and says line by
/// line what it finds.
struct ConnectCheck {
    /// The longest time for one server.
    static let patience = Nanoseconds.seconds(5)

    private let settings: ProxySettings
    let loop: EventLoop
    let say: (String) -> Void

    /// Prepares a check that hands its lines to `say`.
    init(_ settings: ProxySettings, on loop: EventLoop, say: @escaping (String) -> Void) {
        self.settings = settings
        self.loop = loop
        self.say = say
    }

    /// Tries all of them; whether everything could be used.
    func run() async -> Bool {
        var isWell = true
        for upstream in settings.upstreams {
            for server in upstream.servers {
                if await !check(server, of: upstream) { isWell = false }
            }
        }
        guard let stores = settings.redis else { return isWell }
        let uses =
            stores.isOne
            ? [("redis", stores.limits, RedisUse(of: settings, isLimits: true, isCache: true))]
            : [
                (
                    "redis of limits", stores.limits,
                    RedisUse(of: settings, isLimits: true, isCache: false)
                ),
                (
                    "redis of the cache", stores.cache,
                    RedisUse(of: settings, isLimits: false, isCache: true)
                ),
            ]
        for (name, redis, use) in uses {
            let check = RedisCheck(self, redis, name, use)
            if await !check.run() { isWell = false }
        }
        return isWell
    }

    private func check(
        _ server: UpstreamSettings.Server, of upstream: UpstreamSettings
    ) async -> Bool {
        let began = now
        let deadline = loop.now + min(upstream.connectTimeout, ConnectCheck.patience)
        let fault = await ReachabilityProbe.fault(of: server, on: loop, until: deadline)
        let verdict =
            fault.map { "failed: \($0)" } ?? "ok, connected in \(text(of: now - began))"
        say("upstream \(upstream.name): \(server.authority): \(verdict)")
        return fault == nil
    }

    // MARK: Words

    var now: MonotonicTime { loop.kernel.now().monotonic }

    /// Milliseconds with one digit after the point.
    func text(of time: Nanoseconds) -> String {
        let tenths = (time.count + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    func text(ofBytes bytes: UInt64) -> String {
        let tenths = bytes * 10 / (1 << 20)
        return "\(tenths / 10).\(tenths % 10) MiB"
    }
}
