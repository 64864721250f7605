import EventLoop
import Primitives
import Settings

/// Who waits on one worker for the ends of other processes' leases, and the connection on which these are announced.
///
/// It is made when somebody waits for the first time. A message is a lease's name; who waits for another one
/// sleeps on.
final class LeaseWaiters {
    private let client: RedisClient
    private let channel: String
    /// The channel for those who announce.
    let channelName: [UInt8]
    private var subscription: RedisSubscription?
    private var waiting: [[UInt8]: [Waiter]] = [:]

    init(_ client: RedisClient, channel: String) {
        self.client = client
        self.channel = channel
        channelName = Array(channel.utf8)
    }

    /// Whether ends are listened to.
    var isListening: Bool { subscription != nil }

    /// Begins to listen; `random` spreads attempts to connect.
    func listen(_ random: SeededRandom) {
        subscription = RedisSubscription(
            client.settings, channels: [channel], loop: client.loop, random: random
        ) { [self] event in
            guard case .message(_, let name) = event else { return }
            for waiter in waiting[name] ?? [] { waiter.wake() }
        }
    }

    /// Waits for the end of the lease `name`, but not beyond `deadline`.
    func wait(for name: [UInt8], until deadline: MonotonicTime) async {
        let waiter = Waiter(client.loop)
        waiting[name, default: []].append(waiter)
        _ = await waiter.wait(until: deadline)
        waiting[name]?.removeAll { $0 === waiter }
        if waiting[name]?.isEmpty == true { waiting[name] = nil }
    }

    func close() {
        subscription?.close()
        subscription = nil
        for waiters in waiting.values { for waiter in waiters { waiter.wake() } }
    }
}
