import EventLoop
import Primitives
import RedisWire
import Settings

/// How a connection to one place is made and made ready: name, TCP, AUTH, SELECT, and a first command that shows
/// that the server works.
struct RedisConnector {
    let settings: RedisSettings
    let place: RedisSettings.Place
    let loop: EventLoop

    /// How long an attempt may take.
    func patience(isDegraded: Bool) -> Nanoseconds {
        guard isDegraded else { return settings.connectTimeout }
        // A server that needs longer for this would miss every deadline of its calls.
        return min(
            settings.connectTimeout,
            max(Bounds.probeTime, Nanoseconds(settings.timeout.count * 8)))
    }

    /// Connects, and makes the connection ready for commands.
    func connect(
        writing: Bool, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisStream {
        let bytes = try await connectStream(until: deadline)
        do throws(RedisConnectFailure) {
            let stream = RedisStream(bytes, try await secure(bytes, until: deadline))
            try await introduce(stream, writing: writing, until: deadline)
            return stream
        } catch {
            bytes.close()
            throw error
        }
    }

    /// How long a server with pending commands may be silent before its connection is given up.
    var silencePatience: Nanoseconds {
        max(.milliseconds(200), Nanoseconds(settings.timeout.count * 4))
    }

    /// How long to wait after the `n`-th failure in a row: doubled with each, half of it left to chance.
    static func pause(after n: Int, _ random: inout SeededRandom) -> Nanoseconds {
        let longest = min(
            Bounds.firstPause.count << UInt64(min(n - 1, 16)), Bounds.longestPause.count)
        let chance = UInt64(random.below(Int(longest / 2 + 1)))
        return Nanoseconds(longest / 2 + chance)
    }

    // MARK: The stream

    /// Tries the addresses in their order; each gets an equal part of the time that is left.
    private func connectStream(
        until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> ByteStream {
        let addresses = await addresses(until: deadline)
        var failure = RedisConnectFailure.unresolved
        for (index, address) in addresses.enumerated() {
            let share = (deadline - loop.now).count / UInt64(addresses.count - index)
            do throws(StreamError) {
                return try await ByteStream.connect(
                    to: address, loop: loop, deadline: loop.now + Nanoseconds(share))
            } catch {
                failure = RedisConnectFailure(error)
            }
        }
        throw failure
    }

    private func addresses(until deadline: MonotonicTime) async -> [SocketAddress] {
        switch place {
        case .unix(let path): return [.unix(path)]
        case .host(let name, let port):
            if let literal = IPAddress(parsing: Array(name.utf8).span) {
                return [.tcp(literal, port: port)]
            }
            return await loop.resolve(name, until: deadline).map { .tcp($0, port: port) }
        }
    }

    // MARK: The first commands

    private func introduce(
        _ stream: RedisStream, writing: Bool, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) {
        var commands: [RedisCommand] = []
        if let password = settings.password {
            var auth = RedisCommand("AUTH")
            if let username = settings.username { auth.append(text: username) }
            auth.append(text: password)
            commands.append(auth)
        }
        if settings.database != 0 {
            commands.append(RedisCommand("SELECT", "\(settings.database)"))
        }
        commands.append(RedisConnector.probe(settings, writing: writing))
        for reply in try await stream.ask(commands, until: deadline) {
            if case .error(let error) = reply { throw .server(error) }
        }
    }

    /// A command that shows that the server works; with `writing`, that it takes writes, too.
    static func probe(_ settings: RedisSettings, writing: Bool) -> RedisCommand {
        writing
            ? RedisCommand("SET", "\(settings.namespace):probe", "1", "PX", "1000")
            : RedisCommand("PING")
    }
}
