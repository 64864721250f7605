import EventLoop
import Primitives
import RedisWire
import Settings

/// Tells a node where its master is, as soon as the sentinels know of another one.
///
///     a sentinel's `+switch-master`, `+promoted-slave` ──┐
///     listening again after it could not ────────────────┼──► ask the sentinels ──► node.follow
///     2.5 s to 5 s are over ─────────────────────────────┘
///
/// The sentinel that leads a failover answers with the new master from `+promoted-slave` on, and says `+switch-master`
/// only when the other replicas follow, too; the other sentinels say `+switch-master` as soon as they know. Messages may
/// be lost: what is asked now and then is what holds.
final class RedisMasterWatch {
    private static let channels = ["+switch-master", "+promoted-slave"]

    private weak var node: RedisNode?
    private let connector: RedisConnector
    private let loop: EventLoop
    private let name: String
    private var random: SeededRandom
    private var subscription: RedisSubscription?
    private let pause: Waiter
    private var isAsking = false
    /// Whether something was said after the question went out.
    private var isDueAgain = false
    private var isClosed = false

    /// Watches for `node`, which `connector` connects.
    init(for node: RedisNode, _ connector: RedisConnector, random: SeededRandom) {
        guard case .master(let name, let sentinels) = connector.target else {
            preconditionFailure("only sentinels know who is the master")
        }
        self.node = node
        self.connector = connector
        self.name = name
        self.random = random
        loop = connector.loop
        pause = Waiter(loop)
        subscription = RedisSubscription(
            connector.settings, at: .sentinels(sentinels), channels: RedisMasterWatch.channels,
            loop: loop, random: SeededRandom(seed: self.random.next())
        ) { [weak self] event in self?.take(event) }
        loop.start { [self] in await askNowAndThen() }
    }

    /// Ends it.
    func close() {
        isClosed = true
        subscription?.close()
        pause.wake()
    }

    private func take(_ event: RedisSubscription.Event) {
        switch event {
        case .subscribed: askSoon()
        case .message(_, let content):
            // `main 10.0.0.1 6379 10.0.0.2 6379`, and `slave 10.0.0.2:6379 10.0.0.2 6379 @ main 10.0.0.1 6379`.
            let words = String(decoding: content, as: UTF8.self).split(separator: " ")
            if words.contains(name[...]) { askSoon() }
        case .lost: break
        }
    }

    private func askSoon() {
        isDueAgain = isAsking
        guard !isAsking, !isClosed else { return }
        isAsking = true
        loop.start { [self] in
            repeat {
                isDueAgain = false
                await ask()
            } while isDueAgain && !isClosed
            isAsking = false
        }
    }

    private func askNowAndThen() async {
        while !isClosed {
            let interval = Bounds.masterInterval.count
            let chance = UInt64(random.below(Int(interval / 2)))
            _ = await pause.wait(until: loop.now + Nanoseconds(interval / 2 + chance))
            askSoon()
        }
    }

    private func ask() async {
        let deadline = loop.now + connector.settings.connectTimeout
        guard let place = await connector.masterPlace(until: deadline), !isClosed else { return }
        node?.follow(place)
    }
}
