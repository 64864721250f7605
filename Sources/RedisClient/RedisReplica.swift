import EventLoop
import Primitives
import RedisWire
import Settings

/// One replica and the connection to it, with a breaker of its own: what happens there says nothing about its master.
final class RedisReplica {
    /// Where it is, and the way there.
    let node: RedisNode
    private let health: RedisHealth
    private let patience: Nanoseconds
    private let loop: EventLoop
    /// Whether it followed its master when it was looked at last.
    private var isCurrent = false

    init(
        at place: RedisSettings.Place, _ settings: RedisSettings, loop: EventLoop,
        random: SeededRandom
    ) {
        health = RedisHealth(name: "replica")
        patience = settings.timeout
        self.loop = loop
        node = RedisNode(
            settings, target: .place(place), loop: loop, health: health, random: random,
            readsReplica: true)
    }

    /// Whether it may be asked: it works, and has what its master had at the last look but one.
    var isUsable: Bool { isCurrent && health.isAvailable && node.isUsable }

    /// Closes the connection.
    func close() { node.close() }

    /// Asks it how far it has followed.
    ///
    /// - Parameters:
    ///   - history: The name of its master's history: a server of another one is none of its replicas.
    ///   - offset: What it must have by now.
    func look(history: String, offset: Int64) {
        node.begin(
            RedisCall(
                RedisCommand("INFO", "replication"), began: loop.now, deadline: loop.now + patience
            ) { [weak self] result in
                guard let self else { return }
                isCurrent = false
                guard case .success(let reply) = result, let found = RedisReplication(reply),
                    case .replica(isConnected: true) = found.part
                else { return }
                isCurrent = found.history == history && found.offset >= offset
            })
    }
}
