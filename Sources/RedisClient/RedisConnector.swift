import EventLoop
import Primitives
import RedisWire
import Settings

/// How a connection to one place is made and made ready: name, TCP, AUTH, SELECT, and a first command that shows
/// that the server works.
struct RedisConnector {
    let settings: RedisSettings
    let target: RedisTarget
    let loop: EventLoop
    /// Whether what is read there may be a replica's.
    let readsReplica: Bool

    init(
        settings: RedisSettings, target: RedisTarget, loop: EventLoop, readsReplica: Bool = false
    ) {
        self.settings = settings
        self.target = target
        self.loop = loop
        self.readsReplica = readsReplica
    }

    /// How long an attempt may take.
    func patience(isDegraded: Bool) -> Nanoseconds {
        guard isDegraded else { return settings.connectTimeout }
        // A server that needs longer for this would miss every deadline of its calls.
        return min(
            settings.connectTimeout,
            max(Bounds.probeTime, Nanoseconds(settings.timeout.count * 8)))
    }

    /// Connects, and makes the connection ready for commands; `attempt` can be given up meanwhile.
    func connect(
        writing: Bool, until deadline: MonotonicTime, as attempt: RedisAttempt? = nil
    ) async throws(RedisConnectFailure) -> RedisStream {
        let (stream, place) = try await open(until: deadline)
        stream.place = place
        attempt?.stream = stream
        defer { attempt?.stream = nil }
        do throws(RedisConnectFailure) {
            if target.isSentinel {
                try await introduceToSentinel(stream, until: deadline)
            } else {
                try await introduce(stream, writing: writing, until: deadline)
            }
            return stream
        } catch {
            stream.close()
            throw error
        }
    }

    /// Connects to where `target` leads now.
    private func open(
        until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> (RedisStream, RedisSettings.Place) {
        switch target {
        case .place(let place): return (try await open(place, until: deadline), place)
        case .master(let name, let sentinels):
            let place = try await master(name, of: sentinels, until: deadline)
            return (try await open(place, until: deadline), place)
        case .any(let places), .sentinels(let places):
            var failure = RedisConnectFailure.unresolved
            for (index, place) in places.enumerated() {
                let share = (deadline - loop.now).count / UInt64(places.count - index)
                do throws(RedisConnectFailure) {
                    return (
                        try await open(place, until: loop.now + Nanoseconds(share)), place
                    )
                } catch {
                    failure = error
                }
            }
            throw failure
        }
    }

    /// Connects to the server at `place`, with TLS where it is asked for.
    func open(
        _ place: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisStream {
        let bytes = try await connectStream(place, until: deadline)
        do throws(RedisConnectFailure) {
            return RedisStream(bytes, try await secure(bytes, place, until: deadline))
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
        _ place: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> ByteStream {
        let addresses = await addresses(place, until: deadline)
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

    private func addresses(
        _ place: RedisSettings.Place, until deadline: MonotonicTime
    ) async -> [SocketAddress] {
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
        if let authentication { commands.append(authentication) }
        if settings.database != 0 {
            commands.append(RedisCommand("SELECT", "\(settings.database)"))
        }
        if readsReplica, case .cluster = settings.topology {
            commands.append(RedisCommand("READONLY"))
        }
        let needed = commands.count
        if target.isMaster { commands.append(RedisCommand("ROLE")) }
        commands.append(probe(writing: writing))
        let replies = try await stream.ask(commands, until: deadline)
        for case .error(let error) in replies.prefix(needed) { throw .server(error) }
        if target.isMaster, let role = replies[needed].elements?.first?.text, role != "master" {
            throw .notMaster
        }
        if let refusal = RedisConnector.refusal(replies[replies.count - 1]) { throw refusal }
    }

    /// AUTH, where there is a password.
    var authentication: RedisCommand? {
        settings.password.map { password in
            var command = RedisCommand("AUTH")
            if let username = settings.username { command.append(text: username) }
            command.append(text: password)
            return command
        }
    }

    /// A command that shows that the server works; with `writing`, and where it is to be written to, that it takes
    /// writes, too, and in a cluster that the cluster is complete.
    func probe(writing: Bool) -> RedisCommand {
        guard writing && !readsReplica else { return RedisCommand("PING") }
        if case .cluster = settings.topology { return RedisCommand("CLUSTER", "INFO") }
        return RedisCommand("SET", "\(settings.namespace):probe", "1", "PX", "1000")
    }

    /// What the reply to a probe has against using the server. A refusal of the command alone shows that the
    /// server works.
    static func refusal(_ reply: RedisReply) -> RedisConnectFailure? {
        switch reply {
        case .error(let error): error.isAboutServer ? .server(error) : nil
        case .bulk(let bytes):
            bytes.span.containsIgnoringCase("cluster_state:fail")
                ? .server(RedisServerError(line: Array("CLUSTERDOWN The cluster is down".utf8)))
                : nil
        default: nil
        }
    }
}
