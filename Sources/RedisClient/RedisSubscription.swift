public import EventLoop
public import Primitives
import RedisWire
public import Settings

/// The messages of some channels, over a connection of its own that is made again whenever it breaks.
///
/// Redis keeps no messages: what was published while there was no connection is lost, and after every
/// `.subscribed` its user reads elsewhere what it may have missed. A connection that says nothing for 1.5 s, though
/// it is asked twice a second, is given up. It belongs to its loop's thread, and has no part in the breaker.
public final class RedisSubscription {
    /// What its user is told, in order.
    public enum Event: Equatable {
        /// All channels are listened to from here on.
        case subscribed
        /// A message of a channel.
        case message(channel: [UInt8], [UInt8])
        /// The connection broke: messages are lost until the next `subscribed`.
        case lost
    }

    private let loop: EventLoop
    private let connector: RedisConnector
    private let channels: [String]
    private let tell: (Event) -> Void
    private var random: SeededRandom
    private var stream: RedisStream?
    private let pauseWaiter: Waiter
    private var isClosed = false
    private var isSubscribed = false

    /// Creates a subscription on `loop`, whose thread calls, and begins to connect.
    ///
    /// - Parameters:
    ///   - settings: How the server is reached.
    ///   - channels: The channels' whole names; at least one.
    ///   - loop: The loop of its thread.
    ///   - random: Spreads attempts to connect.
    ///   - tell: Is called on the loop's thread.
    public convenience init(
        _ settings: RedisSettings, channels: [String], loop: EventLoop, random: SeededRandom,
        tell: @escaping (Event) -> Void
    ) {
        self.init(
            settings, at: RedisTarget(settings.topology), channels: channels, loop: loop,
            random: random, tell: tell)
    }

    /// The same at `target`, which may be sentinels.
    init(
        _ settings: RedisSettings, at target: RedisTarget, channels: [String], loop: EventLoop,
        random: SeededRandom, tell: @escaping (Event) -> Void
    ) {
        precondition(!channels.isEmpty)
        self.loop = loop
        self.channels = channels
        self.random = random
        self.tell = tell
        connector = RedisConnector(settings: settings, target: target, loop: loop)
        pauseWaiter = Waiter(loop)
        loop.start { [self] in await keepSubscribed() }
    }

    /// Ends it; nothing is told any more.
    public func close() {
        isClosed = true
        stream?.close()
        pauseWaiter.wake()
    }

    private func keepSubscribed() async {
        var failures = 0
        while !isClosed {
            let began = loop.now
            await subscribeAndListen()
            stream?.close()
            stream = nil
            guard !isClosed else { return }
            if isSubscribed {
                isSubscribed = false
                tell(.lost)
                if loop.now - began >= Bounds.stableLife { failures = 0 }
            }
            failures += 1
            _ = await pauseWaiter.wait(
                until: loop.now + RedisConnector.pause(after: failures, &random))
        }
    }

    /// Makes one connection and hands on its messages until it ends.
    private func subscribeAndListen() async {
        do throws(RedisConnectFailure) {
            let deadline = loop.now + connector.patience(isDegraded: true)
            let stream = try await connector.connect(writing: false, until: deadline)
            self.stream = stream
            var subscribe = RedisCommand("SUBSCRIBE")
            for channel in channels { subscribe.append(text: channel) }
            var missing = channels.count
            // One reply for each channel, the first of them in answer to the command.
            for reply in try await stream.ask([subscribe], until: deadline) {
                missing -= try confirmed(reply)
            }
            while missing > 0 { missing -= try confirmed(try await stream.next(until: deadline)) }
            guard !isClosed else { return }
            isSubscribed = true
            tell(.subscribed)
            try await listen(to: stream)
        } catch {
            // Whatever it was, another connection is tried.
        }
    }

    /// 1 for the word that a channel is listened to; messages may come between.
    private func confirmed(_ reply: RedisReply) throws(RedisConnectFailure) -> Int {
        if case .error(let error) = reply { throw .server(error) }
        guard let parts = reply.elements, let kind = parts.first?.bytes else { throw .malformed }
        // Its channel's messages before the others are confirmed: what is read after `subscribed` has them.
        return kind.span.equals("subscribe") ? 1 : 0
    }

    private func listen(to stream: RedisStream) async throws(RedisConnectFailure) {
        var heard = loop.now
        var asked = loop.now
        while !isClosed {
            do throws(RedisConnectFailure) {
                let reply = try await stream.next(until: asked + Bounds.subscriptionPing)
                heard = loop.now
                try take(reply)
            } catch {
                guard error == .timedOut, loop.now - heard < Bounds.subscriptionSilence else {
                    throw error
                }
                asked = loop.now
                try await ping(stream)
            }
        }
    }

    private func ping(_ stream: RedisStream) async throws(RedisConnectFailure) {
        let output = ByteBuffer(capacity: 64)
        RedisCommand("PING").write(to: output)
        do throws(StreamError) {
            // A full socket means that the server takes nothing.
            guard try stream.writeNow(output) else { throw StreamError.timedOut }
        } catch {
            throw RedisConnectFailure(error)
        }
    }

    private func take(_ reply: RedisReply) throws(RedisConnectFailure) {
        if case .error(let error) = reply { throw .server(error) }
        guard let parts = reply.elements, let kind = parts.first?.bytes else { throw .malformed }
        guard kind.span.equals("message") else { return }
        guard parts.count == 3, let channel = parts[1].bytes, let content = parts[2].bytes else {
            throw .malformed
        }
        if !isClosed { tell(.message(channel: channel, content)) }
    }
}
