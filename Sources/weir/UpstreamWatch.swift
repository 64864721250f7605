import EventLoop
import Primitives
import Settings
import Upstreams

/// Probes one upstream, and tells once per change whether it can be reached.
final class UpstreamWatch {
    let health: UpstreamHealth
    private let loop: EventLoop
    private let tell: (Bool) -> Void
    private var settings: UpstreamSettings
    private var current: ReachabilityProbe
    private var isStopped = false

    init(
        _ settings: UpstreamSettings, _ health: UpstreamHealth, _ loop: EventLoop,
        tell: @escaping (Bool) -> Void
    ) {
        self.settings = settings
        self.health = health
        self.loop = loop
        self.tell = tell
        current = ReachabilityProbe(settings, health: health, loop: loop)
    }

    func start() {
        current.start()
        loop.start { [self] in
            var mayServe = true
            while !isStopped {
                await loop.sleep(for: .milliseconds(500))
                guard !isStopped && health.mayServe != mayServe else { continue }
                mayServe.toggle()
                tell(mayServe)
            }
        }
    }

    /// Probes as `new` says from now on; the servers are the same.
    func probe(_ new: UpstreamSettings) {
        guard new != settings else { return }
        settings = new
        current.stop()
        current = ReachabilityProbe(new, health: health, loop: loop)
        current.start()
    }

    func stop() {
        isStopped = true
        current.stop()
    }
}
