import EventLoop
import Primitives
import RedisClient
import Settings
import Upstreams

/// `weir check --connect`: tries every server that a configuration names, one after the other, and says line by
/// line what it finds.
struct ConnectCheck {
    /// The longest time for one server.
    private static let patience = Nanoseconds.seconds(5)

    private let settings: ProxySettings
    private let loop: EventLoop
    private let say: (String) -> Void

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
            if await !check(redis, name, use) { isWell = false }
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

    // MARK: Redis

    private func check(_ redis: RedisSettings, _ name: String, _ use: RedisUse) async -> Bool {
        let inspection = RedisInspection(redis, loop: loop)
        var isWell = true
        for place in redis.topology.places {
            let title = "\(name): \(text(of: place))"
            do throws(RedisConnectFailure) {
                let found = try await inspection.look(at: place, until: deadline(redis))
                tell(title, found.facts, found.roundTrip, limit: redis.timeout)
                for risk in found.facts.risks(for: use, under: redis) {
                    say("\(title): warning: \(risk.text)")
                    if risk.isFatal { isWell = false }
                }
                if found.facts.isLoading {
                    say("\(title): failed: it still reads its data")
                    isWell = false
                } else if try await !work(inspection, at: place, title, until: deadline(redis)) {
                    isWell = false
                }
            } catch {
                say("\(title): failed: \(error.text)")
                isWell = false
            }
        }
        return isWell
    }

    /// What `weir run` would need there.
    private func work(
        _ inspection: RedisInspection, at place: RedisSettings.Place, _ title: String,
        until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> Bool {
        if let refusal = try await inspection.tryWork(at: place, until: deadline) {
            say("\(title): failed: \(refusal.text)")
            return false
        }
        say("\(title): ok, writes and scripts work")
        return true
    }

    private func tell(
        _ title: String, _ facts: RedisFacts, _ roundTrip: Nanoseconds, limit: Nanoseconds
    ) {
        var parts = ["Redis \(facts.version)", facts.mode, facts.role]
        if facts.replicas > 0 { parts.append("\(facts.replicas) replicas") }
        parts.append("answers in \(text(of: roundTrip))")
        say("\(title): ok, \(parts.filter { !$0.isEmpty }.joined(separator: ", "))")
        let most = facts.memoryMax == 0 ? "all there is" : text(ofBytes: facts.memoryMax)
        say(
            "\(title): memory \(text(ofBytes: facts.usedMemory)) of \(most), "
                + "maxmemory-policy \(facts.memoryPolicy)")
        if roundTrip > limit {
            say("\(title): warning: slower than redis.timeout; most requests would not wait for it")
        }
    }

    private func deadline(_ redis: RedisSettings) -> MonotonicTime {
        loop.now + min(redis.connectTimeout, ConnectCheck.patience)
    }

    // MARK: Words

    private var now: MonotonicTime { loop.kernel.now().monotonic }

    private func text(of place: RedisSettings.Place) -> String {
        switch place {
        case .unix(let path): path
        case .host(let name, let port):
            name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)"
        }
    }

    /// Milliseconds with one digit after the point.
    private func text(of time: Nanoseconds) -> String {
        let tenths = (time.count + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    private func text(ofBytes bytes: UInt64) -> String {
        let tenths = bytes * 10 / (1 << 20)
        return "\(tenths / 10).\(tenths % 10) MiB"
    }
}
