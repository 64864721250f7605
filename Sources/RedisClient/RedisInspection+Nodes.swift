public import Primitives
import RedisWire
public import Settings

/// Looks at the servers that others name: masters, replicas, the parts of a cluster.
extension RedisInspection {
    // MARK: A cluster

    /// Who has which slots, as the server at `place` knows; `nil` when it belongs to no cluster.
    public func layout(
        at place: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisLayout? {
        let stream = try await connect(to: place, until: deadline)
        defer { stream.close() }
        let replies = try await stream.ask(
            [RedisCommand("CLUSTER", "SLOTS"), RedisCommand("CLUSTER", "INFO")], until: deadline)
        guard let topology = RedisTopology(replies[0], from: place) else { return nil }
        let isWell = replies[1].text?.contains("cluster_state:ok") ?? false
        return RedisLayout(topology, isWell: isWell)
    }

    // MARK: Sentinels

    /// The master that the sentinels name.
    public func master(
        until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisSettings.Place {
        guard case .sentinel(let name, let sentinels) = settings.topology else {
            throw .unknownMaster
        }
        return try await RedisConnector(
            settings: settings, target: .master(name, sentinels: sentinels), loop: loop
        ).master(name, of: sentinels, until: deadline)
    }

    /// What the sentinel at `place` knows of the master `name`.
    public func askSentinel(
        at place: RedisSettings.Place, about name: String, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisSentinelFacts {
        let connector = RedisConnector(
            settings: settings, target: .sentinels([place]), loop: loop)
        let stream = try await connector.connect(writing: false, until: deadline)
        defer { stream.close() }
        let replies = try await stream.ask(
            [RedisCommand("SENTINEL", "MASTER", name), RedisCommand("SENTINEL", "MASTERS")],
            until: deadline)
        var facts = RedisSentinelFacts()
        let fields = replies[0].fields
        guard let host = fields["ip"], let port = fields["port"].flatMap({ UInt16($0) }) else {
            // Another server than a sentinel refuses the one as it does the other.
            guard let masters = replies[1].elements else {
                if case .error(let error) = replies[1] { throw .server(error) }
                throw .malformed
            }
            facts.otherNames = masters.compactMap { $0.fields["name"] }
            return facts
        }
        facts.master = .host(host, port: port)
        facts.isDown = fields["flags"]?.contains("_down") ?? false
        facts.sentinels = 1 + (fields["num-other-sentinels"].flatMap { Int($0) } ?? 0)
        facts.quorum = fields["quorum"].flatMap { Int($0) } ?? 0
        facts.replicas = fields["num-slaves"].flatMap { Int($0) } ?? 0
        return facts
    }

    // MARK: Replicas

    /// The replicas that follow the master at `place`, as it says itself.
    public func replicas(
        of place: RedisSettings.Place, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> [RedisSettings.Place] {
        let found = try await replication(at: place, readsReplica: false, until: deadline)
        guard case .master(let replicas) = found.part else { return [] }
        return replicas
    }

    /// Whether answers of the master at `master` can be read from `replica`; why not, if not.
    public func tryReading(
        at replica: RedisSettings.Place, of master: RedisSettings.Place,
        until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisReplicaFault? {
        let found = try await replication(at: replica, readsReplica: true, until: deadline)
        guard case .replica(let isConnected) = found.part else { return .isNoReplica }
        guard isConnected else { return .isCutOff }
        let own = try await replication(at: master, readsReplica: false, until: deadline)
        return own.history == found.history ? nil : .isAnothers
    }

    private func replication(
        at place: RedisSettings.Place, readsReplica: Bool, until deadline: MonotonicTime
    ) async throws(RedisConnectFailure) -> RedisReplication {
        let stream = try await connect(
            to: place, readsReplica: readsReplica, until: deadline)
        defer { stream.close() }
        let reply = try await stream.ask(
            [RedisCommand("INFO", "replication")], until: deadline)[0]
        if case .error(let error) = reply { throw .server(error) }
        guard let found = RedisReplication(reply) else { throw .malformed }
        return found
    }
}

/// Why answers cannot be read from what should be a replica.
public enum RedisReplicaFault: Sendable, Equatable {
    /// It is a master.
    case isNoReplica
    /// It does not hear from its master.
    case isCutOff
    /// It follows another master than that which names it: another server has this address, seen from here.
    case isAnothers

    /// The words for it.
    public var text: String {
        switch self {
        case .isNoReplica: "it is no replica"
        case .isCutOff: "it does not hear from its master"
        case .isAnothers:
            "it follows another master; the address that its own one knows leads to another server from here "
                + "(replica-announce-ip)"
        }
    }
}

extension RedisReply {
    /// Names and values in turn, as sentinels answer.
    fileprivate var fields: [String: String] {
        guard let elements else { return [:] }
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: elements.count - 1, by: 2) {
            if let name = elements[index].text { fields[name] = elements[index + 1].text }
        }
        return fields
    }
}
