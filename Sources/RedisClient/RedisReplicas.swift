import EventLoop
import Primitives
import RedisWire
import Settings

/// The replicas of one master, which are read from in turn.
///
///     each second: master ──INFO──► who follows it (in a cluster CLUSTER SLOTS has told), how far it is itself
///                    each replica ──INFO──► same history, connected, not behind what the master had a second ago
///
/// Which one begins is left to chance, so that many workers do not all ask the same one.
final class RedisReplicas {
    private let settings: RedisSettings
    private unowned let master: RedisNode
    private let loop: EventLoop
    private var random: SeededRandom
    private var replicas: [RedisReplica] = []
    private var turn: Int
    /// How far the master was at the last look.
    private var lastOffset: Int64?
    private let pause: Waiter
    private var isClosed = false

    /// Begins to look at the replicas of `master`, which owns this.
    init(of master: RedisNode, _ settings: RedisSettings, random: SeededRandom) {
        self.master = master
        self.settings = settings
        self.random = random
        loop = master.loop
        turn = self.random.below(Bounds.replicas)
        pause = Waiter(loop)
        loop.start { [self] in
            while !isClosed {
                look()
                _ = await pause.wait(until: loop.now + Bounds.replicaInterval)
            }
        }
    }

    /// Closes all connections.
    func close() {
        isClosed = true
        for replica in replicas { replica.close() }
        replicas = []
        pause.wake()
    }

    /// The next one whose turn it is, of those that may be asked.
    func next() -> RedisNode? {
        for _ in replicas.indices {
            turn += 1
            let replica = replicas[turn % replicas.count]
            if replica.isUsable { return replica.node }
        }
        return nil
    }

    /// Keeps those at `places`, and no others.
    func adopt(_ places: [RedisSettings.Place]) {
        let places = places.prefix(Bounds.replicas)
        guard !isClosed, replicas.map(\.node.place) != Array(places) else { return }
        var former = replicas
        replicas = places.map { place in
            if let index = former.firstIndex(where: { $0.node.place == place }) {
                return former.remove(at: index)
            }
            return RedisReplica(
                at: place, settings, loop: loop, random: SeededRandom(seed: random.next()))
        }
        for replica in former { replica.close() }
    }

    private var isCluster: Bool {
        if case .cluster = settings.topology { true } else { false }
    }

    private func look() {
        master.begin(
            RedisCall(
                RedisCommand("INFO", "replication"), began: loop.now,
                deadline: loop.now + settings.timeout
            ) { [weak self] result in
                guard let self, !isClosed, case .success(let reply) = result,
                    let found = RedisReplication(reply), case .master(let places) = found.part
                else { return }
                if !isCluster {
                    adopt(places)
                } else if places.count != replicas.count {
                    // The cluster knows under which address they can be reached.
                    master.cluster?.refreshSoon()
                }
                for replica in replicas {
                    replica.look(history: found.history, offset: lastOffset ?? 0)
                }
                lastOffset = found.offset
            })
    }
}
