import EventLoop
import Primitives
import RedisWire
import Settings

extension RedisConnector {
    /// Where the master of `target` is now; `nil` when no sentinel is asked for it, or none answers.
    func masterPlace(until deadline: MonotonicTime) async -> RedisSettings.Place? {
        guard case .master(let name, let sentinels) = target else { return nil }
        return try? await master(name, of: sentinels, until: deadline)
    }

    /// Asks the sentinels in their order; each gets an equal part of the time that is left, and so does the
    /// connection to the master after them.
    func master(
        _ name: String, of sentinels: [RedisSettings.Place], until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisSettings.Place {
        var failure = RedisConnectFailure.unknownMaster
        for (index, sentinel) in sentinels.enumerated() {
            let share = (deadline - loop.now).count / UInt64(sentinels.count - index + 1)
            do throws(RedisConnectFailure) {
                return try await master(name, by: sentinel, until: loop.now + Nanoseconds(share))
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func master(
        _ name: String, by sentinel: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisSettings.Place {
        let stream = try await open(sentinel, until: deadline)
        defer { stream.close() }
        let reply = try await askSentinel(
            stream, RedisCommand("SENTINEL", "get-master-addr-by-name", name), until: deadline)
        guard let parts = reply.elements, parts.count == 2, let host = parts[0].text,
            let port = parts[1].integer.flatMap(UInt16.init(exactly:))
        else { throw .unknownMaster }
        return .host(host, port: port)
    }

    /// Makes a connection to a sentinel ready for commands.
    func introduceToSentinel(
        _ stream: RedisStream, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) {
        _ = try await askSentinel(stream, RedisCommand("PING"), until: deadline)
    }

    /// The answer to the first question over a connection to a sentinel. Sentinels often have no password where
    /// servers have one: it is given to those that ask for it.
    func askSentinel(
        _ stream: RedisStream, _ question: RedisCommand, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisReply {
        var reply = try await stream.ask([question], until: deadline)[0]
        if case .error(let error) = reply, error.kind == .noAuthentication, let authentication {
            let replies = try await stream.ask([authentication, question], until: deadline)
            if case .error(let error) = replies[0] { throw .server(error) }
            reply = replies[1]
        }
        if case .error(let error) = reply { throw .server(error) }
        return reply
    }
}
