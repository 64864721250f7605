import EventLoop
import Primitives
import RedisClient
import Settings

/// Tells of one Redis, once per change, whether it is asked or left alone, and at the start what may go wrong
/// with it.
final class RedisWatch {
    /// How often the breaker is looked at.
    private static let interval = Nanoseconds.milliseconds(100)
    /// How long the first look at the server may take, and the pause before another one.
    private static let patience = Nanoseconds.seconds(5)

    private let health: RedisHealth
    private let settings: RedisSettings
    private let use: RedisUse
    private let events: EventLog
    private let loop: EventLoop
    private var degradedSince: MonotonicTime?

    init(
        _ health: RedisHealth, _ settings: RedisSettings, _ use: RedisUse, _ events: EventLog,
        _ loop: EventLoop
    ) {
        self.health = health
        self.settings = settings
        self.use = use
        self.events = events
        self.loop = loop
    }

    /// Begins, for as long as the process runs.
    func start() {
        loop.start { [self] in
            while true {
                for change in health.takeChanges() { tell(change) }
                await loop.sleep(for: RedisWatch.interval)
            }
        }
        loop.start { [self] in await warnOnce() }
    }

    private func tell(_ change: RedisHealthChange) {
        let outage = change.isDegraded ? nil : degradedSince.map { change.at - $0 }
        degradedSince = change.isDegraded ? change.at : nil
        events.redis(health.name, change, after: outage, at: loop.clock)
    }

    /// Asks the server what it is, until it answers, and writes down each risk.
    private func warnOnce() async {
        let inspection = RedisInspection(settings, loop: loop)
        while true {
            let found = await inspection.look(until: loop.now + RedisWatch.patience)
            if case .success(let facts) = found {
                for risk in facts.risks(for: use, under: settings) {
                    events.redis(health.name, warning: risk.text, at: loop.clock)
                }
                return
            }
            await loop.sleep(for: RedisWatch.patience)
        }
    }
}
