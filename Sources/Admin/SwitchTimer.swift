import EventLoop
import Primitives
import Proxy

/// Tells of changes of the cache's switches, and ends those in time that were turned for a time.
final class SwitchTimer {
    private let server: ProxyServer
    private let loop: EventLoop
    private let changed: (CacheSwitches.Change) -> Void
    private var isRunning = false

    init(
        server: ProxyServer, loop: EventLoop, changed: @escaping (CacheSwitches.Change) -> Void
    ) {
        self.server = server
        self.loop = loop
        self.changed = changed
    }

    /// Tells of a change, and waits for its end if it has one.
    func note(_ change: CacheSwitches.Change?) {
        guard let change else { return }
        changed(change)
        let state = server.shared.switches.state
        guard !isRunning, state.bypassEnds != nil || state.factorEnds != nil else { return }
        isRunning = true
        loop.start { [self] in
            await wait()
            isRunning = false
        }
    }

    private func wait() async {
        while true {
            let (changes, next) = server.shared.switches.endDue(
                at: loop.now, in: server.shared.cache)
            changes.forEach(changed)
            guard let next else { return }
            // Another end may be set meanwhile, an earlier one too.
            await loop.sleep(for: min(next - loop.now, .milliseconds(100)))
        }
    }
}
