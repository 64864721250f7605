import Admin
import Config
import EventLoop
import Identity
import Primitives
import Proxy
import RedisClient
import Settings
import Upstreams

/// `weir run`: the proxy until a signal ends it.
struct RunCommand {
    let file: String

    func run() -> Never {
        let processors = Host.processors
        let settings = ConfigurationFile.load(file)
        _ = Host.raiseDescriptorLimit()
        guard let loop = EventLoop(),
            let signals = SignalSource([Host.terminate, Host.interrupt, Host.hangUp], loop: loop),
            let log = LogPipe(descriptor: 1)
        else { fail("the system refused a descriptor") }
        let events = EventLog(log, level: settings.log.level)
        let keeper = KeyFiles.keeper(of: settings, on: loop) { events.keys($0, at: loop.clock) }
        let keys = load(keeper)
        let server: ProxyServer
        do {
            server = try ProxyServer(settings: settings, log: log)
        } catch {
            switch error {
            case .noDescriptors: fail("the system refused a descriptor")
            case .cannotListen(let address, let reason):
                fail("cannot listen on \(address.text): \(reason.text)")
            }
        }
        let process = ProxyProcess(settings, server, loop, events, keeper, file, processors)
        process.start(signals, keys)
        loop.run()
        Host.exit(process.status)
    }

    /// The keys of all files, or an explanation for people and the end of the process.
    private func load(_ keeper: KeyKeeper) -> CredentialKeys {
        do {
            return try keeper.load()
        } catch {
            Host.write(
                "weir: \(error.source): \(error.reason); nothing was started\n", toError: true)
            Host.exit(ExitStatus.configuration)
        }
    }

    private func fail(_ problem: String) -> Never {
        Host.write("weir: \(problem)\n", toError: true)
        Host.exit(ExitStatus.system)
    }
}

/// The process around the data plane: signals, health probes, the admin address, on a loop of their own.
final class ProxyProcess {
    private(set) var status: Int32 = 0
    private var settings: ProxySettings
    private let server: ProxyServer
    private let loop: EventLoop
    private var events: EventLog
    private var admin: AdminServer?
    private var watches: [UpstreamWatch] = []
    private var keeper: KeyKeeper
    private var warmer: Warmer?
    /// The ways to Redis of what concerns the process as a whole; `nil` without one.
    private let redis: RedisClients?
    /// The link to the other processes that share the Redis.
    private let fleet: FleetLink?
    private let file: String
    /// What `workers: auto` stands for in this process.
    private let processors: Int
    private var wantsReload = false
    private var isReloading = false

    init(
        _ settings: ProxySettings, _ server: ProxyServer, _ loop: EventLoop, _ events: EventLog,
        _ keeper: KeyKeeper, _ file: String, _ processors: Int
    ) {
        self.settings = settings
        self.server = server
        self.loop = loop
        self.events = events
        self.keeper = keeper
        self.file = file
        self.processors = processors
        let shared = server.shared
        if let stores = settings.redis, let healths = shared.redis, let state = shared.fleet {
            var random = SeededRandom(seed: UInt64.random(in: .min ... .max))
            let clients = RedisClients(stores, loop: loop, healths: healths, random: &random)
            redis = clients
            fleet = FleetLink(
                clients.cache, state, random: SeededRandom(seed: random.next()),
                apply: { shared.purgeHere($0, on: loop) },
                free: { shared.background.free($0) })
        } else {
            redis = nil
            fleet = nil
        }
    }

    func start(_ signals: SignalSource, _ keys: CredentialKeys) {
        var adminAddress: SocketAddress?
        if let adminSettings = settings.admin {
            let admin = AdminServer(
                adminSettings, server: server, loop: loop,
                changed: { [self] in events.cache($0, at: loop.clock) }, awaitRedis: awaitRedis,
                forgetShared: redis.map { redis in { await redis.forgetLimits($0) } })
            do {
                adminAddress = try admin.start()
            } catch {
                Host.write(
                    "weir: cannot listen on \(adminSettings.address.text): \(error.text)\n",
                    toError: true)
                Host.exit(ExitStatus.system)
            }
            self.admin = admin
        }
        watchUpstreams()
        watchRedis()
        fleet?.start()
        server.start(keys: keys)
        events.started(
            server.addresses, admin: adminAddress, workers: settings.workers, at: loop.clock)
        keepKeys()
        returnFreedMemory()
        let warmer = Warmer(
            server, world: WarmWorld(redis?.cache) { [self] in events.warm($0, at: loop.clock) },
            loop: loop,
            seed: UInt64.random(in: .min ... .max))
        warmer.start(settings.warm)
        self.warmer = warmer
        loop.start { [self] in await obey(signals) }
    }

    /// How long the others are told at the end what was purged here.
    private static let farewell = Nanoseconds.seconds(1)

    /// Waits until Redis has what was purged here; `nil` without Redis.
    private var awaitRedis: (() async -> Bool)? {
        guard let fleet, let stores = settings.redis else { return nil }
        let loop = loop
        // A call of an earlier purge and one of this one.
        let patience = Nanoseconds(stores.cache.timeout.count * 2)
        return { await fleet.sent(until: loop.now + patience) }
    }

    /// Gives back again and again what bursts have left: the allocator alone keeps it for good.
    private func returnFreedMemory() {
        loop.start { [loop] in
            while true {
                await loop.sleep(for: ProxyProcess.freedMemoryKept)
                Host.returnFreedMemory()
            }
        }
    }

    /// How long memory that was freed may stay with the process.
    private static let freedMemoryKept = Nanoseconds.seconds(30)

    /// Begins to watch what the keeper has read.
    private func keepKeys() {
        let server = server
        keeper.start(
            health: server.shared.keys, wantsKeys: { await server.wantsKeys() },
            adopt: { await server.adopt(keys: $0) })
    }

    /// Watches the upstreams there are now; those that are watched already go on.
    private func watchUpstreams() {
        let former = watches
        watches = zip(settings.upstreams, server.shared.upstreams).map { upstream, health in
            if let watch = former.first(where: { $0.health === health }) {
                watch.probe(upstream)
                return watch
            }
            let watch = UpstreamWatch(upstream, health, loop) { [self] isReachable in
                events.upstream(health.name, isReachable: isReachable, at: loop.clock)
            }
            watch.start()
            return watch
        }
        for watch in former where !watches.contains(where: { $0 === watch }) { watch.stop() }
    }

    /// Tells of each Redis what changes, and once what is to be said about it.
    private func watchRedis() {
        guard let stores = settings.redis, let shared = server.shared.redis else { return }
        for health in shared.all {
            RedisWatch(
                health, health === shared.limits ? stores.limits : stores.cache,
                RedisUse(
                    of: settings, isLimits: health === shared.limits,
                    isCache: health === shared.cache),
                events, loop
            ).start()
        }
    }

    /// The first SIGTERM or SIGINT drains, a second one ends at once; SIGHUP reads the file again.
    private func obey(_ signals: SignalSource) async {
        var isDraining = false
        while true {
            let signal = await signals.next()
            if signal == Host.hangUp {
                // One that comes during a reload is for what the file says by then.
                wantsReload = !isDraining
                if wantsReload && !isReloading { loop.start { [self] in await reload() } }
            } else if isDraining {
                Host.exit(ExitStatus.cutOff)
            } else {
                isDraining = true
                loop.start { [self] in await drain() }
            }
        }
    }

    // MARK: Reload

    private func reload() async {
        isReloading = true
        defer { isReloading = false }
        while wantsReload {
            wantsReload = false
            do {
                await follow(try ConfigurationFile.read(file, processors: processors))
            } catch {
                server.shared.noteFailedReload()
                report(error)
            }
        }
    }

    /// Follows `new`, unless that needs another process.
    private func follow(_ new: ProxySettings) async {
        let change = SettingsChange(from: settings, to: new)
        guard change.needsRestart.isEmpty else {
            server.shared.noteFailedReload()
            return events.reloadNeedsRestart(change.needsRestart, at: loop.clock)
        }
        var keys: CredentialKeys?
        if new.identity.jwt != settings.identity.jwt
            || new.identity.apiKeys != settings.identity.apiKeys
        {
            let newKeeper = KeyFiles.keeper(of: new, after: keeper, on: loop) { [self] event in
                events.keys(event, at: loop.clock)
            }
            do {
                // Before anything is followed, so that no token is judged without its key.
                _ = try newKeeper.load()
                await newKeeper.fetchFirst()
                keys = newKeeper.keys
            } catch {
                server.shared.noteFailedReload()
                return events.reloadFailed(
                    ["\(error.source): \(error.reason)"], count: 1, at: loop.clock)
            }
            await keeper.stop()
            keeper = newKeeper
        }
        await server.adopt(new, keys: keys, at: loop.clock.wall)
        if keys != nil { keepKeys() }
        settings = new
        warmer?.follow(new.warm)
        watchUpstreams()
        // The line is written by the level it may have changed.
        events.level = new.log.level
        let generation = server.shared.configurationState.generation
        events.reloaded(change, generation: generation, at: loop.clock)
    }

    private func report(_ fault: ConfigurationFile.Fault) {
        switch fault {
        case .unreadable(let reason):
            events.reloadFailed(["cannot read \(file): \(reason)"], count: 1, at: loop.clock)
        case .wrong(let failure):
            let problems = failure.problems.prefix(EventLog.problemsMax).map { problem in
                "\(failure.file):\(problem.line):\(problem.column): \(problem.message)"
            }
            events.reloadFailed(
                problems, count: failure.problems.count + failure.omitted, at: loop.clock)
        }
    }

    private func drain() async {
        events.draining(at: loop.clock)
        // Not ready from now on; the file is small, and who stops us may not wait for the end.
        server.shared.beginDraining()
        await warmer?.stop()
        let left = await server.drain(until: loop.now + settings.drain, on: loop)
        await fleet?.stop(until: loop.now + ProxyProcess.farewell)
        redis?.close()
        events.stopped(cutOff: left, at: loop.clock)
        await events.flush(on: loop)
        loop.stop()
    }
}
