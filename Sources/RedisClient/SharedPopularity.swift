public import Primitives
import RedisWire
import Settings

/// What is asked for most in all processes: hits are added up in Redis, and fade there.
///
///     weir:p:{popular}         sorted set   requests by their hits
///     weir:p:{popular}:faded   string       there for an interval after scores have faded
///
/// Whoever adds first in an interval lets all scores fade, so they fade once for the fleet. At most
/// `kept` requests stay.
public struct SharedPopularity {
    private let client: RedisClient
    private let scores: [UInt8]
    private let faded: [UInt8]
    private let kept: Int

    /// The popularity in the Redis of `client`, of `kept` requests.
    public init(_ client: RedisClient, kept: Int) {
        self.client = client
        self.kept = kept
        let name = "\(client.settings.namespace):p:{popular}"
        scores = Array(name.utf8)
        faded = Array("\(name):faded".utf8)
    }

    private static let script = RedisScript(
        """
        if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then
          redis.call('ZUNIONSTORE', KEYS[1], 1, KEYS[1], 'WEIGHTS', ARGV[2])
        end
        for i = 5, #ARGV, 2 do redis.call('ZINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
        redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[3])
        redis.call('EXPIRE', KEYS[1], ARGV[4])
        return 1
        """)

    /// Adds the hits of an interval of this process; lost while Redis is away.
    ///
    /// - Parameters:
    ///   - hits: Requests as text, and how often each was answered from memory.
    ///   - interval: How often that is done.
    ///   - fading: What is left of a score after an interval.
    public func add(
        _ hits: [(request: [UInt8], count: UInt64)], interval: Nanoseconds, fading: Double
    ) async {
        var rest = hits[...]
        repeat {
            // Redis serves nobody else while it runs.
            let part = rest.prefix(Bounds.popularBatch)
            rest = rest.dropFirst(part.count)
            // A little less than an interval: the next one is to fade again.
            let pause = interval.wholeMilliseconds * 9 / 10
            var arguments = [
                Array("\(max(pause, 1))".utf8), Array("\(fading)".utf8), Array("\(kept)".utf8),
                Array("\(Bounds.fleetExpiry.wholeSeconds)".utf8),
            ]
            for (request, count) in part {
                arguments.append(Array("\(count)".utf8))
                arguments.append(request)
            }
            let reply = try? await client.run(
                SharedPopularity.script, keys: [scores, faded], arguments: arguments,
                until: client.deadline)
            if reply == nil { return }
        } while !rest.isEmpty
    }

    /// The most popular requests with their scores, the highest first; `nil` when Redis does not answer.
    public func top() async -> [(request: [UInt8], score: Double)]? {
        var command = RedisCommand("ZREVRANGE")
        command.append(key: scores)
        command.append(0)
        command.append(Int64(kept - 1))
        command.append("WITHSCORES")
        guard let parts = try? await client.call(command, until: client.deadline).elements else {
            return nil
        }
        var found: [(request: [UInt8], score: Double)] = []
        for i in stride(from: 0, to: parts.count - 1, by: 2) {
            guard let request = parts[i].bytes, let score = parts[i + 1].text.flatMap(Double.init)
            else { continue }
            found.append((request, score))
        }
        return found
    }
}
