import Caching
public import Primitives
import RedisWire

/// The right to fetch a key for all replicas, for a short time.
public struct FetchLease: Sendable {
    let name: [UInt8]
    /// Tells its holder from others.
    let token: [UInt8]
}

/// Who fetches a key.
public enum LeaseAnswer: Sendable {
    /// Whoever asked.
    case taken(FetchLease)
    /// Another process, which will put its answer into Redis.
    case elsewhere
    /// Each for itself: the last answer could not be shared, or the origin failed a moment ago.
    case eachForItself
    /// Nobody knows: Redis does not answer.
    case unavailable
}

/// One fetch for all replicas: whoever takes the lease of a key asks the origin.
///
///     free ──SET──► token of the holder ──answer stored──► free
///       ▲                  │  └────answer cannot be shared, origin failed──► `-`
///       └──── its time ────┴──────────────────────────────────────────────────┘
extension SecondLevel {
    private static let take = RedisScript(
        """
        local held = redis.call('GET', KEYS[1])
        if held then return held end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return ARGV[1]
        """)

    private static let end = RedisScript(
        """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        if ARGV[2] == '0' then
            redis.call('DEL', KEYS[1])
        else
            redis.call('SET', KEYS[1], '-', 'PX', ARGV[2])
        end
        redis.call('PUBLISH', ARGV[3], KEYS[1])
        return 1
        """)

    /// Takes the lease on fetching `key`, if nobody has it.
    ///
    /// - Parameters:
    ///   - key: The cache key.
    ///   - time: How long it lasts, should its holder end without a word.
    /// - Returns: Who has it now.
    public func takeLease(of key: [UInt8], for time: Nanoseconds) async -> LeaseAnswer {
        let lease = FetchLease(
            name: SharedKey.lease(of: key.span, namespace: namespace),
            token: Array(String(random.next(), radix: 16).utf8))
        guard isAvailable else { return .unavailable }
        do throws(RedisError) {
            let reply = try await client.run(
                SecondLevel.take, keys: [lease.name],
                arguments: [lease.token, SecondLevel.milliseconds(time)], until: client.deadline)
            guard let holder = reply.bytes else { return .unavailable }
            if holder == lease.token {
                counts.leases += 1
                return .taken(lease)
            }
            return holder.span.equals("-") ? .eachForItself : .elsewhere
        } catch {
            return .unavailable
        }
    }

    /// Gives a lease back, unless its time is over; nothing waits for it.
    ///
    /// - Parameters:
    ///   - lease: The lease.
    ///   - time: How long each replica shall fetch for itself, because the answer cannot be shared; zero: it is in
    ///     Redis, or on its way there.
    public func end(_ lease: FetchLease, eachForItself time: Nanoseconds) {
        client.begin(
            SecondLevel.end, keys: [lease.name],
            arguments: [lease.token, SecondLevel.milliseconds(time), waiting.channelName],
            until: client.deadline
        ) { _ in }
    }

    /// Waits until whoever has the lease of `key` ends it, but not beyond `deadline`. Announcements may be lost: look
    /// again in any case.
    public func awaitEnd(ofLeaseOn key: [UInt8], until deadline: MonotonicTime) async {
        let name = SharedKey.lease(of: key.span, namespace: namespace)
        if !waiting.isListening { waiting.listen(SeededRandom(seed: random.next())) }
        await waiting.wait(for: name, until: deadline)
    }

    private static func milliseconds(_ time: Nanoseconds) -> [UInt8] {
        Array(String(time.wholeMilliseconds).utf8)
    }
}
