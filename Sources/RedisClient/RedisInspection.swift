public import EventLoop
public import Primitives
import RedisWire
public import Settings

/// Looks at the servers of one Redis over connections of its own, apart from clients and breaker.
public struct RedisInspection {
    let settings: RedisSettings
    let loop: EventLoop

    /// Prepares a look by `settings` on `loop`, whose thread calls.
    public init(_ settings: RedisSettings, loop: EventLoop) {
        self.settings = settings
        self.loop = loop
    }

    /// What the first server that answers says about itself, behind sentinels the master; or why the last one did not.
    public func look(
        until deadline: MonotonicTime
    ) async -> Result<RedisFacts, RedisConnectFailure> {
        var failure = RedisConnectFailure.unresolved
        var places = settings.topology.places
        if case .sentinel = settings.topology {
            do throws(RedisConnectFailure) {
                places = [try await master(until: deadline)]
            } catch {
                return .failure(error)
            }
        }
        for place in places {
            do throws(RedisConnectFailure) {
                return .success(try await look(at: place, until: deadline).facts)
            } catch {
                failure = error
            }
        }
        return .failure(failure)
    }

    /// What the server at `place` says about itself, and how long it took to say PONG.
    public func look(
        at place: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> (facts: RedisFacts, roundTrip: Nanoseconds) {
        let stream = try await connect(to: place, until: deadline)
        defer { stream.close() }
        let before = loop.kernel.now().monotonic
        _ = try await stream.ask([RedisCommand("PING")], until: deadline)
        let roundTrip = loop.kernel.now().monotonic - before
        guard let reply = try await stream.ask([RedisCommand("INFO")], until: deadline).first else {
            throw .malformed
        }
        switch reply {
        case .error(let error): throw .server(error)
        default: return (RedisFacts(info: reply.text ?? ""), roundTrip)
        }
    }

    /// Tries at `place` what limits and cache need: a write, and a script that reads the clock.
    ///
    /// - Parameters:
    ///   - place: The server.
    ///   - slots: In a cluster, those that it has; it takes no other keys.
    ///   - deadline: When it must be over.
    /// - Returns: The server's refusal, if there was one.
    /// - Throws: Why there was no connection.
    public func tryWork(
        at place: RedisSettings.Place, slots: [ClosedRange<Int>] = [],
        until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisError? {
        let stream = try await connect(to: place, until: deadline)
        defer { stream.close() }
        let key = RedisInspection.key("\(settings.namespace):check", in: slots)
        let script = "return redis.call('SET', KEYS[1], redis.call('TIME')[1], 'PX', 1000)"
        let replies = try await stream.ask(
            [
                RedisCommand("SET", key, "1", "PX", "1000"),
                RedisCommand("SCRIPT", "LOAD", script),
                RedisCommand("EVAL", script, "1", key),
                RedisCommand("DEL", key),
            ], until: deadline)
        for case .error(let error) in replies { return .server(error) }
        return nil
    }

    /// A key that begins with `prefix` and lies in one of `slots`; any, where there are none.
    static func key(_ prefix: String, in slots: [ClosedRange<Int>]) -> String {
        guard !slots.isEmpty else { return prefix }
        var number = 0
        while true {
            let key = "\(prefix):{\(number)}"
            let slot = RedisSlot.of(Array(key.utf8))
            if slots.contains(where: { $0.contains(slot) }) { return key }
            number += 1
        }
    }

    func connect(
        to place: RedisSettings.Place, readsReplica: Bool = false, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisStream {
        try await RedisConnector(
            settings: settings, target: .place(place), loop: loop, readsReplica: readsReplica
        ).connect(writing: false, until: deadline)
    }
}

extension RedisSettings.Topology {
    /// The servers or sentinels that the configuration names.
    public var places: [RedisSettings.Place] {
        switch self {
        case .single(let place): [place]
        case .cluster(let places), .sentinel(_, let places): places
        }
    }
}
