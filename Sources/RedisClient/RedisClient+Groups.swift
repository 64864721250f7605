import EventLoop
import Primitives
import RedisWire

/// What concerns many keys, or a server as a whole.
extension RedisClient {
    /// The servers that have keys: the masters of a cluster, as far as they are known, or the one there is.
    var masters: [RedisNode] {
        switch route {
        case .server(let node): [node]
        case .cluster(let cluster): cluster.masters
        }
    }

    /// Asks one of `masters`.
    func call(
        _ command: RedisCommand, at master: RedisNode, until deadline: MonotonicTime
    ) async throws(RedisError) -> RedisReply {
        guard isAvailable else { throw .unavailable }
        return try await RedisCall.awaitResult {
            master.begin(RedisCall(command, began: loop.now, deadline: deadline, $0))
        }.get()
    }

    /// Keys in groups that one command may have: all together, or those of one slot of a cluster.
    func groups(of keys: [[UInt8]]) -> [[[UInt8]]] {
        guard isCluster else { return keys.isEmpty ? [] : [keys] }
        return Array(Dictionary(grouping: keys, by: RedisSlot.of).values)
    }

    /// Sends commands together, and waits for the results of all of them, in their order.
    func results(
        of commands: [RedisCommand], until deadline: MonotonicTime
    ) async -> [RedisResult] {
        guard !commands.isEmpty else { return [] }
        var results = [RedisResult](repeating: .failure(.closed), count: commands.count)
        var missing = commands.count
        _ = await RedisCall.awaitResult { done in
            for (index, command) in commands.enumerated() {
                begin(command, until: deadline) { result in
                    results[index] = result
                    missing -= 1
                    if missing == 0 { done(result) }
                }
            }
        }
        return results
    }

    /// Removes keys, and waits for it.
    ///
    /// - Returns: How many there were.
    func unlink(_ keys: [[UInt8]], until deadline: MonotonicTime) async throws(RedisError) -> Int {
        let commands = groups(of: keys).map { group in
            var command = RedisCommand(
                "UNLINK", reserving: group.reduce(16) { $0 + $1.count + 12 })
            for key in group { command.append(key: key) }
            return command
        }
        var count = 0
        for result in await results(of: commands, until: deadline) {
            count += Int(clamping: try result.get().integer ?? 0)
        }
        return count
    }
}
