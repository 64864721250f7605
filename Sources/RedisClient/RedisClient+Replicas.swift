import EventLoop
public import Primitives
public import RedisWire

/// Reads from replicas, for those who can bear that what they read is a moment old.
extension RedisClient {
    /// Begins to look for the replicas of each master, and to look after them.
    public func followReplicas() {
        switch route {
        case .server(let node): node.followReplicas()
        case .cluster(let cluster): cluster.followReplicas()
        }
    }

    /// Sends `command`, which must only read, to a replica of whoever has its key, and waits for its reply, but not beyond
    /// `until`. What goes wrong there opens no breaker but that replica's own.
    ///
    /// - Throws: `.unavailable`, without a wait, when no replica can be asked.
    public func callReplica(
        _ command: RedisCommand, until deadline: MonotonicTime
    ) async throws(RedisError) -> RedisReply {
        guard isAvailable, let replica = replica(for: command) else { throw .unavailable }
        return try await RedisCall.awaitResult { done in
            replica.begin(
                RedisCall(command, began: loop.now, deadline: deadline) { [self] result in
                    if case .failure(.server(let error)) = result { noteRefusal(error) }
                    done(result)
                })
        }.get()
    }

    private func replica(for command: RedisCommand) -> RedisNode? {
        switch route {
        case .server(let node): node.replicas?.next()
        case .cluster(let cluster): cluster.replica(for: command)
        }
    }

    /// A replica that follows another master by now says so.
    private func noteRefusal(_ error: RedisServerError) {
        if error.kind == .moved, case .cluster(let cluster) = route { cluster.refreshSoon() }
    }
}
