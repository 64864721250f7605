import Caching
import Primitives
import RedisWire

/// The sets by which a purge of a tag finds its answers, so that their memory is given back at once. They decide
/// nothing: what may be served the records of purges say.
///
///     weir:t:{analytics}           sorted set   names of answers, by when their time is over
///     weir:t:{api.test reports}    the same of a group of one host
///
/// A set lives as long as the last of its answers, and up to an eighth longer, so that not every write extends it. A
/// name that is new in it takes a few along whose time is over; beyond `Bounds.setMembers` those leave that would go
/// first.
extension SecondLevel {
    /// Adds a name to sets.
    ///
    /// Keys: the sets. Arguments: the name, its milliseconds, members of a set at most, and how many leave at once.
    private static let enlist = RedisScript(
        """
        local t, life = redis.call('TIME'), tonumber(ARGV[2])
        local now = t[1] * 1000 + math.floor(t[2] / 1000)
        for _, set in ipairs(KEYS) do
          if redis.call('ZADD', set, now + life, ARGV[1]) == 1 then
            local over = redis.call('ZRANGEBYSCORE', set, '-inf', now, 'LIMIT', 0, ARGV[4])
            if #over > 0 then redis.call('ZREM', set, unpack(over)) end
            redis.call('ZREMRANGEBYRANK', set, 0, -1 - ARGV[3])
          end
          if redis.call('PTTL', set) < life then
            redis.call('PEXPIRE', set, math.floor(life * 1.125) + 1)
          end
        end
        return 1
        """)

    /// Puts the name of an answer that is on its way into the sets of its tags; nothing waits for it.
    func enlist(_ name: [UInt8], of head: CachedHead, for lifetime: Nanoseconds) {
        guard head.tags.count > 0 else { return }
        let sets = head.purgeNames.map { SharedKey.set(of: $0, namespace: namespace) }
        let arguments = [
            name, Array("\(max(lifetime.wholeMilliseconds, 1))".utf8),
            Array("\(Bounds.setMembers)".utf8), Array("\(Bounds.setCleaning)".utf8),
        ]
        for group in client.groups(of: sets) {
            client.begin(
                SecondLevel.enlist, keys: group, arguments: arguments, until: .never,
                isAwaited: false
            ) { _ in }
        }
    }
}
