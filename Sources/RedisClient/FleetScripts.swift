import Primitives
import RedisWire

/// What a process asks of Redis about the other processes: who lives, and what was purged.
///
///     weir:f:{fleet}:members   sorted set   each process at the time of its last sign of life, by Redis' clock
///     weir:f:{fleet}:purges    stream       number-0 → g generation, r record, or nothing where a generation begins
///     weir:f:{fleet}:purges/0  channel      the same as announcements (`PurgeEntry`); databases have one namespace
///                                           of channels, so the database is named
///
/// Scripts read the last entry to know generation and number, so that all that a sequence is lives and dies with one
/// key. The hash tag keeps both keys on one server of a cluster.
enum FleetScripts {
    /// Puts purges behind the last one, and announces them.
    ///
    /// Keys: purges. Arguments: name of a new generation, seconds until idle keys expire, channel, entries to be kept,
    /// and the records' lines. Answer: generation and number of the last one.
    static let append = RedisScript(
        begin + """
            local sequence, generation = last()
            if not generation then sequence, generation = 1, start(1, ARGV[1]) end
            for i = 5, #ARGV do
              sequence = sequence + 1
              local number = string.format('%.0f', sequence)
              redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], number .. '-0', 'g', generation, 'r', ARGV[i])
              redis.call('PUBLISH', ARGV[3], generation .. ' ' .. number .. ' ' .. ARGV[i])
            end
            redis.call('EXPIRE', KEYS[1], ARGV[2])
            return {generation, string.format('%.0f', sequence)}
            """)

    /// Reads purges from a number on; begins a generation where there is none.
    ///
    /// Keys: purges. Arguments: name of a new generation, seconds until idle keys expire, the first number, and how many
    /// at most. Answer: generation and number of the last one, number of the first one, the entries.
    static let read = RedisScript(
        begin + """
            local sequence, generation = last()
            if not generation then sequence, generation = 1, start(1, ARGV[1]) end
            local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
            return {generation, string.format('%.0f', sequence), string.match(first, '^%d+'),
              redis.call('XRANGE', KEYS[1], ARGV[3] .. '-0', '+', 'COUNT', ARGV[4])}
            """)

    /// Begins a generation behind the last entry, unless that is of another one than was expected.
    ///
    /// Keys: purges. Arguments: name of the new generation, seconds until idle keys expire, channel, the generation
    /// that is to end.
    static let renew = RedisScript(
        begin + """
            local sequence, generation = last()
            if generation == ARGV[4] then
              start(sequence + 1, ARGV[1])
              redis.call('PUBLISH', ARGV[3], ARGV[1] .. ' ' .. string.format('%.0f', sequence + 1) .. ' ')
            end
            return 1
            """)

    /// Gives a sign of life, and counts who has given one.
    ///
    /// Keys: purges, members. Arguments: name of a new generation, seconds until idle keys expire, the process,
    /// milliseconds after which a silent one does not count. Answer: how many live, generation and number of the last
    /// purge, or only how many when there is none.
    static let beat = RedisScript(
        begin + """
            local t = redis.call('TIME')
            local now, silence = t[1] * 1000 + math.floor(t[2] / 1000), tonumber(ARGV[4])
            redis.call('ZADD', KEYS[2], now, ARGV[3])
            redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - silence)
            redis.call('ZREMRANGEBYSCORE', KEYS[2], now + silence, '+inf')
            redis.call('EXPIRE', KEYS[2], ARGV[2])
            redis.call('EXPIRE', KEYS[1], ARGV[2])
            local count = redis.call('ZCARD', KEYS[2])
            local sequence, generation = last()
            if not generation then return {count} end
            return {count, generation, string.format('%.0f', sequence)}
            """)

    /// What all of them begin with.
    private static let begin = """
        local function last()
          local found = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
          if not found then return 0 end
          return tonumber(string.match(found[1], '^%d+')), found[2][2]
        end
        local function start(sequence, generation)
          redis.call('XADD', KEYS[1], string.format('%.0f', sequence) .. '-0', 'g', generation, 'r', '')
          redis.call('EXPIRE', KEYS[1], ARGV[2])
          return generation
        end

        """
}
