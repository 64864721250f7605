import EventLoop
import Primitives
import RedisClient
import RedisWire
import Settings

/// Runs tests on a loop of this machine, with real sockets.
enum LiveLoop {
    /// Turns a loop on the calling thread until `body`, which runs on it, has ended.
    static func run(_ body: @escaping (EventLoop) async throws -> Void) throws {
        guard let loop = EventLoop() else { fatalError("no loop") }
        var failure: (any Error)?
        loop.start {
            do { try await body(loop) } catch { failure = error }
            loop.stop()
        }
        loop.run()
        if let failure { throw failure }
    }
}

extension RedisClient {
    /// A client of the server at `place`, with generous times.
    static func make(
        _ loop: EventLoop, _ place: RedisSettings.Place, seed: UInt64 = 1,
        health: RedisHealth = RedisHealth(name: "redis"),
        _ change: (inout RedisSettings) -> Void = { _ in }
    ) -> RedisClient {
        var settings = RedisSettings(topology: .single(place))
        settings.timeout = .seconds(5)
        settings.connectTimeout = .seconds(5)
        change(&settings)
        return RedisClient(
            settings, loop: loop, health: health, random: SeededRandom(seed: seed))
    }

    /// Calls with words.
    func ask(_ name: StaticString, _ words: String...) async throws(RedisError) -> RedisReply {
        var command = RedisCommand(name)
        for word in words { command.append(text: word) }
        return try await call(command, until: deadline)
    }

    /// Waits until the breaker is `open`, for `bound` at most; how long it took.
    func awaitBreaker(open: Bool, within bound: Nanoseconds) async -> Nanoseconds? {
        let start = loop.now
        while health.isDegraded != open {
            guard loop.now - start < bound else { return nil }
            await loop.sleep(for: .milliseconds(2))
        }
        return loop.now - start
    }
}
