import BinaryKit
import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings
import Testing

@Suite struct SubscriptionTests {
    /// What a subscription told, and a wait for it.
    private final class Listener {
        private(set) var events: [RedisSubscription.Event] = []
        private let loop: EventLoop
        private let news: Waiter

        init(_ loop: EventLoop) {
            self.loop = loop
            news = Waiter(loop)
        }

        func note(_ event: RedisSubscription.Event) {
            events.append(event)
            news.wake()
        }

        /// Waits until `count` events were told; whether they were.
        func await(_ count: Int) async -> Bool {
            let deadline = loop.now + .seconds(10)
            while events.count < count {
                if await news.wait(until: deadline) != .ready { return false }
            }
            return true
        }
    }

    private func message(_ channel: String, _ text: String) -> RedisSubscription.Event {
        .message(channel: Array(channel.utf8), Array(text.utf8))
    }

    @Test func `messages come in order, and a subscription outlives its connection`() throws {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let place = RedisSettings.Place.host("127.0.0.1", port: server.port)
                let listener = Listener(loop)
                var settings = RedisSettings(topology: .single(place))
                // A busy machine may keep a server from answering for a while: that is no lost connection here.
                settings.timeout = .seconds(10)
                let subscription = RedisSubscription(
                    settings, channels: ["weir:a", "weir:b"], loop: loop,
                    random: SeededRandom(seed: 1)
                ) { listener.note($0) }
                let client = RedisClient.make(loop, place)
                defer {
                    client.close()
                    subscription.close()
                }
                #expect(await listener.await(1))
                for (channel, text) in [
                    ("weir:a", "1"), ("weir:c", "2"), ("weir:b", ""), ("weir:a", "4"),
                ] {
                    _ = try await client.ask("PUBLISH", channel, text)
                }
                #expect(await listener.await(4))
                // Also after it was asked whether it lives.
                await loop.sleep(for: .milliseconds(1200))
                _ = try await client.ask("PUBLISH", "weir:b", "5")
                #expect(await listener.await(5))
                #expect(try await client.ask("CLIENT", "KILL", "TYPE", "pubsub").integer == 1)
                #expect(await listener.await(7))
                _ = try await client.ask("PUBLISH", "weir:b", "6")
                #expect(await listener.await(8))
                #expect(
                    listener.events == [
                        .subscribed, message("weir:a", "1"), message("weir:b", ""),
                        message("weir:a", "4"), message("weir:b", "5"), .lost, .subscribed,
                        message("weir:b", "6"),
                    ])
            }
        }
    }

    @Test func `a connection that says nothing is given up, and another one is made`() throws {
        try RedisServer.run { server in
            try LiveLoop.run { loop async throws in
                let listener = Listener(loop)
                let subscription = RedisSubscription(
                    RedisSettings(topology: .single(.unix(server.socketPath))), channels: ["c"],
                    loop: loop, random: SeededRandom(seed: 1)
                ) { listener.note($0) }
                defer { subscription.close() }
                #expect(await listener.await(1))
                server.freeze()
                let start = loop.now
                #expect(await listener.await(2))
                #expect(loop.now - start < .milliseconds(2500))
                server.thaw()
                let back = loop.now
                #expect(await listener.await(3))
                #expect(loop.now - back < .seconds(1))
                #expect(listener.events == [.subscribed, .lost, .subscribed])
            }
        }
    }
}
