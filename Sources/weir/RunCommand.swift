import Admin
import EventLoop
import Identity
import Primitives
import Proxy
import Settings
import Upstreams

/// `weir run`: the proxy until a signal ends it.
struct RunCommand {
    let file: String

    func run() -> Never {
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
        let process = ProxyProcess(settings, server, loop, events)
        process.start(signals, keeper, keys)
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
    private let settings: ProxySettings
    private let server: ProxyServer
    private let loop: EventLoop
    private let events: EventLog
    private var admin: AdminServer?

    init(_ settings: ProxySettings, _ server: ProxyServer, _ loop: EventLoop, _ events: EventLog) {
        self.settings = settings
        self.server = server
        self.loop = loop
        self.events = events
    }

    func start(_ signals: SignalSource, _ keeper: KeyKeeper, _ keys: CredentialKeys) {
        var adminAddress: SocketAddress?
        if let adminSettings = settings.admin {
            let admin = AdminServer(adminSettings, server: server, loop: loop)
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
        for (upstream, health) in zip(settings.upstreams, server.shared.upstreams) {
            ReachabilityProbe(upstream, health: health, loop: loop).start()
            loop.start { [self] in await watch(health) }
        }
        server.start(keys: keys)
        events.started(
            server.addresses, admin: adminAddress, workers: settings.workers, at: loop.clock)
        let server = server
        keeper.start(
            health: server.shared.keys, wantsKeys: { await server.wantsKeys() },
            adopt: { await server.adopt(keys: $0) })
        loop.start { [self] in await obey(signals) }
    }

    /// Says once per change whether an upstream can be reached.
    private func watch(_ health: UpstreamHealth) async {
        var mayServe = true
        while true {
            await loop.sleep(for: .milliseconds(500))
            guard health.mayServe != mayServe else { continue }
            mayServe.toggle()
            events.upstream(health.name, isReachable: mayServe, at: loop.clock)
        }
    }

    /// The first SIGTERM or SIGINT drains, a second one ends at once.
    private func obey(_ signals: SignalSource) async {
        var isDraining = false
        while true {
            let signal = await signals.next()
            if signal == Host.hangUp {
                events.warning("reload is not available in this version", at: loop.clock)
            } else if isDraining {
                Host.exit(ExitStatus.cutOff)
            } else {
                isDraining = true
                loop.start { [self] in await drain() }
            }
        }
    }

    private func drain() async {
        events.draining(at: loop.clock)
        let left = await server.drain(until: loop.now + settings.drain, on: loop)
        events.stopped(cutOff: left, at: loop.clock)
        await events.flush(on: loop)
        loop.stop()
    }
}
