/// The script that Redis runs for shared limits: many decisions in one call, each of all or none of its limits.
///
/// `KEYS` are the keys of limits (`LimitPolicy.appendSharedKey`), each once. `ARGV[1]` is what `SharedLimitBatch`
/// writes, a MessagePack array of integers; the answer is another one, which `SharedLimitReply` reads. The
/// clock is that of Redis, read once, in microseconds since the Unix epoch; all numbers are integers below 2⁵³,
/// which Lua holds exactly. `SharedLimitModel` is the same arithmetic in Swift.
///
/// Keys are read with one command, decisions change tables of Lua, and what has changed is written back at the
/// end with an expiry: a key that many decisions ask for is read and written once. What a key holds:
///
/// | algorithm | value | counts until |
/// | --- | --- | --- |
/// | token bucket, leaky bucket | TAT, interval | the TAT |
/// | sliding window | sub-window's length, ring, index and count of the oldest, then gap and count of each | the ring has passed |
/// | fixed window | end, count | the end |
/// | sliding log | a list: the moment of each unit, oldest first | the longest period of its limit's rates |
///
/// But for the log all are MessagePack arrays in a string. Values that are none, or missing, count as nothing.
/// Keys expire a second after their value says the same as none: Redis counts expiries from another reading of
/// its clock.
public enum SharedLimitScript {
    /// The text.
    public static let text = text(clock: "redis.call('TIME')")

    /// The text with another clock, an expression for a pair of seconds and microseconds, and milliseconds
    /// that keys are kept longer. For tests.
    static func text(clock: String, slack: Int = 1000) -> String {
        "local time, slack = \(clock), \(slack)\n" + reading + buckets + window + log + decisions
    }

    /// What comes in, and what keys hold.
    private static let reading = """
        local floor, min, max = math.floor, math.min, math.max
        local now = time[1] * 1000000 + time[2]
        local p = cmsgpack.unpack(ARGV[1])
        local values = redis.call('MGET', unpack(KEYS))
        local states, dirty, out = {}, {}, {now}
        -- Kinds of limits; what a rate's numbers are is said by SharedLimitRate.
        local BUCKET, WINDOW, LOG, FIXED, LEAKY = 1, 2, 3, 4, 5
        local MOST = 4503599627370496

        local function value(k)
          local ok, v = pcall(cmsgpack.unpack, values[k] or '')
          return ok and type(v) == 'table' and #v >= 2 and v or nil
        end

        """

    /// One way into all algorithms, and the loop over what was asked.
    private static let decisions = """
        local function state(k, r)
          local s = states[k]
          if not s then
            local kind = p[r]
            if kind == WINDOW then s = readWindow(k)
            elseif kind == LOG then s = readLog(k, r)
            else s = value(k) or {0, 0} end
            states[k] = s
          end
          return s
        end

        local function admits(k, r, units)
          local s, kind = state(k, r), p[r]
          if units == 0 then return true end
          if kind == BUCKET then return debt(s, r) + units * p[r + 2] <= p[r + 3] end
          if kind == WINDOW then return s.total + units <= p[r + 1] end
          if kind == LOG then return counted(k, s, r) + units <= p[r + 1] end
          if kind == FIXED then return (s[1] > now and s[2] or 0) + units <= p[r + 1] end
          return debt(s, r) + (units - 1) * p[r + 2] <= p[r + 3]
        end

        local function charge(k, r, units)
          if units == 0 then return end
          local s, kind = state(k, r), p[r]
          dirty[k] = kind
          if kind == WINDOW then return chargeWindow(s, r, units) end
          if kind == LOG then return chargeLog(k, s, units) end
          if kind == FIXED then
            local held = s[1] > now and s[2] or 0
            s[1] = max(held > 0 and s[1] or 0, calendar(r))
            s[2] = min(held + units, MOST)
          else
            s[1] = now + min(debt(s, r) + min(units * p[r + 2], MOST), MOST)
            s[2] = p[r + 2]
          end
        end

        local function refund(k, r, units, mark)
          local s, kind = state(k, r), p[r]
          dirty[k] = kind
          if kind == WINDOW then return refundWindow(s, r, units, mark) end
          if kind == LOG then return refundLog(k, s, r, units, mark) end
          if kind == FIXED then
            if s[1] == mark and mark > now then s[2] = s[2] - min(units, s[2]) end
          elseif kind == BUCKET then
            local d = debt(s, r)
            if d > 0 and mark > now then
              s[1] = now + d - min(d, units * p[r + 2], mark - now)
              s[2] = p[r + 2]
            end
          elseif s[1] == mark and s[2] == p[r + 2] then
            local d = debt(s, r)
            s[1] = s[1] - min(d, units * p[r + 2])
          end
        end

        -- What is left, until nothing counts any more, and until `units` more could be taken; -1: never.
        local function level(k, r, units)
          local s, kind, wanted = state(k, r), p[r], max(units, 1)
          if kind == WINDOW then return levelWindow(s, r, wanted) end
          if kind == LOG then return levelLog(k, s, r, wanted) end
          if kind == FIXED then
            local held = s[1] > now and s[2] or 0
            local reset = (held > 0 and s[1] or calendar(r)) - now
            local left = max(p[r + 1] - held, 0)
            if wanted > p[r + 1] then return left, reset, -1 end
            return left, reset, wanted > left and reset or 0
          end
          local d = debt(s, r)
          if kind == BUCKET then
            local left = d < p[r + 3] and floor((p[r + 3] - d) / p[r + 2]) or 0
            local cost = wanted * p[r + 2]
            return left, d, cost > p[r + 3] and -1 or max(d + cost - p[r + 3], 0)
          end
          local left = d <= p[r + 3] and floor((p[r + 3] - d) / p[r + 2]) + 1 or 0
          local allowed = p[r + 3] - (wanted - 1) * p[r + 2]
          return left, d, allowed < 0 and -1 or max(d - allowed, 0)
        end

        local function answer(k, r, units, refused)
          local left, reset, after = level(k, r, units)
          local n = #out
          out[n + 1], out[n + 2], out[n + 3] = refused and -1 - left or left, reset, after
        end

        local i, alone = 2 + 5 * p[1], {}
        while p[i] do
          local op = p[i]
          if op < 32 then
            -- 1 to 8 limits and which of them are shadow; 16 more: only a look.
            local n, shadows, passes = op % 16, p[i + 1], op < 16
            local enforces = passes
            i = i + 2
            for j = 1, n do
              local at = i + 3 * j - 3
              alone[j] = admits(p[at], 5 * p[at + 1] + 2, p[at + 2])
              if not alone[j] and floor(shadows / 2 ^ (j - 1)) % 2 == 0 then passes = false end
            end
            for j = 1, n do
              local k, r, units = p[i], 5 * p[i + 1] + 2, p[i + 2]
              local charged = passes
              if floor(shadows / 2 ^ (j - 1)) % 2 == 1 then charged = enforces and alone[j] end
              if charged then charge(k, r, units) end
              answer(k, r, units, not alone[j])
              i = i + 3
            end
          elseif op == 32 then
            charge(p[i + 1], 5 * p[i + 2] + 2, p[i + 3])
            answer(p[i + 1], 5 * p[i + 2] + 2, 1, false)
            i = i + 4
          else
            refund(p[i + 1], 5 * p[i + 2] + 2, p[i + 3], p[i + 4])
            answer(p[i + 1], 5 * p[i + 2] + 2, 1, false)
            i = i + 5
          end
        end

        for k, kind in pairs(dirty) do
          local s = states[k]
          if kind == LOG then
            writeLog(k, s)
          else
            local v, left = s, s[1] and s[1] - now
            if kind == WINDOW then v, left = writeWindow(k, s) end
            if kind == FIXED and s[2] == 0 then left = 0 end
            if left > 0 then
              redis.call('SET', KEYS[k], cmsgpack.pack(v), 'PX', floor(left / 1000) + slack)
            else
              redis.call('DEL', KEYS[k])
            end
          end
        end
        return cmsgpack.pack(out)
        """
}
