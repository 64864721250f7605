import EventLoop
import Primitives
import RedisWire
import Settings

/// A connection on which a channel's messages arrive, made again whenever it breaks.
///
/// One that has been silent for `Bounds.listenSilence` is asked whether it is still there.
final class FleetListener {
    private let settings: RedisSettings
    private let channel: [UInt8]
    private let loop: EventLoop
    private let random: SeededRandom
    private let hear: ([UInt8]) -> Void
    private let changed: (Bool) -> Void
    private let pause: Waiter
    private var link: RedisLink?
    private var isClosed = false

    /// Prepares to listen to `channel`.
    ///
    /// - Parameters:
    ///   - settings: The server.
    ///   - channel: Its whole name.
    ///   - loop: The loop of the calling thread.
    ///   - hear: Told each message.
    ///   - changed: Told when messages arrive from now on, and when they do not any more.
    init(
        _ settings: RedisSettings, channel: [UInt8], loop: EventLoop, random: SeededRandom,
        hear: @escaping ([UInt8]) -> Void, changed: @escaping (Bool) -> Void
    ) {
        self.settings = settings
        self.channel = channel
        self.loop = loop
        self.random = random
        self.hear = hear
        self.changed = changed
        pause = Waiter(loop)
    }

    func start() { loop.start { [self] in await keepListening() } }

    func close() {
        isClosed = true
        link?.close(.closed)
        pause.wake()
    }

    private func keepListening() async {
        guard case .single(let place) = settings.topology else {
            preconditionFailure("clusters and sentinels are refused by the configuration")
        }
        let connector = RedisConnector(settings: settings, place: place, loop: loop)
        var random = random
        while !isClosed {
            do throws(RedisConnectFailure) {
                let link = try await connector.connect(
                    writing: false, until: loop.now + settings.connectTimeout)
                self.link = link
                await listen(on: link)
                link.close(.closed)
                self.link = nil
            } catch {}
            if isClosed { return }
            // Short: until it is back, purges are asked for again and again.
            let length = Bounds.fleetPause.count / 2
            let chance = UInt64(random.below(Int(length)))
            _ = await pause.wait(until: loop.now + Nanoseconds(length + chance))
        }
    }

    /// Listens until the connection ends.
    private func listen(on link: RedisLink) async {
        var subscribe = RedisCommand("SUBSCRIBE")
        subscribe.append(channel)
        link.send(subscribe, for: nil)
        var isListening = false
        var isAsked = false
        while !isClosed {
            switch await link.hear(until: loop.now + Bounds.listenSilence) {
            case .success(let reply):
                isAsked = false
                guard let parts = reply.elements, let word = parts.first?.bytes else { continue }
                if word.span.equals("message"), parts.count == 3, let message = parts[2].bytes {
                    hear(message)
                } else if word.span.equals("subscribe") {
                    isListening = true
                    changed(true)
                }
            case .failure(.timedOut) where !isAsked && isListening:
                isAsked = true
                link.send(RedisCommand("PING"), for: nil)
            case .failure:
                if isListening { changed(false) }
                return
            }
        }
    }
}
